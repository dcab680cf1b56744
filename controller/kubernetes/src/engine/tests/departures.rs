//! What nobody declares any more: listed, let go by name, and counted over a restart.

use super::mail::urbino;
use k8s_openapi::api::core::v1::ConfigMap;

use super::*;
use crate::applied;

mod word;

const ZONE: &str = "comune.urbino.pu.it";
const OWN: &[&str] = &["example", ZONE];

/// What the Tenant lists, as the words that let it go.
fn listed(play: &Play) -> Vec<String> {
    let (count, listed) = play.engine.retained_of("urbino");
    assert_eq!(count, listed.len());
    listed.iter().map(|unit| format!("{:?}/{}/{}", unit.kind, unit.name, unit.since)).collect()
}

fn drops(play: &mut Play, words: &str) {
    let metadata = json!({"name": "urbino", "annotations": {"territorial.services/drop": words}});
    let spec = json!({"displayName": "urbino", "entityType": "Comune", "domains": OWN});
    play.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
    play.settle();
}

fn gone(play: &mut Play, zones: &[&str]) {
    for zone in zones {
        play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", *zone))));
    }
    play.settle();
}

/// Whatever is stored.
pub(super) fn stored(play: &Play) -> Vec<ConfigMap> {
    let zones = play.engine.zones.values().filter_map(|state| state.published.as_ref());
    let records = play.engine.applied.iter().map(|(unit, applied)| applied::to_config_map(unit, applied));
    zones.map(|zone| zone.to_config_map().unwrap()).chain(records).collect()
}

/// Whatever is stored, as another leader finds it, with the same objects there.
pub(super) fn restarted(play: &Play, declared: &[&str]) -> Play {
    let mut next = Play::new();
    next.tenant("urbino", OWN);
    for zone in declared {
        next.domain("urbino", zone, &short_lived());
    }
    begins(next, play)
}

/// Whatever is stored, as another leader finds it that no Tenant and no Domain is listed to.
fn with_empty_lists(play: &Play) -> Play {
    begins(Play::new(), play)
}

/// A leader begins with what the one before stored.
pub(super) fn begins(mut next: Play, play: &Play) -> Play {
    (next.now, next.version) = (play.now.clone(), play.version.max(next.version));
    for map in stored(play) {
        next.take(Event::Published(Seen::There(Box::new(map))));
    }
    next.engine.lead(true);
    next.listed();
    next.settle();
    next
}

/// A tenant whose one zone is published.
fn with_a_zone() -> Play {
    let mut play = Play::leading();
    play.tenant("urbino", OWN);
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    play
}

#[test]
fn a_retained_zone_is_listed_and_goes_by_its_name_and_day() {
    let mut play = with_a_zone();
    assert_eq!(listed(&play), Vec::<String>::new());
    gone(&mut play, &[ZONE]);
    let word = "Domain/comune.urbino.pu.it/2026-11-18";
    assert_eq!(listed(&play), [word]);
    assert_eq!(play.engine.retained_of("urbino").1[0].until.to_string(), "2026-12-18");
    for other in
        ["comune.urbino.pu.it", "Domain/comune.urbino.pu.it/2026-11-17", "WebSite/comune.urbino.pu.it/2026-11-18"]
    {
        drops(&mut play, other);
        assert!(play.published(ZONE).is_some());
    }
    drops(&mut play, &format!("Domain/fano.example/2026-11-18 {word}"));
    assert_eq!((play.published(ZONE), listed(&play)), (None, vec![]));

    // Declared again it is there, and what is left of the word does not let it go.
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    play.turn(86_400);
    play.now.today = Date::parse("2026-11-19").unwrap();
    gone(&mut play, &[ZONE]);
    assert!(play.published(ZONE).is_some());
    assert_eq!(listed(&play), ["Domain/comune.urbino.pu.it/2026-11-19"]);
}

#[test]
fn a_word_for_what_is_declared_does_nothing() {
    let mut play = with_a_zone();
    drops(&mut play, "Domain/comune.urbino.pu.it/2026-11-18");
    gone(&mut play, &[]);
    assert!(play.published(ZONE).unwrap().retired.is_none());
}

#[test]
fn a_retained_box_goes_by_its_address_and_day_with_its_aliases() {
    let mut play = urbino(3);
    play.writes("gone00", &json!({"aliases": [format!("alias@{ZONE}")]}));
    play.settle();
    play.deletes("gone00");
    let word = format!("Mailbox/gone00@{ZONE}/2026-11-18");
    assert_eq!((play.boxes(), listed(&play)), (4, vec![word.clone()]));
    drops(&mut play, &word);
    let content = play.content().unwrap();
    assert_eq!((content.boxes.len(), content.aliases.len(), listed(&play)), (3, 0, vec![]));
    play.writes("gone00", &json!({}));
    play.settle();
    assert_eq!(play.boxes(), 4, "it came back");
}

#[test]
fn what_went_before_a_restart_counts_after_it() {
    let zones: Vec<String> = (0..10).map(|number| format!("ente{number}.example")).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    let mut play = Play::leading();
    play.tenant("urbino", OWN);
    for zone in &zones {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    let there = |play: &Play| zones.iter().filter(|zone| play.published(zone).is_some()).count();
    gone(&mut play, &zones[..3]);
    assert_eq!(there(&play), 7);
    let mut play = restarted(&play, &zones[3..]);
    assert_eq!(there(&play), 7);
    gone(&mut play, &zones[3..4]);
    assert_eq!(there(&play), 7, "three of ten went this day");
    play.turn(2 * 86_400);
    play.now.today = Date::parse("2026-11-20").unwrap();
    play.engine.tick();
    play.settle();
    assert_eq!(there(&play), 7, "what is held stays so");
    let held = play.engine.held_without_domain("urbino").remove(0);
    let metadata = json!({"name": "urbino", "annotations": {"territorial.services/approve": held.digest}});
    let spec = json!({"displayName": "urbino", "entityType": "Comune", "domains": OWN});
    play.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
    play.settle();
    assert_eq!(there(&play), 6);
}

#[test]
fn a_tenants_end_is_the_word_for_all_its_units() {
    let zones: Vec<String> = (0..10).map(|number| format!("ente{number}.example")).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    let mut play = Play::leading();
    play.tenant("urbino", OWN);
    for zone in &zones {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    play.terminated("urbino");
    play.settle();
    play.take(Event::Tenant(Seen::Gone(ObjectKey::new("", "urbino"))));
    let mut after = with_empty_lists(&play);
    for play in [&mut play, &mut after] {
        gone(play, &zones);
        assert!(zones.iter().all(|zone| play.published(zone).is_none()));
    }
}

#[test]
fn empty_lists_of_domains_and_tenants_are_nobodys_word() {
    let zones: Vec<String> = (0..10).map(|number| format!("ente{number}.example")).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    let mut play = Play::leading();
    play.tenant("urbino", OWN);
    for zone in &zones {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    // It was to leave once, and did not.
    play.terminated("urbino");
    play.settle();
    play.tenant("urbino", OWN);
    play.settle();
    let mut after = with_empty_lists(&play);
    play.take(Event::Tenant(Seen::Gone(ObjectKey::new("", "urbino"))));
    gone(&mut play, &zones);
    for play in [&mut play, &mut after] {
        for _ in 0..3 {
            play.turn(86_400);
            play.engine.tick();
            play.settle();
        }
        assert!(zones.iter().all(|zone| play.published(zone).is_some()));
    }

    // The lists are whole again, by and by.
    play.tenant("urbino", OWN);
    for zone in &zones {
        play.settle();
        assert!(zones.iter().all(|zone| play.published(zone).is_some()));
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    assert_eq!(listed(&play), Vec::<String>::new());
}

#[test]
fn the_digest_stands_in_a_message_of_many_names() {
    let zones: Vec<String> = (0..60).map(|number| format!("una-frazione-dal-nome-lungo-{number}.example")).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    let mut play = Play::leading();
    play.tenant("urbino", OWN);
    for zone in &zones {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    gone(&mut play, &zones);
    let held = play.engine.held_without_domain("urbino");
    assert_eq!(held.len(), 1, "once for all of them");
    let digest = held[0].digest.clone();
    let facts = cst_compiler::status::Facts { held, ..Default::default() };
    let told = cst_compiler::status::conditions(&[], None, &facts, &play.now.time);
    assert!(told.iter().all(|condition| condition.message.contains(&digest)), "{told:?}");
    assert!(play.published(zones[0]).is_some());
}

#[test]
fn a_zone_with_many_addresses_goes_only_by_word_even_with_delete() {
    let mut play = urbino(12);
    play.domain(
        "urbino",
        ZONE,
        &json!({"mail": {"mode": "Hosted"}, "deletionPolicy": "Delete", "dnssec": {"mode": "Unsigned"}}),
    );
    play.settle();
    play.installs_all();
    play.settle();
    gone(&mut play, &[ZONE]);
    let held = play.engine.held_without_domain("urbino");
    assert!(held[0].message.starts_with("nobody asks what the parent has"), "{held:?}");
    assert!(held[1].message.starts_with("would drop 12 of 12 addresses"), "{held:?}");
    let mut approved = String::new();
    for held in held {
        assert!(play.published(ZONE).is_some());
        approved = format!("{approved} {}", held.digest);
        let metadata = json!({"name": "urbino", "annotations": {"territorial.services/approve": approved}});
        let spec = json!({"displayName": "urbino", "entityType": "Comune", "domains": OWN});
        play.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
        play.settle();
    }
    assert!(play.published(ZONE).is_none());
}

#[test]
fn labels_that_were_taken_away_come_back_with_the_same_serial() {
    let mut play = with_a_zone();
    let stored = play.published(ZONE).unwrap();
    let mut map = stored.to_config_map().unwrap();
    (map.metadata.labels, map.metadata.annotations) = (None, None);
    map.metadata.resource_version = Some("900".into());
    play.version = 900;
    play.take(Event::Published(Seen::There(Box::new(map))));
    assert!(!play.published(ZONE).unwrap().is_labelled);
    play.settle();
    let again = play.published(ZONE).unwrap();
    assert_eq!((again.serial, again.is_labelled), (stored.serial, true));
}

#[test]
fn a_retired_zone_whose_stored_copy_somebody_removed_is_stored_again() {
    let mut play = with_a_zone();
    gone(&mut play, &[ZONE]);
    let before = play.published(ZONE).unwrap();
    let map = ObjectKey::new("cst-system", crate::published::config_map_name(&name(ZONE)));
    play.take(Event::Published(Seen::Gone(map)));
    play.settle();
    let after = play.published(ZONE).unwrap();
    assert_ne!(after.resource_version, before.resource_version);
    assert_eq!(PublishedZone { resource_version: before.resource_version.clone(), ..after }, before);
    assert!(play.engine.zones[&name(ZONE)].damaged.is_none());
}

#[test]
fn a_list_that_lacks_what_is_there_leaves_nothing_behind() {
    let mut play = with_a_zone();
    let stored = play.published(ZONE).unwrap();
    let map = stored.to_config_map().unwrap();
    let key = ObjectKey::new("cst-system", crate::published::config_map_name(&name(ZONE)));
    play.take(Event::Published(Seen::Gone(key)));
    assert!(play.engine.zones[&name(ZONE)].damaged.is_some());
    play.take(Event::Published(Seen::There(Box::new(map))));
    assert!(play.engine.zones[&name(ZONE)].damaged.is_none());
    play.settle();
    assert_eq!(play.published(ZONE), Some(stored));
}
