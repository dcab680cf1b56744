use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Date, undescribed};

/// How a zone is signed.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dnssec {
    /// `Signed` (default) or `Unsigned`. A signed zone whose parent has a DS stays signed until the DS is gone everywhere; the status says what
    /// is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DnssecMode>,
    /// The algorithm of its key: `ECDSAP256SHA256` (13, which every validator knows) or `ED25519` (15); the settings say which unless given.
    /// Another one takes the place of the key step by step, with the parent's DS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<DnssecAlgorithm>,
    /// How the zone proves what does not exist: `NSEC` or `NSEC3` (RFC 5155, without salt and additional iterations, RFC 9276), which keeps its
    /// names from being listed; the settings say which unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denial: Option<Denial>,
    /// From this day on a key that was made before it is replaced by a new one, step by step, with the parent's DS. Today's date begins now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollover: Option<Date>,
}

/// Whether a zone is signed.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum DnssecMode {
    /// With DNSSEC.
    #[default]
    Signed,
    /// Without.
    Unsigned,
}

/// The algorithm of a zone's key, by its mnemonic in the IANA's registry.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum DnssecAlgorithm {
    /// ECDSA P-256 with SHA-256 (RFC 6605), number 13.
    #[default]
    #[serde(rename = "ECDSAP256SHA256")]
    EcdsaP256Sha256,
    /// Ed25519 (RFC 8080), number 15.
    #[serde(rename = "ED25519")]
    Ed25519,
}

impl DnssecAlgorithm {
    /// Its number in the IANA's registry.
    pub fn number(self) -> u8 {
        match self {
            Self::EcdsaP256Sha256 => 13,
            Self::Ed25519 => 15,
        }
    }

    /// Its mnemonic.
    pub fn mnemonic(self) -> &'static str {
        match self {
            Self::EcdsaP256Sha256 => "ECDSAP256SHA256",
            Self::Ed25519 => "ED25519",
        }
    }
}

/// How a signed zone proves what does not exist.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum Denial {
    /// By a chain of its names (RFC 4034 §4).
    #[default]
    #[serde(rename = "NSEC")]
    Nsec,
    /// By a chain of hashes of its names (RFC 5155).
    #[serde(rename = "NSEC3")]
    Nsec3,
}
