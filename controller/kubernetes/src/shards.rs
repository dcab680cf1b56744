//! The shard Secrets of the mail domains, in the mail system's namespace.

use std::collections::BTreeMap;
use std::sync::Arc;

use cst_compiler::desired::mail::shard::{DATA_KEY, DOMAIN_ANNOTATION, LABEL, domain_key, secret_name};
use cst_compiler::desired::mail::{DomainContent, MailBox, MailDomain, Shard, ShardContent};
use cst_compiler::desired::object::{MANAGED_BY, MANAGER};
use cst_compiler::model::{Address, DomainName};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams};

/// A shard as it is stored.
#[derive(Clone, Debug)]
pub struct StoredShard {
    /// What is in it; `None`: nobody knows.
    pub content: Option<Arc<ShardContent>>,
    /// Whether the Secret says so: one that was damaged or removed by somebody else is written anew with what it said.
    pub intact: bool,
    /// Whether this version writes that content so, byte for byte.
    pub current: bool,
    /// The Secret's resourceVersion.
    pub version: u64,
}

/// Why a shard could not be written. Nothing of its content is told.
#[derive(Debug, thiserror::Error)]
#[error("shard {name} of {domain} cannot be {verb}; it is tried again")]
pub struct ShardError {
    domain: DomainName,
    name: String,
    verb: &'static str,
    source: Box<kube::Error>,
}

/// Reads a Secret: whose shard it is, and what is in it. `None`: it is no shard of ours.
pub fn read(secret: &Secret) -> Option<(DomainName, u32, StoredShard)> {
    let name = secret.metadata.name.as_deref()?;
    let annotations = secret.metadata.annotations.as_ref()?;
    let domain = DomainName::parse(annotations.get(DOMAIN_ANNOTATION)?).ok()?;
    let bucket = name.rsplit_once('-')?.1.parse().ok()?;
    if secret_name(&domain, bucket) != name {
        return None;
    }
    let bytes = secret.data.as_ref().and_then(|data| data.get(DATA_KEY));
    let content = bytes.and_then(|bytes| ShardContent::decode(&bytes.0).ok()).filter(|c| c.domain == domain);
    let version = secret.metadata.resource_version.as_deref().and_then(|v| v.parse().ok()).unwrap_or_default();
    let current = content.as_ref().zip(bytes).is_some_and(|(content, bytes)| content.encode() == bytes.0);
    Some((domain, bucket, StoredShard { intact: content.is_some(), current, content: content.map(Arc::new), version }))
}

/// Writes a shard.
pub async fn write(api: &Api<Secret>, shard: &Shard) -> Result<StoredShard, ShardError> {
    let params = PatchParams::apply(MANAGER).force().validation_strict();
    let written = api.patch(&shard.name(), &params, &Patch::Apply(&secret(shard))).await;
    let written = written.map_err(|source| ShardError {
        domain: shard.domain.clone(),
        name: shard.name(),
        verb: "written",
        source: Box::new(source),
    })?;
    let version = written.metadata.resource_version.and_then(|v| v.parse().ok()).unwrap_or_default();
    let content = ShardContent::decode(&shard.bytes).ok().map(Arc::new);
    Ok(StoredShard { content, intact: true, current: true, version })
}

/// Removes a shard.
pub async fn remove(api: &Api<Secret>, domain: &DomainName, bucket: u32) -> Result<(), ShardError> {
    let name = secret_name(domain, bucket);
    match api.delete(&name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(source) => Err(ShardError { domain: domain.clone(), name, verb: "removed", source: Box::new(source) }),
    }
}

/// What a domain last published. When its buckets are not whole, because a change of their number was broken off, all that is in any of
/// them: nothing that was promised is lost.
pub fn published(domain: &DomainName, shards: &BTreeMap<u32, StoredShard>) -> Option<MailDomain> {
    let contents = contents(shards);
    if contents.is_empty() {
        return None;
    }
    if let Ok(whole) = DomainContent::assemble(&contents) {
        return Some(whole.to_mail_domain());
    }
    let mut newest_first: Vec<&Arc<ShardContent>> = contents.values().collect();
    newest_first.sort_by_key(|content| std::cmp::Reverse(content.buckets));
    let mut boxes: BTreeMap<Address, MailBox> = BTreeMap::new();
    let epoch = newest_first.iter().map(|content| content.epoch).max().unwrap_or_default();
    let (mut aliases, mut removed) = (BTreeMap::new(), BTreeMap::new());
    let catch_all = newest_first.iter().find_map(|content| content.catch_all.clone());
    let alias_of = newest_first.iter().find_map(|content| content.alias_of.clone());
    let limits =
        newest_first.iter().find(|content| content.bucket == 0).map(|content| content.limits).unwrap_or_default();
    let dkim = newest_first
        .iter()
        .find(|content| !content.dkim.is_empty())
        .map(|content| content.dkim.clone())
        .unwrap_or_default();
    for content in newest_first {
        for mailbox in &content.boxes {
            boxes.entry(mailbox.address.clone()).or_insert_with(|| mailbox.clone());
        }
        for (alias, to) in &content.aliases {
            aliases.entry(alias.clone()).or_insert_with(|| to.clone());
        }
        removed.extend(content.removed.iter().map(|(address, on)| (address.clone(), *on)));
    }
    let boxes = boxes.into_values().collect();
    Some(MailDomain { domain: domain.clone(), boxes, aliases, catch_all, alias_of, limits, dkim, removed, epoch })
}

/// How many of a domain's stored buckets nobody knows, and of how many; `None`: what it last published is known, be it in two layouts. Each
/// bucket of the largest layout must be there, or the one of a smaller layout that it came from.
pub fn unknown(shards: &BTreeMap<u32, StoredShard>) -> Option<(usize, usize)> {
    let contents = contents(shards);
    let unread = shards.len() - contents.len();
    if contents.values().any(|content| content.withdrawn) {
        return None;
    }
    let buckets = contents.values().map(|content| content.buckets).max().unwrap_or(0);
    let layouts = || std::iter::successors(Some(buckets), |n| (*n > 1).then_some(n / 2));
    let known =
        |bucket: u32| layouts().any(|n| contents.get(&(bucket % n)).is_some_and(|content| content.buckets == n));
    let missing = (0..buckets).filter(|bucket| !known(*bucket)).count();
    let unknown = missing.max(unread);
    (unknown > 0).then(|| (unknown, shards.len().max(usize::try_from(buckets).unwrap_or(usize::MAX))))
}

fn contents(shards: &BTreeMap<u32, StoredShard>) -> BTreeMap<u32, Arc<ShardContent>> {
    shards.iter().filter_map(|(bucket, shard)| Some((*bucket, shard.content.clone()?))).collect()
}

pub(crate) fn secret(shard: &Shard) -> Secret {
    let annotations = BTreeMap::from([(DOMAIN_ANNOTATION.to_owned(), shard.domain.to_string())]);
    let labels = [(MANAGED_BY, MANAGER.to_owned()), (LABEL, domain_key(&shard.domain))];
    Secret {
        metadata: ObjectMeta {
            name: Some(shard.name()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        data: Some([(DATA_KEY.to_owned(), ByteString(shard.bytes.clone()))].into()),
        ..Secret::default()
    }
}

#[cfg(test)]
mod tests;
