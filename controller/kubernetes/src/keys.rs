//! The signing keys of the zones: one Secret for each in the controller's namespace. Keys outlive their zone, so a zone that comes back is
//! validated by the DS that its parent still has.

use std::collections::BTreeMap;

use cst_api::Date;
use cst_compiler::model::DomainName;
use cst_compiler::plan::dnssec::{Signing, StoredKey, ZoneKey};
use cst_compiler::published::{KeyMaterial, VersionKey};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ListParams, ObjectMeta, PostParams};

use crate::names;
use crate::zone_server::{ZoneServer, ZoneServerError};

/// A zone's stored keys.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    by_id: BTreeMap<u16, KeyMaterial>,
    /// The days on which they were made: what a Domain wants replaced is known by it, also when all else that was stored is lost.
    made: BTreeMap<u16, Date>,
    /// The Secret's version; `None`: there is none yet.
    resource_version: Option<String>,
}

/// Why a zone has no key. Nothing about the key itself is told.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The API server refused or was away.
    #[error("the signing keys cannot be read or stored; it is tried again")]
    Request(#[source] Box<kube::Error>),
    /// A stored zone without its key: another key would break the chain of trust.
    #[error("key {id} of the stored zone {zone} is missing in its Secret {secret}: restore that from a backup")]
    Missing {
        /// The zone.
        zone: DomainName,
        /// Which key.
        id: u16,
        /// The Secret.
        secret: String,
    },
    /// Another key than the one the zone was signed with: it would break the chain of trust.
    #[error(
        "key {id} in the Secret {secret} is not the one of the zone {zone}, whose tag is {tag}: restore that from a backup"
    )]
    Other {
        /// The zone.
        zone: DomainName,
        /// Which key.
        id: u16,
        /// The Secret.
        secret: String,
        /// The tag of the one that is needed.
        tag: u16,
    },
    /// The hidden primary does not make or read one.
    #[error("a signing key of {zone} cannot be made or read: restore its Secret {secret} from a backup")]
    Unusable {
        /// The zone.
        zone: DomainName,
        /// The Secret.
        secret: String,
        /// Why.
        source: ZoneServerError,
    },
}

/// The keys of all zones, by the name of their Secret.
pub async fn load(api: &Api<Secret>) -> Result<BTreeMap<String, Keys>, KeyError> {
    let mut params = ListParams::default().labels(&format!("{}=zone-key", names::PUBLISHED)).limit(500);
    let mut keys = BTreeMap::new();
    loop {
        let page = api.list(&params).await.map_err(|e| KeyError::Request(Box::new(e)))?;
        keys.extend(page.items.into_iter().filter_map(|s| Some((s.metadata.name.clone()?, Keys::from(s)))));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => return Ok(keys),
        }
    }
}

/// A zone's stored keys.
pub async fn read(api: &Api<Secret>, zone: &DomainName) -> Result<Keys, KeyError> {
    let secret = api.get_opt(&secret_name(zone)).await.map_err(|e| KeyError::Request(Box::new(e)))?;
    Ok(secret.map(Keys::from).unwrap_or_default())
}

/// Makes the keys that a zone's next state has and that are not made yet, and stores them before anything is signed with them. Two
/// controllers never end with two of the same.
pub async fn make(
    api: &Api<Secret>,
    server: &dyn ZoneServer,
    zone: &DomainName,
    signing: &mut Signing,
) -> Result<Option<Keys>, KeyError> {
    if signing.keys.iter().all(|key| key.ds.is_some()) {
        return Ok(None);
    }
    let mut keys = read(api, zone).await?;
    let unusable = |source| KeyError::Unusable { zone: zone.clone(), secret: secret_name(zone), source };
    while let Some(at) = signing.keys.iter().position(|key| key.ds.is_none()) {
        let ZoneKey { id, algorithm, made, .. } = signing.keys[at];
        // One that was stored when the state with it was not.
        let kept = keys.by_id.get(&id).filter(|kept| server.read_key(kept, zone).is_ok_and(|(of, _)| of == algorithm));
        let material = kept.cloned().map_or_else(|| server.new_key(algorithm), Ok).map_err(unusable)?;
        let (_, ds) = server.read_key(&material, zone).map_err(unusable)?;
        keys.by_id.remove(&id);
        // Two keys of one tag are told apart by nobody at first sight.
        let is_taken = signing.keys.iter().filter_map(|key| key.ds.as_ref()).any(|other| other.key_tag == ds.key_tag);
        if !is_taken {
            keys.by_id.insert(id, material);
            keys.made.insert(id, made);
            signing.keys[at].ds = Some(ds);
        }
    }
    keys.store(api, zone).await.map(Some)
}

/// Forgets the keys that a zone no longer has, once the state without them is stored: nobody can sign with them any more.
pub async fn forget(api: &Api<Secret>, zone: &DomainName, signing: &Signing) -> Result<Keys, KeyError> {
    let mut keys = read(api, zone).await?;
    let count = keys.by_id.len();
    let is_of_zone = |id: &u16| signing.keys.iter().any(|key| key.id == *id);
    keys.by_id.retain(|id, _| is_of_zone(id));
    keys.made.retain(|id, _| is_of_zone(id));
    if keys.by_id.len() < count { keys.store(api, zone).await } else { Ok(keys) }
}

/// Stores again the keys of a zone that are known and that its Secret lacks, as after the store was set back. Those that it has stay.
pub async fn restore(api: &Api<Secret>, zone: &DomainName, known: &Keys) -> Result<(), KeyError> {
    let mut keys = read(api, zone).await?;
    let is_whole = known.by_id.iter().all(|(id, key)| keys.by_id.get(id).is_some_and(|it| it.expose() == key.expose()));
    if is_whole {
        return Ok(());
    }
    keys.by_id.extend(known.by_id.iter().map(|(id, key)| (*id, key.clone())));
    keys.made.extend(&known.made);
    keys.store(api, zone).await.map(drop)
}

/// The name of a zone's key Secret.
pub fn secret_name(zone: &DomainName) -> String {
    names::named("zone-key", zone.as_str())
}

impl Keys {
    /// The keys of a version with what they do there.
    pub fn of_version(
        &self,
        server: &dyn ZoneServer,
        zone: &DomainName,
        signing: &Signing,
    ) -> Result<Vec<VersionKey>, KeyError> {
        let active = signing.keys.iter().filter(|key| key.is_active());
        active.map(|key| self.version_key(server, zone, key)).collect()
    }

    fn version_key(&self, server: &dyn ZoneServer, zone: &DomainName, key: &ZoneKey) -> Result<VersionKey, KeyError> {
        let (id, secret) = (key.id, secret_name(zone));
        let Some((material, ds)) = self.by_id.get(&id).zip(key.ds.as_ref()) else {
            return Err(KeyError::Missing { zone: zone.clone(), id, secret });
        };
        match server.read_key(material, zone) {
            Ok((_, found)) if found == *ds => Ok(VersionKey {
                material: material.clone(),
                listed: key.listed,
                signs: key.signs,
                trusted: key.trusted,
            }),
            Ok(_) => Err(KeyError::Other { zone: zone.clone(), id, secret, tag: ds.key_tag }),
            Err(source) => Err(KeyError::Unusable { zone: zone.clone(), secret, source }),
        }
    }

    /// What is known of the keys without their secrets.
    pub fn stored(&self, server: &dyn ZoneServer, zone: &DomainName) -> Result<Vec<StoredKey>, KeyError> {
        let read = |(id, material): (&u16, &KeyMaterial)| {
            let (algorithm, ds) = server.read_key(material, zone)?;
            Ok(StoredKey { id: *id, algorithm, ds, made: self.made.get(id).copied() })
        };
        let stored: Result<_, ZoneServerError> = self.by_id.iter().map(read).collect();
        stored.map_err(|source| KeyError::Unusable { zone: zone.clone(), secret: secret_name(zone), source })
    }

    async fn store(self, api: &Api<Secret>, zone: &DomainName) -> Result<Self, KeyError> {
        let (params, secret) = (PostParams::default(), self.to_secret(zone));
        let stored = match self.resource_version {
            None => api.create(&params, &secret).await,
            Some(_) => api.replace(&secret_name(zone), &params, &secret).await,
        };
        stored.map(Self::from).map_err(|e| KeyError::Request(Box::new(e)))
    }

    fn to_secret(&self, zone: &DomainName) -> Secret {
        let keys = self.by_id.iter().map(|(id, key)| (format!("key-{id}"), ByteString(key.expose().to_vec())));
        let made = self.made.iter().map(|(id, day)| (format!("made-{id}"), ByteString(day.to_string().into_bytes())));
        Secret {
            metadata: ObjectMeta {
                name: Some(secret_name(zone)),
                labels: Some(names::published_labels("zone-key")),
                annotations: Some([(names::SUBJECT.to_owned(), zone.to_string())].into()),
                resource_version: self.resource_version.clone(),
                ..ObjectMeta::default()
            },
            data: Some(keys.chain(made).collect()),
            ..Secret::default()
        }
    }
}

impl From<Secret> for Keys {
    fn from(secret: Secret) -> Self {
        let data = secret.data.unwrap_or_default();
        let day = |(name, bytes): (&String, &ByteString)| {
            let day = Date::parse(std::str::from_utf8(&bytes.0).ok()?).ok()?;
            Some((name.strip_prefix("made-")?.parse().ok()?, day))
        };
        let made = data.iter().filter_map(day).collect();
        let key = |(name, bytes): (String, ByteString)| {
            Some((name.strip_prefix("key-")?.parse().ok()?, KeyMaterial::new(bytes.0)))
        };
        let by_id = data.into_iter().filter_map(key).collect();
        Self { by_id, made, resource_version: secret.metadata.resource_version }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_stored_with_the_days_on_which_they_were_made() {
        let zone = DomainName::parse("fano.pu.it").unwrap();
        let day = Date::parse("2026-01-02").unwrap();
        let by_id = [1, 2].map(|id| (id, KeyMaterial::new(vec![b'k'; 3]))).into();
        let keys = Keys { by_id, made: [(2, day)].into(), resource_version: Some("7".into()) };
        let read = Keys::from(keys.to_secret(&zone));
        assert_eq!((read.by_id, read.made, read.resource_version), (keys.by_id, keys.made, keys.resource_version));
        let mut secret = Keys::default().to_secret(&zone);
        secret.data.as_mut().unwrap().insert("made-1".into(), ByteString(b"some day".to_vec()));
        assert!(Keys::from(secret).made.is_empty(), "a damaged day is none");
    }
}
