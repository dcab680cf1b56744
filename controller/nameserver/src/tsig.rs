//! The keys of transfers (RFC 8945): HMAC-SHA256.

use std::fmt;

use cst_compiler::model::DomainName;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The octets of a whole MAC.
pub(crate) const MAC_LENGTH: usize = 32;
/// The fewest octets of a secret.
const MIN_SECRET: usize = 16;

/// The algorithm of a transfer key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TsigAlgorithm {
    /// `hmac-sha256`, which every server must have (RFC 8945 §6).
    HmacSha256,
}

/// A key shared with secondaries. Its name and secret are written as they are in theirs.
#[derive(Clone, PartialEq, Eq)]
pub struct TsigKey {
    name: DomainName,
    algorithm: TsigAlgorithm,
    secret: Vec<u8>,
}

/// Why a text is no secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TsigKeyError {
    /// Not base64.
    #[error("the secret of the TSIG key {0} is not base64: write what `tsig-keygen` prints")]
    Encoding(DomainName),
    /// Too short to be one.
    #[error("the secret of the TSIG key {0} is shorter than {MIN_SECRET} octets: make one with `tsig-keygen`")]
    Short(DomainName),
}

impl TsigKey {
    /// A key of a name and a secret in base64, as `tsig-keygen` and BIND's configuration write it.
    pub fn from_base64(name: DomainName, algorithm: TsigAlgorithm, secret: &str) -> Result<Self, TsigKeyError> {
        let Ok(secret) = BASE64.decode(secret.trim().as_bytes()) else { return Err(TsigKeyError::Encoding(name)) };
        if secret.len() < MIN_SECRET { Err(TsigKeyError::Short(name)) } else { Ok(Self { name, algorithm, secret }) }
    }

    /// The key's name.
    pub fn name(&self) -> &DomainName {
        &self.name
    }

    /// The name in wire form.
    pub(crate) fn owner(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        self.name.write_wire(&mut wire);
        wire
    }

    /// The algorithm's name in wire form (RFC 8945 §6).
    pub(crate) fn algorithm_wire(&self) -> &'static [u8] {
        match self.algorithm {
            TsigAlgorithm::HmacSha256 => b"\x0bhmac-sha256\0",
        }
    }

    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Vec<u8> {
        self.hmac(parts).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
    }

    /// Compares in constant time; `mac` may be cut short on the right.
    pub(crate) fn verify(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.hmac(parts).is_some_and(|computed| computed.verify_truncated_left(mac).is_ok())
    }

    /// HMAC takes secrets of any length, so there always is one.
    fn hmac(&self, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).ok()?;
        for part in parts {
            mac.update(part);
        }
        Some(mac)
    }
}

impl fmt::Debug for TsigKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TsigKey({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Result<TsigKey, TsigKeyError> {
        TsigKey::from_base64(DomainName::parse("k.example").unwrap(), TsigAlgorithm::HmacSha256, secret)
    }

    #[test]
    fn secrets_are_base64_long_enough_and_never_shown() {
        let good = key("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0").unwrap();
        assert_eq!(format!("{good:?}"), "TsigKey(k.example)");
        assert!(matches!(key("c2VjcmV0"), Err(TsigKeyError::Short(_))));
        assert!(matches!(key("not base64!"), Err(TsigKeyError::Encoding(_))));
    }

    #[test]
    fn an_empty_or_changed_mac_is_no_mac() {
        let key = key("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0").unwrap();
        let mut mac = key.mac(&[b"message"]);
        assert_eq!(mac.len(), MAC_LENGTH);
        assert!(key.verify(&[b"mess", b"age"], &mac));
        mac[0] ^= 1;
        assert!(!key.verify(&[b"message"], &mac));
        assert!(!key.verify(&[b"message"], &[]));
    }
}
