//! A zone's signing key: one CSK, ECDSA P-256 with SHA-256 (RFC 6605, algorithm 13), for DNSKEY set and content alike.
//!
//! Stored as BIND's private-key text (`K….private`, format v1.3), which every signer in use reads, so that a zone with its key can move
//! to another system; the public key is computed from it.

use cst_compiler::model::DomainName;
use cst_compiler::published::KeyMaterial;
use data_encoding::{BASE64, HEXUPPER};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey as Ecdsa};
use sha2::{Digest, Sha256};

/// ECDSA P-256 with SHA-256 (RFC 6605 §4).
pub const ALGORITHM: u8 = 13;
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
        "the zone's stored signing key is not a BIND private key of algorithm 13: restore it from its Secret's backup"
    )]
    Stored,
}

/// Makes a new key from the operating system's randomness.
pub fn generate() -> Result<KeyMaterial, KeyError> {
    loop {
        let mut scalar = [0; 32];
        getrandom::fill(&mut scalar).map_err(KeyError::Randomness)?;
        // One in 2^32 scalars is outside the group.
        if Ecdsa::from_slice(&scalar).is_ok() {
            return Ok(to_material(&scalar));
        }
    }
}

fn to_material(scalar: &[u8; 32]) -> KeyMaterial {
    let private = BASE64.encode(scalar);
    let text = format!("Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: {private}\n");
    KeyMaterial::new(text.into_bytes())
}

fn from_material(material: &KeyMaterial) -> Option<Ecdsa> {
    let text = std::str::from_utf8(material.expose()).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
    field("Private-key-format").filter(|format| format.starts_with("v1."))?;
    field("Algorithm").filter(|algorithm| algorithm.split(' ').next() == Some("13"))?;
    Ecdsa::from_slice(&BASE64.decode(field("PrivateKey")?.as_bytes()).ok()?).ok()
}

/// A key that is ready to sign.
pub struct SigningKey {
    ecdsa: Ecdsa,
    dnskey: Vec<u8>,
    tag: u16,
}

impl SigningKey {
    /// Reads a stored key.
    pub fn load(material: &KeyMaterial) -> Result<Self, KeyError> {
        let ecdsa = from_material(material).ok_or(KeyError::Stored)?;
        let point = ecdsa.verifying_key().to_sec1_point(false);
        let mut dnskey = FLAGS.to_be_bytes().to_vec();
        dnskey.extend_from_slice(&[PROTOCOL, ALGORITHM]);
        // RFC 6605 §4: the bare coordinates, without SEC 1's leading octet.
        dnskey.extend(point.as_bytes().iter().skip(1));
        let tag = key_tag(&dnskey);
        Ok(Self { ecdsa, dnskey, tag })
    }

    /// The DNSKEY's data, which is the CDNSKEY's too (RFC 4034 §2.1, RFC 7344 §3.2).
    pub fn dnskey(&self) -> &[u8] {
        &self.dnskey
    }

    /// The key tag (RFC 4034 appendix B).
    pub fn tag(&self) -> u16 {
        self.tag
    }

    /// The data of the zone's DS, which is its CDS's too (RFC 4034 §5.1, RFC 7344 §3.1).
    pub fn ds_data(&self, apex: &DomainName) -> Vec<u8> {
        let mut owner_and_key = Vec::new();
        apex.write_wire(&mut owner_and_key);
        owner_and_key.extend_from_slice(&self.dnskey);
        let mut data = self.tag.to_be_bytes().to_vec();
        data.extend_from_slice(&[ALGORITHM, DIGEST_TYPE]);
        data.extend_from_slice(&Sha256::digest(&owner_and_key));
        data
    }

    /// The DS for the zone's parent as text: `<key tag> 13 2 <SHA-256 in hexadecimal>`.
    pub fn ds(&self, apex: &DomainName) -> String {
        let digest = HEXUPPER.encode(&self.ds_data(apex)[4..]);
        format!("{} {ALGORITHM} {DIGEST_TYPE} {digest}", self.tag)
    }

    /// The deterministic signature (RFC 6979) over `data` in DNSSEC's form (RFC 6605 §4): the same on every replica.
    pub fn sign(&self, data: &[u8]) -> Vec<u8> {
        let signature: Signature = self.ecdsa.sign(data);
        signature.to_bytes().to_vec()
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
        assert_eq!(key.ds(&DomainName::parse("example.net").unwrap()), ds);
    }

    #[test]
    fn a_generated_key_is_read_back_and_its_signatures_are_its_own() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert!(one != other);
        let (one_key, again) = (SigningKey::load(&one).unwrap(), SigningKey::load(&one).unwrap());
        assert_eq!(one_key.dnskey(), again.dnskey());
        assert_eq!(one_key.sign(b"data"), again.sign(b"data"));
        assert_ne!(one_key.sign(b"data"), SigningKey::load(&other).unwrap().sign(b"data"));
    }

    #[test]
    fn signatures_are_those_of_rfc_6979() {
        // RFC 6979 appendix A.2.5, SHA-256, message "sample".
        let scalar = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
        let key =
            SigningKey::load(&to_material(&HEXUPPER.decode(scalar.as_bytes()).unwrap().try_into().unwrap())).unwrap();
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
