//! What is kept of a small zone gives the same octets as its signing.

use std::sync::Arc;

use cst_api::{Denial, DnssecAlgorithm};
use cst_compiler::model::Zone;

use super::*;
use crate::key;

const ZONE: &str = "x.example. 300 IN SOA ns.example. h.example. 1 1 1 1 300\n\
                    x.example. 300 IN NS ns.example.\n\
                    *.b.x.example. 300 IN TXT \"w\"\n\
                    sub.x.example. 300 IN NS ns.sub.x.example.\n\
                    sub.x.example. 300 IN DS 1 13 2 49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD\n\
                    ns.sub.x.example. 300 IN A 192.0.2.1\n\
                    www.x.example. 300 IN A 192.0.2.1\n";

fn new_key(algorithm: DnssecAlgorithm, listed: bool, signs: bool, trusted: bool) -> VersionKey {
    VersionKey { material: key::generate(algorithm).unwrap(), listed, signs, trusted }
}

/// The zone with keys as they are at every step of a rollover, and without.
fn versions() -> impl Iterator<Item = ZoneVersion> {
    let (ecdsa, ed25519) = (DnssecAlgorithm::EcdsaP256Sha256, DnssecAlgorithm::Ed25519);
    let zone = Arc::new(Zone::from_text(ZONE).unwrap().0);
    let keys = [
        vec![],
        vec![new_key(ecdsa, true, true, true)],
        vec![new_key(ed25519, true, true, true)],
        vec![new_key(ecdsa, true, true, true), new_key(ecdsa, true, false, false)],
        vec![new_key(ecdsa, true, true, true), new_key(ed25519, false, true, false)],
        vec![new_key(ecdsa, true, true, false), new_key(ed25519, true, true, true)],
        vec![new_key(ecdsa, true, true, false), new_key(ecdsa, true, true, true), new_key(ecdsa, true, true, false)],
    ];
    let denials = [(Denial::Nsec, false), (Denial::Nsec3, false), (Denial::Nsec, true)];
    keys.into_iter().flat_map(move |keys| {
        let zone = Arc::clone(&zone);
        denials.map(move |(denial, leaving)| ZoneVersion {
            zone: Arc::clone(&zone),
            serial: 7,
            inception: 1_800_000_000,
            keys: keys.clone(),
            denial,
            leaving,
        })
    })
}

#[test]
fn a_seal_gives_the_signed_form_again() {
    for version in versions() {
        let signed = sign(&version, None).unwrap();
        let signatures: usize = signed
            .nodes
            .iter()
            .chain(&signed.hashed)
            .flat_map(|node| &node.sets)
            .map(|set| set.signatures.iter().count())
            .sum();
        let seal = Seal::of(&signed);
        assert_eq!(seal.0.len(), 64 * signatures);
        assert_eq!(version.keys.is_empty(), signatures == 0);
        assert!(seal.open(&version).unwrap() == signed, "{:?}, {} keys", version.denial, version.keys.len());
    }
}

#[test]
fn signatures_taken_over_are_sealed_as_new_ones_are() {
    for old in versions().filter(|version| !version.keys.is_empty()) {
        let text = ZONE.replace("www.", "new.");
        let new = ZoneVersion { zone: Arc::new(Zone::from_text(&text).unwrap().0), serial: 8, ..old.clone() };
        let signed = sign(&new, Some(&sign(&old, None).unwrap())).unwrap();
        assert!(Seal::of(&signed).open(&new).unwrap() == signed);
    }
}
