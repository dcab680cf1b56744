//! Records that are a few numbers and a digest: DS, SSHFP, TLSA.

use std::fmt;

use cst_api::RecordType;
use data_encoding::HEXUPPER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::RecordError;
use super::words::Words;

/// A delegation's signer (RFC 4034 §5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ds {
    /// The key's tag.
    pub key_tag: u16,
    /// The key's algorithm.
    pub algorithm: u8,
    /// 1 SHA-1, 2 SHA-256, 4 SHA-384.
    pub digest_type: u8,
    /// The digest of the DNSKEY.
    pub digest: Vec<u8>,
}

/// The fingerprint of a host's SSH key (RFC 4255).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sshfp {
    /// 1 RSA, 2 DSA, 3 ECDSA, 4 Ed25519, 6 Ed448.
    pub algorithm: u8,
    /// 1 SHA-1, 2 SHA-256.
    pub fingerprint_type: u8,
    /// The fingerprint.
    pub fingerprint: Vec<u8>,
}

/// A service's certificate (RFC 6698).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tlsa {
    /// 0 to 3: PKIX-TA, PKIX-EE, DANE-TA, DANE-EE.
    pub usage: u8,
    /// 0 the certificate, 1 its public key.
    pub selector: u8,
    /// 0 the whole, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// What is matched.
    pub data: Vec<u8>,
}

/// The mnemonics of algorithms (RFC 4034 §A.1, RFC 5155 §2, RFC 5702 §7, RFC 5933 §8, RFC 6605 §6, RFC 8080 §7), as the IANA's registry has them,
/// and the two that BIND writes otherwise.
const ALGORITHMS: [(&str, u8); 19] = [
    ("DELETE", 0),
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("DSA-NSEC3-SHA1", 6),
    ("NSEC3DSA", 6),
    ("RSASHA1-NSEC3-SHA1", 7),
    ("NSEC3RSASHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECC-GOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
];

/// An algorithm by its number or its mnemonic (RFC 4034 §5.3).
fn algorithm(words: &mut Words<'_>) -> Result<u8, RecordError> {
    let known = |word: &str| ALGORITHMS.iter().find(|(mnemonic, _)| mnemonic.eq_ignore_ascii_case(word));
    match words.peek().and_then(known) {
        Some((_, number)) => words.word().map(|_| *number),
        None => words.number(),
    }
}

impl Ds {
    /// Whether both are of one key. Of digests of different types only the key's tag and algorithm are compared: a parent may have made its DS
    /// from the key (RFC 7344 §4).
    pub fn is_of_same_key(&self, other: &Self) -> bool {
        let is_digest_same = self.digest_type != other.digest_type || self.digest == other.digest;
        self.key_tag == other.key_tag && self.algorithm == other.algorithm && is_digest_same
    }

    pub(super) const EXPECTED: &'static str =
        "write key tag, algorithm, digest type (1, 2 or 4) and the digest in hexadecimal, such as `12345 13 2 49FD46…`";

    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        let (key_tag, algorithm, digest_type) = (words.number()?, algorithm(words)?, words.number()?);
        let digest = words.hex()?;
        match (digest_type, digest.len()) {
            (1, 20) | (2, 32) | (4, 48) => Ok(Self { key_tag, algorithm, digest_type, digest }),
            (1 | 2 | 4, _) => {
                Err(words.because("its digest has not the length of its type: 40 digits for 1, 64 for 2, 96 for 4"))
            }
            _ => Err(words.wrong()),
        }
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.key_tag.to_be_bytes());
        out.extend_from_slice(&[self.algorithm, self.digest_type]);
        out.extend_from_slice(&self.digest);
    }
}

impl Sshfp {
    pub(super) const EXPECTED: &'static str = "write algorithm (1, 2, 3, 4 or 6), fingerprint type (1 or 2) and the fingerprint in hexadecimal, as `ssh-keygen -r` prints them";

    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        let (algorithm, fingerprint_type) = (words.number()?, words.number()?);
        let fingerprint = words.hex()?;
        match (algorithm, fingerprint_type, fingerprint.len()) {
            (1..=4 | 6, 1, 20) | (1..=4 | 6, 2, 32) => Ok(Self { algorithm, fingerprint_type, fingerprint }),
            (1..=4 | 6, 1 | 2, _) => {
                Err(words.because("its fingerprint has not the length of its type: 40 digits for 1, 64 for 2"))
            }
            _ => Err(words.wrong()),
        }
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.algorithm, self.fingerprint_type]);
        out.extend_from_slice(&self.fingerprint);
    }
}

impl Tlsa {
    pub(super) const EXPECTED: &'static str = "write usage (0 to 3), selector (0 or 1), matching type (0 to 2) and the data in hexadecimal, such as `3 1 1 8CB0…`";

    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        let (usage, selector, matching) = (words.number()?, words.number()?, words.number()?);
        let data = words.hex()?;
        match (usage, selector, matching, data.len()) {
            (0..=3, 0 | 1, 0, _) | (0..=3, 0 | 1, 1, 32) | (0..=3, 0 | 1, 2, 64) => {
                Ok(Self { usage, selector, matching, data })
            }
            (0..=3, 0 | 1, 1 | 2, _) => {
                Err(words.because("its data has not the length of its matching type: 64 digits for 1, 128 for 2"))
            }
            _ => Err(words.wrong()),
        }
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.usage, self.selector, self.matching]);
        out.extend_from_slice(&self.data);
    }
}

impl fmt::Display for Ds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.key_tag, self.algorithm, self.digest_type, HEXUPPER.encode(&self.digest))
    }
}

/// As its text.
impl Serialize for Ds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&mut Words::new(RecordType::DS, &text, Self::EXPECTED)).map_err(de::Error::custom)
    }
}

impl fmt::Display for Sshfp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.algorithm, self.fingerprint_type, HEXUPPER.encode(&self.fingerprint))
    }
}

impl fmt::Display for Tlsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.usage, self.selector, self.matching, HEXUPPER.encode(&self.data))
    }
}
