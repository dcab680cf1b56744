//! The stored form of a mail domain: JSON lines in hash buckets of at most 64 KiB.
//!
//! ```text
//! {"shard":{"format":5,"domain":"comune.urbino.pu.it","bucket":0,"buckets":1,"epoch":1795392000,"digest":"9f86d081884c7d65…"}}
//! {"box":{"owner":{"namespace":"t-urbino","name":"protocollo"},"address":"protocollo@comune.urbino.pu.it",…}}
//! {"alias":{"address":"urp@comune.urbino.pu.it","box":"protocollo@comune.urbino.pu.it"}}
//! {"required":{"address":"abuse@comune.urbino.pu.it","box":"postmaster@cst.example.net"}}
//! {"removed":{"address":"ced@comune.urbino.pu.it","on":"2026-11-23"}}
//! ```
//!
//! The first line names the shard and says what all of it was when it was written: one that was cut, emptied or edited since is no
//! shard. Then come boxes, aliases, the addresses every domain must have (RFC 2142 §5, RFC 5321 §4.5.1), and those that went
//! lately, each sorted by address. An address is in the bucket that the hash of its local part gives, so a change of one box rewrites one
//! bucket. The number of buckets is a power of two and never shrinks while the domain is there: with `n` and later `2n` buckets
//! a reader sees either all buckets of one layout or knows that some are missing, in whatever order they were written.

mod decode;
mod encode;

use cst_api::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DkimSigner, Limits, MailBox};
use crate::model::{Address, DomainName};

pub use decode::{ShardContent, ShardError};
pub use encode::withdrawal;

/// The label that every shard Secret carries, with the value [`domain_key`]: what the agent watches.
pub const LABEL: &str = "territorial.services/mail-shard";
/// The annotation of a shard Secret with the domain's name, for people and for telling whose Secret cannot be read.
pub const DOMAIN_ANNOTATION: &str = "territorial.services/mail-domain";
/// The key of the shard's bytes in the Secret's `data`.
pub const DATA_KEY: &str = "shard";
/// The size up to which a bucket grows before the buckets are doubled, in bytes.
pub const BUCKET_BYTES: usize = 64 * 1024;
/// The largest number of buckets; beyond it they grow instead.
const MAX_BUCKETS: u32 = 1024;
const FORMAT: u32 = 5;
/// The oldest format that is read; what it holds has the same form. The controller replaces such shards as soon as it sees them.
const OLDEST_FORMAT: u32 = 1;
/// The format without a digest.
const FORMAT_WITHOUT_DIGEST: u32 = 1;

/// One bucket of a mail domain: what one Secret holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Shard {
    /// The domain.
    pub domain: DomainName,
    /// Which of its buckets, from 0.
    pub bucket: u32,
    /// The content: holds password hashes, so it is a secret.
    pub bytes: Vec<u8>,
}

impl Shard {
    /// The name of its Secret.
    pub fn name(&self) -> String {
        secret_name(&self.domain, self.bucket)
    }

    /// SHA-256 of the content, in hexadecimal.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(&self.bytes))
    }
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shard({} {}, {} bytes)", self.domain, self.bucket, self.bytes.len())
    }
}

/// What stands for a domain in names and label values, which end at 63 characters: 16 hexadecimal digits of the name's SHA-256.
pub fn domain_key(domain: &DomainName) -> String {
    hex(&Sha256::digest(domain.as_str())[..8])
}

/// The name of the Secret that holds a bucket of a domain.
pub fn secret_name(domain: &DomainName, bucket: u32) -> String {
    format!("mail-{}-{bucket}", domain_key(domain))
}

/// The bucket of an address among `buckets`, a power of two.
pub(super) fn bucket_of(address: &Address, buckets: u32) -> u32 {
    let hash = Sha256::digest(address.local());
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) & (buckets - 1)
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

/// One line, to be written.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Written<'a> {
    Shard(&'a Header),
    Box(&'a MailBox),
    Alias(WrittenPair<'a>),
    Required(WrittenPair<'a>),
    Removed { address: &'a Address, on: Date },
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
struct WrittenPair<'a> {
    address: &'a Address,
    r#box: &'a Address,
}

/// The same, as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Line {
    Shard(Header),
    Box(Box<MailBox>),
    Alias(Pair),
    Required(Pair),
    Removed(Removed),
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Header {
    format: u32,
    domain: DomainName,
    bucket: u32,
    buckets: u32,
    /// The domain is given up: its addresses are to be refused and its tables removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    withdrawn: bool,
    /// [`super::MailDomain::epoch`].
    #[serde(default, skip_serializing_if = "is_zero")]
    epoch: u32,
    /// [`super::MailDomain::catch_all`], in bucket 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    catch_all: Option<Address>,
    /// [`super::MailDomain::alias_of`], in bucket 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alias_of: Option<DomainName>,
    /// [`super::MailDomain::limits`], in bucket 0.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    limits: Limits,
    /// [`super::MailDomain::dkim`], in bucket 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dkim: Vec<DkimSigner>,
    /// [`whole`] of the shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    address: Address,
    r#box: Address,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Removed {
    address: Address,
    on: Date,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// SHA-256, in hexadecimal, of the header's line without digest and of all lines after it.
fn whole(header: Header, body: &[u8]) -> String {
    let header = line(&Written::Shard(&Header { digest: None, ..header }));
    hex(&Sha256::new().chain_update(header).chain_update(body).finalize())
}

fn line(line: &Written<'_>) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(line).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

impl<'a> Written<'a> {
    /// The address that the line is about; `None`: it is the header.
    fn address(&self) -> Option<&'a Address> {
        match self {
            Self::Shard(_) => None,
            Self::Box(mailbox) => Some(&mailbox.address),
            Self::Alias(pair) | Self::Required(pair) => Some(pair.address),
            Self::Removed { address, .. } => Some(address),
        }
    }

    fn alias(address: &'a Address, r#box: &'a Address) -> Self {
        Self::Alias(WrittenPair { address, r#box })
    }

    fn required(address: &'a Address, r#box: &'a Address) -> Self {
        Self::Required(WrittenPair { address, r#box })
    }

    fn removed(address: &'a Address, on: Date) -> Self {
        Self::Removed { address, on }
    }
}
