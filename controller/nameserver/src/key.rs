//! A zone's signing keys, for DNSKEY set and content alike (CSK): ECDSA P-256 (RFC 6605) or Ed25519 (RFC 8080).
//!
//! Stored as BIND's private-key text (`K….private`, format v1.3), which every signer in use reads, so that a zone with its key can move
//! to another system; the public key is computed from it.

mod ecdsa;

use cst_api::DnssecAlgorithm;
use cst_compiler::model::DomainName;
use cst_compiler::model::record::Ds;
use cst_compiler::published::KeyMaterial;
use data_encoding::BASE64;
use ed25519_dalek::{Signer, SigningKey as Ed25519};
use p256::SecretKey as Ecdsa;
use sha2::{Digest, Sha256};

/// The flags of a DNSKEY that signs the zone and is its entry point (RFC 4034 §2.1.1).
const FLAGS: u16 = 257;
/// The only value a DNSKEY's protocol field has (RFC 4034 §2.1.2).
const PROTOCOL: u8 = 3;
/// The digest type of SHA-256 (RFC 4509).
const DIGEST_TYPE: u8 = 2;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operating system gave no randomness.
    #[error("no key could be made: the operating system gave no randomness")]
    Randomness(#[source] getrandom::Error),
    /// Stored bytes that are no key.
    #[error(
        "the zone's stored signing key is not a BIND private key of algorithm 13 or 15: restore it from its Secret's backup"
    )]
    Stored,
}

/// Makes a new key from the operating system's randomness.
pub fn generate(algorithm: DnssecAlgorithm) -> Result<KeyMaterial, KeyError> {
    loop {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(KeyError::Randomness)?;
        // One in 2^32 numbers is outside the group of the curve.
        if Private::new(algorithm, &secret).is_some() {
            return Ok(to_material(algorithm, &secret));
        }
    }
}

fn to_material(algorithm: DnssecAlgorithm, secret: &[u8; 32]) -> KeyMaterial {
    let (number, mnemonic, private) = (algorithm.number(), algorithm.mnemonic(), BASE64.encode(secret));
    let text = format!("Private-key-format: v1.3\nAlgorithm: {number} ({mnemonic})\nPrivateKey: {private}\n");
    KeyMaterial::new(text.into_bytes())
}

fn from_material(material: &KeyMaterial) -> Option<(DnssecAlgorithm, Private)> {
    let text = std::str::from_utf8(material.expose()).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
    field("Private-key-format").filter(|format| format.starts_with("v1."))?;
    let number = field("Algorithm")?.split(' ').next()?;
    let known = [DnssecAlgorithm::EcdsaP256Sha256, DnssecAlgorithm::Ed25519];
    let algorithm = known.into_iter().find(|known| known.number().to_string() == number)?;
    let secret = BASE64.decode(field("PrivateKey")?.as_bytes()).ok()?;
    Some((algorithm, Private::new(algorithm, &secret)?))
}

/// A private key. Both kinds sign deterministically (RFC 6979, RFC 8032): the same on every replica.
enum Private {
    Ecdsa(Box<Ecdsa>),
    Ed25519(Box<Ed25519>),
}

impl Private {
    fn new(algorithm: DnssecAlgorithm, secret: &[u8]) -> Option<Self> {
        match algorithm {
            DnssecAlgorithm::EcdsaP256Sha256 => Ecdsa::from_slice(secret).ok().map(|key| Self::Ecdsa(Box::new(key))),
            DnssecAlgorithm::Ed25519 => Some(Self::Ed25519(Box::new(Ed25519::from_bytes(secret.try_into().ok()?)))),
        }
    }

    /// The public key as a DNSKEY has it: the bare coordinates (RFC 6605 §4), or the point (RFC 8080 §3).
    fn public(&self) -> Vec<u8> {
        match self {
            Self::Ecdsa(key) => ecdsa::public(key),
            Self::Ed25519(key) => key.verifying_key().to_bytes().to_vec(),
        }
    }

    fn sign(&self, data: &[u8]) -> [u8; 64] {
        match self {
            Self::Ecdsa(key) => ecdsa::sign(key, data).to_bytes().into(),
            Self::Ed25519(key) => key.sign(data).to_bytes(),
        }
    }
}

/// A key that is ready to sign.
pub struct SigningKey {
    private: Private,
    algorithm: DnssecAlgorithm,
    dnskey: Vec<u8>,
    tag: u16,
}

impl SigningKey {
    /// Reads a stored key.
    pub fn load(material: &KeyMaterial) -> Result<Self, KeyError> {
        let (algorithm, private) = from_material(material).ok_or(KeyError::Stored)?;
        let mut dnskey = FLAGS.to_be_bytes().to_vec();
        dnskey.extend_from_slice(&[PROTOCOL, algorithm.number()]);
        dnskey.extend(private.public());
        let tag = key_tag(&dnskey);
        Ok(Self { private, algorithm, dnskey, tag })
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> DnssecAlgorithm {
        self.algorithm
    }

    /// The DNSKEY's data, which is the CDNSKEY's too (RFC 4034 §2.1, RFC 7344 §3.2).
    pub fn dnskey(&self) -> &[u8] {
        &self.dnskey
    }

    /// The key tag (RFC 4034 appendix B).
    pub fn tag(&self) -> u16 {
        self.tag
    }

    /// The zone's DS with SHA-256, which is its CDS too (RFC 4034 §5.1, RFC 7344 §3.1).
    pub fn ds(&self, apex: &DomainName) -> Ds {
        let mut owner_and_key = Vec::new();
        apex.write_wire(&mut owner_and_key);
        owner_and_key.extend_from_slice(&self.dnskey);
        let digest = Sha256::digest(&owner_and_key).to_vec();
        Ds { key_tag: self.tag, algorithm: self.algorithm.number(), digest_type: DIGEST_TYPE, digest }
    }

    /// The signature over `data` in DNSSEC's form (RFC 6605 §4, RFC 8080 §4).
    pub fn sign(&self, data: &[u8]) -> [u8; 64] {
        self.private.sign(data)
    }
}

fn key_tag(dnskey: &[u8]) -> u16 {
    let words = dnskey.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low)));
    let sum: u32 = words.sum();
    let folded = sum + (sum >> 16);
    u16::try_from(folded & 0xFFFF).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXUPPER;

    /// RFC 6605 §6.1.
    const RFC_6605: &str = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n\
                            PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n";

    fn key(text: &str) -> Result<SigningKey, KeyError> {
        SigningKey::load(&KeyMaterial::new(text.as_bytes().to_vec()))
    }

    #[test]
    fn the_key_of_rfc_6605_has_its_dnskey_tag_and_ds() {
        let key = key(RFC_6605).unwrap();
        let public = "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==";
        assert_eq!(BASE64.encode(&key.dnskey()[4..]), public);
        assert_eq!(key.tag(), 55648);
        let ds = "55648 13 2 B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17";
        assert_eq!(key.ds(&DomainName::parse("example.net").unwrap()).to_string(), ds);
    }

    #[test]
    fn the_key_of_rfc_8080_has_its_dnskey_tag_and_ds() {
        // RFC 8080 §6.1.
        let private = "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=";
        let key = key(&format!("Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: {private}\n")).unwrap();
        assert_eq!(BASE64.encode(&key.dnskey()[4..]), "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=");
        let ds = "3613 15 2 3AA5AB37EFCE57F737FC1627013FEE07BDF241BD10F3B1964AB55C78E79A304B";
        assert_eq!(key.ds(&DomainName::parse("example.com").unwrap()).to_string(), ds);
    }

    #[test]
    fn a_generated_key_is_read_back_and_its_signatures_are_its_own() {
        for algorithm in [DnssecAlgorithm::EcdsaP256Sha256, DnssecAlgorithm::Ed25519] {
            let (one, other) = (generate(algorithm).unwrap(), generate(algorithm).unwrap());
            assert!(one != other);
            let (one_key, again) = (SigningKey::load(&one).unwrap(), SigningKey::load(&one).unwrap());
            assert_eq!((one_key.algorithm(), one_key.dnskey()), (algorithm, again.dnskey()));
            assert_eq!(one_key.sign(b"data"), again.sign(b"data"));
            assert_ne!(one_key.sign(b"data"), SigningKey::load(&other).unwrap().sign(b"data"));
        }
    }

    #[test]
    fn signatures_are_those_of_rfc_6979() {
        // RFC 6979 appendix A.2.5, SHA-256, message "sample".
        let scalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
        let key = SigningKey::load(&to_material(
            DnssecAlgorithm::EcdsaP256Sha256,
            &HEXUPPER.decode(scalar.as_bytes()).unwrap().try_into().unwrap(),
        ))
        .unwrap();
        let expected = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716\
                        F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8";
        assert_eq!(HEXUPPER.encode(&key.sign(b"sample")), expected);
    }

    #[test]
    fn what_is_no_such_key_is_refused() {
        for text in [
            "",
            "\u{0}",
            "Private-key-format: v1.3\nAlgorithm: 8 (RSASHA256)\nPrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n",
            "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: AAAA\n",
            "Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n",
        ] {
            assert!(key(text).is_err(), "{text}");
        }
    }
}
