//! What is handed to the hidden primary, and kept beside it: one version of one zone.

use std::fmt;
use std::sync::Arc;

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

/// One version of a zone. Content, serial, inception and key give the same signed bytes on every replica.
#[derive(Clone, Debug)]
pub struct ZoneVersion {
    /// The unsigned content.
    pub zone: Arc<Zone>,
    /// The SOA's serial.
    pub serial: u32,
    /// When the signatures begin to be valid, seconds since 1970.
    pub inception: u32,
    /// The key that signs.
    pub key: KeyMaterial,
}

impl ZoneVersion {
    /// The zone's name.
    pub fn apex(&self) -> &DomainName {
        self.zone.apex()
    }
}
