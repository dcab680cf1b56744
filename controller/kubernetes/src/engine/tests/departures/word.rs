//! The coordinator's word: what it covers, what it counts against, and where it stands when its Tenant is gone.

use super::*;

/// A leader with two tenants, Fano of ten zones and Urbino of twelve, each of which goes at once when its Domain is deleted.
fn two_tenants() -> (Play, Vec<String>) {
    let mut play = Play::leading();
    play.tenant("fano", &["fano.example"]);
    play.tenant("urbino", OWN);
    let zones: Vec<String> = (0..10).map(|number| format!("z{number}.fano.example")).collect();
    for zone in &zones {
        play.domain("fano", zone, &short_lived());
    }
    for number in 0..12 {
        play.domain("urbino", &format!("ente{number}.example"), &short_lived());
    }
    play.settle();
    (play, zones)
}

#[test]
fn a_tenant_that_leaves_holds_back_no_zone_of_another() {
    let (mut play, zones) = two_tenants();
    play.terminated("fano");
    play.settle();
    // In the same moment, before anything of the other's is written down.
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", "ente0.example"))));
    play.take(Event::Tenant(Seen::Gone(ObjectKey::new("", "fano"))));
    for zone in &zones {
        play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-fano", zone.as_str()))));
    }
    play.settle();
    assert!(zones.iter().all(|zone| play.published(zone).is_none()));
    assert!(play.published("ente0.example").is_none());
    let rest: Vec<String> = (1..12).map(|number| format!("ente{number}.example")).collect();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let mut play = restarted(&play, &rest);
    gone(&mut play, &rest[..1]);
    assert!(play.published(rest[0]).is_none(), "and not after a restart");
}

#[test]
fn a_word_stays_good_for_what_it_named_when_one_more_is_deleted() {
    let (mut play, zones) = two_tenants();
    let delete = |play: &mut Play, zones: &[String]| {
        for zone in zones {
            play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-fano", zone.as_str()))));
        }
        play.settle();
    };
    delete(&mut play, &zones[..5]);
    let digest = play.engine.held_without_domain("fano")[0].digest.clone();
    delete(&mut play, &zones[5..6]);
    let newer = play.engine.held_without_domain("fano")[0].digest.clone();
    assert_ne!(newer, digest);
    let approve = |play: &mut Play, digests: &str| {
        let metadata = json!({"name": "fano", "annotations": {"territorial.services/approve": digests}});
        let spec = json!({"displayName": "fano", "entityType": "Comune", "domains": ["fano.example"]});
        play.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
        play.settle();
    };
    approve(&mut play, &digest);
    let there = |play: &Play| zones.iter().filter(|zone| play.published(zone).is_some()).count();
    assert_eq!(there(&play), 5);
    assert!(play.published(&zones[5]).is_some(), "it was not named");
    approve(&mut play, &format!("{digest} {newer}"));
    assert_eq!(there(&play), 4);
}

/// What the API server has of a tenant's record, with an annotation of somebody's.
fn annotated(play: &mut Play, unit: &Unit, annotation: &str, words: &str) {
    play.version += 1;
    let mut map = applied::to_config_map(unit, &play.engine.applied[unit]);
    map.metadata.annotations.get_or_insert_default().insert(annotation.into(), words.into());
    map.metadata.resource_version = Some(play.version.to_string());
    play.take(Event::Published(Seen::There(Box::new(map))));
    play.settle();
}

#[test]
fn what_is_held_of_a_tenant_that_is_gone_is_counted_told_each_day_and_approved_on_its_record() {
    let (mut play, zones) = two_tenants();
    let unit = Unit::Tenant("fano".into());
    play.take(Event::Tenant(Seen::Gone(ObjectKey::new("", "fano"))));
    for zone in &zones[..4] {
        play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-fano", zone.as_str()))));
    }
    play.settle();
    let untold = |play: &Play| (play.engine.waiting().untold, play.engine.waiting().missing, play.engine.told());
    assert_eq!(untold(&play), (1, 1, 2), "that it is missing, and what is held");
    play.engine.tick();
    assert_eq!(play.engine.told(), 0);
    play.settle();
    assert_eq!(untold(&play), (1, 1, 2), "another day");
    let declared: Vec<String> = (0..12).map(|number| format!("ente{number}.example")).collect();
    let declared: Vec<&str> = declared.iter().map(String::as_str).collect();
    let mut play = restarted(&play, &declared);
    assert_eq!(play.engine.waiting().missing, 1);
    assert!(play.engine.told() >= 2, "another controller tells it again");

    let held = play.engine.leaving["fano"].clone().unwrap();
    annotated(&mut play, &unit, "territorial.services/approve", "0123456789ab");
    let there = |play: &Play| zones.iter().filter(|zone| play.published(zone).is_some()).count();
    assert_eq!(there(&play), 10);
    annotated(&mut play, &unit, "territorial.services/approve", &held.digest);
    assert_eq!(there(&play), 0, "all that nobody declares any more");
    assert_eq!(play.engine.waiting().untold, 0);
}

#[test]
fn what_is_retained_of_a_tenant_that_is_gone_goes_by_its_name_on_its_record() {
    let mut play = with_a_zone();
    gone(&mut play, &[ZONE]);
    play.leaves();
    play.settle();
    assert!(play.published(ZONE).is_some());
    let word = "Domain/comune.urbino.pu.it/2026-11-18";
    annotated(&mut play, &Unit::Tenant("urbino".into()), "territorial.services/drop", word);
    assert!(play.published(ZONE).is_none());
}

#[test]
fn a_damaged_zone_of_nobody_knows_whom_is_told_and_approved_on_what_is_stored() {
    let mut play = Play::leading();
    let mut map = with_a_zone().published(ZONE).unwrap().to_config_map().unwrap();
    map.metadata.labels = None;
    map.metadata.uid = Some("uid".into());
    map.data.as_mut().unwrap().remove("holder");
    let mut stored = |play: &mut Play, approval: &str| {
        play.version += 1;
        map.metadata.resource_version = Some(play.version.to_string());
        map.metadata.annotations.get_or_insert_default().insert("territorial.services/approve".into(), approval.into());
        play.take(Event::Published(Seen::There(Box::new(map.clone()))));
        play.settle();
    };
    stored(&mut play, "");
    assert_eq!((play.engine.waiting().untold, play.engine.told()), (1, 1));
    let digest = play.engine.zones[&name(ZONE)].held[0].digest.clone();
    stored(&mut play, "0123456789ab");
    assert_eq!(play.engine.zones[&name(ZONE)].held[0].digest, digest, "whatever is written on it beside");
    stored(&mut play, &digest);
    assert!(!play.engine.zones[&name(ZONE)].is_stored());
    assert_eq!(play.engine.waiting().untold, 0);
}
