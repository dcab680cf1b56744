//! The chain of trust: DS, keys and signatures, right and wrong.

use crate::support::{World, program, run};

use super::{
    CONTENT, DAYS, DELEGATION, ONE, STALE, TWO, ZONE, faults, parent, signed, signed_by, signed_with, unsigned,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_ds_beside_the_right_one_warns_and_one_alone_is_an_error() {
    let (text, ds) = signed(-3600, 30 * DAYS);
    let mut world = World::new();
    world.zone_text(ONE, ZONE, &text).zone_text(TWO, ZONE, &text);
    parent(&mut world, &DELEGATION, &[&ds, STALE]);
    let told = faults(&mut world, &[], &["ds"]).await;
    assert!(told.contains("the DS 12345 at `it` names no key of the zone"), "{told}");

    let mut world = World::new();
    world.zone_text(ONE, ZONE, &text).zone_text(TWO, ZONE, &text);
    parent(&mut world, &DELEGATION, &[STALE]);
    let told = faults(&mut world, &["ds"], &[]).await;
    let right = ds.strip_prefix("comune.fano.pu DS ").unwrap();
    assert!(told.contains(&format!("register there the DS {right}")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ds_without_a_key_is_an_error_and_a_key_without_ds_a_warning() {
    let mut world = World::new();
    unsigned(&mut world);
    parent(&mut world, &DELEGATION, &[STALE]);
    let told = faults(&mut world, &["ds"], &[]).await;
    assert!(told.contains("the zone is unsigned and `it` has a DS (12345)"), "{told}");

    let (text, _) = signed(-3600, 30 * DAYS);
    let mut world = World::new();
    world.zone_text(ONE, ZONE, &text).zone_text(TWO, ZONE, &text);
    parent(&mut world, &DELEGATION, &[]);
    faults(&mut world, &[], &["ds"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_that_do_not_hold_are_errors_and_those_that_end_soon_warn() {
    for (from, until, errors, warnings, says) in [
        (-30 * DAYS, -DAYS, &["signatures"][..], &[][..], "over the keys expired 24 hours ago"),
        (2 * DAYS, 30 * DAYS, &["signatures"], &[], "over the SOA holds only in 4"),
        (-DAYS, 3 * DAYS, &[], &["signatures"], "over the NS set holds for 7"),
    ] {
        let (text, ds) = signed(from, until);
        let mut world = World::new();
        world.zone_text(ONE, ZONE, &text).zone_text(TWO, ZONE, &text);
        parent(&mut world, &DELEGATION, &[&ds]);
        let told = faults(&mut world, errors, warnings).await;
        assert!(told.contains(says), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_over_something_else_is_an_error() {
    forged_by(&["13"]).await;
}

async fn forged_by(kind: &[&str]) {
    let (text, ds) = signed_by(kind, -3600, 30 * DAYS);
    // The SOA of another version under the signature of this one.
    let forged = text.replacen("7          ; serial", "8          ; serial", 1);
    assert_ne!(text, forged);
    let mut world = World::new();
    world.zone_text(ONE, ZONE, &forged).zone_text(TWO, ZONE, &forged);
    parent(&mut world, &DELEGATION, &[&ds]);
    let told = faults(&mut world, &["signatures"], &[]).await;
    assert!(told.contains("the signature over the SOA is not by the key it names"), "{kind:?}: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_each_algorithm_in_use_are_checked_and_small_keys_are_left_to_others() {
    let kinds = [&["8"][..], &["8", "-b", "4096"], &["10", "-b", "2048"], &["14"], &["15"]];
    let unchecked = [&["8", "-b", "1024"][..], &["16"]];
    for (kind, warnings) in
        kinds.map(|kind| (kind, &[][..])).into_iter().chain(unchecked.map(|kind| (kind, &["signatures"][..])))
    {
        let (text, ds) = signed_by(kind, -3600, 30 * DAYS);
        let mut world = World::new();
        world.zone_text(ONE, ZONE, &text).zone_text(TWO, ZONE, &text);
        parent(&mut world, &DELEGATION, &[&ds]);
        faults(&mut world, &[], warnings).await;
    }
    for kind in kinds {
        forged_by(kind).await;
    }
}

/// NSEC, and NSEC3 as it shall be, with salt and iterations, and with opt-out.
const CHAINS: [&[&str]; 4] = [&[], &["-3", "-"], &["-3", "ABCD", "-H", "5"], &["-3", "-", "-A"]];

/// The zone with this text at one server and with that at the other; what is told.
async fn at_servers(one: &str, two: &str, ds: &str, errors: &[&str]) -> String {
    let mut world = World::new();
    world.zone_text(ONE, ZONE, one).zone_text(TWO, ZONE, two);
    parent(&mut world, &DELEGATION, &[ds]);
    faults(&mut world, errors, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_denied_by_each_chain_and_beside_a_wildcard() {
    let wildcards: [&[&str]; 3] = [&[], &["* A 192.0.2.1"], &["* CNAME mail"]];
    for chain in CHAINS {
        for wildcard in wildcards.into_iter().chain([&["* TXT text"][..]]) {
            let content = [&CONTENT[..], wildcard].concat();
            let (text, ds) = signed_with(&["13"], chain, &content, -3600, 30 * DAYS);
            at_servers(&text, &text, &ds, &[]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn denials_that_are_missing_forged_or_of_something_else_are_errors() {
    for chain in CHAINS {
        let (text, ds) = signed_with(&["13"], &[&["-O", "full"], chain].concat(), &CONTENT, -3600, 30 * DAYS);
        let without_denials = |line: &&str| {
            let mut types = line.split_whitespace().skip(3).filter(|word| *word != "RRSIG");
            !types.next().is_some_and(|type_| type_.starts_with("NSEC"))
        };
        let none: String = text.lines().filter(without_denials).map(|line| format!("{line}\n")).collect();
        let told = at_servers(&none, &text, &ds, &["denial"]).await;
        for what in [
            "there is no cst-verify-asks-for-what-is-not-there.comune.fano.pu.it",
            "comune.fano.pu.it has no TYPE65279",
        ] {
            let wanted = format!("ns1.comune.fano.pu.it (127.0.0.4): does not prove that {what} (");
            assert!(told.contains(&wanted), "{told}");
        }
        assert!(!told.contains("ns2"), "{told}");

        // The apex is said to have what is asked for.
        let forged = text.replace(" SOA MX RRSIG", " SOA MX RRSIG TYPE65279");
        assert_ne!(forged, text, "{text}");
        let told = at_servers(&forged, &text, &ds, &["denial"]).await;
        assert!(told.contains("ns1.comune.fano.pu.it (127.0.0.4): does not prove that"), "{told}");
        assert!(told.contains("does not hold"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn denials_that_say_that_it_may_be_there_are_told() {
    let owner = "cst-verify-asks-for-what-is-not-there";
    let hash = run(program("nsec3hash", "bind9-utils").args(["-", "1", "0", &format!("{owner}.{ZONE}")]));
    let hash = String::from_utf8(hash.stdout).unwrap().split(' ').next().unwrap().to_owned();
    for (chain, type_) in [(&[][..], "NSEC"), (&["-3", "-"], "NSEC3")] {
        // Signed with the name, which is then taken out with what denies what comes after it.
        let line = format!("{owner} A 192.0.2.1");
        let content = [&CONTENT[..], &[&line]].concat();
        let (text, ds) = signed_with(&["13"], &[&["-O", "full"], chain].concat(), &content, -3600, 30 * DAYS);
        let is_kept = |line: &&str| !line.starts_with(owner) && !line.starts_with(&hash);
        let kept: String = text.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
        assert!(kept.contains(owner) || kept.contains(&format!(" {hash} ")), "it comes next to another");
        let told = at_servers(&kept, &kept, &ds, &["denial"]).await;
        let wanted = format!(
            "ns1.comune.fano.pu.it (127.0.0.4), ns2.comune.fano.pu.it (::1): does not prove that there is no {owner}.{ZONE} (its {type_} say \
             something else)"
        );
        assert!(told.contains(&wanted) && !told.contains("TYPE65279"), "{told}");
    }
}
