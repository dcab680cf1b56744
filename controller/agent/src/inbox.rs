//! What the shard Secrets say now, domain by domain. No client required.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cst_compiler::desired::mail::shard::{DATA_KEY, DOMAIN_ANNOTATION, secret_name};
use cst_compiler::desired::mail::{DomainContent, Domains, ShardContent};
use cst_compiler::model::DomainName;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use sha2::{Digest, Sha256};

/// What the watch of the shard Secrets brings.
#[derive(Clone, Debug)]
pub enum Event {
    /// A list of all there are begins: after the start, and after a gap in the watch.
    Listing,
    /// One that is in the list.
    Found(Secret),
    /// The list is complete. What is not in it is not there.
    Listed,
    /// One was made or changed.
    Applied(Secret),
    /// One was removed.
    Deleted(Secret),
}

/// The received shards.
#[derive(Debug, Default)]
pub struct Inbox {
    domains: BTreeMap<DomainName, BTreeMap<u32, Arc<ShardContent>>>,
    /// The domain and bucket of each Secret that was read.
    named: BTreeMap<String, (DomainName, u32)>,
    /// Secrets that say nothing, by name: whose they are, where that can be told, and why.
    unread: BTreeMap<String, (Option<DomainName>, String)>,
    /// The domains that events spoke of since they were last taken.
    touched: BTreeSet<DomainName>,
    /// The newest resourceVersion of all events.
    watermark: u64,
    /// What a list that has not come to its end has brought.
    listing: Option<Box<Self>>,
}

impl Inbox {
    /// Takes an event in. A shard that is `installed` already is not read again, nor kept twice.
    pub fn take(&mut self, event: Event, installed: &Domains) {
        match event {
            Event::Listing => self.listing = Some(Box::default()),
            Event::Found(secret) => self.listing.get_or_insert_default().apply(&secret, installed),
            Event::Listed => {
                let fresh = self.listing.take().unwrap_or_default();
                let known = std::mem::replace(self, *fresh);
                self.touched.extend(known.domains.into_keys().chain(known.touched));
                self.touched.extend(known.unread.into_values().filter_map(|(domain, _)| domain));
            }
            Event::Applied(secret) => self.apply(&secret, installed),
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
        Some(DomainContent::assemble(self.domains.get(domain)?).map_err(|error| error.to_string()))
    }

    fn apply(&mut self, secret: &Secret, installed: &Domains) {
        let name = secret.name_any();
        self.forget(&name);
        self.advance(secret);
        match read(secret, &name, installed) {
            Ok(shard) => {
                let (domain, bucket) = (shard.domain.clone(), shard.bucket);
                self.touched.insert(domain.clone());
                self.named.insert(name, (domain.clone(), bucket));
                self.domains.entry(domain).or_default().insert(bucket, shard);
            }
            Err(reason) => {
                let domain = by_annotation(secret, &name).map(|(domain, _)| domain);
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
fn read(secret: &Secret, name: &str, installed: &Domains) -> Result<Arc<ShardContent>, String> {
    let data = secret.data.as_ref().and_then(|data| data.get(DATA_KEY));
    let bytes = &data.ok_or_else(|| format!("the Secret {name} has no key `{DATA_KEY}`"))?.0;
    let known = by_annotation(secret, name).and_then(|(domain, bucket)| {
        let shard = installed.get(&domain)?.shards().get(usize::try_from(bucket).ok()?)?;
        (shard.digest[..] == Sha256::digest(bytes)[..]).then(|| shard.clone())
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let content = ShardContent::decode(bytes).map_err(|error| format!("the Secret {name}: {error}"))?;
    let expected = secret_name(&content.domain, content.bucket);
    if name != expected {
        return Err(format!("the Secret {name} holds what belongs into {expected}"));
    }
    Ok(Arc::new(content))
}

/// Whose Secret it is and of which bucket by its annotation, where its name bears that out.
fn by_annotation(secret: &Secret, name: &str) -> Option<(DomainName, u32)> {
    let domain = DomainName::parse(secret.annotations().get(DOMAIN_ANNOTATION)?).ok()?;
    let bucket = name.rsplit_once('-')?.1.parse().ok()?;
    (secret_name(&domain, bucket) == name).then_some((domain, bucket))
}
