//! What the shard Secrets say now, domain by domain. No client required.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cst_compiler::desired::mail::shard::{DATA_KEY, DOMAIN_ANNOTATION, secret_name};
use cst_compiler::desired::mail::{DomainContent, ShardContent};
use cst_compiler::model::DomainName;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;

/// What the watch of the shard Secrets brings.
#[derive(Clone, Debug)]
pub enum Event {
    /// All there are: after the start, and after a gap in the watch.
    Listed(Vec<Secret>),
    /// One was made or changed.
    Applied(Secret),
    /// One was removed.
    Deleted(Secret),
}

/// One shard as it was received.
#[derive(Debug)]
struct Received {
    content: Arc<ShardContent>,
    bytes: Vec<u8>,
}

/// The received shards.
#[derive(Debug, Default)]
pub struct Inbox {
    domains: BTreeMap<DomainName, BTreeMap<u32, Received>>,
    /// The domain and bucket of each Secret that was read.
    named: BTreeMap<String, (DomainName, u32)>,
    /// Secrets that say nothing, by name: whose they are, where that can be told, and why.
    unread: BTreeMap<String, (Option<DomainName>, String)>,
    /// The domains that events spoke of since they were last taken.
    touched: BTreeSet<DomainName>,
    /// The newest resourceVersion of all events.
    watermark: u64,
}

impl Inbox {
    /// Takes an event in.
    pub fn take(&mut self, event: Event) {
        match event {
            Event::Listed(secrets) => {
                let known = std::mem::take(self);
                self.touched = known.domains.into_keys().chain(known.touched).collect();
                self.touched.extend(known.unread.into_values().filter_map(|(domain, _)| domain));
                for secret in secrets {
                    self.apply(&secret);
                }
            }
            Event::Applied(secret) => self.apply(&secret),
            Event::Deleted(secret) => {
                self.forget(&secret.name_any());
                self.advance(&secret);
            }
        }
    }

    /// The domains whose Secrets changed since the last call.
    pub fn take_touched(&mut self) -> BTreeSet<DomainName> {
        std::mem::take(&mut self.touched)
    }

    /// The newest resourceVersion of all events.
    pub fn watermark(&self) -> u64 {
        self.watermark
    }

    /// The Secrets of which cannot be told whose they are, with what is wrong.
    pub fn unknown(&self) -> impl Iterator<Item = (&String, &String)> {
        self.unread.iter().filter(|(_, (domain, _))| domain.is_none()).map(|(name, (_, reason))| (name, reason))
    }

    /// What a domain's Secrets say; `None`: there are none. The error says why it is nothing to install.
    pub fn content(&self, domain: &DomainName) -> Option<Result<DomainContent, String>> {
        let unread = self.unread.values().find(|(of, _)| of.as_ref() == Some(domain));
        if let Some((_, reason)) = unread {
            return Some(Err(reason.clone()));
        }
        let shards = self.domains.get(domain)?.iter().map(|(bucket, shard)| (*bucket, shard.content.clone())).collect();
        Some(DomainContent::assemble(&shards).map_err(|error| error.to_string()))
    }

    /// The bytes of a domain's shard.
    pub fn bytes(&self, domain: &DomainName, bucket: u32) -> Option<&[u8]> {
        self.domains.get(domain)?.get(&bucket).map(|shard| shard.bytes.as_slice())
    }

    fn apply(&mut self, secret: &Secret) {
        let name = secret.name_any();
        self.forget(&name);
        self.advance(secret);
        match read(secret, &name) {
            Ok(shard) => {
                let (domain, bucket) = (shard.content.domain.clone(), shard.content.bucket);
                self.touched.insert(domain.clone());
                self.named.insert(name, (domain.clone(), bucket));
                self.domains.entry(domain).or_default().insert(bucket, shard);
            }
            Err(reason) => {
                let domain = domain_by_annotation(secret, &name);
                self.touched.extend(domain.clone());
                self.unread.insert(name, (domain, reason));
            }
        }
    }

    fn forget(&mut self, name: &str) {
        if let Some((domain, _)) = self.unread.remove(name) {
            self.touched.extend(domain);
        }
        let Some((domain, bucket)) = self.named.remove(name) else { return };
        if let Some(shards) = self.domains.get_mut(&domain) {
            shards.remove(&bucket);
            if shards.is_empty() {
                self.domains.remove(&domain);
            }
        }
        self.touched.insert(domain);
    }

    fn advance(&mut self, secret: &Secret) {
        let version = secret.metadata.resource_version.as_deref().and_then(|version| version.parse().ok());
        self.watermark = self.watermark.max(version.unwrap_or(0));
    }
}

/// Reads a Secret; the error says what is wrong and nothing of what is in it.
fn read(secret: &Secret, name: &str) -> Result<Received, String> {
    let data = secret.data.as_ref().and_then(|data| data.get(DATA_KEY));
    let bytes = data.ok_or_else(|| format!("the Secret {name} has no key `{DATA_KEY}`"))?.0.clone();
    let content = ShardContent::decode(&bytes).map_err(|error| format!("the Secret {name}: {error}"))?;
    let expected = secret_name(&content.domain, content.bucket);
    if name != expected {
        return Err(format!("the Secret {name} holds what belongs into {expected}"));
    }
    Ok(Received { content: Arc::new(content), bytes })
}

/// Whose Secret it is by its annotation, where its name bears that out.
fn domain_by_annotation(secret: &Secret, name: &str) -> Option<DomainName> {
    let domain = DomainName::parse(secret.annotations().get(DOMAIN_ANNOTATION)?).ok()?;
    let bucket = name.rsplit_once('-')?.1.parse().ok()?;
    (secret_name(&domain, bucket) == name).then_some(domain)
}
