//! The keys that mail is signed with: one Secret for each domain in the controller's namespace, each key under its selector, PKCS#8 in DER.

mod key;

use std::collections::{BTreeMap, BTreeSet};

use cst_api::Date;
use cst_compiler::desired::mail::DkimSigner;
use cst_compiler::desired::mail::dkim::{DkimAlgorithm, DkimKey, DkimSelector};
use cst_compiler::model::DomainName;
use cst_compiler::plan::dkim::{Dkim, NewSet, PublicKey, SetName, StoredSet};
use data_encoding::BASE64;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::PostParams;

use crate::names::{self, Subject};
pub use key::NoKey;

/// What the Secrets' names begin with, and their label's value.
pub const KIND: &str = "dkim-key";
/// Before the name of a set of keys: the day it was made.
const MADE: &str = "made-";

/// A domain's stored keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DkimKeys {
    keys: BTreeMap<DkimSelector, Pair>,
    /// The days on which they were made.
    made: BTreeMap<SetName, Date>,
    /// The Secret's version; `None`: there is none.
    resource_version: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    public: PublicKey,
    private: DkimKey,
}

/// Why a domain has no keys. Nothing about the keys themselves is told.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    /// The API server refused or was away.
    #[error("the keys that sign the mail of {domain} cannot be read or stored; it is tried again")]
    Request {
        /// The domain.
        domain: DomainName,
        /// Why.
        source: Box<kube::Error>,
    },
    /// None could be made.
    #[error(transparent)]
    Make(#[from] NoKey),
    /// The work was broken off.
    #[error("making keys was broken off")]
    Aborted,
}

/// A domain's stored keys.
pub async fn read(api: &Api<Secret>, domain: &DomainName) -> Result<DkimKeys, DkimError> {
    let secret = api.get_opt(&secret_name(domain)).await.map_err(|e| request(domain, e))?;
    Ok(secret.map(DkimKeys::from).unwrap_or_default())
}

/// Has a domain's Secret hold these keys beside its own, those that are to be made, and none that nobody needs any more. Two controllers
/// never end with two of one name: who is late finds what the other stored.
pub async fn bring_about(
    api: &Api<Secret>,
    domain: &DomainName,
    known: &DkimKeys,
    make: Option<&NewSet>,
    needs: impl Fn(SetName) -> bool,
) -> Result<DkimKeys, DkimError> {
    let stored = read(api, domain).await?;
    let mut keys = stored.clone();
    keys.put_back(known);
    if let Some(new) = make {
        for algorithm in &new.algorithms {
            keys.make(new, *algorithm).await?;
        }
    }
    keys.forget(needs);
    if keys == stored { Ok(keys) } else { keys.store(api, domain).await }
}

/// The name of a domain's key Secret.
pub fn secret_name(domain: &DomainName) -> String {
    names::named(KIND, domain.as_str())
}

/// The domain whose keys a Secret holds.
pub fn domain_of(secret: &ObjectMeta) -> Option<DomainName> {
    let name = secret.name.as_deref()?;
    let told = match names::subject(KIND, name)? {
        Subject::Plain(domain) => domain,
        Subject::Hashed => secret.annotations.as_ref()?.get(names::SUBJECT)?,
    };
    DomainName::parse(told).ok().filter(|domain| secret_name(domain) == name)
}

fn request(domain: &DomainName, error: kube::Error) -> DkimError {
    DkimError::Request { domain: domain.clone(), source: Box::new(error) }
}

impl DkimKeys {
    /// The Secret's version; `None`: there is none.
    pub fn resource_version(&self) -> Option<&str> {
        self.resource_version.as_deref()
    }

    /// The same keys of a Secret that is gone.
    pub fn without_secret(&mut self) {
        self.resource_version = None;
    }

    /// What is known of the keys without their secrets.
    pub fn stored(&self) -> Vec<StoredSet> {
        let mut sets: BTreeMap<SetName, Vec<PublicKey>> = BTreeMap::new();
        for (selector, pair) in &self.keys {
            if let Some((name, _)) = SetName::of_selector(selector) {
                sets.entry(name).or_default().push(pair.public.clone());
            }
        }
        let set = |(name, mut keys): (SetName, Vec<PublicKey>)| {
            keys.sort_by_key(|key| key.algorithm);
            StoredSet { name, made: self.made.get(&name).copied().unwrap_or(name.day), keys }
        };
        sets.into_iter().map(set).collect()
    }

    /// The names of the sets.
    pub fn names(&self) -> BTreeSet<SetName> {
        self.keys.keys().filter_map(SetName::of_selector).map(|(name, _)| name).collect()
    }

    /// What mail is signed with: the keys that shall sign, as far as they are here and are those that the zone has.
    pub fn signers(&self, dkim: &Dkim) -> Vec<DkimSigner> {
        let shall_sign = dkim.signing().flat_map(|set| set.keys.iter().map(|key| (set.selector(key), key)));
        let signer = |(selector, key): (DkimSelector, &PublicKey)| {
            let pair = self.keys.get(&selector).filter(|pair| pair.public == *key)?;
            Some(DkimSigner { selector, algorithm: key.algorithm, key: pair.private.clone() })
        };
        shall_sign.filter_map(signer).collect()
    }

    /// With the keys that are known and lack here, or are others here.
    pub fn put_back(&mut self, known: &Self) {
        self.keys.extend(known.keys.iter().map(|(selector, pair)| (selector.clone(), pair.clone())));
        self.made.extend(&known.made);
    }

    /// Without the keys that nobody needs any more.
    pub fn forget(&mut self, needs: impl Fn(SetName) -> bool) {
        self.keys.retain(|selector, _| SetName::of_selector(selector).is_none_or(|(name, _)| needs(name)));
        self.made.retain(|name, _| needs(*name));
    }

    /// Whether it holds the same keys.
    pub fn holds_like(&self, other: &Self) -> bool {
        (&self.keys, &self.made) == (&other.keys, &other.made)
    }

    async fn make(&mut self, new: &NewSet, algorithm: DkimAlgorithm) -> Result<(), DkimError> {
        let selector = new.name.selector(algorithm);
        if !self.keys.contains_key(&selector) {
            // An RSA key costs a processor a tenth of a second, and now and then much more.
            let made = tokio::task::spawn_blocking(move || key::generate(algorithm));
            let private = made.await.map_err(|_| DkimError::Aborted)??;
            self.put(selector, algorithm, private);
            self.made.insert(new.name, new.made);
        }
        Ok(())
    }

    fn put(&mut self, selector: DkimSelector, algorithm: DkimAlgorithm, private: DkimKey) {
        if let Some(key) = key::public(algorithm, &private) {
            self.keys.insert(selector, Pair { public: PublicKey { algorithm, key }, private });
        }
    }

    async fn store(self, api: &Api<Secret>, domain: &DomainName) -> Result<Self, DkimError> {
        let (params, secret) = (PostParams::default(), self.to_secret(domain));
        let stored = match self.resource_version {
            None => api.create(&params, &secret).await,
            Some(_) => api.replace(&secret_name(domain), &params, &secret).await,
        };
        stored.map(Self::from).map_err(|e| request(domain, e))
    }

    fn to_secret(&self, domain: &DomainName) -> Secret {
        let der = |key: &DkimKey| ByteString(BASE64.decode(key.expose().as_bytes()).unwrap_or_default());
        let keys = self.keys.iter().map(|(selector, pair)| (selector.to_string(), der(&pair.private)));
        let made = self.made.iter().map(|(name, day)| (format!("{MADE}{name}"), ByteString(day.to_string().into())));
        Secret {
            metadata: ObjectMeta {
                name: Some(secret_name(domain)),
                labels: Some(names::published_labels(KIND)),
                annotations: Some([(names::SUBJECT.to_owned(), domain.to_string())].into()),
                resource_version: self.resource_version.clone(),
                ..ObjectMeta::default()
            },
            data: Some(keys.chain(made).collect()),
            ..Secret::default()
        }
    }

    /// Keys that are none, for who does not look into them.
    #[cfg(test)]
    pub(crate) fn pretend(&mut self, new: &NewSet, version: u64) {
        for algorithm in &new.algorithms {
            let selector = new.name.selector(*algorithm);
            let public = PublicKey { algorithm: *algorithm, key: BASE64.encode(selector.as_str().as_bytes()) };
            let private = DkimKey::parse(&public.key).unwrap();
            self.keys.insert(selector, Pair { public, private });
        }
        self.made.insert(new.name, new.made);
        self.resource_version = Some(version.to_string());
    }
}

/// What cannot be read is not there: the keys that the zone has are then lost.
impl From<Secret> for DkimKeys {
    fn from(secret: Secret) -> Self {
        let mut read = Self { resource_version: secret.metadata.resource_version, ..Self::default() };
        for (name, ByteString(bytes)) in secret.data.unwrap_or_default() {
            let made = name.strip_prefix(MADE).and_then(SetName::parse);
            let day = || Date::parse(std::str::from_utf8(&bytes).ok()?).ok();
            let selector = DkimSelector::parse(&name).ok();
            if let Some((set, day)) = made.and_then(|set| Some((set, day()?))) {
                read.made.insert(set, day);
            } else if let Some((selector, (_, algorithm))) =
                selector.and_then(|selector| Some((selector.clone(), SetName::of_selector(&selector)?)))
                && let Ok(private) = DkimKey::parse(&BASE64.encode(&bytes))
            {
                read.put(selector, algorithm, private);
            }
        }
        read
    }
}

#[cfg(test)]
mod tests;
