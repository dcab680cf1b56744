//! From a domain to its shards.

use std::collections::BTreeMap;

use super::{BUCKET_BYTES, FORMAT, Header, MAX_BUCKETS, Shard, ShardContent, Written, bucket_of, line, whole};
use crate::desired::mail::{Limits, MailBox, MailDomain};
use crate::model::{Address, DomainName};

impl MailDomain {
    /// The domain's shards, bucket 0 first. `postmaster` is the centre's own address, which gets what is sent to the `postmaster`
    /// and `abuse` of a domain that has no such address; `buckets` is how many there were before, 0 for a new domain.
    pub fn shards(&self, postmaster: &Address, buckets: u32) -> Vec<Shard> {
        self.changed_shards(postmaster, buckets, |_| None).0
    }

    /// Of the domain's shards those that are not stored as they are to be, and how many there are in all. `stored`: the content of a bucket whose
    /// bytes are those that [`ShardContent::encode`] gives; such a bucket is compared as it is, and not written out to be compared.
    pub fn changed_shards<'s>(
        &self,
        postmaster: &Address,
        buckets: u32,
        stored: impl Fn(u32) -> Option<&'s ShardContent>,
    ) -> (Vec<Shard>, u32) {
        let boxes = self.by_address();
        let required = self.required(&boxes, postmaster);
        let records = self.records(&boxes, &required);
        let mut buckets = buckets.clamp(1, MAX_BUCKETS).next_power_of_two();
        loop {
            let grown = buckets == MAX_BUCKETS;
            if let Some(changed) =
                self.changed_among(&records, buckets, &stored, if grown { usize::MAX } else { BUCKET_BYTES })
            {
                return (changed, buckets);
            }
            buckets *= 2;
        }
    }

    /// The changed shards among so many buckets; `None`: one would have more bytes than a bucket may.
    fn changed_among<'s>(
        &self,
        records: &[Written<'_>],
        buckets: u32,
        stored: impl Fn(u32) -> Option<&'s ShardContent>,
        most: usize,
    ) -> Option<Vec<Shard>> {
        let mut parts: Vec<Vec<&Written<'_>>> = (0..buckets).map(|_| Vec::new()).collect();
        for record in records {
            let part = record.address().and_then(|address| parts.get_mut(bucket_of(address, buckets) as usize));
            part?.push(record);
        }
        let mut changed = Vec::new();
        for (bucket, part) in (0..).zip(parts) {
            let header = Header { bucket, buckets, epoch: self.epoch, ..header(&self.domain) };
            let header = if bucket == 0 { self.in_first(header) } else { header };
            if let Some(same) = stored(bucket).filter(|stored| stored.says(&header, &part)) {
                if same.octets > most {
                    return None;
                }
                continue;
            }
            let mut body = Vec::new();
            for record in part {
                body.extend(line(record));
                if body.len() > most {
                    return None;
                }
            }
            let shard = shard(&header, &body);
            if shard.bytes.len() > most {
                return None;
            }
            changed.push(shard);
        }
        Some(changed)
    }

    /// The header with what is said once for the domain.
    fn in_first(&self, header: Header) -> Header {
        let (catch_all, alias_of, dkim) = (self.catch_all.clone(), self.alias_of.clone(), self.dkim.clone());
        Header { catch_all, alias_of, limits: self.limits, dkim, ..header }
    }

    fn by_address(&self) -> BTreeMap<&Address, &MailBox> {
        let mut boxes = BTreeMap::new();
        for mailbox in &self.boxes {
            boxes.entry(&mailbox.address).or_insert(mailbox);
        }
        boxes
    }

    /// Every line but the headers: boxes, aliases, required and removed addresses, each in the order of their addresses.
    fn records<'a>(
        &'a self,
        boxes: &BTreeMap<&'a Address, &'a MailBox>,
        required: &'a [(Address, &'a Address)],
    ) -> Vec<Written<'a>> {
        let aliases = self.aliases.iter().filter(|(alias, _)| !boxes.contains_key(alias));
        let is_gone = |address: &Address| !boxes.contains_key(address) && !self.aliases.contains_key(address);
        let gone = self.removed.iter().filter(|(address, _)| is_gone(address));
        let from_boxes = boxes.values().map(|mailbox| Written::Box(mailbox));
        from_boxes
            .chain(aliases.map(|(alias, to)| Written::alias(alias, to)))
            .chain(required.iter().map(|(address, to)| Written::required(address, to)))
            .chain(gone.map(|(address, on)| Written::removed(address, *on)))
            .collect()
    }

    /// The addresses that RFC 2142 and RFC 5321 want and nobody declared. `abuse` goes to the domain's own postmaster where it has one.
    fn required<'a>(
        &'a self,
        boxes: &BTreeMap<&'a Address, &MailBox>,
        centre: &'a Address,
    ) -> Vec<(Address, &'a Address)> {
        let declared =
            |address: &Address| boxes.get_key_value(address).map(|(&own, _)| own).or_else(|| self.aliases.get(address));
        let mut required = Vec::new();
        let mut reader = centre;
        for local in ["postmaster", "abuse"] {
            let Ok(address) = Address::parse(&format!("{local}@{}", self.domain)) else { continue };
            match declared(&address) {
                Some(own) if local == "postmaster" => reader = own,
                None if address != *centre => required.push((address, reader)),
                _ => {}
            }
        }
        required.sort();
        required
    }
}

impl ShardContent {
    /// The shard's bytes: those that it was read from, if this version wrote them.
    pub fn encode(&self) -> Vec<u8> {
        let lines = self.records().flat_map(|of_address| line(&of_address));
        shard(&self.header(), &lines.collect::<Vec<_>>()).bytes
    }

    /// Whether it has this header, but for the digest, and these records.
    fn says(&self, header: &Header, records: &[&Written<'_>]) -> bool {
        self.header() == *header && self.records().eq(records.iter().copied().copied())
    }

    fn header(&self) -> Header {
        Header {
            bucket: self.bucket,
            buckets: self.buckets,
            withdrawn: self.withdrawn,
            epoch: self.epoch,
            catch_all: self.catch_all.clone(),
            alias_of: self.alias_of.clone(),
            limits: self.limits,
            dkim: self.dkim.clone(),
            ..header(&self.domain)
        }
    }

    fn records(&self) -> impl Iterator<Item = Written<'_>> {
        let Self { boxes, aliases, required, removed, .. } = self;
        boxes
            .iter()
            .map(Written::Box)
            .chain(aliases.iter().map(|(alias, to)| Written::alias(alias, to)))
            .chain(required.iter().map(|(address, to)| Written::required(address, to)))
            .chain(removed.iter().map(|(address, on)| Written::removed(address, *on)))
    }
}

/// The content of a domain that is given up: agents refuse its addresses, and the Secret may go once they acknowledged it.
pub fn withdrawal(domain: &DomainName) -> Shard {
    shard(&Header { withdrawn: true, ..header(domain) }, b"")
}

fn header(domain: &DomainName) -> Header {
    let domain = domain.clone();
    let (bucket, buckets, withdrawn, epoch) = (0, 1, false, 0);
    let (catch_all, alias_of, limits, dkim, digest) = (None, None, Limits::default(), Vec::new(), None);
    Header { format: FORMAT, domain, bucket, buckets, withdrawn, epoch, catch_all, alias_of, limits, dkim, digest }
}

fn shard(header: &Header, body: &[u8]) -> Shard {
    let digest = Some(whole(header.clone(), body));
    let mut bytes = line(&Written::Shard(&Header { digest, ..header.clone() }));
    bytes.extend_from_slice(body);
    Shard { domain: header.domain.clone(), bucket: header.bucket, bytes }
}
