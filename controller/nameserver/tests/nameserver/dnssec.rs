//! Keys on their way, the other algorithm, hashed denials and unsigned zones, judged by BIND, ldns and unbound.

use std::fs;

use cst_api::{Denial, DnssecAlgorithm};
use cst_compiler::model::Zone;
use cst_compiler::published::{KeyMaterial, VersionKey, ZoneVersion};
use cst_nameserver::{PrimaryConfig, key, signed_zone_text};

use crate::support::{
    Served, config, dig, full_zone, key as fixed_key, name, program, run, serve, sole, verify_signed, version, zone,
};

const ZONE: &str = "comune.urbino.pu.it";
const ECDSA: DnssecAlgorithm = DnssecAlgorithm::EcdsaP256Sha256;

/// A key that is `L`isted, `S`igns, is `T`rusted.
fn does(material: &KeyMaterial, letters: &str) -> VersionKey {
    let [listed, signs, trusted] = ['L', 'S', 'T'].map(|letter| letters.contains(letter));
    VersionKey { material: material.clone(), listed, signs, trusted }
}

fn tag(material: &KeyMaterial) -> u16 {
    key::SigningKey::load(material).unwrap().tag()
}

/// The tags of the keys whose signature over a type stands at the apex.
fn signers(text: &str, type_name: &str) -> Vec<u16> {
    let start = format!("{ZONE}. ");
    let lines = text.lines().filter(|line| line.starts_with(&start) && line.contains(&format!(" RRSIG {type_name} ")));
    let mut tags: Vec<u16> = lines.map(|line| line.split(' ').nth(10).unwrap().parse().unwrap()).collect();
    tags.sort_unstable();
    tags
}

fn sorted(tags: impl IntoIterator<Item = u16>) -> Vec<u16> {
    let mut tags: Vec<u16> = tags.into_iter().collect();
    tags.sort_unstable();
    tags
}

#[test]
fn every_state_between_two_keys_is_signed_right() {
    let same = &[("LST", "L"), ("L", "LST")][..];
    let other = &[("LST", "S"), ("LST", "LS"), ("LS", "LST"), ("S", "LST")];
    for (algorithm, states) in [(ECDSA, same), (DnssecAlgorithm::Ed25519, other)] {
        let (old, new) = (key::generate(ECDSA).unwrap(), key::generate(algorithm).unwrap());
        for (of_old, of_new) in states {
            let keys = vec![does(&old, of_old), does(&new, of_new)];
            let text = signed_zone_text(&ZoneVersion { keys, ..version(full_zone(ZONE), 7) }).unwrap();
            verify_signed(ZONE, &text);
            let who = |letters: &[char]| {
                let of = [(of_old, &old), (of_new, &new)];
                sorted(of.iter().filter(|(does, _)| does.contains(letters)).map(|(_, key)| tag(key)))
            };
            assert_eq!(signers(&text, "DNSKEY"), who(&['L']), "{of_old} {of_new}");
            assert_eq!(signers(&text, "CDS"), who(&['L', 'S']), "{of_old} {of_new}");
            assert_eq!(signers(&text, "SOA"), who(&['S']), "{of_old} {of_new}");
            let cds = text.lines().filter(|line| line.contains(" IN CDS "));
            let cds = sorted(cds.map(|line| line.split(' ').nth(4).unwrap().parse().unwrap()));
            assert_eq!(cds, who(&['T']), "{of_old} {of_new}");
        }
    }
}

#[test]
fn a_zone_that_leaves_asks_the_parent_to_take_its_ds_out() {
    let text = signed_zone_text(&ZoneVersion { leaving: true, ..version(full_zone(ZONE), 7) }).unwrap();
    verify_signed(ZONE, &text);
    // RFC 8078 §4, and the only ones.
    let lines = |type_name: &str| text.lines().filter(|line| line.contains(type_name)).collect::<Vec<_>>();
    assert_eq!(lines(" IN CDS "), [format!("{ZONE}. 3600 IN CDS 0 0 0 00")]);
    assert_eq!(lines(" IN CDNSKEY "), [format!("{ZONE}. 3600 IN CDNSKEY 0 3 0 AA==")]);
}

#[test]
fn an_unsigned_zone_has_no_trace_of_signing() {
    for keys in [vec![], vec![does(&fixed_key(), "")]] {
        let text = signed_zone_text(&ZoneVersion { keys, ..version(full_zone(ZONE), 7) }).unwrap();
        for type_name in ["RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY"] {
            assert!(!text.contains(&format!(" IN {type_name} ")), "{text}");
        }
        assert_eq!(text.lines().count(), full_zone(ZONE).to_text(7).lines().count());
    }
}

#[test]
fn hashed_denials_hash_like_rfc_9276_asks_and_names_too_long_for_it_are_not_hashed() {
    let hashed = |zone| signed_zone_text(&ZoneVersion { denial: Denial::Nsec3, ..version(zone, 7) }).unwrap();
    let text = hashed(full_zone(ZONE));
    verify_signed(ZONE, &text);
    assert!(text.contains(&format!("{ZONE}. 0 IN NSEC3PARAM 1 0 0 -\n")));
    assert!(text.contains(" 300 IN NSEC3 1 0 0 - ") && !text.contains(" IN NSEC "), "{text}");
    let label = "a".repeat(60);
    let long = format!("{label}.{label}.{label}.{}.pu.it", "b".repeat(40));
    let text = hashed(zone(&long, &["www A 192.0.2.1"]));
    verify_signed(&long, &text);
    assert!(text.contains(" IN NSEC ") && !text.contains("NSEC3"));
}

/// Questions for everything that is there and that is not, with what a validator is to say.
const QUESTIONS: &[(&str, &str, bool)] = &[
    ("comune.urbino.pu.it", "MX", true),
    ("comune.urbino.pu.it", "DNSKEY", true),
    ("www2.comune.urbino.pu.it", "A", true),
    ("www2.comune.urbino.pu.it", "AAAA", false),
    ("nobody.comune.urbino.pu.it", "A", true),
    ("nobody.comune.urbino.pu.it", "AAAA", false),
    ("x.y.nobody.comune.urbino.pu.it", "A", true),
    ("x.deep.comune.urbino.pu.it", "A", false),
    ("x.y.www2.comune.urbino.pu.it", "A", false),
    ("deep.comune.urbino.pu.it", "A", false),
    ("b.c.deep.comune.urbino.pu.it", "TXT", false),
    ("x.wild.comune.urbino.pu.it", "TXT", true),
    ("x.y.wild.comune.urbino.pu.it", "TXT", true),
    ("x.wild.comune.urbino.pu.it", "A", false),
    ("child.comune.urbino.pu.it", "DS", true),
    ("sub.comune.urbino.pu.it", "DS", false),
];

async fn served(zone: Zone, denial: Denial, algorithm: DnssecAlgorithm) -> (Served, String) {
    let served = serve(PrimaryConfig { plain: true, ..config(vec![]) }).await;
    let material = key::generate(algorithm).unwrap();
    let ds = key::SigningKey::load(&material).unwrap().ds(&name(ZONE)).to_string();
    let version = ZoneVersion { denial, keys: sole(material), ..version(zone, 7) };
    served.primary.publish(version).unwrap();
    (served, ds)
}

#[tokio::test(flavor = "multi_thread")]
async fn delv_and_unbound_validate_what_is_there_and_what_is_not() {
    for (denial, algorithm) in [
        (Denial::Nsec, ECDSA),
        (Denial::Nsec3, ECDSA),
        (Denial::Nsec, DnssecAlgorithm::Ed25519),
        (Denial::Nsec3, DnssecAlgorithm::Ed25519),
    ] {
        let (served, ds) = served(full_zone(ZONE), denial, algorithm).await;
        let folder = tempfile::tempdir().unwrap();
        let (anchor, unbound) = (folder.path().join("anchor"), folder.path().join("unbound.conf"));
        let words: Vec<&str> = ds.split(' ').collect();
        let [tag, algorithm, digest_type, digest] = words[..] else { panic!("{ds}") };
        let anchors = format!("{ZONE}. static-ds {tag} {algorithm} {digest_type} \"{digest}\";");
        fs::write(&anchor, format!("trust-anchors {{ {anchors} }};\n")).unwrap();
        let stub = format!("stub-zone:\n name: {ZONE}\n stub-addr: 127.0.0.1@{}\n", served.port);
        let server = "server:\n do-not-query-localhost: no\n local-zone: pu.it transparent\n";
        fs::write(&unbound, format!("{server} trust-anchor: \"{ZONE}. DS {ds}\"\n{stub}")).unwrap();
        for (owner, type_name, is_there) in QUESTIONS {
            let port = served.port.to_string();
            let mut delv = program("delv", "bind9-dnsutils");
            delv.args(["@127.0.0.1", "-p", &port, "+root=comune.urbino.pu.it", "-a"]).arg(&anchor);
            let said = String::from_utf8(run(delv.args([owner, type_name])).stdout).unwrap();
            let expected = if *is_there { "; fully validated" } else { "; negative response, fully validated" };
            assert!(said.starts_with(expected), "{denial:?} {owner} {type_name}: {said}");
            let mut host = program("unbound-host", "unbound-host");
            host.arg("-C").arg(&unbound).args(["-v", "-t", type_name, owner]);
            let said = String::from_utf8(run(&mut host).stdout).unwrap();
            assert!(said.contains("(secure)") && !said.contains("insecure"), "{denial:?} {owner} {type_name}: {said}");
            assert_ne!(said.contains("has no") || said.contains("not found"), *is_there, "{owner} {type_name}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hashed_name_is_no_name() {
    let bare = zone(ZONE, &["www A 192.0.2.1"]);
    let text = signed_zone_text(&ZoneVersion { denial: Denial::Nsec3, ..version(bare.clone(), 7) }).unwrap();
    let (served, _) = served(bare, Denial::Nsec3, ECDSA).await;
    let hashed = text.lines().find(|line| line.contains(" IN NSEC3 ")).unwrap().split(". ").next().unwrap();
    let said = dig(served.port, &format!("+dnssec +norecurse {hashed} NSEC3"));
    assert!(said.contains("status: NXDOMAIN"), "RFC 5155 §7.2.8: {said}");
}
