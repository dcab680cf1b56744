//! What a domain's mail is signed with (RFC 6376, RFC 8463).

use std::fmt;

use cst_api::DkimKind;
use serde::{Deserialize, Serialize};

use crate::plan::dkim::SetName;

/// One signature that every message of the domain gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DkimSigner {
    /// The selector: `<selector>._domainkey.<domain>` holds the public key.
    pub selector: DkimSelector,
    /// The algorithm.
    pub algorithm: DkimAlgorithm,
    /// The private key.
    pub key: DkimKey,
}

/// A signing algorithm, by its name in the signature's tag `a=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DkimAlgorithm {
    /// RSA of 2048 bits with SHA-256 (RFC 6376 §3.3.1): what every receiver verifies.
    #[serde(rename = "rsa-sha256")]
    RsaSha256,
    /// Ed25519 with SHA-256 (RFC 8463).
    #[serde(rename = "ed25519-sha256")]
    Ed25519Sha256,
}

/// A selector of one label: lower-case letters, digits and hyphens inside, at most 63 (RFC 6376 §3.1, narrower). It can stand in a file's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DkimSelector(String);

/// A private key: PKCS#8 in DER, in base64 (RFC 4648 §4). A secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DkimKey(String);

/// The longest key that is accepted, in characters: RSA of 4096 bits has 3,200.
const MAX_KEY: usize = 4096;

/// Why a text is no selector or key. It never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DkimError {
    /// No label.
    #[error("a selector is one label of lower-case letters, digits and hyphens inside, at most 63")]
    Selector,
    /// No base64.
    #[error("a DKIM key is PKCS#8 in base64, at most {MAX_KEY} characters")]
    Key,
}

impl DkimAlgorithm {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::RsaSha256, Self::Ed25519Sha256];
}

impl DkimSelector {
    /// A letter and the name of a set of keys, which is digits and a hyphen inside.
    pub(crate) fn of_set(letter: char, set: SetName) -> Self {
        Self(format!("{letter}{set}"))
    }

    /// Reads a selector.
    pub fn parse(text: &str) -> Result<Self, DkimError> {
        let is_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=63).contains(&text.len()) && text.bytes().all(is_label);
        let fits = fits && !text.starts_with('-') && !text.ends_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(DkimError::Selector) }
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DkimKey {
    /// Reads a key's text: its alphabet only, not what it means.
    pub fn parse(text: &str) -> Result<Self, DkimError> {
        let digits = text.trim_end_matches('=');
        let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        let fits = !digits.is_empty() && text.len() - digits.len() <= 2 && digits.bytes().all(is_digit);
        let fits = fits && text.len() <= MAX_KEY && text.len().is_multiple_of(4);
        if fits { Ok(Self(text.to_owned())) } else { Err(DkimError::Key) }
    }

    /// The key in base64: a secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<DkimKind> for DkimAlgorithm {
    fn from(kind: DkimKind) -> Self {
        match kind {
            DkimKind::Rsa => Self::RsaSha256,
            DkimKind::Ed25519 => Self::Ed25519Sha256,
        }
    }
}

impl From<DkimAlgorithm> for DkimKind {
    fn from(algorithm: DkimAlgorithm) -> Self {
        match algorithm {
            DkimAlgorithm::RsaSha256 => Self::Rsa,
            DkimAlgorithm::Ed25519Sha256 => Self::Ed25519,
        }
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DkimKey(…)")
    }
}

impl fmt::Display for DkimAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaSha256 => "rsa-sha256",
            Self::Ed25519Sha256 => "ed25519-sha256",
        })
    }
}

impl fmt::Display for DkimSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for DkimSelector {
    type Error = DkimError;

    fn try_from(text: String) -> Result<Self, DkimError> {
        Self::parse(&text)
    }
}

impl From<DkimSelector> for String {
    fn from(selector: DkimSelector) -> Self {
        selector.0
    }
}

impl TryFrom<String> for DkimKey {
    type Error = DkimError;

    fn try_from(text: String) -> Result<Self, DkimError> {
        Self::parse(&text)
    }
}

impl From<DkimKey> for String {
    fn from(key: DkimKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_one_label() {
        for good in ["r20261201", "e20261201-2", "a"] {
            assert_eq!(DkimSelector::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a.b", "../a", "a b", "a\n", &"a".repeat(64)] {
            assert_eq!(DkimSelector::parse(bad), Err(DkimError::Selector), "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_base64_and_never_shown() {
        let key = DkimKey::parse("MC4CAQAwBQYDK2VwBCIEIA==").unwrap();
        assert_eq!(format!("{key:?}"), "DkimKey(…)");
        for bad in ["", "====", "MC4", "MC4\n", "M===", "MC4-", &"A".repeat(MAX_KEY + 4)] {
            assert_eq!(DkimKey::parse(bad), Err(DkimError::Key), "{bad:?}");
        }
    }
}
