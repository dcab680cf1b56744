//! Zones that are to be withdrawn: not too many at once, not while a parent trusts them, and from the zone above first.

mod leaving;

use super::dnssec::{asking, parent};
use super::*;

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
    let listed = &play.engine.retained_of("urbino").1[0];
    assert_eq!(listed.until, listed.since, "it goes as soon as it can");
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
