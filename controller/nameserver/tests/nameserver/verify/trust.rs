//! The chain of trust: DS, keys and signatures, right and wrong.

use crate::support::World;

use super::{DAYS, DELEGATION, ONE, STALE, TWO, ZONE, faults, parent, signed, signed_by, unsigned};

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
