//! The signing keys of the zones: one Secret each in the controller's namespace. A key outlives its zone, so a zone that comes back is
//! validated by the DS that its parent still has.

use std::collections::BTreeMap;

use cst_compiler::model::DomainName;
use cst_compiler::published::KeyMaterial;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{ListParams, ObjectMeta, PostParams};

use crate::names;
use crate::zone_server::{ZoneServer, ZoneServerError};

/// Why a zone has no key. Nothing about the key itself is told.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The API server refused or was away.
    #[error("the signing keys cannot be read or stored; it is tried again")]
    Request(#[source] Box<kube::Error>),
    /// The Secret has no key in it: making another would break the chain of trust.
    #[error("the key Secret of zone {0} has no `key`; restore it from a backup, or delete it and publish the new DS")]
    Damaged(DomainName),
    /// A stored zone without a key: another key would break the chain of trust.
    #[error("the key Secret of the stored zone {0} is missing; restore it from a backup")]
    Missing(DomainName),
    /// The hidden primary made none.
    #[error("no signing key could be made")]
    Make(#[source] ZoneServerError),
}

/// All stored keys, by the name of their Secret.
pub async fn load(api: &Api<Secret>) -> Result<BTreeMap<String, KeyMaterial>, KeyError> {
    let mut params = ListParams::default().labels(&format!("{}=zone-key", names::PUBLISHED)).limit(500);
    let mut keys = BTreeMap::new();
    loop {
        let page = api.list(&params).await.map_err(|e| KeyError::Request(Box::new(e)))?;
        keys.extend(page.items.into_iter().filter_map(|s| Some((s.metadata.name.clone()?, material(s)?))));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params.continue_token = Some(token),
            None => return Ok(keys),
        }
    }
}

/// A zone's stored key.
pub async fn read(api: &Api<Secret>, zone: &DomainName) -> Result<Option<KeyMaterial>, KeyError> {
    match api.get_opt(&secret_name(zone)).await.map_err(|e| KeyError::Request(Box::new(e)))? {
        None => Ok(None),
        Some(secret) => material(secret).map(Some).ok_or_else(|| KeyError::Damaged(zone.clone())),
    }
}

/// A zone's key: the stored one, else a new one that is stored first. Two controllers never end with two keys.
pub async fn read_or_make(
    api: &Api<Secret>,
    server: &dyn ZoneServer,
    zone: &DomainName,
) -> Result<KeyMaterial, KeyError> {
    if let Some(key) = read(api, zone).await? {
        return Ok(key);
    }
    let key = server.new_key().map_err(KeyError::Make)?;
    match api.create(&PostParams::default(), &secret(zone, &key)).await {
        Ok(_) => Ok(key),
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            read(api, zone).await?.ok_or_else(|| KeyError::Damaged(zone.clone()))
        }
        Err(error) => Err(KeyError::Request(Box::new(error))),
    }
}

/// The name of a zone's key Secret.
pub fn secret_name(zone: &DomainName) -> String {
    names::hashed("zone-key", zone.as_str())
}

fn secret(zone: &DomainName, key: &KeyMaterial) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(secret_name(zone)),
            labels: Some(names::published_labels("zone-key")),
            annotations: Some([(names::SUBJECT.to_owned(), zone.to_string())].into()),
            ..ObjectMeta::default()
        },
        data: Some([("key".to_owned(), ByteString(key.expose().to_vec()))].into()),
        ..Secret::default()
    }
}

fn material(secret: Secret) -> Option<KeyMaterial> {
    secret.data?.remove("key").map(|bytes| KeyMaterial::new(bytes.0)).filter(|key| !key.expose().is_empty())
}
