//! A record of a reply, as far as it is known what it means.

use std::net::IpAddr;

use cst_compiler::model::record::Ds;
use cst_compiler::model::{DomainName, RecordData, RecordType, Soa};
use hickory_proto::rr::{self, RData, rdata::NULL};

use super::denial::Denial;
use crate::message::request::{domain_name, name_of};
use crate::message::{read_u16, skip_name};
use crate::rtype;

/// A record as a server gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The owner.
    pub name: DomainName,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// Its data.
    pub data: Data,
}

/// A record's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An A, AAAA, CNAME, DS, MX, NS, PTR or SOA record.
    Record(RecordData),
    /// A zone's key.
    Dnskey(Dnskey),
    /// A signature.
    Rrsig(Rrsig),
    /// A proof of what is not there.
    Denial(Denial),
    /// What is not looked into.
    Other(RecordType),
}

/// A zone's public key (RFC 4034 §2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dnskey {
    /// 256 for a key of the zone, 257 for one that a DS may name.
    pub flags: u16,
    /// Always 3.
    pub protocol: u8,
    /// The algorithm (IANA DNSSEC algorithm numbers).
    pub algorithm: u8,
    /// The key, in its algorithm's form.
    pub key: Vec<u8>,
}

/// A signature over a record set (RFC 4034 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rrsig {
    /// The type of the records.
    pub covered: RecordType,
    /// The key's algorithm.
    pub algorithm: u8,
    /// The owner's labels, without a wildcard's.
    pub labels: u8,
    /// The records' time to live in the zone, in seconds.
    pub original_ttl: u32,
    /// Until when it holds, in seconds since 1970 modulo 2^32.
    pub expiration: u32,
    /// From when it holds.
    pub inception: u32,
    /// The key's tag.
    pub key_tag: u16,
    /// The zone whose key it is.
    pub signer: DomainName,
    /// The signature, in its algorithm's form.
    pub signature: Vec<u8>,
}

/// Data that are not those of their type.
pub(super) struct Malformed;

impl Record {
    /// Reads a record; `None` when its owner is no name that is asked for here.
    pub(super) fn read(record: &rr::Record) -> Option<Result<Self, Malformed>> {
        let name = domain_name(&record.name)?;
        let data = Data::read(&record.data).ok_or(Malformed);
        Some(data.map(|data| Self { name, ttl: record.ttl, data }))
    }

    /// The start of authority, if it is one.
    pub fn soa(&self) -> Option<&Soa> {
        if let Data::Record(RecordData::Soa(soa)) = &self.data { Some(soa) } else { None }
    }

    /// The name server, if it is an NS.
    pub fn ns(&self) -> Option<&DomainName> {
        if let Data::Record(RecordData::Ns(name)) = &self.data { Some(name) } else { None }
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self.data {
            Data::Record(RecordData::A(address)) => Some(address.into()),
            Data::Record(RecordData::Aaaa(address)) => Some(address.into()),
            _ => None,
        }
    }

    /// The delegation's signer, if it is one.
    pub fn ds(&self) -> Option<&Ds> {
        if let Data::Record(RecordData::Ds(ds)) = &self.data { Some(ds) } else { None }
    }
}

impl Data {
    /// The type.
    pub fn type_(&self) -> RecordType {
        match self {
            Self::Record(data) => data.type_(),
            Self::Dnskey(_) => RecordType::DNSKEY,
            Self::Rrsig(_) => RecordType::RRSIG,
            Self::Denial(denial) => denial.type_(),
            Self::Other(type_) => *type_,
        }
    }

    /// The data in canonical form (RFC 4034 §6.2), appended; nothing of what is not looked into.
    pub fn write_wire(&self, out: &mut Vec<u8>) {
        match self {
            Self::Record(data) => data.write_wire(out),
            Self::Dnskey(key) => key.write_wire(out),
            Self::Denial(denial) => denial.write_wire(out),
            Self::Rrsig(_) | Self::Other(_) => {}
        }
    }

    fn read(data: &RData) -> Option<Self> {
        let record = match data {
            RData::A(address) => RecordData::A(address.0),
            RData::AAAA(address) => RecordData::Aaaa(address.0),
            RData::CNAME(name) => RecordData::Cname(domain_name(name)?),
            RData::MX(mx) => RecordData::Mx(mx.preference, domain_name(&mx.exchange)?),
            RData::NS(name) => RecordData::Ns(domain_name(name)?),
            RData::PTR(name) => RecordData::Ptr(domain_name(name)?),
            RData::SOA(soa) => RecordData::Soa(read_soa(soa)?),
            RData::Unknown { code, rdata: NULL { anything: octets, .. } } => {
                return Self::read_octets(u16::from(*code), octets);
            }
            other => return Some(Self::Other(RecordType::from_number(other.record_type().into()))),
        };
        Some(Self::Record(record))
    }

    fn read_octets(type_number: u16, octets: &[u8]) -> Option<Self> {
        match type_number {
            rtype::DS => read_ds(octets).map(|ds| Self::Record(RecordData::Ds(ds))),
            rtype::DNSKEY => Dnskey::read(octets).map(Self::Dnskey),
            rtype::RRSIG => Rrsig::read(octets).map(Self::Rrsig),
            rtype::NSEC => Denial::nsec(octets).map(Self::Denial),
            rtype::NSEC3 => Denial::nsec3(octets).map(Self::Denial),
            other => Some(Self::Other(RecordType::from_number(other))),
        }
    }
}

fn read_soa(soa: &rr::rdata::SOA) -> Option<Soa> {
    Some(Soa {
        mname: domain_name(&soa.mname)?,
        // The mailbox may have any character; it is shown and no more.
        rname: domain_name(&soa.rname).unwrap_or(DomainName::ROOT),
        serial: soa.serial,
        refresh: soa.refresh.cast_unsigned(),
        retry: soa.retry.cast_unsigned(),
        expire: soa.expire.cast_unsigned(),
        minimum: soa.minimum,
    })
}

fn read_ds(octets: &[u8]) -> Option<Ds> {
    let (&[high, low, algorithm, digest_type], digest) = octets.split_first_chunk()?;
    Some(Ds { key_tag: u16::from_be_bytes([high, low]), algorithm, digest_type, digest: digest.to_vec() })
}

impl Dnskey {
    /// The data, appended (RFC 4034 §2.1).
    pub fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.flags.to_be_bytes());
        out.extend_from_slice(&[self.protocol, self.algorithm]);
        out.extend_from_slice(&self.key);
    }

    /// The key's tag (RFC 4034 appendix B).
    pub fn tag(&self) -> u16 {
        let mut data = Vec::with_capacity(self.key.len() + 5);
        self.write_wire(&mut data);
        let words = data.chunks(2).map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
        let sum: u32 = words.sum();
        u16::try_from((sum + (sum >> 16)) & 0xFFFF).unwrap_or_default()
    }

    fn read(octets: &[u8]) -> Option<Self> {
        let (&[high, low, protocol, algorithm], key) = octets.split_first_chunk()?;
        Some(Self { flags: u16::from_be_bytes([high, low]), protocol, algorithm, key: key.to_vec() })
    }
}

impl Rrsig {
    fn read(octets: &[u8]) -> Option<Self> {
        let word = |position: usize| octets.get(position..)?.first_chunk().map(|word| u32::from_be_bytes(*word));
        let end = skip_name(octets, 18)?;
        Some(Self {
            covered: RecordType::from_number(read_u16(octets, 0)?),
            algorithm: *octets.get(2)?,
            labels: *octets.get(3)?,
            original_ttl: word(4)?,
            expiration: word(8)?,
            inception: word(12)?,
            key_tag: read_u16(octets, 16)?,
            signer: read_name(octets.get(18..end)?)?,
            signature: octets.get(end..)?.to_vec(),
        })
    }
}

/// A name in uncompressed wire form (RFC 4034 §3.1.7).
fn read_name(mut octets: &[u8]) -> Option<DomainName> {
    let mut labels = Vec::new();
    while let Some((length @ 1..=63, rest)) = octets.split_first().map(|(length, rest)| (usize::from(*length), rest)) {
        let (label, rest) = rest.split_at_checked(length)?;
        labels.push(label);
        octets = rest;
    }
    (octets == [0]).then(|| name_of(&labels)).flatten()
}
