//! What is heard is not believed without bound: parents that say nothing, servers that say anything, clocks that leap.

use cst_compiler::plan::parent::{Parent, ParentAnswer};

use super::dnssec::{HOUR, ZONE, asking, parent, signed};
use super::*;

const PARTNER: &str = "partner";

/// A leader with a server that must serve the zones, and one that need not.
fn with_a_partner() -> Play {
    let secondaries = json!([{"name": "ns1", "address": "127.0.0.1:1053"},
                             {"name": PARTNER, "address": "127.0.0.1:1054", "required": false}]);
    let dns = json!({"dns": {"resolvers": ["127.0.0.1:5300"], "secondaries": secondaries}});
    let mut play = Play::with(settings(&dns));
    play.engine.lead(true);
    play.listed();
    play.tenant("urbino", &["urbino.pu.it", ZONE]);
    play
}

impl Play {
    fn partner_answers(&mut self, zone: &str, serial: Option<u32>) {
        self.take(Event::Observed(Observation::serial(name(zone), PARTNER, serial)));
        self.settle();
    }

    fn serial(&self) -> u32 {
        self.published(ZONE).unwrap().serial
    }

    /// The parent's servers say this; `None`: it is silent.
    fn parent_says(&mut self, servers: &[(&str, Option<Vec<Ds>>)]) {
        let answer = |ds: &Vec<Ds>| ParentAnswer {
            ns: [name("ns1.cst.example.net")].into(),
            ds: ds.iter().cloned().collect(),
            ttl: if ds.is_empty() { 0 } else { HOUR },
        };
        let servers = servers.iter().map(|(server, said)| ((*server).to_owned(), said.as_ref().map(answer)));
        let parent = Parent { servers: servers.collect() };
        let asked = self.now.instant;
        self.take(Event::Observed(Observation::Parent { zone: name(ZONE), parent, asked }));
        self.settle();
    }

    /// What is held waits until the coordinator approves it.
    fn approved(&mut self) {
        let (_, message) = self.says(ZONE, "PlanHeld");
        let digest = self.engine.zones[&name(ZONE)].held[0].digest.clone();
        assert!(message.contains(&digest), "{message}");
        let metadata = json!({"name": "urbino", "annotations": {"territorial.services/approve": digest}});
        let spec = json!({"displayName": "Urbino", "entityType": "Comune", "domains": ["urbino.pu.it", ZONE]});
        self.object(Event::Tenant, json!({"metadata": metadata, "spec": spec}));
        self.settle();
    }
}

#[test]
fn a_zone_is_not_begun_while_no_server_of_the_parent_answers() {
    for mode in ["Signed", "Unsigned"] {
        let spec = json!({"dnssec": {"mode": mode}});
        let mut play = asking();
        play.domain("urbino", ZONE, &spec);
        play.settle();
        for told in [false, true] {
            assert!(play.published(ZONE).is_none(), "{mode}");
            let held = &play.engine.zones[&name(ZONE)].held;
            assert_eq!(!held.is_empty(), told, "{mode}: {held:?}");
            play.turn(6);
            play.settle();
        }
        play.parent_says(&[("a.dns.it", None), ("b.dns.it", None)]);
        assert!(play.published(ZONE).is_none(), "{mode}");
        let (_, message) = play.says(ZONE, "PlanHeld");
        assert!(message.starts_with("no server of the parent says whether it has a DS"), "{message}");
        let mut other = asking();
        other.domain("urbino", ZONE, &spec);
        other.settle();
        other.parent_says(&[("a.dns.it", None), ("b.dns.it", Some(vec![]))]);
        assert!(other.published(ZONE).is_some(), "one that answers is enough");
        play.approved();
        assert!(play.published(ZONE).is_some());
    }
}

#[test]
fn a_parents_ds_of_another_digest_is_the_keys() {
    let mut play = signed();
    let ds = Ds { key_tag: 1, algorithm: 13, digest_type: 4, digest: vec![0xBB; 48] };
    play.parent_says(&[("a.dns.it", Some(vec![ds]))]);
    play.hours(1);
    assert_eq!(play.says(ZONE, "DSPublished").0, "True Ready");
    assert_eq!(play.says(ZONE, "Ready").0, "True Ready");
}

#[test]
fn a_server_that_is_always_ahead_makes_no_version_each_time() {
    let mut play = with_a_partner();
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    parent(&mut play, ZONE, &[]);
    play.settle();
    let mut versions = 0;
    for _ in 0..100 {
        let serial = play.serial();
        play.answers(ZONE, serial);
        play.partner_answers(ZONE, Some(serial + 1));
        versions += u32::from(play.serial() != serial);
    }
    assert_eq!(versions, 1);
    let serial = play.serial();
    play.turn(601);
    play.settle();
    assert!(play.serial() > serial + 1, "a while later it is outbid again");
}

#[test]
fn a_serial_that_can_be_none_of_the_zones_moves_nothing() {
    let mut play = with_a_partner();
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    parent(&mut play, ZONE, &[]);
    play.settle();
    let serial = play.serial();
    play.answers(ZONE, serial);
    for ahead in [(1 << 31) - 1, (1 << 30) + HOUR] {
        play.partner_answers(ZONE, Some(serial.wrapping_add(ahead)));
        assert_eq!(play.serial(), serial);
    }
    play.partner_answers(ZONE, Some(2_026_112_301));
    assert_eq!(play.serial(), 2_026_112_302, "the year and the day are");
}

#[test]
fn a_partner_with_old_keys_is_waited_for_after_a_restart_too() {
    let rolling = json!({"dnssec": {"rollover": "2026-11-19"}});
    let mut play = with_a_partner();
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    for ds in [&[][..], &[1]] {
        parent(&mut play, ZONE, ds);
        play.settle();
    }
    let old = play.serial();
    play.partner_answers(ZONE, Some(old));
    play.hours(3);
    play.now.today = Date::parse("2026-11-19").unwrap();
    play.domain("urbino", ZONE, &rolling);
    play.hours(3);
    assert_eq!(play.keys(ZONE), "1LST 2L");
    let mut stored = play.published(ZONE).unwrap().to_config_map().unwrap();
    stored.metadata.resource_version = Some("9000".into());
    let mut next = with_a_partner();
    (next.now, next.version) = (play.now.clone(), 10_000);
    next.domain("urbino", ZONE, &rolling);
    next.take(Event::Published(Seen::There(Box::new(stored))));
    next.partner_answers(ZONE, None);
    parent(&mut next, ZONE, &[1]);
    next.settle();
    next.hours(6);
    assert_eq!(next.keys(ZONE), "1LST 2L");
    let serial = next.serial();
    next.partner_answers(ZONE, Some(serial));
    next.hours(6);
    assert_eq!(next.keys(ZONE), "1L 2LST", "it serves both keys now");
}

#[test]
fn a_partner_that_serves_the_zone_above_as_it_was_is_waited_for() {
    let (above, below) = ("urbino.pu.it", "museo.urbino.pu.it");
    let mut play = with_a_partner();
    play.domain("urbino", above, &json!({}));
    play.domain("urbino", below, &json!({}));
    let hours = |play: &mut Play, count: u32, follows: bool| {
        for _ in 0..count {
            play.turn(HOUR);
            for zone in [above, below] {
                let serial = play.published(zone).map_or(0, |published| published.serial);
                play.answers(zone, serial);
                if follows || zone == below {
                    play.partner_answers(zone, Some(serial));
                }
                play.settle();
            }
        }
    };
    play.settle();
    parent(&mut play, above, &[]);
    hours(&mut play, 6, true);
    assert_eq!(play.keys(below), "1LST");
    play.now.today = Date::parse("2026-11-19").unwrap();
    play.domain("urbino", below, &json!({"dnssec": {"rollover": "2026-11-19"}}));
    hours(&mut play, 1, true);
    hours(&mut play, 20, false);
    assert_eq!(play.keys(below), "1L 2LST", "the partner's server has the DS of key 1 alone");
    hours(&mut play, 20, true);
    assert_eq!(play.keys(below), "2LST", "{:?}", play.engine.zones[&name(below)].wait);
}

#[test]
fn records_that_go_in_small_steps_are_counted_together() {
    let mut play = signed();
    let records = |count: u32| -> Value {
        let host = |host| json!({"name": format!("h{host}"), "type": "A", "values": ["192.0.2.1"]});
        json!({"records": (0..count).map(host).collect::<Vec<_>>()})
    };
    play.domain("urbino", ZONE, &records(100));
    play.hours(1);
    for count in [75, 55, 40, 30, 20, 10, 0] {
        play.turn(60);
        play.domain("urbino", ZONE, &records(count));
        play.settle();
    }
    let sets = |play: &Play| play.published(ZONE).unwrap().zone.sets().filter(|set| set.name != name(ZONE)).count();
    assert_eq!(sets(&play), 75);
    assert!(play.says(ZONE, "PlanHeld").1.contains("more went since yesterday"), "{:?}", play.says(ZONE, "PlanHeld"));
    play.approved();
    assert_eq!(sets(&play), 0);
}

#[test]
fn a_clock_three_days_ahead_ends_no_waiting() {
    let mut play = signed();
    play.tomorrow();
    play.domain("urbino", ZONE, &json!({"dnssec": {"rollover": "2026-11-19"}}));
    play.hours(5);
    parent(&mut play, ZONE, &[2]);
    play.settle();
    play.now.seconds += 3 * 86_400;
    play.engine.tick();
    play.settle();
    play.hours(9);
    assert_eq!(play.keys(ZONE), "1L 2LST", "caches have the old DS for ten hours");
    play.hours(2);
    assert_eq!(play.keys(ZONE), "2LST");
}

#[test]
fn a_server_of_the_parent_that_is_dead_for_good_leaves_a_word_to_the_coordinator() {
    let mut play = signed();
    play.domain("urbino", ZONE, &json!({"dnssec": {"mode": "Unsigned"}}));
    play.hours(1);
    play.parent_says(&[("a.dns.it", Some(vec![])), ("b.dns.it", None)]);
    play.hours(20);
    assert!(play.engine.zones[&name(ZONE)].held.is_empty(), "it may come back");
    play.hours(10);
    let (_, message) = play.says(ZONE, "PlanHeld");
    assert!(message.starts_with("b.dns.it does not say what DS the parent has"), "{message}");
    assert_eq!(play.keys(ZONE), "1LST leaving");
    play.approved();
    play.hours(12);
    assert_eq!(play.keys(ZONE), "");
}

#[test]
fn a_zone_is_not_begun_by_a_clock_that_no_other_zone_agrees_with() {
    let mut play = signed();
    let other = "museo.pu.it";
    play.tenant("museo", &[other]);
    play.now.seconds += 10 * 365 * 86_400;
    play.domain("museo", other, &json!({}));
    play.settle();
    parent(&mut play, other, &[]);
    play.settle();
    assert!(play.published(other).is_none());
    let held = &play.engine.zones[&name(other)].held;
    assert!(held[0].message.starts_with("the clock is 3650 days after"), "{held:?}");
    play.now.seconds -= 10 * 365 * 86_400;
    play.turn(601);
    play.settle();
    assert!(play.published(other).is_some());
}
