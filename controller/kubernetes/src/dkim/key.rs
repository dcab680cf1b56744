//! Keys that sign mail, by graviola: the assembly that signs zones too, so there is one such library and no C compiler (decision 83).

use cst_compiler::desired::mail::dkim::{DkimAlgorithm, DkimKey};
use data_encoding::BASE64;
use graviola::signing::eddsa::Ed25519SigningKey;
use graviola::signing::rsa::{KeySize, SigningKey as RsaSigningKey};

/// Room for an RSA key of 2048 bits, which takes 1,217 octets.
const LONGEST: usize = 2048;

/// What comes before an Ed25519 key of 32 octets in PKCS#8 of version 1 (RFC 8410 §7): OpenSSL reads no other.
const ED25519: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// Why no key could be made.
#[derive(Debug, thiserror::Error)]
pub enum NoKey {
    /// The processor lacks instructions.
    #[error(
        "keys that sign mail cannot be made: this processor is older than what the library for them needs (x86-64 with AVX2, BMI2 and ADX, or AArch64 with AES and SHA2)"
    )]
    Processor,
    /// The library did not make one.
    #[error("a key that signs mail cannot be made; it is tried again")]
    Library,
}

/// Makes a private key.
pub fn generate(algorithm: DkimAlgorithm) -> Result<DkimKey, NoKey> {
    if !graviola::util::is_cpu_supported() {
        return Err(NoKey::Processor);
    }
    let mut room = [0; LONGEST];
    let der = match algorithm {
        DkimAlgorithm::RsaSha256 => {
            RsaSigningKey::generate(KeySize::Rsa2048).and_then(|key| key.to_pkcs8_der(&mut room).map(<[u8]>::to_vec))
        }
        DkimAlgorithm::Ed25519Sha256 => Ed25519SigningKey::generate().map(|key| [ED25519, &key.as_seed()].concat()),
    };
    let der = der.map_err(|_| NoKey::Library)?;
    DkimKey::parse(&BASE64.encode(&der)).map_err(|_| NoKey::Library)
}

/// The public key as a key record has it (RFC 6376 §3.6.1, RFC 8463 §4.2); `None`: it is no such private key.
pub fn public(algorithm: DkimAlgorithm, private: &DkimKey) -> Option<String> {
    if !graviola::util::is_cpu_supported() {
        return None;
    }
    let der = BASE64.decode(private.expose().as_bytes()).ok()?;
    let mut room = [0; LONGEST];
    match algorithm {
        DkimAlgorithm::RsaSha256 => {
            let key = RsaSigningKey::from_pkcs8_der(&der).ok()?.public_key();
            Some(BASE64.encode(key.to_spki_der(&mut room).ok()?))
        }
        DkimAlgorithm::Ed25519Sha256 => {
            let key = Ed25519SigningKey::from_pkcs8_der(&der).ok()?.public_key();
            Some(BASE64.encode(&key.as_bytes()))
        }
    }
}

#[cfg(test)]
mod tests {
    use graviola::signing::eddsa::Ed25519VerifyingKey;
    use graviola::signing::rsa::VerifyingKey as RsaVerifyingKey;

    use super::*;

    #[test]
    fn what_a_private_key_signs_its_public_key_verifies() {
        let [rsa, ed25519] = DkimAlgorithm::ALL.map(|algorithm| {
            let private = generate(algorithm).unwrap();
            let public = public(algorithm, &private).unwrap();
            [private.expose(), &public].map(|text| BASE64.decode(text.as_bytes()).unwrap())
        });
        let mut room = [0; 256];
        let signature =
            RsaSigningKey::from_pkcs8_der(&rsa[0]).unwrap().sign_pkcs1_sha256(&mut room, b"mail").unwrap().to_vec();
        // Below the SubjectPublicKeyInfo's algorithm: the RSAPublicKey (RFC 8017 appendix A.1.1).
        let key = RsaVerifyingKey::from_pkcs1_der(&rsa[1][24..]).unwrap();
        assert!(
            key.verify_pkcs1_sha256(&signature, b"mail").is_ok()
                && key.verify_pkcs1_sha256(&signature, b"other").is_err()
        );
        assert_eq!(
            (ed25519[0].len(), ed25519[1].len()),
            (48, 32),
            "PKCS#8 without the public key, which OpenSSL reads"
        );
        let signature = Ed25519SigningKey::from_pkcs8_der(&ed25519[0]).unwrap().sign(b"mail");
        let key = Ed25519VerifyingKey::from_bytes(&ed25519[1]).unwrap();
        assert!(key.verify(&signature, b"mail").is_ok() && key.verify(&signature, b"other").is_err());
    }

    #[test]
    fn what_is_no_such_key_has_no_public_key() {
        let [rsa, ed25519] = DkimAlgorithm::ALL;
        let private = generate(ed25519).unwrap();
        assert_eq!(public(rsa, &private), None);
        assert_eq!(public(ed25519, &DkimKey::parse("MC4CAQAwBQYDK2VwBCIEIA==").unwrap()), None);
    }
}
