//! Signed zones, judged by BIND and ldns.

use std::sync::Arc;

use crate::support::{Numbers, full_zone, key, name, new_key, program, run, sole, verify_signed, version, zone};
use cst_api::Denial;
use cst_compiler::model::{DomainName, Zone};
use cst_compiler::published::ZoneVersion;
use cst_nameserver::{key, sign, signed_zone_text};

#[test]
fn a_zone_with_one_of_everything_is_signed_right() {
    let text = signed_zone_text(&version(full_zone("comune.urbino.pu.it"), 7)).unwrap();
    verify_signed("comune.urbino.pu.it", &text);
    // Glue and delegations are unsigned and glue is in no denial.
    assert!(!text.contains("ns1.child.comune.urbino.pu.it. 300 IN RRSIG"));
    assert!(!text.contains("ns1.child.comune.urbino.pu.it. 300 IN NSEC"));
    assert!(!text.contains("IN RRSIG NS 13 5"), "the NS set of a delegation is the child's");
    let denial = "child.comune.urbino.pu.it. 300 IN NSEC a.b.c.deep.comune.urbino.pu.it. NS DS RRSIG NSEC\n";
    assert!(text.contains(denial), "{text}");
}

#[test]
fn a_zone_of_nothing_but_its_apex_is_signed_right() {
    verify_signed("vuoto.pu.it", &signed_zone_text(&version(zone("vuoto.pu.it", &[]), 7)).unwrap());
}

#[test]
fn a_generated_key_signs_right_and_its_ds_is_what_others_compute() {
    let version = ZoneVersion { keys: sole(new_key()), ..version(full_zone("fano.pu.it"), 1) };
    let text = signed_zone_text(&version).unwrap();
    verify_signed("fano.pu.it", &text);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zone");
    std::fs::write(&file, &text).unwrap();
    let output = run(program("dnssec-dsfromkey", "bind9-utils").args(["-2", "-f"]).arg(&file).arg("fano.pu.it"));
    let ds = key::SigningKey::load(&version.keys[0].material).unwrap().ds(&name("fano.pu.it"));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), format!("fano.pu.it. IN DS {ds}"));
    assert!(text.contains(&format!("IN CDS {ds}\n")));
}

#[test]
fn the_same_version_gives_the_same_bytes_and_another_inception_others() {
    let one = version(full_zone("pesaro.pu.it"), 9);
    assert_eq!(signed_zone_text(&one).unwrap(), signed_zone_text(&one.clone()).unwrap());
    let later = ZoneVersion { inception: one.inception + 1, ..one.clone() };
    assert_ne!(signed_zone_text(&one).unwrap(), signed_zone_text(&later).unwrap());
}

#[test]
fn signatures_taken_over_from_the_previous_version_change_nothing() {
    let apex = "pesaro.pu.it";
    let old = version(full_zone(apex), 9);
    let mut lines = Zone::clone(&old.zone).to_text(0);
    lines = lines.replace("192.0.2.2\n", "192.0.2.22\n").replace("*.wild.", "tame.");
    lines = lines.replace(&format!("ns1.child.{apex}. 300 IN A"), &format!("new.{apex}. 300 IN A"));
    // What was signed becomes glue, and what was glue is signed.
    lines += &format!("deep.{apex}. 300 IN NS ns.example.org.\n");
    lines = lines
        .replace(&format!("sub.{apex}. 300 IN NS ns.sub.example.org."), &format!("sub.{apex}. 300 IN A 192.0.2.9"));
    let changed = Zone::from_text(&lines).unwrap().0;
    let new = ZoneVersion { zone: Arc::new(changed), serial: 10, ..old.clone() };
    let previous = sign(&old, None).unwrap();
    assert_eq!(sign(&new, Some(&previous)).unwrap(), sign(&new, None).unwrap());
    let renewed = ZoneVersion { inception: new.inception + 9, ..new.clone() };
    assert_eq!(sign(&renewed, Some(&previous)).unwrap(), sign(&renewed, None).unwrap());
    let rekeyed = ZoneVersion { keys: sole(new_key()), ..new };
    assert_eq!(sign(&rekeyed, Some(&previous)).unwrap(), sign(&rekeyed, None).unwrap());
}

#[test]
fn a_set_outside_the_zone_and_a_bad_key_are_named() {
    let mut foreign = zone("fano.pu.it", &[]);
    let set = zone("xfano.pu.it", &["www A 192.0.2.1"])
        .get(&name("www.xfano.pu.it"), cst_api::RecordType::A)
        .unwrap()
        .clone();
    foreign.insert(set);
    let error = signed_zone_text(&version(foreign, 1)).unwrap_err().to_string();
    assert!(error.contains("www.xfano.pu.it is not within it"), "{error}");
    let mut unsigned = version(zone("fano.pu.it", &[]), 1);
    unsigned.keys = sole(cst_compiler::published::KeyMaterial::new(b"PrivateKey: c2VjcmV0".to_vec()));
    let error = format!("{:?}", signed_zone_text(&unsigned).unwrap_err());
    assert!(error.contains("fano.pu.it") && !error.contains("c2VjcmV0"), "{error}");
}

#[test]
fn random_zones_are_signed_right() {
    for seed in 0..25 {
        let lines = random_lines(&mut Numbers::new(seed));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let version = version(zone("x.example", &lines), 1);
        for denial in [Denial::Nsec, Denial::Nsec3] {
            verify_signed("x.example", &signed_zone_text(&ZoneVersion { denial, ..version.clone() }).unwrap());
        }
    }
}

/// Owners of up to four labels from few letters, so that names nest, delegations cut and wildcards stand in the way.
fn random_lines(numbers: &mut Numbers) -> Vec<String> {
    let mut owners: Vec<DomainName> = Vec::new();
    let mut lines = Vec::new();
    for _ in 0..=numbers.below(60) {
        let mut owner: Vec<&str> =
            (0..=numbers.below(4)).map(|_| ["a", "b", "ab", "_c", "0", "z-z"][numbers.index(6)]).collect();
        let delegates = numbers.below(6) == 0;
        if !delegates && numbers.below(5) == 0 {
            owner.insert(0, "*");
        }
        let owner = owner.join(".");
        if owners.contains(&name(&owner)) {
            continue;
        }
        owners.push(name(&owner));
        match (delegates, numbers.below(3)) {
            (true, _) => lines.push(format!("{owner} NS ns.{}.x.example.", owner.replace('_', ""))),
            (false, 0) => lines.push(format!("{owner} CNAME target.example.")),
            (false, kinds) => {
                lines.push(format!("{owner} A 192.0.2.{}", numbers.below(250)));
                lines.extend((1..kinds).map(|_| format!("{owner} TXT \"{}\"", numbers.below(9))));
                lines.extend((1..kinds).map(|_| format!("{owner} CAA 0 issue \"ca.example\"")));
            }
        }
    }
    lines
}

#[test]
fn the_fixed_key_is_the_one_of_the_rfc() {
    assert_eq!(key::SigningKey::load(&key()).unwrap().tag(), 55648);
}
