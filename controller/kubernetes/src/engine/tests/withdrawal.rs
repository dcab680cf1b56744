//! Zones that are to be withdrawn: not too many at once, not while a parent trusts them, and from the zone above first.

use super::departures::begins;
use super::dnssec::{asking, parent};
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

/// What the Tenant says that the going of its first retained unit waits for.
fn waits_for(play: &Play) -> Option<String> {
    play.engine.retained_of("urbino").1.first()?.waits_for.clone()
}

fn gone(play: &mut Play, tenant: &str, zone: &str) {
    play.take(Event::Domain(Seen::Gone(ObjectKey::new(cst_api::tenant_namespace(tenant), zone))));
}

fn told(play: &Play, tenant: &str) -> Option<String> {
    let found = play.engine.held_without_domain(tenant);
    found.first().map(|held| format!("{} {}", held.message, held.digest))
}

/// The coordinator approves a digest on the Tenant.
fn approve(play: &mut Play, tenant: &str, domains: &[String], digest: &str) {
    let metadata = json!({"name": tenant, "annotations": {"territorial.services/approve": digest}});
    let spec = json!({"displayName": tenant, "entityType": "Comune", "domains": domains});
    play.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
}

#[test]
fn a_zone_that_its_parent_trusts_is_withdrawn_when_the_ds_is_gone_or_by_word() {
    let zone = "comune.urbino.pu.it";
    let mut play = asking();
    play.domain("urbino", zone, &json!({"deletionPolicy": "Delete"}));
    play.settle();
    parent(&mut play, zone, &[]);
    play.hours(2);
    parent(&mut play, zone, &[1]);
    play.hours(1);
    gone(&mut play, "urbino", zone);
    play.hours(1);
    assert!(play.published(zone).is_some());
    assert!(told(&play, "urbino").unwrap().starts_with("the parent has a DS of comune.urbino.pu.it"));
    parent(&mut play, zone, &[]);
    play.hours(1);
    assert_eq!((play.published(zone), told(&play, "urbino")), (None, None));
}

#[test]
fn what_the_watch_still_tells_of_a_withdrawn_zone_does_not_bring_it_back() {
    let zone = "comune.urbino.pu.it";
    let mut play = Play::leading();
    play.tenant("urbino", &[zone]);
    play.domain("urbino", zone, &short_lived());
    play.settle();
    let map = play.published(zone).unwrap().to_config_map().unwrap();
    gone(&mut play, "urbino", zone);
    play.settle();
    assert!(play.published(zone).is_none());
    let mut damaged = map.clone();
    damaged.binary_data = None;
    for late in [map.clone(), damaged] {
        play.take(Event::Published(Seen::There(Box::new(late))));
        play.settle();
        assert!(!play.engine.zones[&name(zone)].is_stored());
    }
    play.take(Event::Published(Seen::Gone(ObjectKey::new("cst-system", map.metadata.name.clone().unwrap()))));
    play.settle();
    assert!(!play.engine.zones[&name(zone)].is_stored());
    // Somebody puts it back from a backup.
    let mut restored = map;
    restored.metadata.resource_version = Some((play.version + 1).to_string());
    play.take(Event::Published(Seen::There(Box::new(restored))));
    assert!(play.published(zone).is_some());
}

#[test]
fn what_lets_a_zone_go_was_asked_for_when_it_was_to_go() {
    let zone = "comune.urbino.pu.it";
    let mut play = asking();
    play.domain("urbino", zone, &json!({"deletionPolicy": "Delete"}));
    play.settle();
    parent(&mut play, zone, &[]);
    play.hours(2);
    play.parents_answer = false;
    let before = play.now.instant;
    play.turn(600);
    gone(&mut play, "urbino", zone);
    play.settle();
    assert!(play.published(zone).is_some(), "there was no DS ten minutes ago");
    play.turn(2);
    play.settle();
    assert_eq!(waits_for(&play).as_deref(), Some("the parent to say once more what DS it has"));
    let said = play.engine.zones[&name(zone)].parent.clone().unwrap().parent;
    play.take(Event::Observed(Observation::Parent { zone: name(zone), parent: said, asked: before }));
    play.settle();
    assert!(play.published(zone).is_some(), "that was asked for before");
    parent(&mut play, zone, &[1]);
    play.settle();
    assert!(told(&play, "urbino").unwrap().starts_with("the parent has a DS of comune.urbino.pu.it"));
    play.turn(60);
    parent(&mut play, zone, &[]);
    play.turn(60);
    play.settle();
    assert!(
        play.published(zone).is_some() && told(&play, "urbino").is_none(),
        "it is asked anew when nothing else keeps it"
    );
    parent(&mut play, zone, &[]);
    play.settle();
    assert!(play.published(zone).is_none());
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

#[test]
fn a_held_change_protects_from_deletion_at_once() {
    let zone = "comune.urbino.pu.it";
    let mut play = Play::leading();
    play.tenant("urbino", &[zone]);
    let records: Vec<_> =
        (0..12).map(|at| json!({"name": format!("h{at}"), "type": "A", "values": ["192.0.2.1"]})).collect();
    let unsigned = json!({"mode": "Unsigned"});
    play.domain("urbino", zone, &json!({"deletionPolicy": "Delete", "dnssec": unsigned, "records": records}));
    play.settle();
    play.domain("urbino", zone, &json!({"dnssec": unsigned, "records": records[..2]}));
    play.settle();
    assert_eq!(play.engine.zones[&name(zone)].held.len(), 1);
    gone(&mut play, "urbino", zone);
    play.settle();
    assert!(play.published(zone).is_some());
}

#[test]
fn more_than_a_third_of_the_catalog_goes_only_by_word() {
    let zones: Vec<String> = (0..10).map(|number| format!("ente{number}.example")).collect();
    let mut play = Play::leading();
    play.tenant("urbino", &zones.iter().map(String::as_str).collect::<Vec<_>>());
    for zone in &zones {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    for zone in &zones[..6] {
        gone(&mut play, "urbino", zone);
        play.settle();
    }
    let there = |play: &Play| zones.iter().filter(|zone| play.published(zone).is_some()).count();
    assert_eq!(there(&play), 7, "three went before it was too much");
    let message = told(&play, "urbino").unwrap();
    assert!(message.contains("would drop 3 of 7 zones") && message.contains("ente5.example"), "{message}");
    play.turn(86_400);
    play.engine.tick();
    play.settle();
    assert_eq!(there(&play), 7, "nor by and by");
    approve(&mut play, "urbino", &zones, message.rsplit(' ').next().unwrap());
    play.settle();
    assert_eq!(there(&play), 4);

    // The word was good once.
    play.turn(3 * 86_400);
    for zone in &zones[3..6] {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    assert_eq!(there(&play), 7);
    for zone in &zones[3..6] {
        gone(&mut play, "urbino", zone);
    }
    play.settle();
    assert_eq!(there(&play), 7);
    assert_ne!(told(&play, "urbino"), Some(message));
}

#[test]
fn more_than_a_third_of_a_tenants_zones_goes_only_by_word() {
    let mut play = Play::leading();
    for tenant in ["urbino", "fano"] {
        let zones: Vec<String> = (0..20).map(|number| format!("ente{number}.{tenant}.example")).collect();
        play.tenant(tenant, &[&format!("{tenant}.example")]);
        for zone in &zones {
            play.domain(tenant, zone, &short_lived());
        }
    }
    play.settle();
    let own: Vec<DomainName> =
        play.engine.zones.keys().filter(|zone| zone.as_str().contains("fano")).cloned().collect();
    for zone in &own[..8] {
        gone(&mut play, "fano", zone.as_str());
    }
    play.settle();
    assert!(own.iter().all(|zone| play.published(zone.as_str()).is_some()), "8 of 40, but of 20 of its own");
    let message = told(&play, "fano").unwrap();
    assert!(message.starts_with("it would drop 8 of 20 units"), "{message}");
    // A tenant leaves by the coordinator's word, which is not that its Tenant is missing.
    play.take(Event::Tenant(Seen::Gone(ObjectKey::new("", "fano"))));
    play.settle();
    assert!(own.iter().all(|zone| play.published(zone.as_str()).is_some()));
    play.terminated("fano");
    play.settle();
    play.take(Event::Tenant(Seen::Gone(ObjectKey::new("", "fano"))));
    play.settle();
    assert_eq!(own.iter().filter(|zone| play.published(zone.as_str()).is_some()).count(), 12);
}

#[test]
fn a_retired_zone_that_is_damaged_is_told_and_goes_by_word() {
    let zone = "comune.urbino.pu.it";
    let mut play = asking();
    play.domain("urbino", zone, &json!({}));
    play.settle();
    parent(&mut play, zone, &[]);
    play.hours(2);
    let mut map = play.published(zone).unwrap().to_config_map().unwrap();
    (map.binary_data, map.metadata.resource_version) = (None, Some("900".into()));
    let mut play = asking();
    play.take(Event::Published(Seen::There(Box::new(map))));
    play.settle();
    let message = told(&play, "urbino").unwrap();
    assert!(message.contains("nobody declares comune.urbino.pu.it"), "{message}");
    approve(&mut play, "urbino", &["urbino.pu.it".into()], message.rsplit(' ').next().unwrap());
    play.settle();
    assert!(!play.engine.zones[&name(zone)].is_stored() && told(&play, "urbino").is_none());
}

#[test]
fn the_zone_above_is_asked_often_while_a_zone_leaves_and_not_when_nothing_of_it_is_served() {
    let zone = "comune.urbino.pu.it";
    let mut play = asking();
    play.domain("urbino", zone, &json!({"deletionPolicy": "Delete"}));
    play.settle();
    parent(&mut play, zone, &[]);
    play.hours(2);
    parent(&mut play, zone, &[1]);
    play.hours(1);
    let asks = |play: &mut Play, zone: &str| {
        play.engine.mark(Work::Unit(Unit::Zone(name(zone))));
        let now = play.now.clone();
        let job = play.engine.zone_job(&name(zone), &now);
        play.settle();
        job.asks_above()
    };
    assert_eq!(asks(&mut play, zone), Some(false), "it is served, and nothing is waited for");
    gone(&mut play, "urbino", zone);
    play.settle();
    assert_eq!(asks(&mut play, zone), Some(true), "the DS has to go");
    parent(&mut play, zone, &[]);
    play.settle();
    assert!(play.published(zone).is_none());
    assert_eq!(asks(&mut play, zone), None);
    play.domain("urbino", "elsewhere.example", &json!({}));
    play.settle();
    assert_eq!(asks(&mut play, "elsewhere.example"), None, "it is nobody's here");
}
