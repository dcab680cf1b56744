//! Signatures and digests as a validator checks them (RFC 4034, RFC 4035 §5.3).

use cst_compiler::model::record::Ds;
use cst_compiler::model::{DomainName, RecordType};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

use super::algorithm::verifies;
use crate::lookup::{Data, Dnskey, Record, Rrsig};
use crate::message::IN;

/// What comes of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It holds until then, in seconds since 1970.
    Until(u32),
    /// It held, and no longer does.
    Expired(u32),
    /// It does not hold yet.
    Early(u32),
    /// The algorithm is none that is checked here.
    Unchecked(u8),
    /// It is not that key's over these records.
    Wrong,
    /// There is none by such a key.
    Missing,
}

/// What comes of the best signature over a set among the records, by one of the zone's keys.
pub(super) fn judge(
    records: &[Record],
    name: &DomainName,
    type_: RecordType,
    zone: &DomainName,
    keys: &[&Dnskey],
    now: u32,
) -> Verdict {
    let is_of_set = |record: &&Record| record.name == *name && record.data.type_() == type_;
    let set: Vec<&Record> = records.iter().filter(is_of_set).collect();
    let signatures = records.iter().filter_map(|record| match &record.data {
        Data::Rrsig(rrsig) if record.name == *name && rrsig.covered == type_ => Some(rrsig),
        _ => None,
    });
    let verdicts = signatures.flat_map(|rrsig| {
        let by = |key: &&&Dnskey| key.tag() == rrsig.key_tag && key.algorithm == rrsig.algorithm;
        keys.iter().filter(by).map(|key| check(&set, name, rrsig, zone, key, now)).collect::<Vec<_>>()
    });
    verdicts.min_by_key(|verdict| rank(*verdict)).unwrap_or(Verdict::Missing)
}

/// The better first; of those that hold the longest.
fn rank(verdict: Verdict) -> (u8, u32) {
    match verdict {
        Verdict::Until(time) => (0, u32::MAX - time),
        Verdict::Unchecked(_) => (1, 0),
        Verdict::Expired(_) | Verdict::Early(_) => (2, 0),
        Verdict::Wrong => (3, 0),
        Verdict::Missing => (4, 0),
    }
}

fn check(set: &[&Record], name: &DomainName, rrsig: &Rrsig, zone: &DomainName, key: &Dnskey, now: u32) -> Verdict {
    // The asterisk of a wildcard is not counted (RFC 4034 §3.1.3).
    let labels = name.labels().count() - usize::from(name.is_wildcard());
    let labels = u8::try_from(labels).unwrap_or(u8::MAX);
    let data = signed_data(set, name, rrsig);
    let Some(verifies) = verifies(key, &data, &rrsig.signature) else { return Verdict::Unchecked(key.algorithm) };
    if rrsig.signer != *zone || rrsig.labels != labels || !verifies {
        return Verdict::Wrong;
    }
    match (is_after(now, rrsig.expiration), is_after(rrsig.inception, now)) {
        (true, _) => Verdict::Expired(rrsig.expiration),
        (_, true) => Verdict::Early(rrsig.inception),
        _ => Verdict::Until(rrsig.expiration),
    }
}

/// By the arithmetic of RFC 1982, as RFC 4034 §3.1.5 says.
fn is_after(one: u32, other: u32) -> bool {
    one != other && one.wrapping_sub(other) < 1 << 31
}

/// What a signature is over (RFC 4034 §3.1.8.1).
fn signed_data(set: &[&Record], name: &DomainName, rrsig: &Rrsig) -> Vec<u8> {
    let mut data = Vec::new();
    data.extend_from_slice(&rrsig.covered.number().to_be_bytes());
    data.extend_from_slice(&[rrsig.algorithm, rrsig.labels]);
    for number in [rrsig.original_ttl, rrsig.expiration, rrsig.inception] {
        data.extend_from_slice(&number.to_be_bytes());
    }
    data.extend_from_slice(&rrsig.key_tag.to_be_bytes());
    rrsig.signer.write_wire(&mut data);
    let mut records: Vec<Vec<u8>> = set.iter().map(|record| wire(&record.data)).collect();
    records.sort();
    records.dedup();
    for record in records {
        name.write_wire(&mut data);
        data.extend_from_slice(&rrsig.covered.number().to_be_bytes());
        data.extend_from_slice(&IN.to_be_bytes());
        data.extend_from_slice(&rrsig.original_ttl.to_be_bytes());
        data.extend_from_slice(&u16::try_from(record.len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend_from_slice(&record);
    }
    data
}

fn wire(data: &Data) -> Vec<u8> {
    let mut octets = Vec::new();
    data.write_wire(&mut octets);
    octets
}

/// The DS of a key with SHA-256, as it is handed to the zone above (RFC 4509).
pub(super) fn ds(zone: &DomainName, key: &Dnskey) -> Ds {
    let digest = Sha256::digest(digested(zone, key)).to_vec();
    Ds { key_tag: key.tag(), algorithm: key.algorithm, digest_type: 2, digest }
}

/// Whether a DS names the key.
pub(super) fn names(ds: &Ds, zone: &DomainName, key: &Dnskey) -> bool {
    let is_same = ds.key_tag == key.tag() && ds.algorithm == key.algorithm;
    is_same
        && match ds.digest_type {
            1 => ds.digest[..] == Sha1::digest(digested(zone, key))[..],
            2 => ds.digest[..] == Sha256::digest(digested(zone, key))[..],
            4 => ds.digest[..] == Sha384::digest(digested(zone, key))[..],
            _ => false,
        }
}

fn digested(zone: &DomainName, key: &Dnskey) -> Vec<u8> {
    let mut octets = Vec::new();
    zone.write_wire(&mut octets);
    key.write_wire(&mut octets);
    octets
}
