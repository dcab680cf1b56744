//! What is handed to the hidden primary, and kept beside it: one version of one zone.

use std::fmt;
use std::sync::Arc;

use cst_api::Denial;

use crate::model::{DomainName, Zone};

/// A zone's signing key in the form that is stored in its Secret. Its bytes mean something to the nameserver crate only.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyMaterial(Vec<u8>);

impl KeyMaterial {
    /// Wraps stored bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store: a secret.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMaterial(…)")
    }
}

/// A key of a version, and what it does there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionKey {
    /// The key.
    pub material: KeyMaterial,
    /// It stands in the DNSKEY set, and signs that.
    pub listed: bool,
    /// It signs what the zone holds.
    pub signs: bool,
    /// CDS and CDNSKEY name it.
    pub trusted: bool,
}

impl VersionKey {
    /// A key that does everything.
    pub fn sole(material: KeyMaterial) -> Self {
        Self { material, listed: true, signs: true, trusted: true }
    }
}

/// One version of a zone. All of it together gives the same signed bytes on every replica.
#[derive(Clone, Debug)]
pub struct ZoneVersion {
    /// The unsigned content.
    pub zone: Arc<Zone>,
    /// The SOA's serial.
    pub serial: u32,
    /// When the signatures begin to be valid, seconds since 1970.
    pub inception: u32,
    /// The keys; none, and it is unsigned.
    pub keys: Vec<VersionKey>,
    /// How it proves what does not exist.
    pub denial: Denial,
    /// CDS and CDNSKEY ask the parent to take its DS out (RFC 8078 §4).
    pub leaving: bool,
}

impl ZoneVersion {
    /// The zone's name.
    pub fn apex(&self) -> &DomainName {
        self.zone.apex()
    }

    /// Whether both are the same, octet by octet.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.serial, self.inception, self.denial, self.leaving, &self.keys, &self.zone)
            == (other.serial, other.inception, other.denial, other.leaving, &other.keys, &other.zone)
    }
}
