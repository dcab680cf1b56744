//! Numbers of the record types that the protocol gives a meaning (IANA DNS parameters).

use cst_compiler::model::RecordType;

pub const NS: u16 = RecordType::NS.number();
pub const CNAME: u16 = RecordType::CNAME.number();
pub const SOA: u16 = RecordType::SOA.number();
pub const DS: u16 = RecordType::DS.number();
pub const RRSIG: u16 = RecordType::RRSIG.number();
pub const NSEC: u16 = RecordType::NSEC.number();
pub const DNSKEY: u16 = RecordType::DNSKEY.number();
pub const NSEC3: u16 = RecordType::NSEC3.number();
pub const NSEC3PARAM: u16 = RecordType::NSEC3PARAM.number();
pub const CDS: u16 = RecordType::CDS.number();
pub const CDNSKEY: u16 = RecordType::CDNSKEY.number();

/// The type's mnemonic, `TYPE<n>` where it has none here (RFC 3597 §5).
pub fn name(number: u16) -> String {
    RecordType::from_number(number).to_string()
}
