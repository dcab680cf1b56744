//! Numbers and names of record types (IANA DNS parameters).

/// RFC 1035.
pub const NS: u16 = 2;
/// RFC 1035.
pub const CNAME: u16 = 5;
/// RFC 1035.
pub const SOA: u16 = 6;
/// RFC 4034 §5.
pub const DS: u16 = 43;
/// RFC 4034 §3.
pub const RRSIG: u16 = 46;
/// RFC 4034 §4.
pub const NSEC: u16 = 47;
/// RFC 4034 §2.
pub const DNSKEY: u16 = 48;
/// RFC 7344 §3.1.
pub const CDS: u16 = 59;
/// RFC 7344 §3.2.
pub const CDNSKEY: u16 = 60;

const NAMES: [(u16, &str); 27] = [
    (1, "A"),
    (NS, "NS"),
    (CNAME, "CNAME"),
    (SOA, "SOA"),
    (12, "PTR"),
    (15, "MX"),
    (16, "TXT"),
    (28, "AAAA"),
    (29, "LOC"),
    (33, "SRV"),
    (35, "NAPTR"),
    (DS, "DS"),
    (44, "SSHFP"),
    (RRSIG, "RRSIG"),
    (NSEC, "NSEC"),
    (DNSKEY, "DNSKEY"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (CDS, "CDS"),
    (CDNSKEY, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (256, "URI"),
    (257, "CAA"),
];

/// The type's mnemonic, `TYPE<n>` where it has none here (RFC 3597 §5).
pub fn name(number: u16) -> String {
    NAMES
        .iter()
        .find(|(known, _)| *known == number)
        .map_or_else(|| format!("TYPE{number}"), |(_, name)| (*name).to_owned())
}
