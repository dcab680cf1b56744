//! Generated passwords, kept in the controller's namespace: a box or a site that comes back after its namespace was emptied takes its
//! password up again.

use std::collections::BTreeMap;

use cst_compiler::desired::mail::PasswordHash;
use cst_compiler::model::ObjectKey;
use cst_compiler::parse::{CHANGED_KEY, GENERATED_KEY, HASH_KEY, SINCE_KEY};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, PostParams};

use crate::names;
use crate::password::{self, Generated, PasswordError};

/// Why a password could not be kept or recalled.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The API server refused or was away.
    #[error("the kept password of {subject} cannot be read or stored; it is tried again")]
    Request {
        /// Whose.
        subject: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The Secret lacks a part.
    #[error("the kept password of {0} is damaged; delete its Secret and a new one is made")]
    Damaged(String),
    /// None could be made.
    #[error(transparent)]
    Make(#[from] PasswordError),
}

/// The kept password of a subject (an address, a site), made and kept first where there is none.
pub async fn recall_or_make(api: &Api<Secret>, subject: &str) -> Result<Generated, StoreError> {
    let failed = |error| StoreError::Request { subject: subject.to_owned(), source: Box::new(error) };
    let name = secret_name(subject);
    if let Some(secret) = api.get_opt(&name).await.map_err(failed)? {
        return read(secret).ok_or_else(|| StoreError::Damaged(subject.to_owned()));
    }
    // Hashing is slow on purpose.
    let made = tokio::task::spawn_blocking(password::generate).await.map_err(|_| PasswordError::Hash)??;
    match api.create(&PostParams::default(), &secret(subject, &made)).await {
        Ok(_) => Ok(made),
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let kept = api.get(&name).await.map_err(failed)?;
            read(kept).ok_or_else(|| StoreError::Damaged(subject.to_owned()))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Forgets the password of a subject whose deletion was final.
pub async fn forget(api: &Api<Secret>, subject: &str) -> Result<(), StoreError> {
    match api.delete(&secret_name(subject), &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(StoreError::Request { subject: subject.to_owned(), source: Box::new(error) }),
    }
}

/// What a Secret with a generated password holds.
pub fn data(generated: &Generated) -> BTreeMap<String, Vec<u8>> {
    [(GENERATED_KEY, &generated.password), (HASH_KEY, &generated.hash)]
        .map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()))
        .into()
}

/// What a box's own Secret holds after a change outside of git: the hash, and when that was.
pub fn changed(hash: &PasswordHash, at: Option<&MicroTime>) -> BTreeMap<String, Vec<u8>> {
    let at = at.map(|MicroTime(at)| (CHANGED_KEY.to_owned(), at.to_string().into_bytes()));
    [(HASH_KEY.to_owned(), hash.expose().as_bytes().to_vec())].into_iter().chain(at).collect()
}

/// What the Secret of a lock holds.
pub fn lock(since: &MicroTime) -> BTreeMap<String, Vec<u8>> {
    [(SINCE_KEY.to_owned(), since.0.to_string().into_bytes())].into()
}

/// A Secret of ours about a box, in its tenant's namespace.
pub fn own_secret(key: &ObjectKey, tenant: &str, data: &BTreeMap<String, Vec<u8>>) -> Secret {
    let labels = [(names::MANAGED_BY, names::MANAGER), (names::TENANT, tenant)];
    Secret {
        metadata: ObjectMeta {
            name: Some(key.name.clone()),
            namespace: Some(key.namespace.clone()),
            labels: Some(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into()),
            ..ObjectMeta::default()
        },
        data: Some(data.iter().map(|(name, value)| (name.clone(), ByteString(value.clone()))).collect()),
        ..Secret::default()
    }
}

fn secret_name(subject: &str) -> String {
    names::hashed("password", subject)
}

fn secret(subject: &str, generated: &Generated) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(secret_name(subject)),
            labels: Some(names::published_labels("password")),
            annotations: Some([(names::SUBJECT.to_owned(), subject.to_owned())].into()),
            ..ObjectMeta::default()
        },
        data: Some(data(generated).into_iter().map(|(key, value)| (key, ByteString(value))).collect()),
        ..Secret::default()
    }
}

fn read(secret: Secret) -> Option<Generated> {
    let mut data = secret.data?;
    let mut text = |key| data.remove(key).and_then(|bytes| String::from_utf8(bytes.0).ok()).filter(|t| !t.is_empty());
    Some(Generated { password: text(GENERATED_KEY)?, hash: text(HASH_KEY)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_password_reads_back() {
        let made = password::generate().unwrap();
        let kept = secret("protocollo@comune.urbino.pu.it", &made);
        assert!(read(kept.clone()) == Some(made));
        assert!(read(Secret { data: None, ..kept }).is_none());
    }
}
