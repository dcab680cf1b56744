//! Deterministic ECDSA signatures on P-256 (RFC 6979). Most of the work is one multiple of the base point, for the public key and for each
//! signature: graviola's proven assembly makes it in a fifth of the time that p256 takes, and both are the same octet by octet.

use graviola::key_agreement::p256::StaticPrivateKey as Multiplier;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::elliptic_curve::{Curve, PrimeField};
use p256::{FieldBytes, NistP256, Scalar, SecretKey, U256};
use rfc6979::KGenerator;
use sha2::{Digest, Sha256};

/// The public key's two coordinates, of 32 octets each (RFC 6605 §4), by whatever this processor has.
pub(super) fn public(key: &SecretKey) -> Vec<u8> {
    let fast = if has_assembly() { multiple(&key.to_bytes().into()).map(|point| point.to_vec()) } else { None };
    // SEC 1's leading octet tells nothing that a DNSKEY does not.
    let point = fast.unwrap_or_else(|| key.public_key().to_sec1_point(false).as_bytes().to_vec());
    point.into_iter().skip(1).collect()
}

/// Signs with whatever this processor has.
pub(super) fn sign(key: &SecretKey, data: &[u8]) -> Signature {
    let fast = if has_assembly() { sign_by_assembly(key, data) } else { None };
    fast.unwrap_or_else(|| SigningKey::from(key).sign(data))
}

/// RFC 6979 §2.4; `None` for what does not happen: a number outside the group, or a zero.
fn sign_by_assembly(key: &SecretKey, data: &[u8]) -> Option<Signature> {
    let (secret, digest) = (key.to_nonzero_scalar(), Sha256::digest(data));
    let mut nonce = [0; 32];
    KGenerator::<Sha256, U256>::new(&secret.to_repr(), &digest, &[], &NistP256::ORDER).fill_next_k(&mut nonce);
    let k = Scalar::from_repr(nonce.into()).into_option()?;
    // The x coordinate, modulo the group's order.
    let x: FieldBytes = multiple(&nonce)?.get(1..33)?.try_into().ok()?;
    let r: Scalar = Scalar::reduce(&x);
    let s = k.invert().into_option()? * (Scalar::reduce(&digest) + r * secret.as_ref());
    Signature::from_scalars(r, s).ok()
}

/// The base point's multiple by a number, as SEC 1 §2.3.3 writes it whole.
fn multiple(number: &[u8; 32]) -> Option<[u8; 65]> {
    Multiplier::from_bytes(number).ok().map(|number| number.public_key_uncompressed())
}

/// What graviola wants of a processor, and ends the process for want of.
fn has_assembly() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("aes")
        && std::is_x86_feature_detected!("ssse3")
        && std::is_x86_feature_detected!("pclmulqdq")
        && std::is_x86_feature_detected!("avx")
        && std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("adx")
        && std::is_x86_feature_detected!("bmi1")
        && std::is_x86_feature_detected!("bmi2");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("neon")
        && std::arch::is_aarch64_feature_detected!("aes")
        && std::arch::is_aarch64_feature_detected!("pmull")
        && std::arch::is_aarch64_feature_detected!("sha2");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_give_the_same_octets() {
        for number in 1..=64_u32 {
            let mut secret = [0; 32];
            secret[28..].copy_from_slice(&number.to_be_bytes());
            // Small numbers, and their negatives near the group's order.
            let small = Scalar::from_repr(secret.into()).unwrap();
            for secret in [small, -small] {
                let (key, data) = (SecretKey::from_slice(&secret.to_repr()).unwrap(), number.to_le_bytes());
                let plain: Signature = SigningKey::from(&key).sign(&data);
                assert_eq!(sign(&key, &data), plain);
                assert_eq!(public(&key), key.public_key().to_sec1_point(false).as_bytes()[1..]);
                assert!(!has_assembly() || sign_by_assembly(&key, &data) == Some(plain));
            }
        }
    }
}
