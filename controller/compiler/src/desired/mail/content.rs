//! A whole mail domain as its shards say it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::shard::{self, ShardContent};
use super::{DkimSigner, Limits, MailBox, MailDomain};
use crate::model::{Address, DomainName};

/// All buckets of one layout of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainContent {
    domain: DomainName,
    shards: Vec<Arc<ShardContent>>,
    digest: String,
}

/// Why shards are not a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// Bucket 0 is not there.
    #[error("bucket 0 of the domain is missing")]
    First,
    /// Another bucket is not there in the layout of bucket 0: more events are to come.
    #[error("bucket {bucket} of {buckets} is missing or of another layout")]
    Bucket {
        /// The first such bucket.
        bucket: u32,
        /// How many there must be.
        buckets: u32,
    },
}

impl DomainContent {
    /// Puts a domain's shards, by bucket, together: bucket 0 says how many there must be; more than that are left over from another layout.
    pub fn assemble(shards: &BTreeMap<u32, Arc<ShardContent>>) -> Result<Self, Incomplete> {
        let first = shards.get(&0).ok_or(Incomplete::First)?;
        let buckets = first.buckets;
        let of_layout = |bucket| {
            let shard = shards.get(&bucket).filter(|shard| shard.buckets == buckets && shard.domain == first.domain);
            shard.cloned().ok_or(Incomplete::Bucket { bucket, buckets })
        };
        let shards: Vec<_> = (0..buckets).map(of_layout).collect::<Result<_, _>>()?;
        let all = shards.iter().fold(Sha256::new(), |hash, shard| hash.chain_update(shard.digest));
        let digest = shard::hex(&all.finalize()[..8]);
        Ok(Self { domain: first.domain.clone(), shards, digest })
    }

    /// The domain.
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// Its buckets, from 0.
    pub fn shards(&self) -> &[Arc<ShardContent>] {
        &self.shards
    }

    /// Whether the domain is given up.
    pub fn is_withdrawn(&self) -> bool {
        self.shards.iter().any(|shard| shard.withdrawn)
    }

    /// The boxes, sorted within each bucket.
    pub fn boxes(&self) -> impl Iterator<Item = &MailBox> {
        self.shards.iter().flat_map(|shard| &shard.boxes)
    }

    /// The aliases with their boxes, sorted within each bucket.
    pub fn aliases(&self) -> impl Iterator<Item = (&Address, &Address)> {
        self.shards.iter().flat_map(|shard| &shard.aliases)
    }

    /// Every address that was declared.
    pub fn declared(&self) -> impl Iterator<Item = &Address> {
        self.boxes().map(|mailbox| &mailbox.address).chain(self.aliases().map(|(alias, _)| alias))
    }

    /// Who gets what is sent to addresses here that nobody has.
    pub fn catch_all(&self) -> Option<&Address> {
        self.shards.first()?.catch_all.as_ref()
    }

    /// The domain whose every address is valid here too.
    pub fn alias_of(&self) -> Option<&DomainName> {
        self.shards.first()?.alias_of.as_ref()
    }

    /// How much its logins may send.
    pub fn limits(&self) -> Limits {
        self.shards.first().map(|shard| shard.limits).unwrap_or_default()
    }

    /// What its mail is signed with.
    pub fn dkim(&self) -> &[DkimSigner] {
        self.shards.first().map_or(&[], |shard| &shard.dkim)
    }

    /// The addresses every domain must have and nobody declared, with whom they are delivered to.
    pub fn required(&self) -> impl Iterator<Item = (&Address, &Address)> {
        self.shards.iter().flat_map(|shard| &shard.required)
    }

    /// How many addresses were declared: boxes and aliases.
    pub fn addresses(&self) -> usize {
        self.shards.iter().map(|shard| shard.boxes.len() + shard.aliases.len()).sum()
    }

    /// The box of an address.
    pub fn find(&self, address: &Address) -> Option<&MailBox> {
        self.bucket(address)?.find(address)
    }

    /// The box that gets what is sent to an address: the address' own, or that of its alias, by name.
    pub fn alias(&self, address: &Address) -> Option<&Address> {
        self.bucket(address)?.aliases.get(address)
    }

    /// Whether the address was declared, as a box or an alias.
    pub fn holds(&self, address: &Address) -> bool {
        self.bucket(address).is_some_and(|shard| shard.holds(address))
    }

    fn bucket(&self, address: &Address) -> Option<&ShardContent> {
        let buckets = u32::try_from(self.shards.len()).ok()?;
        self.shards.get(shard::bucket_of(address, buckets) as usize).map(|shard| &**shard)
    }

    /// A digest of the whole: 16 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The domain as it was compiled; required addresses are left out, for they are added anew each time.
    pub fn to_mail_domain(&self) -> MailDomain {
        let mut boxes: Vec<_> = self.boxes().cloned().collect();
        boxes.sort_by(|a, b| a.address.cmp(&b.address));
        let aliases = self.aliases().map(|(alias, to)| (alias.clone(), to.clone())).collect();
        let removed = self.shards.iter().flat_map(|shard| shard.removed.clone()).collect();
        let epoch = self.shards.iter().map(|shard| shard.epoch).max().unwrap_or_default();
        let (catch_all, alias_of) = (self.catch_all().cloned(), self.alias_of().cloned());
        let (limits, dkim) = (self.limits(), self.dkim().to_vec());
        MailDomain { domain: self.domain.clone(), boxes, aliases, catch_all, alias_of, limits, dkim, removed, epoch }
    }
}
