//! The numbers of types that manifests hold by their number only (RFC 3597).

/// RFC 1035 §3.3.2.
pub(crate) const HINFO: u16 = 13;
/// RFC 1183 §2.2.
pub(crate) const RP: u16 = 17;
/// RFC 1183 §1.
pub(crate) const AFSDB: u16 = 18;
/// RFC 8162.
pub(crate) const SMIMEA: u16 = 53;
/// RFC 7929.
pub(crate) const OPENPGPKEY: u16 = 61;
/// RFC 7208 §3.1: obsolete, and still served by some.
pub(crate) const SPF: u16 = 99;
/// RFC 7043.
pub(crate) const EUI48: u16 = 108;
/// RFC 7043.
pub(crate) const EUI64: u16 = 109;
