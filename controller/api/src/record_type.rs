//! Types of DNS records (IANA's registry of DNS parameters).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A record type by its number; written as its mnemonic, or `TYPE<number>` where it has none here (RFC 3597 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(u16);

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $number:literal),+ $(,)?) => {
        impl RecordType {
            $($(#[$doc])* pub const $name: Self = Self($number);)+
        }

        const NAMES: &[(RecordType, &str)] = &[$((RecordType::$name, stringify!($name))),+];
    };
}

types! {
    /// RFC 1035 §3.4.1.
    A = 1,
    /// RFC 1035 §3.3.11.
    NS = 2,
    /// RFC 1035 §3.3.1.
    CNAME = 5,
    /// RFC 1035 §3.3.13.
    SOA = 6,
    /// RFC 1035 §3.3.12.
    PTR = 12,
    /// RFC 1035 §3.3.9.
    MX = 15,
    /// RFC 1035 §3.3.14.
    TXT = 16,
    /// RFC 3596.
    AAAA = 28,
    /// RFC 1876.
    LOC = 29,
    /// RFC 2782.
    SRV = 33,
    /// RFC 3403.
    NAPTR = 35,
    /// RFC 6672.
    DNAME = 39,
    /// RFC 4034 §5.
    DS = 43,
    /// RFC 4255.
    SSHFP = 44,
    /// RFC 4034 §3.
    RRSIG = 46,
    /// RFC 4034 §4.
    NSEC = 47,
    /// RFC 4034 §2.
    DNSKEY = 48,
    /// RFC 5155 §3.
    NSEC3 = 50,
    /// RFC 5155 §4.
    NSEC3PARAM = 51,
    /// RFC 6698.
    TLSA = 52,
    /// RFC 8162.
    SMIMEA = 53,
    /// RFC 7344 §3.1.
    CDS = 59,
    /// RFC 7344 §3.2.
    CDNSKEY = 60,
    /// RFC 7929.
    OPENPGPKEY = 61,
    /// RFC 9460.
    SVCB = 64,
    /// RFC 9460 §9.
    HTTPS = 65,
    /// RFC 7553.
    URI = 256,
    /// RFC 8659.
    CAA = 257,
}

/// The types that have a form of their own in manifests.
const WRITTEN: [RecordType; 17] = [
    RecordType::A,
    RecordType::AAAA,
    RecordType::CAA,
    RecordType::CNAME,
    RecordType::DS,
    RecordType::HTTPS,
    RecordType::LOC,
    RecordType::MX,
    RecordType::NAPTR,
    RecordType::NS,
    RecordType::PTR,
    RecordType::SRV,
    RecordType::SSHFP,
    RecordType::SVCB,
    RecordType::TLSA,
    RecordType::TXT,
    RecordType::URI,
];

impl RecordType {
    /// The type of a number.
    pub const fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Whether manifests write it by its mnemonic.
    pub fn is_written(self) -> bool {
        WRITTEN.contains(&self)
    }

    /// How manifests write it: by its mnemonic, or as `TYPE<number>` where they do not know that.
    pub fn in_manifests(self) -> String {
        if self.is_written() { self.to_string() } else { format!("TYPE{}", self.0) }
    }

    /// The mnemonic, where it has one here.
    pub fn mnemonic(self) -> Option<&'static str> {
        NAMES.iter().find(|(known, _)| *known == self).map(|(_, name)| *name)
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mnemonic() {
            Some(name) => f.write_str(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

/// A text that names no record type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRecordType(String);

impl fmt::Display for NoRecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no record type: write its mnemonic, such as MX, or TYPE and its number",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for NoRecordType {}

impl FromStr for RecordType {
    type Err = NoRecordType;

    /// Reads a mnemonic or `TYPE<number>`, in upper case.
    fn from_str(text: &str) -> Result<Self, NoRecordType> {
        if let Some((known, _)) = NAMES.iter().find(|(_, name)| *name == text) {
            return Ok(*known);
        }
        let number = text.strip_prefix("TYPE").filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        number
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| NoRecordType(text.chars().take(20).collect()))
    }
}

impl Serialize for RecordType {
    /// As manifests write it: as the schema takes it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.in_manifests())
    }
}

impl<'de> Deserialize<'de> for RecordType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for RecordType {
    fn schema_name() -> Cow<'static, str> {
        "RecordType".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = WRITTEN.map(|known| known.to_string()).join("|");
        json_schema!({"type": "string", "maxLength": 9, "pattern": format!("^({names}|TYPE[1-9][0-9]{{0,4}})$")})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_and_numbers_are_the_same_types() {
        for (text, number) in [("A", 1), ("TYPE1", 1), ("CAA", 257), ("TYPE65280", 65_280)] {
            assert_eq!(text.parse(), Ok(RecordType::from_number(number)));
        }
        assert_eq!(RecordType::from_number(65_280).to_string(), "TYPE65280");
        assert_eq!(RecordType::from_number(65).to_string(), "HTTPS");
        for (type_, written) in
            [(RecordType::HTTPS, "HTTPS"), (RecordType::OPENPGPKEY, "TYPE61"), (RecordType::SMIMEA, "TYPE53")]
        {
            assert_eq!(type_.in_manifests(), written);
            assert_eq!(serde_json::to_value(type_).unwrap(), written);
        }
        for text in ["", "a", "TYPE", "TYPE65536", "TYPE-1", "SPF"] {
            assert!(text.parse::<RecordType>().is_err(), "{text}");
        }
    }
}
