//! Record data: one typed value per record, its wire form and its zone-file form.

mod parse;
mod text;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use cst_api::RecordType;

use super::name::{DomainName, NameError};

/// The data of one record. The types are those of [`RecordType`] and SOA.
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
    /// RFC 1035 §3.3.9: preference and exchange; preference 0 and the root are the null MX of RFC 7505.
    Mx(u16, DomainName),
    /// RFC 1035 §3.3.11.
    Ns(DomainName),
    /// RFC 1035 §3.3.12.
    Ptr(DomainName),
    /// RFC 1035 §3.3.13.
    Soa(Soa),
    /// RFC 2782: priority, weight, port, target.
    Srv(u16, u16, u16, DomainName),
    /// RFC 1035 §3.3.14: the whole text, split into strings of 255 octets on the wire.
    Txt(Vec<u8>),
}

/// Who may issue certificates (RFC 8659 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caa {
    /// 128: critical.
    pub flags: u8,
    /// `issue`, `issuewild`, `iodef`…: lower-case letters and digits.
    pub tag: String,
    /// The tag's value, printable ASCII.
    pub value: String,
}

/// The start of authority (RFC 1035 §3.3.13); times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Soa {
    /// The first name server.
    pub mname: DomainName,
    /// The hostmaster's address as a name.
    pub rname: DomainName,
    /// The version.
    pub serial: u32,
    /// How often secondaries ask.
    pub refresh: u32,
    /// How soon they ask again.
    pub retry: u32,
    /// How long they serve without an answer.
    pub expire: u32,
    /// The negative answers' time to live (RFC 2308).
    pub minimum: u32,
}

/// All records of one type at one name, with their one TTL (RFC 2181 §5.2). Values are sorted and distinct.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordSet {
    /// The owner.
    pub name: DomainName,
    /// Seconds.
    pub ttl: u32,
    values: Vec<RecordData>,
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
        type_: &'static str,
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
}

impl RecordData {
    /// The type's number (IANA DNS parameters).
    pub fn type_number(&self) -> u16 {
        match self {
            Self::A(_) => 1,
            Self::Ns(_) => 2,
            Self::Cname(_) => 5,
            Self::Soa(_) => 6,
            Self::Ptr(_) => 12,
            Self::Mx(..) => 15,
            Self::Txt(_) => 16,
            Self::Aaaa(_) => 28,
            Self::Srv(..) => 33,
            Self::Caa(_) => 257,
        }
    }

    /// The type's mnemonic.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::A(_) => "A",
            Self::Ns(_) => "NS",
            Self::Cname(_) => "CNAME",
            Self::Soa(_) => "SOA",
            Self::Ptr(_) => "PTR",
            Self::Mx(..) => "MX",
            Self::Txt(_) => "TXT",
            Self::Aaaa(_) => "AAAA",
            Self::Srv(..) => "SRV",
            Self::Caa(_) => "CAA",
        }
    }

    /// The wire form of the data (RFC 1035 §4.1.3, names uncompressed and lower-case: RFC 4034 §6.2's canonical form), appended.
    pub fn write_wire(&self, out: &mut Vec<u8>) {
        match self {
            Self::A(address) => out.extend_from_slice(&address.octets()),
            Self::Aaaa(address) => out.extend_from_slice(&address.octets()),
            Self::Caa(caa) => {
                out.extend_from_slice(&[caa.flags, u8::try_from(caa.tag.len()).unwrap_or(u8::MAX)]);
                out.extend_from_slice(caa.tag.as_bytes());
                out.extend_from_slice(caa.value.as_bytes());
            }
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) => name.write_wire(out),
            Self::Mx(preference, exchange) => {
                out.extend_from_slice(&preference.to_be_bytes());
                exchange.write_wire(out);
            }
            Self::Soa(soa) => soa.write_wire(out),
            Self::Srv(priority, weight, port, target) => {
                for number in [priority, weight, port] {
                    out.extend_from_slice(&number.to_be_bytes());
                }
                target.write_wire(out);
            }
            Self::Txt(bytes) => text::write_wire(bytes, out),
        }
    }

    /// The names in the data that lead to other records, for MX, NS, SRV, CNAME and PTR.
    pub fn target(&self) -> Option<&DomainName> {
        match self {
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) | Self::Mx(_, name) | Self::Srv(.., name) => {
                Some(name)
            }
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

    /// Reads a value as a user writes it in `spec.records[].values`.
    pub fn from_value(type_: RecordType, value: &str) -> Result<Self, RecordError> {
        parse::value(type_, value)
    }

    /// Reads the right-hand side of a zone-file line that [`fmt::Display`] wrote; SOA too.
    pub fn from_zone_text(type_name: &str, text: &str) -> Result<Self, RecordError> {
        parse::zone_text(type_name, text)
    }
}

impl Soa {
    fn write_wire(&self, out: &mut Vec<u8>) {
        self.mname.write_wire(out);
        self.rname.write_wire(out);
        for number in [self.serial, self.refresh, self.retry, self.expire, self.minimum] {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

impl RecordSet {
    /// A set of values of one type; `None` when there are none or their types differ.
    pub fn new(name: DomainName, ttl: u32, mut values: Vec<RecordData>) -> Option<Self> {
        values.sort();
        values.dedup();
        let type_number = values.first()?.type_number();
        values.iter().all(|v| v.type_number() == type_number).then_some(Self { name, ttl, values })
    }

    /// The values, sorted, at least one.
    pub fn values(&self) -> &[RecordData] {
        &self.values
    }

    /// The type's number.
    pub fn type_number(&self) -> u16 {
        self.values[0].type_number()
    }

    /// The type's mnemonic.
    pub fn type_name(&self) -> &'static str {
        self.values[0].type_name()
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
    /// The right-hand side in a zone file (RFC 1035 §5.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => address.fmt(f),
            Self::Aaaa(address) => address.fmt(f),
            Self::Caa(caa) => {
                write!(f, "{} {} ", caa.flags, caa.tag)?;
                text::write_quoted(caa.value.as_bytes(), f)
            }
            Self::Cname(name) | Self::Ns(name) | Self::Ptr(name) => Absolute(name).fmt(f),
            Self::Mx(preference, exchange) => write!(f, "{preference} {}", Absolute(exchange)),
            Self::Soa(soa) => write!(
                f,
                "{} {} {} {} {} {} {}",
                Absolute(&soa.mname),
                Absolute(&soa.rname),
                soa.serial,
                soa.refresh,
                soa.retry,
                soa.expire,
                soa.minimum
            ),
            Self::Srv(priority, weight, port, target) => write!(f, "{priority} {weight} {port} {}", Absolute(target)),
            Self::Txt(bytes) => text::write_strings(bytes, f),
        }
    }
}
