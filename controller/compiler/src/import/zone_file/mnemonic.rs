//! Types and classes by their mnemonics in zone files: those that are held here, and those of which it is said why they are not.

use cst_api::RecordType;

/// Types without a name here (IANA's registry of DNS parameters), with their numbers.
const OTHERS: [(&str, u16); 36] = [
    ("MD", 3),
    ("MF", 4),
    ("MB", 7),
    ("MG", 8),
    ("MR", 9),
    ("NULL", 10),
    ("WKS", 11),
    ("HINFO", 13),
    ("MINFO", 14),
    ("RP", 17),
    ("AFSDB", 18),
    ("X25", 19),
    ("ISDN", 20),
    ("RT", 21),
    ("NSAP", 22),
    ("SIG", 24),
    ("KEY", 25),
    ("PX", 26),
    ("NXT", 30),
    ("KX", 36),
    ("CERT", 37),
    ("APL", 42),
    ("IPSECKEY", 45),
    ("DHCID", 49),
    ("HIP", 55),
    ("CSYNC", 62),
    ("ZONEMD", 63),
    ("SPF", 99),
    ("NID", 104),
    ("L32", 105),
    ("L64", 106),
    ("LP", 107),
    ("EUI48", 108),
    ("EUI64", 109),
    ("AVC", 258),
    ("DLV", 32_769),
];

/// The records that signing makes (RFC 4034, RFC 5155, RFC 7344, RFC 8976), and those in which BIND keeps how far it has come.
const OF_SIGNING: [u16; 12] = [24, 25, 30, 46, 47, 48, 50, 51, 59, 60, 63, 65_534];

/// The type of a word, in any case.
pub(super) fn type_of(word: &str) -> Option<RecordType> {
    let upper = word.to_ascii_uppercase();
    let other = || OTHERS.iter().find(|(name, _)| *name == upper).map(|(_, number)| RecordType::from_number(*number));
    upper.parse().ok().or_else(other)
}

/// A type's mnemonic also where it is not held here.
pub(crate) fn mnemonic(type_: RecordType) -> String {
    let other = OTHERS.iter().find(|(_, number)| *number == type_.number());
    other.map_or_else(|| type_.to_string(), |(name, _)| (*name).to_owned())
}

/// Whether the type is made by signing.
pub(crate) fn is_of_signing(type_: RecordType) -> bool {
    OF_SIGNING.contains(&type_.number())
}

/// Whether a word is a class; `Some(false)`: one that is not the Internet's.
pub(super) fn class(word: &str) -> Option<bool> {
    let upper = word.to_ascii_uppercase();
    let number = upper.strip_prefix("CLASS").and_then(|digits| digits.parse::<u16>().ok());
    match upper.as_str() {
        "IN" => Some(true),
        "CH" | "CHAOS" | "HS" | "HESIOD" | "CS" => Some(false),
        _ => number.map(|number| number == 1),
    }
}
