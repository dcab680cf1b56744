//! The keys of transfers (RFC 8945): HMAC with SHA-256, SHA-384 or SHA-512.

use std::fmt;

use cst_compiler::model::DomainName;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

/// The fewest octets of a secret.
const MIN_SECRET: usize = 16;

/// The algorithm of a transfer key (RFC 8945 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TsigAlgorithm {
    /// `hmac-sha256`, which every server must have.
    HmacSha256,
    /// `hmac-sha384`.
    HmacSha384,
    /// `hmac-sha512`.
    HmacSha512,
}

/// A key shared with secondaries. Its name and secret are written as they are in theirs.
#[derive(Clone, PartialEq, Eq)]
pub struct TsigKey {
    name: DomainName,
    algorithm: TsigAlgorithm,
    secret: Vec<u8>,
}

/// Why a text is no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TsigKeyError {
    /// Not base64.
    #[error("the secret of the TSIG key {0} is not base64: write what `tsig-keygen` prints")]
    Encoding(DomainName),
    /// Too short to be one.
    #[error("the secret of the TSIG key {0} is shorter than {MIN_SECRET} octets: make one with `tsig-keygen`")]
    Short(DomainName),
    /// An algorithm that is not one of ours.
    #[error("the TSIG key {name} is of `{algorithm}`: use hmac-sha256, hmac-sha384 or hmac-sha512")]
    Algorithm {
        /// The key.
        name: DomainName,
        /// What stands before its secret.
        algorithm: String,
    },
    /// No line with a secret.
    #[error("the TSIG key {0} has no secret: write one a line, the newest first, as `hmac-sha256:SECRET`")]
    Empty(DomainName),
}

impl TsigAlgorithm {
    const ALL: [Self; 3] = [Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// Its name as configurations write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
        }
    }

    /// Its name in wire form.
    fn wire(self) -> &'static [u8] {
        match self {
            Self::HmacSha256 => b"\x0bhmac-sha256\0",
            Self::HmacSha384 => b"\x0bhmac-sha384\0",
            Self::HmacSha512 => b"\x0bhmac-sha512\0",
        }
    }

    /// The octets of a whole MAC.
    fn mac_length(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }
}

impl TsigKey {
    /// A key of a name and a secret in base64, as `tsig-keygen` and BIND's configuration write it.
    pub fn from_base64(name: DomainName, algorithm: TsigAlgorithm, secret: &str) -> Result<Self, TsigKeyError> {
        let Ok(secret) = BASE64.decode(secret.trim().as_bytes()) else { return Err(TsigKeyError::Encoding(name)) };
        if secret.len() < MIN_SECRET { Err(TsigKeyError::Short(name)) } else { Ok(Self { name, algorithm, secret }) }
    }

    /// The keys of one name from a text with a secret a line, `algorithm:secret` or the secret alone, which is of `hmac-sha256`. While a
    /// secret is replaced it has two lines: the first signs, all are accepted.
    pub fn from_lines(name: &DomainName, text: &str) -> Result<Vec<Self>, TsigKeyError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<Self> = lines.map(|line| Self::from_line(name.clone(), line)).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(TsigKeyError::Empty(name.clone())) } else { Ok(keys) }
    }

    fn from_line(name: DomainName, line: &str) -> Result<Self, TsigKeyError> {
        let Some((algorithm, secret)) = line.split_once(':') else {
            return Self::from_base64(name, TsigAlgorithm::HmacSha256, line);
        };
        match TsigAlgorithm::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(algorithm)) {
            Some(algorithm) => Self::from_base64(name, algorithm, secret),
            None => Err(TsigKeyError::Algorithm { name, algorithm: algorithm.to_owned() }),
        }
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
        self.algorithm.wire()
    }

    /// The octets of a whole MAC.
    pub(crate) fn mac_length(&self) -> usize {
        self.algorithm.mac_length()
    }

    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Vec<u8> {
        match self.algorithm {
            TsigAlgorithm::HmacSha256 => mac::<Hmac<Sha256>>(&self.secret, parts),
            TsigAlgorithm::HmacSha384 => mac::<Hmac<Sha384>>(&self.secret, parts),
            TsigAlgorithm::HmacSha512 => mac::<Hmac<Sha512>>(&self.secret, parts),
        }
    }

    /// Compares in constant time; `mac` may be cut short on the right.
    pub(crate) fn verify(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        match self.algorithm {
            TsigAlgorithm::HmacSha256 => verify::<Hmac<Sha256>>(&self.secret, parts, mac),
            TsigAlgorithm::HmacSha384 => verify::<Hmac<Sha384>>(&self.secret, parts, mac),
            TsigAlgorithm::HmacSha512 => verify::<Hmac<Sha512>>(&self.secret, parts, mac),
        }
    }
}

/// HMAC takes secrets of any length, so there always is one.
fn hmac<M: Mac + KeyInit>(secret: &[u8], parts: &[&[u8]]) -> Option<M> {
    let mut mac = <M as KeyInit>::new_from_slice(secret).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

fn mac<M: Mac + KeyInit>(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    hmac::<M>(secret, parts).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
}

fn verify<M: Mac + KeyInit>(secret: &[u8], parts: &[&[u8]], mac: &[u8]) -> bool {
    hmac::<M>(secret, parts).is_some_and(|computed| computed.verify_truncated_left(mac).is_ok())
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
    fn a_key_has_a_secret_a_line_each_of_its_algorithm() {
        let name = DomainName::parse("k.example").unwrap();
        let (old, new) = ("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXc=");
        let read = |text: &str| TsigKey::from_lines(&name, text);
        let keys = read(&format!("HMAC-SHA512:{new}\n\n {old} \r\n")).unwrap();
        let lengths: Vec<usize> = keys.iter().map(|key| key.mac(&[b"message"]).len()).collect();
        assert_eq!(lengths, [64, 32]);
        assert_eq!(read(&format!("hmac-sha384:{new}")).unwrap()[0].mac(&[]).len(), 48);
        assert_eq!(read(" \n"), Err(TsigKeyError::Empty(name.clone())));
        assert_eq!(read(&format!("{old}\nshort")), Err(TsigKeyError::Encoding(name.clone())));
        let error = read(&format!("hmac-md5:{old}")).unwrap_err().to_string();
        assert!(error.contains("hmac-md5") && !error.contains(old), "{error}");
    }

    #[test]
    fn an_empty_or_changed_mac_is_no_mac() {
        let key = key("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0").unwrap();
        let mut mac = key.mac(&[b"message"]);
        assert_eq!(mac.len(), key.mac_length());
        assert!(key.verify(&[b"mess", b"age"], &mac));
        mac[0] ^= 1;
        assert!(!key.verify(&[b"message"], &mac));
        assert!(!key.verify(&[b"message"], &[]));
    }
}
