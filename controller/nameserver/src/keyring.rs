//! The keys in force, and from where each may be used. They are replaced as a whole, while the primary runs: a transfer that has begun
//! goes on with the key that it began with.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use cst_compiler::model::{DomainName, Network};

use crate::tsig::TsigKey;

/// Keys that requests may be signed with: who has one of them may have every zone. Several may have one name, as while a secret is
/// replaced: the first signs what we send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    keys: Vec<Arc<TsigKey>>,
    /// The networks of keys by name; a key that is not here is good from everywhere.
    networks: Vec<(DomainName, Vec<Network>)>,
}

impl Keyring {
    /// These keys, good from everywhere.
    pub fn new(keys: impl IntoIterator<Item = TsigKey>) -> Self {
        Self { keys: keys.into_iter().map(Arc::new).collect(), networks: Vec::new() }
    }

    /// Binds the keys of a name to networks, in addition to those that they were bound to before.
    #[must_use]
    pub fn bound(mut self, key: DomainName, networks: Vec<Network>) -> Self {
        self.networks.push((key, networks));
        self
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<TsigKey>> {
        self.keys.iter()
    }

    /// The keys of a name, the one that signs first.
    pub(crate) fn named(&self, name: &DomainName) -> impl Iterator<Item = &Arc<TsigKey>> {
        self.keys.iter().filter(move |key| key.name() == name)
    }

    /// Whether a client at this address may use the keys of a name.
    pub(crate) fn allows(&self, key: &DomainName, client: IpAddr) -> bool {
        let mut bound = self.networks.iter().filter(|(name, _)| name == key).peekable();
        bound.peek().is_none() || bound.flat_map(|(_, networks)| networks).any(|network| network.contains(client))
    }
}

/// The keyring in force, wherever it is needed.
#[derive(Clone, Debug)]
pub(crate) struct Keys(Arc<RwLock<Arc<Keyring>>>);

impl Keys {
    pub(crate) fn new(keyring: Keyring) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(keyring))))
    }

    pub(crate) fn get(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, keyring: Keyring) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_from_everywhere_or_from_all_networks_it_is_bound_to() {
        let name = |text: &str| DomainName::parse(text).unwrap();
        let network = |text: &str| vec![Network::parse(text).unwrap()];
        let keyring = Keyring::default()
            .bound(name("bound"), network("192.0.2.0/24"))
            .bound(name("bound"), network("2001:db8::/32"))
            .bound(name("nowhere"), Vec::new());
        let allows = |key: &str, client: &str| keyring.allows(&name(key), client.parse().unwrap());
        assert!(allows("free", "198.51.100.1") && allows("free", "::1"));
        assert!(allows("bound", "192.0.2.255") && allows("bound", "2001:db8::1"));
        assert!(!allows("bound", "192.0.3.0") && !allows("bound", "2001:db9::"));
        assert!(!allows("nowhere", "192.0.2.1"));
    }
}
