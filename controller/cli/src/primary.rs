//! The hidden primary in the place of the controller's zone server.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cst_api::DnssecAlgorithm;
use cst_compiler::model::record::Ds;
use cst_compiler::model::{DomainName, Soa};
use cst_compiler::published::{KeyMaterial, ZoneVersion};
use cst_compiler::settings::DnsSettings;
use cst_kubernetes::zone_server::{Observation, ZoneServer, ZoneServerError};
use cst_nameserver::key::SigningKey;
use cst_nameserver::lookup::{Client, Pace, ParentAnswers, ParentLookup, ParentSeen, ParentWatch, Resolvers};
use cst_nameserver::{Catalog, Clock, Keyring, Limits, Observations, Primary, PrimaryConfig, Secondary, TsigKey};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::command::Failure;

/// How many observations wait for the controller.
const WAITING: usize = 1024;
/// The catalog's SOA, in seconds: asked for soon when a NOTIFY was lost, kept for 28 days.
const CATALOG_TIMERS: (u32, u32, u32) = (60, 10, 28 * 86_400);

/// Where name servers answer.
const DNS_PORT: u16 = 53;
/// The key of servers that the settings give none: the chart's.
const OWN_KEY: &str = "transfer";
/// How often the folder of keys is read again.
const KEYS_INTERVAL: Duration = Duration::from_secs(2);

/// The settings with a key for each server: where they give none it is the key `transfer`, or the only one there is. A partner's key is never
/// taken for it.
pub(crate) fn with_keys(mut dns: DnsSettings, keys: &Path) -> Result<DnsSettings, Failure> {
    let keys = read_keys(keys)?;
    if keys.is_empty() {
        return Err("there is no TSIG key: put one into the folder of --keys".into());
    }
    let names: BTreeSet<&DomainName> = keys.iter().map(TsigKey::name).collect();
    let own = names.iter().copied().find(|name| name.as_str() == OWN_KEY);
    let own = own.or_else(|| names.first().copied().filter(|_| names.len() == 1));
    for server in dns.secondaries.iter_mut().filter(|server| server.key.is_none()) {
        server.key = Some(own.cloned().ok_or_else(|| format!(
            "dns.secondaries of the settings give {} no `key`, and none of these is called `{OWN_KEY}`: {}; write which of them it has",
            server.name,
            names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
        ))?);
    }
    Ok(dns)
}

/// A primary's configuration from the settings, as [`with_keys`] gives them, and a folder of keys.
pub(crate) fn config(dns: &DnsSettings, listen: Vec<SocketAddr>, keys: &Path) -> Result<PrimaryConfig, Failure> {
    let keys = read_keys(keys)?;
    let secondaries = dns.secondaries.iter().filter_map(|server| {
        let (name, address, key) = (server.name.clone(), server.address.clone(), server.key.clone()?);
        Some(Secondary { name, address, key })
    });
    Ok(PrimaryConfig {
        listen,
        secondaries: secondaries.collect(),
        keys: keyring(dns, keys),
        catalog: catalog(dns),
        plain: false,
        is_alone: false,
        limits: Limits::default(),
        clock: Clock::system(),
    })
}

/// The keys, each bound to the networks of the servers that have it, unless one of these may be anywhere.
fn keyring(dns: &DnsSettings, keys: Vec<TsigKey>) -> Keyring {
    let servers = dns.secondaries.iter().map(|server| (server.key.as_ref(), server.from.as_deref()));
    let rules = dns.transfers.iter().map(|rule| (Some(&rule.key), Some(rule.from.as_slice())));
    let rules: Vec<_> = servers.chain(rules).collect();
    let is_free = |key: &DomainName| rules.contains(&(Some(key), None));
    let bound = rules.iter().filter_map(|(key, from)| Some((key.filter(|key| !is_free(key))?, (*from)?)));
    bound.fold(Keyring::new(keys), |keyring, (key, from)| keyring.bound(key.clone(), from.to_vec()))
}

/// The catalog zone of the settings.
pub(crate) fn catalog(dns: &DnsSettings) -> Catalog {
    let (refresh, retry, expire) = CATALOG_TIMERS;
    let nobody = DomainName::parse("invalid").unwrap_or(DomainName::ROOT);
    let soa = Soa { mname: nobody.clone(), rname: nobody, serial: 0, refresh, retry, expire, minimum: 0 };
    Catalog { name: dns.catalog.clone(), soa }
}

/// Reads a folder with a file for each TSIG key, named as the key, with its secrets as [`TsigKey::from_lines`] has them; by name.
fn read_keys(folder: &Path) -> Result<Vec<TsigKey>, Failure> {
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder)?.collect();
    let mut paths: Vec<_> = entries?.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    let mut keys = Vec::new();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        keys.extend(TsigKey::from_lines(&DomainName::parse(name)?, &std::fs::read_to_string(&path)?)?);
    }
    Ok(keys)
}

/// Puts the folder's keys in force whenever they change. Keys that cannot be read or miss a server's leave the old ones in force.
pub(crate) async fn follow_keys(served: Arc<Served>, dns: DnsSettings, folder: PathBuf) {
    let mut last = read_keys(&folder).map_err(|failure| failure.to_string());
    loop {
        sleep(KEYS_INTERVAL).await;
        let keys = read_keys(&folder).map_err(|failure| failure.to_string());
        if keys == last {
            continue;
        }
        let replaced = keys
            .clone()
            .and_then(|keys| served.primary.set_keys(keyring(&dns, keys)).map_err(|error| error.to_string()));
        match replaced {
            Ok(()) => info!("the TSIG keys have changed: the new ones are in force"),
            Err(error) => error!(%error, "the TSIG keys have changed, but the old ones stay in force"),
        }
        last = keys;
    }
}

/// Watches what the zones above say, as the settings' resolvers find them.
pub(crate) fn watch_parents(dns: &DnsSettings) -> (ParentWatch, ParentAnswers) {
    let client = Client::default();
    let resolvers = Resolvers::new(dns.resolvers.iter().cloned(), client);
    ParentWatch::start(ParentLookup { resolvers, client, port: DNS_PORT }, Pace::default())
}

/// The primary as the controller sees it.
pub(crate) struct Served {
    pub(crate) primary: Primary,
    pub(crate) parents: ParentWatch,
}

impl ZoneServer for Served {
    fn new_key(&self, algorithm: DnssecAlgorithm) -> Result<KeyMaterial, ZoneServerError> {
        cst_nameserver::key::generate(algorithm).map_err(ZoneServerError::new)
    }

    fn read_key(&self, key: &KeyMaterial, apex: &DomainName) -> Result<(DnssecAlgorithm, Ds), ZoneServerError> {
        let key = SigningKey::load(key).map_err(ZoneServerError::new)?;
        Ok((key.algorithm(), key.ds(apex)))
    }

    fn publish(&self, version: ZoneVersion) -> Result<(), ZoneServerError> {
        self.primary.publish(version).map_err(ZoneServerError::new)
    }

    fn watch_parent(&self, apex: &DomainName, is_awaited: bool) {
        self.parents.follow(apex.clone());
        self.parents.set_waiting(apex.clone(), is_awaited);
    }

    fn ask_parent(&self, apex: &DomainName) {
        self.parents.ask(apex.clone());
    }

    fn declare(&self, apex: &DomainName) {
        self.primary.declare(apex);
    }

    fn withdraw(&self, apex: &DomainName) {
        self.parents.forget(apex.clone());
        self.primary.withdraw(apex);
    }

    fn complete(&self) {
        self.primary.set_complete();
    }

    fn keep_catalog(&self, until: Option<Instant>) {
        self.primary.keep_catalog(until);
    }
}

/// Hands on what the public servers answer and what the zones above say, until whoever hears it ends.
pub(crate) fn forward(mut answers: Observations, mut said: ParentAnswers) -> mpsc::Receiver<Observation> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        loop {
            let observation = tokio::select! {
                Some(seen) = answers.next() => observation(seen),
                Some(ParentSeen { zone, parent, failure, asked }) = said.next() => {
                    if let Some(failure) = failure {
                        warn!(%zone, failure, "the zone above is not known");
                    }
                    Observation::Parent { zone, parent, asked }
                }
                else => return,
            };
            if sender.send(observation).await.is_err() {
                return;
            }
        }
    });
    receiver
}

fn observation(seen: cst_nameserver::Observation) -> Observation {
    match seen {
        cst_nameserver::Observation::Serial { server, zone, serial } => Observation::Serial { zone, server, serial },
        cst_nameserver::Observation::Health { server, ailment } => Observation::Health { server, ailment },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";

    /// The settings with these lines under `dns`.
    fn dns(lines: &str) -> DnsSettings {
        let text = format!("nameServers: [ns1.example.net]\nhostmaster: hostmaster@example.net\n{lines}");
        serde_yaml::from_str(&text).unwrap()
    }

    #[test]
    fn a_key_is_bound_to_its_servers_networks_unless_one_may_be_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        // The partner's comes first by its name.
        std::fs::write(folder.path().join("b.partner"), format!("hmac-sha512:{SECRET}\n{SECRET}\n")).unwrap();
        std::fs::write(folder.path().join("transfer"), SECRET).unwrap();
        let keys = read_keys(folder.path()).unwrap();
        assert_eq!(
            keys.iter().map(|key| key.name().as_str()).collect::<Vec<_>>(),
            ["b.partner", "b.partner", "transfer"]
        );
        let dns = dns("secondaries:\n- {name: ns1, address: 'ns1.example.net:53', from: [192.0.2.1]}\n\
             - {name: ns2, address: 'ns2.example.net:53'}\n\
             - {name: partner, address: 'ns.example.org:53', key: b.partner, from: [198.51.100.0/24]}\n\
             transfers:\n- {key: b.partner, from: ['2001:db8::53']}\n");
        let dns = with_keys(dns, folder.path()).unwrap();
        let name = |text: &str| DomainName::parse(text).unwrap();
        let networks = |text: &str| vec![cst_compiler::model::Network::parse(text).unwrap()];
        let expected = Keyring::new(keys.clone())
            .bound(name("b.partner"), networks("198.51.100.0/24"))
            .bound(name("b.partner"), networks("2001:db8::53"));
        assert_eq!(keyring(&dns, keys), expected);
        let config = config(&dns, Vec::new(), folder.path()).unwrap();
        let bound: Vec<&str> = config.secondaries.iter().map(|server| server.key.as_str()).collect();
        assert_eq!(bound, ["transfer", "transfer", "b.partner"]);
    }

    #[test]
    fn a_server_without_a_key_has_the_only_one_or_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let dns = dns("secondaries:\n- {name: ns1, address: 'ns1.example.net:53'}\n");
        std::fs::write(folder.path().join("a.key"), SECRET).unwrap();
        let key = |dns: DnsSettings| dns.secondaries[0].key.as_ref().unwrap().to_string();
        assert_eq!(key(with_keys(dns.clone(), folder.path()).unwrap()), "a.key");
        std::fs::write(folder.path().join("b.key"), SECRET).unwrap();
        let error = with_keys(dns, folder.path()).unwrap_err().to_string();
        assert!(error.contains("give ns1 no `key`") && error.contains("a.key, b.key"), "{error}");
    }

    #[test]
    fn a_wrong_key_is_named_and_its_secret_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(with_keys(dns(""), folder.path()).is_err(), "no key at all");
        std::fs::write(folder.path().join("transfer"), format!("md5:{SECRET}")).unwrap();
        let error = read_keys(folder.path()).unwrap_err().to_string();
        assert!(error.contains("transfer") && error.contains("hmac-sha512") && !error.contains(SECRET), "{error}");
    }
}
