//! From a domain to its shards.

use std::collections::BTreeMap;

use super::{BUCKET_BYTES, FORMAT, Header, MAX_BUCKETS, Shard, ShardContent, Written, bucket_of, line, whole};
use crate::desired::mail::{Limits, MailBox, MailDomain};
use crate::model::{Address, DomainName};

impl MailDomain {
    /// The domain's shards, bucket 0 first. `postmaster` is the centre's own address, which gets what is sent to the `postmaster`
    /// and `abuse` of a domain that has no such address; `buckets` is how many there were before, 0 for a new domain.
    pub fn shards(&self, postmaster: &Address, buckets: u32) -> Vec<Shard> {
        let lines = self.lines(postmaster);
        let mut buckets = buckets.clamp(1, MAX_BUCKETS).next_power_of_two();
        loop {
            let filled = self.fill(&lines, buckets);
            if buckets == MAX_BUCKETS || filled.iter().all(|shard| shard.bytes.len() <= BUCKET_BYTES) {
                return filled;
            }
            buckets *= 2;
        }
    }

    fn fill(&self, lines: &[(Address, Vec<u8>)], buckets: u32) -> Vec<Shard> {
        let mut bodies: Vec<Vec<u8>> = (0..buckets).map(|_| Vec::new()).collect();
        for (address, line) in lines {
            if let Some(body) = bodies.get_mut(bucket_of(address, buckets) as usize) {
                body.extend_from_slice(line);
            }
        }
        let header = |bucket| {
            let header = Header { bucket, buckets, epoch: self.epoch, ..header(&self.domain) };
            if bucket == 0 { self.in_first(header) } else { header }
        };
        (0..).zip(bodies).map(|(bucket, body)| shard(&header(bucket), &body)).collect()
    }

    /// The header with what is said once for the domain.
    fn in_first(&self, header: Header) -> Header {
        let (catch_all, alias_of, dkim) = (self.catch_all.clone(), self.alias_of.clone(), self.dkim.clone());
        Header { catch_all, alias_of, limits: self.limits, dkim, ..header }
    }

    /// Every line but the headers: boxes, aliases, required and removed addresses, each in the order of their addresses.
    fn lines(&self, postmaster: &Address) -> Vec<(Address, Vec<u8>)> {
        let mut boxes: BTreeMap<&Address, &MailBox> = BTreeMap::new();
        for mailbox in &self.boxes {
            boxes.entry(&mailbox.address).or_insert(mailbox);
        }
        let aliases = self.aliases.iter().filter(|(alias, _)| !boxes.contains_key(alias));
        let is_gone = |address: &Address| !boxes.contains_key(address) && !self.aliases.contains_key(address);
        let gone = self.removed.iter().filter(|(address, _)| is_gone(address));
        let required = self.required(&boxes, postmaster);
        let from_boxes = boxes.values().map(|mailbox| (&mailbox.address, Written::Box(mailbox)));
        let lines = from_boxes
            .chain(aliases.map(|(alias, to)| (alias, Written::alias(alias, to))))
            .chain(required.iter().map(|(address, to)| (address, Written::required(address, to))))
            .chain(gone.map(|(address, on)| (address, Written::removed(address, *on))));
        lines.map(|(address, of_address)| (address.clone(), line(&of_address))).collect()
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
        let Self { domain, bucket, buckets, withdrawn, boxes, aliases, required, removed, .. } = self;
        let header = Header {
            bucket: *bucket,
            buckets: *buckets,
            withdrawn: *withdrawn,
            epoch: self.epoch,
            catch_all: self.catch_all.clone(),
            alias_of: self.alias_of.clone(),
            limits: self.limits,
            dkim: self.dkim.clone(),
            ..header(domain)
        };
        let lines = boxes
            .iter()
            .map(Written::Box)
            .chain(aliases.iter().map(|(alias, to)| Written::alias(alias, to)))
            .chain(required.iter().map(|(address, to)| Written::required(address, to)))
            .chain(removed.iter().map(|(address, on)| Written::removed(address, *on)));
        shard(&header, &lines.flat_map(|of_address| line(&of_address)).collect::<Vec<_>>()).bytes
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
