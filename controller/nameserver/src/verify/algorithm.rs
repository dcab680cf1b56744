//! Whether a signature is a key's, by its algorithm (IANA DNSSEC algorithm numbers).

use graviola::hashing::{Hash, Sha256, Sha384};
use graviola::signing::ecdsa::{self, Curve, P256, P384};
use graviola::signing::rsa;

use crate::lookup::Dnskey;

/// Whether the signature is the key's over the data; `None` when the algorithm, or an RSA key of this size, is none that is checked here.
pub(super) fn verifies(key: &Dnskey, data: &[u8], signature: &[u8]) -> Option<bool> {
    let Dnskey { algorithm, key, .. } = key;
    match algorithm {
        8 => Some(rsa_key(key)?.verify_pkcs1_sha256(signature, data).is_ok()),
        10 => Some(rsa_key(key)?.verify_pkcs1_sha512(signature, data).is_ok()),
        13 => Some(verifies_ecdsa::<P256, Sha256>(key, data, signature)),
        14 => Some(verifies_ecdsa::<P384, Sha384>(key, data, signature)),
        15 => Some(verifies_ed25519(key, data, signature)),
        _ => None,
    }
}

/// The point without its prefix, the two numbers one after the other (RFC 6605 §4).
fn verifies_ecdsa<C: Curve, H: Hash>(key: &[u8], data: &[u8], signature: &[u8]) -> bool {
    let key = ecdsa::VerifyingKey::<C>::from_x962_uncompressed(&[&[4], key].concat());
    key.is_ok_and(|key| key.verify::<H>(&[data], signature).is_ok())
}

/// Ed25519 (RFC 8080 §4), without the malleable signatures and weak keys that some take.
fn verifies_ed25519(key: &[u8], data: &[u8], signature: &[u8]) -> bool {
    let key = key.try_into().ok().and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(key).ok());
    let signature = ed25519_dalek::Signature::from_slice(signature).ok();
    key.zip(signature).is_some_and(|(key, signature)| key.verify_strict(data, &signature).is_ok())
}

/// The exponent behind its length, then the modulus (RFC 3110 §2). `None`: not of that form, or not of 2,048 to 8,192 bits.
fn rsa_key(key: &[u8]) -> Option<rsa::VerifyingKey> {
    let (length, rest) = match key {
        [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length, rest @ ..] => (usize::from(*length), rest),
        [] => return None,
    };
    let (exponent, modulus) = rest.split_at_checked(length)?;
    let numbers = [der_integer(modulus), der_integer(exponent)].concat();
    rsa::VerifyingKey::from_pkcs1_der(&der(0x30, &numbers)).ok()
}

/// A positive number: a zero is put before a first bit that would be its sign.
fn der_integer(number: &[u8]) -> Vec<u8> {
    let digits =
        number.iter().position(|digit| *digit != 0).map_or(&[][..], |first| number.get(first..).unwrap_or(&[]));
    let sign: &[u8] = if digits.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    der(0x02, &[sign, digits].concat())
}

/// A tag, the content's length and the content (X.690 §8.1).
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = length.iter().position(|digit| *digit != 0).and_then(|first| length.get(first..)).unwrap_or(&[0]);
    let length = match digits {
        [short @ 0..0x80] => vec![*short],
        long => [&[0x80 | u8::try_from(long.len()).unwrap_or(0x7f)], long].concat(),
    };
    [&[tag][..], &length, content].concat()
}
