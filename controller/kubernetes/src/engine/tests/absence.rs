//! What is gone and was not deleted: with its kind, with its namespace, or from a list. Nothing of it goes, whatever its policy.

use cst_api::{DeletionPolicy, MailboxState};

use super::mail::urbino;
use super::site::{portale, with_a_site};
use super::*;

const ZONES: [&str; 3] = ["a.example", "b.example", "c.example"];
const DAY: u32 = 86_400;

/// A leader with three zones that go at once: too few for the guard to hold any of them.
fn with_few() -> Play {
    let mut play = Play::leading();
    play.tenant("urbino", &["example"]);
    for zone in ZONES {
        play.domain("urbino", zone, &short_lived());
    }
    play.settle();
    play
}

fn there(play: &Play) -> usize {
    ZONES.iter().filter(|zone| play.published(zone).is_some()).count()
}

fn missed(play: &mut Play, zones: &[&str]) {
    for zone in zones {
        play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", *zone))));
    }
    play.settle();
}

/// The kind is going, is gone, was made anew; the same of the namespace; the list lacked them.
fn nobodys_words() -> Vec<Found> {
    let home = Some(Home { since: 0, ends: false });
    let later = Play::new().now.time.0.as_second() + 9;
    let swept = [None, Some(Home { since: 0, ends: true }), Some(Home { since: later, ends: false })];
    let kinds = swept.map(|kind| Found { object: false, kind, namespace: home });
    let namespaces = swept.map(|namespace| Found { object: false, kind: home, namespace });
    kinds.into_iter().chain(namespaces).chain([Found { object: true, kind: home, namespace: home }]).collect()
}

#[test]
fn few_zones_that_nobody_deleted_stay_whatever_their_policy() {
    for found in nobodys_words() {
        let mut play = with_few();
        let sane = std::mem::replace(&mut play.found, found);
        missed(&mut play, &ZONES);
        play.turn(2 * DAY);
        play.now.today = play.now.today.plus(2);
        play.engine.tick();
        play.settle();
        assert_eq!(there(&play), 3, "{found:?}");

        // All is as it was: declared again, and deleted one by one.
        play.found = sane;
        for zone in ZONES {
            play.domain("urbino", zone, &short_lived());
        }
        play.settle();
        let last = play.published(ZONES[0]).unwrap();
        assert_eq!((last.deletion_policy, last.retired), (DeletionPolicy::Delete, None));
        missed(&mut play, &ZONES[..1]);
        assert_eq!(there(&play), 2, "{found:?}");
    }
}

#[test]
fn what_went_with_its_kind_is_listed_and_goes_by_its_name_or_when_its_retention_ends() {
    let mut play = with_few();
    play.found.kind = None;
    missed(&mut play, &ZONES);
    let (count, listed) = play.engine.retained_of("urbino");
    assert_eq!((count, listed[0].until.to_string().as_str()), (3, "2026-12-18"));
    let metadata =
        json!({"name": "urbino", "annotations": {"territorial.services/drop": "Domain/a.example/2026-11-18"}});
    let spec = json!({"displayName": "urbino", "entityType": "Comune", "domains": ["example"]});
    play.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
    play.settle();
    assert_eq!(there(&play), 2);
    let month = |play: &mut Play| {
        play.turn(31 * DAY);
        play.now.today = play.now.today.plus(31);
        play.engine.tick();
        play.settle();
    };
    month(&mut play);
    assert_eq!(there(&play), 2, "its kind is not back");
    play.found.kind = Some(Home { since: i64::from(BEGIN) + 9, ends: false });
    play.engine.tick();
    play.settle();
    assert_eq!(there(&play), 0);
}

#[test]
fn nothing_goes_while_the_api_server_says_nothing() {
    let mut play = with_few();
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", ZONES[0]))));
    let mut asked = 0;
    for _ in 0..100 {
        play.turn(1);
        while let Some((work, job)) = play.engine.next(&play.now) {
            if matches!(job, Job::Absence(_)) {
                asked += 1;
                play.engine.done(&work, Vec::new(), Err(broken()), play.now.instant);
            } else {
                let effects = play.carry_out(job);
                play.engine.done(&work, effects, Ok(()), play.now.instant);
            }
        }
    }
    assert_eq!(there(&play), 3);
    assert!((3..20).contains(&asked), "{asked}");
    play.turn(61);
    play.settle();
    assert_eq!(there(&play), 2);
}

#[test]
fn an_answer_about_an_earlier_absence_says_nothing_of_this_one() {
    let mut play = with_few();
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", ZONES[0]))));
    let (work, effects) = loop {
        let (work, job) = play.engine.next(&play.now).unwrap();
        if matches!(job, Job::Absence(_)) {
            break (work, play.carry_out(job));
        }
        let effects = play.carry_out(job);
        play.engine.done(&work, effects, Ok(()), play.now.instant);
    };
    play.domain("urbino", ZONES[0], &short_lived());
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", ZONES[0]))));
    play.found.kind = None;
    play.engine.done(&work, effects, Ok(()), play.now.instant);
    play.settle();
    assert_eq!(there(&play), 3);
}

/// What a new controller finds that was not there when its kind was deleted and made anew.
fn after_a_restart(kind_since: i64) -> Play {
    let mut play = with_few();
    let stored = super::departures::stored(&play);
    let mut next = Play::new();
    (next.now, next.version) = (play.now.clone(), play.version);
    next.found.kind = Some(Home { since: kind_since, ends: false });
    next.tenant("urbino", &["example"]);
    for mut map in stored {
        map.metadata.creation_timestamp = Some(play.now.time.clone());
        next.take(Event::Published(Seen::There(Box::new(map))));
    }
    play = next;
    play.engine.lead(true);
    play.listed();
    play.settle();
    play
}

#[test]
fn a_kind_that_was_made_anew_while_no_controller_ran_is_no_deletion() {
    let stored_at = Play::new().now.time.0.as_second();
    assert_eq!(there(&after_a_restart(stored_at + 1)), 3);
    assert_eq!(there(&after_a_restart(stored_at - 1)), 0, "deleted meanwhile");
}

#[test]
fn what_may_go_already_is_not_asked_for_anew_after_a_restart() {
    let zones: Vec<String> = (0..10).map(|number| format!("ente{number}.example")).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    let mut play = super::dnssec::asking();
    play.tenant("urbino", &["example"]);
    for zone in &zones {
        play.domain("urbino", zone, &json!({"deletionPolicy": "Delete"}));
        play.settle();
        super::dnssec::parent(&mut play, zone, &[]);
        play.settle();
    }
    // Their parents have a DS: they may go, and wait.
    for zone in &zones[..3] {
        super::dnssec::parent(&mut play, zone, &[1]);
    }
    missed(&mut play, &zones[..3]);
    let departures = |play: &Play| play.engine.applied[&Unit::Tenant("urbino".into())].departures.clone();
    let before = departures(&play);
    assert_eq!(before.units().count(), 3);
    play.turn(DAY);
    play.now.today = play.now.today.plus(1);
    let mut next = super::departures::restarted(&play, &zones[3..]);
    assert_eq!(departures(&next), before);
    missed(&mut next, &zones[3..4]);
    assert!(next.published(zones[3]).is_some(), "three went before");
}

#[test]
fn few_boxes_that_nobody_deleted_stay_whatever_their_policy() {
    for found in nobodys_words() {
        let mut play = urbino(2);
        for number in 0..3 {
            play.writes(&format!("gone0{number}"), &json!({"deletionPolicy": "Delete"}));
        }
        play.settle();
        let sane = std::mem::replace(&mut play.found, found);
        for number in 0..3 {
            play.deletes(&format!("gone0{number}"));
        }
        play.turn(2 * DAY);
        play.now.today = play.now.today.plus(2);
        play.engine.tick();
        play.settle();
        assert_eq!(play.boxes(), 5, "{found:?}");
        play.found = sane;
        play.writes("gone00", &json!({"deletionPolicy": "Delete"}));
        play.settle();
        let content = play.content().unwrap();
        let back = content.boxes.iter().find(|mailbox| mailbox.address.local() == "gone00").unwrap();
        assert_eq!(
            (back.state, back.delete_policy, back.retained_since),
            (MailboxState::Active, DeletionPolicy::Delete, None)
        );
        play.deletes("gone00");
        assert_eq!(play.boxes(), 4, "{found:?}");
    }
}

#[test]
fn boxes_whose_tenant_is_missing_stay_whatever_their_policy() {
    let mut play = urbino(2);
    play.writes("gone00", &json!({"deletionPolicy": "Delete"}));
    play.settle();
    play.take(Event::Tenant(Seen::Gone(ObjectKey::new("", "urbino"))));
    play.deletes("gone00");
    assert_eq!(play.boxes(), 3);
    let mut left = urbino(2);
    left.writes("gone00", &json!({"deletionPolicy": "Delete"}));
    left.settle();
    left.leaves();
    left.found.namespace = None;
    left.deletes("gone00");
    assert_eq!(left.boxes(), 2, "its Tenant left, and with it its namespace");
}

#[test]
fn a_site_that_nobody_deleted_stays_whatever_its_policy() {
    for found in nobodys_words() {
        let mut play = with_a_site();
        let declares = |play: &mut Play| {
            let spec = json!({"application": "Static", "host": "comune.urbino.pu.it", "deletionPolicy": "Delete"});
            play.there(Event::WebSite, "portale", Some("urbino"), &spec);
            play.settle();
        };
        declares(&mut play);
        let is_there = |play: &Play| play.engine.applied.contains_key(&Unit::Site(portale()));
        let sane = std::mem::replace(&mut play.found, found);
        let deleted = Event::WebSite(Seen::Gone(portale()));
        play.take(Event::WebSite(Seen::Gone(portale())));
        play.settle();
        assert!(is_there(&play), "{found:?}");
        play.found = sane;
        declares(&mut play);
        play.take(deleted);
        play.settle();
        assert!(!is_there(&play), "{found:?}");
    }
}

/// The store is set back to these objects; everything is told anew, at versions below those that were told.
fn set_back(play: &mut Play, stored: Vec<k8s_openapi::api::core::v1::ConfigMap>, declared: &[(&str, Value)]) {
    play.version = 1;
    play.take(Event::Published(Seen::Anew));
    play.take(Event::Domain(Seen::Anew));
    let names: Vec<String> = stored.iter().filter_map(|map| map.metadata.name.clone()).collect();
    for mut map in stored {
        play.version += 1;
        map.metadata.resource_version = Some(play.version.to_string());
        play.take(Event::Published(Seen::There(Box::new(map))));
    }
    let lost = super::departures::stored(play).into_iter().filter_map(|map| map.metadata.name);
    for name in lost.filter(|name| !names.contains(name)).collect::<Vec<_>>() {
        play.take(Event::Published(Seen::Gone(ObjectKey::new("cst-system", name))));
    }
    for (zone, spec) in declared {
        play.domain("urbino", zone, spec);
    }
    let is_lost = |zone: &&str| !declared.iter().any(|(there, _)| there == zone);
    for zone in ZONES.iter().filter(|zone| is_lost(zone)) {
        play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", *zone))));
    }
    play.take(Event::Published(Seen::Listed));
    play.take(Event::Domain(Seen::Listed));
}

fn with_hosts(count: u32) -> Value {
    let host = |host| json!({"name": format!("h{host}"), "type": "A", "values": ["192.0.2.1"]});
    json!({"records": (0..count).map(host).collect::<Vec<_>>()})
}

/// What the next version of a zone replaces: the version that is stored, or nothing.
fn replaces(play: &Play, zone: &str) -> String {
    let state = &play.engine.zones[&name(zone)];
    let damaged = state.damaged.as_ref().map(|damaged| damaged.resource_version.clone());
    damaged.unwrap_or_else(|| state.published.as_ref().unwrap().resource_version.clone())
}

#[test]
fn a_store_that_is_set_back_takes_nothing_and_what_it_says_is_believed() {
    for leads in [true, false] {
        let mut play = Play::leading();
        play.tenant("urbino", &["example"]);
        for zone in &ZONES[..2] {
            play.domain("urbino", zone, &short_lived());
        }
        play.settle();
        let backup = super::departures::stored(&play);
        play.turn(60);
        play.version += 1000;
        play.domain("urbino", ZONES[0], &with_hosts(3));
        play.domain("urbino", ZONES[2], &short_lived());
        play.settle();
        let before = ZONES.map(|zone| play.published(zone).unwrap());

        play.engine.lead(leads);
        set_back(&mut play, backup, &[(ZONES[0], short_lived()), (ZONES[1], short_lived())]);
        assert_eq!(ZONES.map(|zone| replaces(&play, zone)), ["2", "3", ""], "nothing is stored of the last");
        play.engine.lead(true);
        play.settle();
        let after = ZONES.map(|zone| play.published(zone).unwrap());
        assert!(serial::is_newer(after[0].serial, before[0].serial), "what is declared now is above what was served");
        assert_eq!(after[0].zone.record_count(), before[1].zone.record_count());
        assert_eq!(after[1].serial, before[1].serial);
        assert_eq!((after[2].serial, &after[2].digest), (before[2].serial, &before[2].digest));
        assert_eq!((after[2].deletion_policy, after[2].retired), (DeletionPolicy::Retain, Some(play.now.today)));

        // And from there everything goes on.
        play.domain("urbino", ZONES[1], &with_hosts(2));
        play.domain("urbino", ZONES[2], &short_lived());
        play.settle();
        assert!(serial::is_newer(play.published(ZONES[1]).unwrap().serial, after[1].serial));
        assert_eq!(play.published(ZONES[2]).unwrap().retired, None);
    }
}

#[test]
fn a_zone_that_was_withdrawn_after_the_backup_is_there_again() {
    let mut play = with_few();
    let backup = super::departures::stored(&play);
    play.version += 1000;
    missed(&mut play, &ZONES[2..]);
    assert_eq!(there(&play), 2);
    set_back(&mut play, backup, &ZONES.map(|zone| (zone, short_lived())));
    play.settle();
    assert_eq!(there(&play), 3);
    // Another replica writes it.
    let stored = play.published(ZONES[2]).unwrap();
    let mut map = PublishedZone { serial: stored.serial + 1, ..stored.clone() }.to_config_map().unwrap();
    play.version += 1;
    map.metadata.resource_version = Some(play.version.to_string());
    play.take(Event::Published(Seen::There(Box::new(map))));
    assert_eq!(play.published(ZONES[2]).unwrap().serial, stored.serial + 1);
}

#[test]
fn a_store_that_is_set_back_takes_no_box_along() {
    let mut play = urbino(2);
    let backup = play.secrets();
    play.version += 1000;
    play.writes("nuova", &json!({"deletionPolicy": "Delete"}));
    play.settle();
    assert_eq!(play.boxes(), 3);

    play.version = 1;
    play.take(Event::Mailbox(Seen::Anew));
    play.take(Event::Shard(Seen::Anew));
    for mut secret in backup {
        play.version += 1;
        secret.metadata.resource_version = Some(play.version.to_string());
        play.take(Event::Shard(Seen::There(Box::new(secret))));
    }
    play.take(Event::Mailbox(Seen::Gone(ObjectKey::new("t-urbino", "nuova"))));
    play.take(Event::Mailbox(Seen::Listed));
    play.take(Event::Shard(Seen::Listed));
    assert!(!play.engine.mail[&name("comune.urbino.pu.it")].shards[&0].intact, "it is written again");
    play.settle();
    let content = play.content().unwrap();
    let lost = content.boxes.iter().find(|mailbox| mailbox.address.local() == "nuova").unwrap();
    assert_eq!((lost.delete_policy, lost.retained_since), (DeletionPolicy::Retain, Some(play.now.today)));
}
