//! Record data: one typed value per record, its wire form and its zone-file form.

mod caa;
mod digest;
mod loc;
mod naptr;
pub(crate) mod numbers;
mod read;
mod set;
mod soa;
mod strings;
mod svcb;
mod unknown;
mod uri;
pub mod wire;
mod words;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use cst_api::RecordType;

use super::name::{DomainName, NameError};
use super::reverse::reverse_name;

pub use caa::Caa;
pub use digest::{Ds, Sshfp, Tlsa};
pub use loc::Loc;
pub use naptr::Naptr;
pub use set::RecordSet;
pub use soa::Soa;
pub use svcb::Svcb;
pub use unknown::Unknown;
pub use uri::Uri;

/// The data of one record. The types are those that manifests can hold, and SOA.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordData {
    /// RFC 1035 §3.4.1.
    A(Ipv4Addr),
    /// RFC 3596.
    Aaaa(Ipv6Addr),
    /// RFC 8659.
    Caa(Caa),
    /// RFC 1035 §3.3.1.
    Cname(DomainName),
    /// RFC 4034 §5.
    Ds(Ds),
    /// RFC 9460 §9.
    Https(Svcb),
    /// RFC 1876.
    Loc(Loc),
    /// RFC 1035 §3.3.9: preference and exchange; preference 0 and the root are the null MX of RFC 7505.
    Mx(u16, DomainName),
    /// RFC 3403. Apart, for what it takes is what each record here would.
    Naptr(Box<Naptr>),
    /// RFC 1035 §3.3.11.
    Ns(DomainName),
    /// RFC 1035 §3.3.12.
    Ptr(DomainName),
    /// RFC 1035 §3.3.13.
    Soa(Soa),
    /// RFC 2782: priority, weight, port, target.
    Srv(u16, u16, u16, DomainName),
    /// RFC 4255.
    Sshfp(Sshfp),
    /// RFC 9460.
    Svcb(Svcb),
    /// RFC 6698.
    Tlsa(Tlsa),
    /// RFC 1035 §3.3.14: the whole text, split into strings of 255 octets on the wire.
    Txt(Vec<u8>),
    /// RFC 3597.
    Unknown(Unknown),
    /// RFC 7553.
    Uri(Uri),
}

/// How the texts begin of which a name may have one only: SPF (RFC 7208 §3.2) and DMARC (RFC 7489 §6.6.3).
pub const POLICIES: [&str; 2] = ["v=spf1", "v=DMARC1"];

/// Why a value is refused for its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not the form of the type.
    #[error("`{value}` is no {type_} value: {expected}")]
    Form {
        /// The type.
        type_: RecordType,
        /// As written, made printable and shortened.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A name in it is no name.
    #[error("the name in `{value}` is wrong: {source}")]
    Name {
        /// As written, made printable and shortened.
        value: String,
        /// Why.
        source: NameError,
    },
    /// A text with a control character.
    #[error("a TXT value must not contain the control character {0:?}: write the text on one line")]
    Control(char),
    /// A text beyond what is carried.
    #[error("a TXT value has at most 4096 bytes, this one has {0}")]
    TextTooLong(usize),
    /// A type that manifests do not hold.
    #[error(
        "{0} cannot be written: servers make its data themselves, or read it in a form that is not known here, and refuse a whole zone for data \
         that they cannot read"
    )]
    Type(RecordType),
}

impl RecordData {
    /// The type.
    pub fn type_(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::AAAA,
            Self::Caa(_) => RecordType::CAA,
            Self::Cname(_) => RecordType::CNAME,
            Self::Ds(_) => RecordType::DS,
            Self::Https(_) => RecordType::HTTPS,
            Self::Loc(_) => RecordType::LOC,
            Self::Mx(..) => RecordType::MX,
            Self::Naptr(_) => RecordType::NAPTR,
            Self::Ns(_) => RecordType::NS,
            Self::Ptr(_) => RecordType::PTR,
            Self::Soa(_) => RecordType::SOA,
            Self::Srv(..) => RecordType::SRV,
            Self::Sshfp(_) => RecordType::SSHFP,
            Self::Svcb(_) => RecordType::SVCB,
            Self::Tlsa(_) => RecordType::TLSA,
            Self::Txt(_) => RecordType::TXT,
            Self::Unknown(unknown) => unknown.type_(),
            Self::Uri(_) => RecordType::URI,
        }
    }

    /// The wire form of the data (RFC 1035 §4.1.3, names uncompressed and lower-case: RFC 4034 §6.2's canonical form), appended.
    pub fn write_wire(&self, out: &mut Vec<u8>) {
        match self {
            Self::A(address) => out.extend_from_slice(&address.octets()),
            Self::Aaaa(address) => out.extend_from_slice(&address.octets()),
            Self::Caa(caa) => caa.write_wire(out),
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) => name.write_wire(out),
            Self::Ds(ds) => ds.write_wire(out),
            Self::Https(binding) | Self::Svcb(binding) => binding.write_wire(out),
            Self::Loc(place) => place.write_wire(out),
            Self::Mx(preference, exchange) => {
                out.extend_from_slice(&preference.to_be_bytes());
                exchange.write_wire(out);
            }
            Self::Naptr(rule) => rule.write_wire(out),
            Self::Soa(soa) => soa.write_wire(out),
            Self::Srv(priority, weight, port, target) => {
                for number in [priority, weight, port] {
                    out.extend_from_slice(&number.to_be_bytes());
                }
                target.write_wire(out);
            }
            Self::Sshfp(fingerprint) => fingerprint.write_wire(out),
            Self::Tlsa(certificate) => certificate.write_wire(out),
            Self::Txt(bytes) => strings::write_wire(bytes, out),
            Self::Unknown(unknown) => unknown.write_wire(out),
            Self::Uri(uri) => uri.write_wire(out),
        }
    }

    /// The name in the data that leads to other records.
    pub fn target(&self) -> Option<&DomainName> {
        match self {
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) | Self::Mx(_, name) | Self::Srv(.., name) => {
                Some(name)
            }
            Self::Https(binding) | Self::Svcb(binding) => Some(&binding.target),
            Self::Naptr(rule) => Some(&rule.replacement),
            _ => None,
        }
    }

    /// The reverse name of an address.
    pub fn reverse_name(&self) -> Option<DomainName> {
        match self {
            Self::A(address) => Some(reverse_name((*address).into())),
            Self::Aaaa(address) => Some(reverse_name((*address).into())),
            _ => None,
        }
    }

    /// Whether it is a text that begins so, in any case.
    pub fn is_policy(&self, begin: &str) -> bool {
        match self {
            Self::Txt(text) => text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin.as_bytes())),
            _ => false,
        }
    }

    /// Reads a value as a user writes it in `spec.records[].values`: a TXT as it is meant, everything else as in a zone file.
    pub fn from_value(type_: RecordType, value: &str) -> Result<Self, RecordError> {
        if type_ == RecordType::TXT { read::user_text(value) } else { read::zone_text(type_, value) }
    }

    /// Reads the right-hand side of a zone-file line, names in it absolute; SOA too.
    pub fn from_zone_text(type_: RecordType, text: &str) -> Result<Self, RecordError> {
        read::zone_text(type_, text)
    }
}

impl RecordData {
    fn write_generic(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut octets = Vec::new();
        self.write_wire(&mut octets);
        unknown::write_generic(&octets, f)
    }
}

/// A name in a zone file: absolute, with its dot.
struct Absolute<'a>(&'a DomainName);

impl fmt::Display for Absolute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.0.as_str())
    }
}

impl fmt::Display for RecordData {
    /// The right-hand side in a zone file (RFC 1035 §5.1); in the form of RFC 3597 §5 where not every server reads the type's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Https(binding) | Self::Svcb(binding) if !binding.is_read_by_all() => self.write_generic(f),
            Self::Loc(place) if !place.is_read_by_all() => self.write_generic(f),
            Self::A(address) => address.fmt(f),
            Self::Aaaa(address) => address.fmt(f),
            Self::Caa(caa) => caa.fmt(f),
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) => Absolute(name).fmt(f),
            Self::Ds(ds) => ds.fmt(f),
            Self::Https(binding) | Self::Svcb(binding) => binding.fmt(f),
            Self::Loc(place) => place.fmt(f),
            Self::Mx(preference, exchange) => write!(f, "{preference} {}", Absolute(exchange)),
            Self::Naptr(rule) => rule.fmt(f),
            Self::Soa(soa) => soa.fmt(f),
            Self::Srv(priority, weight, port, target) => write!(f, "{priority} {weight} {port} {}", Absolute(target)),
            Self::Sshfp(fingerprint) => fingerprint.fmt(f),
            Self::Tlsa(certificate) => certificate.fmt(f),
            Self::Txt(bytes) => strings::write_text(bytes, f),
            Self::Unknown(unknown) => unknown.fmt(f),
            Self::Uri(uri) => uri.fmt(f),
        }
    }
}
