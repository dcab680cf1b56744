//! A zone below one of ours leaves that first.

use super::super::departures::begins;
use super::*;

const ABOVE: &str = "urbino.pu.it";
const BELOW: &str = "museo.urbino.pu.it";

/// Minutes go by, in which the public server takes what is published of these zones.
fn minutes(play: &mut Play, count: u32, zones: &[&str]) {
    for _ in 0..count {
        play.turn(60);
        for zone in zones {
            if let Some(published) = play.published(zone) {
                play.answers(zone, published.serial);
            }
        }
        play.settle();
    }
}

/// A zone of ours and one below it, served and delegated.
fn delegated() -> Play {
    let mut play = asking();
    play.domain("urbino", ABOVE, &json!({}));
    play.domain("urbino", BELOW, &json!({"deletionPolicy": "Delete"}));
    play.settle();
    parent(&mut play, ABOVE, &[]);
    minutes(&mut play, 5, &[ABOVE, BELOW]);
    assert!(is_delegated(&play));
    play
}

fn is_delegated(play: &Play) -> bool {
    play.published(ABOVE).unwrap().zone.get(&name(BELOW), cst_api::RecordType::NS).is_some()
}

#[test]
fn a_zone_below_ours_leaves_the_one_above_first() {
    let mut play = delegated();
    gone(&mut play, "urbino", BELOW);
    minutes(&mut play, 2, &[ABOVE, BELOW]);
    assert!(!is_delegated(&play) && play.published(BELOW).is_some(), "caches have the delegation");
    minutes(&mut play, 50, &[ABOVE, BELOW]);
    assert!(play.published(BELOW).is_some());
    assert_eq!(waits_for(&play).as_deref(), Some("caches to forget that urbino.pu.it delegated it"));
    minutes(&mut play, 15, &[ABOVE, BELOW]);
    assert!(play.published(BELOW).is_none());
    play.domain("urbino", BELOW, &json!({"deletionPolicy": "Delete"}));
    minutes(&mut play, 2, &[ABOVE, BELOW]);
    assert!(is_delegated(&play), "it came back");
}

#[test]
fn the_zones_above_keep_the_addresses_of_name_servers_in_a_retained_zone() {
    let server = "ns1.sale.museo.urbino.pu.it";
    let (below, lowest) = (BELOW, "sale.museo.urbino.pu.it");
    let mut play = Play::with(settings(&json!({"dns": {"nameServers": [server]}})));
    play.engine.lead(true);
    play.listed();
    play.tenant("urbino", &[ABOVE]);
    let unsigned = json!({"mode": "Unsigned"});
    let records = json!([{"name": "ns1", "type": "A", "values": ["192.0.2.1"]},
                         {"name": "ns1", "type": "AAAA", "values": ["2001:db8::1"]}]);
    let mut wrong = records.clone();
    wrong[0]["values"] = json!(["192.0.2"]);
    for (zone, records) in [(ABOVE, json!([])), (below, json!([])), (lowest, records)] {
        play.domain("urbino", zone, &json!({"dnssec": unsigned, "records": records}));
    }
    play.settle();
    let glue = |play: &Play, zone: &str| {
        let zone = play.published(zone).unwrap().zone;
        let sets = zone.at(&name(server)).map(|set| set.values().len()).collect::<Vec<_>>();
        sets.len()
    };
    let in_both = |play: &Play| [ABOVE, below].map(|zone| glue(play, zone));
    assert_eq!(in_both(&play), [2, 2]);
    let mut next = Play::with(settings(&json!({"dns": {"nameServers": [server]}})));
    for (zone, records) in [(ABOVE, json!([])), (below, json!([])), (lowest, wrong)] {
        next.engine.zone_stored(play.published(zone).unwrap(), next.now.instant);
        next.domain("urbino", zone, &json!({"dnssec": unsigned, "records": records}));
    }
    next.tenant("urbino", &[ABOVE]);
    next.listed();
    next.engine.lead(true);
    next.settle();
    assert_eq!(in_both(&next), [2, 2], "a mistake in an address, after a restart");
    gone(&mut play, "urbino", lowest);
    minutes(&mut play, 2, &[ABOVE, below, lowest]);
    assert!(play.published(lowest).unwrap().retired.is_some());
    assert_eq!(in_both(&play), [2, 2], "it is served on");
    gone(&mut play, "urbino", below);
    minutes(&mut play, 2, &[ABOVE, below, lowest]);
    assert_eq!(in_both(&play), [2, 2]);
    play.domain("urbino", below, &json!({"dnssec": unsigned}));
    let metadata =
        json!({"name": "urbino", "annotations": {"territorial.services/drop": format!("Domain/{lowest}/2026-11-18")}});
    let spec = json!({"displayName": "urbino", "entityType": "Comune", "domains": [ABOVE]});
    play.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
    minutes(&mut play, 90, &[ABOVE, below, lowest]);
    assert!(play.published(lowest).is_none(), "{:?}", waits_for(&play));
    assert_eq!(in_both(&play), [0, 0]);
}

#[test]
fn a_zone_that_leaves_goes_on_where_it_was_after_a_restart() {
    let mut play = delegated();
    gone(&mut play, "urbino", BELOW);
    minutes(&mut play, 40, &[ABOVE, BELOW]);
    let mut next = asking();
    next.engine.lead(false);
    next.domain("urbino", ABOVE, &json!({}));
    let serial = play.published(ABOVE).unwrap().serial;
    let mut play = begins(next, &play);
    assert!(!is_delegated(&play));
    parent(&mut play, ABOVE, &[]);
    minutes(&mut play, 15, &[ABOVE, BELOW]);
    assert!(play.published(BELOW).is_some());
    minutes(&mut play, 10, &[ABOVE, BELOW]);
    assert!(play.published(BELOW).is_none(), "{:?}", waits_for(&play));
    assert_eq!(play.published(ABOVE).unwrap().serial, serial, "it was never delegated again");
}

#[test]
fn a_zone_that_leaves_and_is_declared_while_nobody_looks_is_delegated_again() {
    let mut play = delegated();
    gone(&mut play, "urbino", BELOW);
    minutes(&mut play, 40, &[ABOVE, BELOW]);
    let mut next = asking();
    next.engine.lead(false);
    next.domain("urbino", ABOVE, &json!({}));
    next.domain("urbino", BELOW, &json!({"deletionPolicy": "Delete"}));
    let mut play = begins(next, &play);
    minutes(&mut play, 100, &[ABOVE, BELOW]);
    assert!(is_delegated(&play) && play.published(BELOW).unwrap().leave.is_none());
}

#[test]
fn a_server_of_the_zone_above_that_is_away_is_told_and_after_a_day_a_word_stands_for_it() {
    let mut play = delegated();
    gone(&mut play, "urbino", BELOW);
    minutes(&mut play, 60, &[BELOW]);
    let waits = waits_for(&play).unwrap();
    assert_eq!(waits, "ns1 to serve urbino.pu.it without the delegation of museo.urbino.pu.it");
    assert_eq!(told(&play, "urbino"), None, "it may come back");
    minutes(&mut play, 24 * 60, &[BELOW]);
    let message = told(&play, "urbino").unwrap();
    let tenant = Unit::Tenant("urbino".into());
    let tells = |work: &[Work]| units(work).contains(&&tenant);
    assert!(!tells(&play.settle()), "nothing new");
    assert!(message.contains(&waits) && play.published(BELOW).is_some(), "{message}");
    let mut back = delegated();
    gone(&mut back, "urbino", BELOW);
    minutes(&mut back, 60, &[BELOW]);
    minutes(&mut back, 1, &[ABOVE]);
    back.turn(2);
    assert!(tells(&back.settle()) && waits_for(&back).unwrap().starts_with("caches"), "it came back");
    approve(&mut play, "urbino", &[ABOVE.into()], message.rsplit(' ').next().unwrap());
    play.settle();
    assert!(play.published(BELOW).is_none() && told(&play, "urbino").is_none());
}

#[test]
fn a_zone_above_that_goes_on_delegating_is_told() {
    let mut play = delegated();
    let twelve: Vec<_> =
        (0..12).map(|at| json!({"name": format!("h{at}"), "type": "A", "values": ["192.0.2.1"]})).collect();
    play.domain("urbino", ABOVE, &json!({"records": twelve}));
    minutes(&mut play, 2, &[ABOVE, BELOW]);
    play.domain("urbino", ABOVE, &json!({}));
    gone(&mut play, "urbino", BELOW);
    minutes(&mut play, 2, &[ABOVE, BELOW]);
    assert!(is_delegated(&play), "its change is held");
    let waits = waits_for(&play).unwrap();
    assert!(waits.starts_with("ns1 to serve urbino.pu.it without") && waits.contains("its change is held"), "{waits}");
}

#[test]
fn a_zone_above_that_is_damaged_is_told_and_after_a_day_a_word_stands_for_it() {
    let mut play = delegated();
    gone(&mut play, "urbino", BELOW);
    minutes(&mut play, 5, &[ABOVE, BELOW]);
    let mut damaged = play.published(ABOVE).unwrap().to_config_map().unwrap();
    (damaged.binary_data, damaged.metadata.resource_version) = (None, Some("9000".into()));
    let below = play.published(BELOW).unwrap().to_config_map().unwrap();
    let mut next = asking();
    (next.now, next.version) = (play.now.clone(), 10_000);
    next.domain("urbino", ABOVE, &json!({}));
    for map in [damaged, below] {
        next.take(Event::Published(Seen::There(Box::new(map))));
    }
    minutes(&mut next, 5, &[BELOW]);
    let waits = waits_for(&next).unwrap();
    assert!(waits.starts_with("the public servers, which nobody knows, to serve urbino.pu.it"), "{waits}");
    assert!(waits.contains("cannot be read"), "{waits}");
    minutes(&mut next, 24 * 60, &[BELOW]);
    let message = told(&next, "urbino").unwrap();
    approve(&mut next, "urbino", &[ABOVE.into()], message.rsplit(' ').next().unwrap());
    next.settle();
    assert!(next.published(BELOW).is_none());
}

#[test]
fn a_zone_below_ours_that_others_serve_now_can_go() {
    let (above, below) = ("urbino.pu.it", "museo.urbino.pu.it");
    let mut play = asking();
    play.domain("urbino", above, &json!({}));
    play.domain("urbino", below, &json!({"deletionPolicy": "Delete"}));
    play.settle();
    parent(&mut play, above, &[]);
    let hour = |play: &mut Play| {
        play.turn(3600);
        for zone in [above, below] {
            if let Some(published) = play.published(zone) {
                play.answers(zone, published.serial);
            }
        }
        play.settle();
    };
    hour(&mut play);
    let records = json!([{"name": "museo", "type": "NS", "values": ["ns.provider.example.", "ns2.provider.example."]}]);
    play.domain("urbino", above, &json!({"records": records}));
    play.settle();
    hour(&mut play);
    gone(&mut play, "urbino", below);
    (0..3).for_each(|_| hour(&mut play));
    assert!(play.published(below).is_none());
    let servers =
        play.published(above).unwrap().zone.get(&name(below), cst_api::RecordType::NS).unwrap().values().len();
    assert_eq!(servers, 2, "the delegation by hand stays");
}
