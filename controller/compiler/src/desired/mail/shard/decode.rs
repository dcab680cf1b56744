//! From a shard's bytes to its content, everything checked: what comes out can be written into a table as it is.

use std::collections::BTreeMap;

use cst_api::Date;
use sha2::{Digest, Sha256};

use super::{FORMAT, FORMAT_WITHOUT_DIGEST, Header, Line, MAX_BUCKETS, OLDEST_FORMAT, Pair, Removed, bucket_of, whole};
use crate::desired::mail::{DkimSigner, Limits, MailBox};
use crate::model::{Address, DomainName};

/// A shard that was read and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardContent {
    /// The domain.
    pub domain: DomainName,
    /// Which bucket, from 0.
    pub bucket: u32,
    /// How many buckets the domain has in this shard's layout.
    pub buckets: u32,
    /// The domain is given up.
    pub withdrawn: bool,
    /// The boxes, sorted by address, each once.
    pub boxes: Vec<MailBox>,
    /// Aliases, each with the address of its box.
    pub aliases: BTreeMap<Address, Address>,
    /// The addresses every domain must have and nobody declared, with whom they are delivered to.
    pub required: BTreeMap<Address, Address>,
    /// Addresses that went lately, with the day on which they did.
    pub removed: BTreeMap<Address, Date>,
    /// [`MailDomain::epoch`](crate::desired::mail::MailDomain::epoch).
    pub epoch: u32,
    /// [`MailDomain::catch_all`](crate::desired::mail::MailDomain::catch_all), in bucket 0.
    pub catch_all: Option<Address>,
    /// [`MailDomain::alias_of`](crate::desired::mail::MailDomain::alias_of), in bucket 0.
    pub alias_of: Option<DomainName>,
    /// [`MailDomain::limits`](crate::desired::mail::MailDomain::limits), in bucket 0.
    pub limits: Limits,
    /// [`MailDomain::dkim`](crate::desired::mail::MailDomain::dkim), in bucket 0.
    pub dkim: Vec<DkimSigner>,
    /// How many bytes the shard has.
    pub octets: usize,
    /// SHA-256 of the shard's bytes.
    pub digest: [u8; 32],
}

/// Why bytes are no shard. It names the line and never holds its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// The first line does not name a shard.
    #[error("the shard has no header: its first line must name format, domain, bucket and buckets")]
    Header,
    /// A format that this version does not read.
    #[error("the shard has format {0}, this agent reads {FORMAT}: update the agent")]
    Format(u32),
    /// A layout that cannot be.
    #[error(
        "the shard is bucket {bucket} of {buckets}: buckets are a power of two up to {MAX_BUCKETS}, counted from 0"
    )]
    Layout {
        /// The bucket.
        bucket: u32,
        /// Of how many.
        buckets: u32,
    },
    /// It is not what it was when it was written.
    #[error("the shard was cut, emptied or edited after it was written: its digest does not fit")]
    Altered,
    /// A line that is no record.
    #[error("line {0} is not a record of this format")]
    Line(usize),
    /// An address that belongs into another domain or bucket.
    #[error("the address in line {0} does not belong into this shard")]
    Foreign(usize),
    /// An address that the shard holds already.
    #[error("the address in line {0} is there twice, or not in order")]
    Order(usize),
    /// Records in a shard that says its domain is given up.
    #[error("line {0} is a record of a domain that is given up")]
    Withdrawn(usize),
}

impl ShardContent {
    /// Reads a shard.
    pub fn decode(bytes: &[u8]) -> Result<Self, ShardError> {
        let (header, body) = bytes.split_at(bytes.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1));
        let mut content = Self::of_header(header, body, Sha256::digest(bytes).into())?;
        for (number, line) in (2..).zip(body.split_inclusive(|&byte| byte == b'\n')) {
            if content.withdrawn {
                return Err(ShardError::Withdrawn(number));
            }
            match parse(line).ok_or(ShardError::Line(number))? {
                Line::Shard(_) => return Err(ShardError::Line(number)),
                Line::Box(mailbox) => content.take_box(*mailbox, number)?,
                Line::Alias(pair) => content.take_pair(pair, number, |content| &mut content.aliases)?,
                Line::Required(pair) => content.take_pair(pair, number, |content| &mut content.required)?,
                Line::Removed(removed) => content.take_removed(removed, number)?,
            }
        }
        content.boxes.shrink_to_fit();
        Ok(content)
    }

    /// The box of an address.
    pub fn find(&self, address: &Address) -> Option<&MailBox> {
        self.boxes.binary_search_by(|mailbox| mailbox.address.cmp(address)).ok().and_then(|at| self.boxes.get(at))
    }

    /// Whether the address is a box's or an alias.
    pub fn holds(&self, address: &Address) -> bool {
        self.aliases.contains_key(address) || self.find(address).is_some()
    }

    fn of_header(line: &[u8], body: &[u8], digest: [u8; 32]) -> Result<Self, ShardError> {
        let Some(Line::Shard(header)) = parse(line) else { return Err(ShardError::Header) };
        let Header { format, bucket, buckets, withdrawn, epoch, limits, .. } = header;
        if !(OLDEST_FORMAT..=FORMAT).contains(&format) {
            return Err(ShardError::Format(format));
        }
        if !buckets.is_power_of_two() || buckets > MAX_BUCKETS || bucket >= buckets {
            return Err(ShardError::Layout { bucket, buckets });
        }
        let domain = header.domain.clone();
        let wanted = header.digest.clone();
        let (catch_all, alias_of) = (header.catch_all.clone(), header.alias_of.clone());
        let dkim = header.dkim.clone();
        if wanted != (format != FORMAT_WITHOUT_DIGEST).then(|| whole(header, body)) {
            return Err(ShardError::Altered);
        }
        let (boxes, aliases, required, removed) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Ok(Self {
            domain,
            bucket,
            buckets,
            withdrawn,
            boxes,
            aliases,
            required,
            removed,
            epoch,
            catch_all,
            alias_of,
            limits,
            dkim,
            octets: line.len() + body.len(),
            digest,
        })
    }

    fn take_removed(&mut self, removed: Removed, number: usize) -> Result<(), ShardError> {
        self.check(&removed.address, number)?;
        let in_order = self.removed.last_key_value().is_none_or(|(last, _)| *last < removed.address);
        if !in_order || self.holds(&removed.address) {
            return Err(ShardError::Order(number));
        }
        self.removed.insert(removed.address, removed.on);
        Ok(())
    }

    fn take_box(&mut self, mut mailbox: MailBox, number: usize) -> Result<(), ShardError> {
        self.check(&mailbox.address, number)?;
        mailbox.address.share(&self.domain);
        mailbox.store.share(&self.domain);
        if self.boxes.last().is_some_and(|last| last.address >= mailbox.address) {
            return Err(ShardError::Order(number));
        }
        self.boxes.push(mailbox);
        Ok(())
    }

    fn take_pair(
        &mut self,
        mut pair: Pair,
        number: usize,
        map: fn(&mut Self) -> &mut BTreeMap<Address, Address>,
    ) -> Result<(), ShardError> {
        self.check(&pair.address, number)?;
        let taken = self.holds(&pair.address) || self.required.contains_key(&pair.address);
        if taken || map(self).last_key_value().is_some_and(|(last, _)| *last >= pair.address) {
            return Err(ShardError::Order(number));
        }
        pair.address.share(&self.domain);
        pair.r#box.share(&self.domain);
        map(self).insert(pair.address, pair.r#box);
        Ok(())
    }

    fn check(&self, address: &Address, number: usize) -> Result<(), ShardError> {
        let here = *address.domain() == self.domain && bucket_of(address, self.buckets) == self.bucket;
        if here { Ok(()) } else { Err(ShardError::Foreign(number)) }
    }
}

/// A whole line, its end included: a cut file does not pass for a shorter one.
fn parse(line: &[u8]) -> Option<Line> {
    serde_json::from_slice(line.strip_suffix(b"\n")?).ok()
}
