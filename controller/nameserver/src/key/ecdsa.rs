//! Deterministic ECDSA signatures on P-256 (RFC 6979). Most of the work is one multiple of the base point: graviola's proven assembly makes it
//! in a fifth of the time that p256 takes, and the signature is the same octet by octet.

use graviola::key_agreement::p256::StaticPrivateKey as Multiplier;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::ops::Reduce;
use p256::elliptic_curve::{Curve, PrimeField};
use p256::{FieldBytes, NistP256, Scalar, U256};
use rfc6979::KGenerator;
use sha2::{Digest, Sha256};

/// Signs with whatever this processor has.
pub(super) fn sign(key: &SigningKey, data: &[u8]) -> Signature {
    let fast = if has_assembly() { sign_by_assembly(key, data) } else { None };
    fast.unwrap_or_else(|| key.sign(data))
}

/// RFC 6979 §2.4; `None` for what does not happen: a number outside the group, or a zero.
fn sign_by_assembly(key: &SigningKey, data: &[u8]) -> Option<Signature> {
    let (secret, digest) = (key.as_nonzero_scalar(), Sha256::digest(data));
    let mut nonce = [0; 32];
    KGenerator::<Sha256, U256>::new(&secret.to_repr(), &digest, &[], &NistP256::ORDER).fill_next_k(&mut nonce);
    let k = Scalar::from_repr(nonce.into()).into_option()?;
    let r = x_of_multiple(&nonce)?;
    let s = k.invert().into_option()? * (Scalar::reduce(&digest) + r * secret.as_ref());
    Signature::from_scalars(r, s).ok()
}

/// The x coordinate of the base point's multiple, modulo the group's order.
fn x_of_multiple(number: &[u8; 32]) -> Option<Scalar> {
    let point = Multiplier::from_bytes(number).ok()?.public_key_uncompressed();
    let x: FieldBytes = point.get(1..33)?.try_into().ok()?;
    Some(Scalar::reduce(&x))
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
                let (key, data) = (SigningKey::from_slice(&secret.to_repr()).unwrap(), number.to_le_bytes());
                let plain: Signature = key.sign(&data);
                assert_eq!(sign(&key, &data), plain);
                assert!(!has_assembly() || sign_by_assembly(&key, &data) == Some(plain));
            }
        }
    }
}
