//! A zone's keys over weeks, with a parent that follows or does not.

mod begin;

use cst_api::DomainStatus;
use cst_compiler::plan::parent::{Parent, ParentAnswer};
use cst_compiler::plan::renewal;

use super::*;
use crate::report::ObjectStatus;

pub(super) const ZONE: &str = "comune.urbino.pu.it";
pub(super) const HOUR: u32 = 3600;

/// A leader whose resolvers can be asked.
pub(super) fn asking() -> Play {
    let mut play = Play::with(settings(&json!({"dns": {"resolvers": ["127.0.0.1:5300"]}})));
    play.engine.lead(true);
    play.listed();
    play.tenant("urbino", &["urbino.pu.it", ZONE]);
    play
}

/// What two servers of the parent answer: the DS of these keys.
pub(super) fn parent(play: &mut Play, zone: &str, keys: &[u16]) {
    let ds = |id: &u16| Ds { key_tag: *id, algorithm: 13, digest_type: 2, digest: vec![0xAA; 32] };
    let ttl = if keys.is_empty() { 0 } else { 10 * HOUR };
    let answer = ParentAnswer { ns: [name("ns1.cst.example.net")].into(), ds: keys.iter().map(ds).collect(), ttl };
    let servers = ["a.dns.it", "b.dns.it"].map(|server| (server.to_owned(), Some(answer.clone()))).into();
    let asked = play.now.instant;
    play.take(Event::Observed(Observation::Parent { zone: name(zone), parent: Parent { servers }, asked }));
}

impl Play {
    /// An hour goes by, in which the public server takes what is published.
    pub(super) fn hour(&mut self, zone: &str) {
        self.turn(HOUR);
        if let Some(published) = self.published(zone) {
            self.answers(zone, published.serial);
        }
        self.settle();
    }

    pub(super) fn tomorrow(&mut self) {
        self.now.today = Date::parse("2026-11-19").unwrap();
        self.engine.tick();
        self.settle();
    }

    pub(super) fn hours(&mut self, count: u32) {
        (0..count).for_each(|_| self.hour(ZONE));
    }

    fn days(&mut self, count: u32) {
        for _ in 0..count {
            self.turn(23 * HOUR);
            self.engine.tick();
            self.hour(ZONE);
        }
    }

    /// What the keys do, as in the tests of their steps.
    pub(super) fn keys(&self, zone: &str) -> String {
        let signing = self.published(zone).unwrap().signing;
        let letters = |key: &ZoneKey| {
            let of = [(key.listed, 'L'), (key.signs, 'S'), (key.trusted, 'T')];
            let letters: String = of.into_iter().filter(|(does, _)| *does).map(|(_, letter)| letter).collect();
            format!("{}{letters}", key.id)
        };
        let keys = signing.keys.iter().filter(|key| key.is_active()).map(letters);
        keys.chain(signing.leaving.then(|| "leaving".to_owned())).collect::<Vec<_>>().join(" ")
    }

    fn status(&self, zone: &str) -> DomainStatus {
        let object = ObjectRef::new(Kind::Domain, ObjectKey::new("t-urbino", zone));
        let ObjectStatus::Domain(status) = self.engine.known[&object].status.clone() else { panic!("{object}") };
        status
    }

    pub(super) fn says(&self, zone: &str, condition: &str) -> (String, String) {
        let conditions = self.status(zone).conditions;
        let found = conditions.iter().find(|found| found.type_ == condition).unwrap();
        (found.status.clone() + " " + &found.reason, found.message.clone())
    }
}

/// A zone that is served, with its DS at the parent.
pub(super) fn signed() -> Play {
    let mut play = asking();
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    parent(&mut play, ZONE, &[]);
    play.hours(2);
    assert_eq!(play.says(ZONE, "DSPublished").0, "False DSMissing");
    parent(&mut play, ZONE, &[1]);
    play.hours(2);
    play
}

#[test]
fn a_new_zone_says_its_ds_and_whether_the_parent_has_it() {
    let play = signed();
    let status = play.status(ZONE).zone.unwrap();
    assert_eq!((status.dnssec.as_str(), status.ds.len(), status.next), ("Signed", 1, None));
    assert_eq!(play.says(ZONE, "DSPublished").0, "True Ready");
    assert_eq!(play.says(ZONE, "Delegated"), ("True Ready".into(), "delegated to ns1.cst.example.net".into()));
}

#[test]
fn a_rollover_by_date_waits_for_the_servers_the_caches_and_the_parent() {
    let mut play = signed();
    let serial = play.published(ZONE).unwrap().serial;
    play.domain("urbino", ZONE, &json!({"dnssec": {"rollover": "2026-11-19"}}));
    play.hours(3);
    assert_eq!((play.keys(ZONE).as_str(), play.published(ZONE).unwrap().serial), ("1LST", serial), "tomorrow");
    play.tomorrow();
    assert_eq!(play.keys(ZONE), "1LST 2L");
    assert!(play.published(ZONE).unwrap().serial > serial);
    play.turn(2);
    play.settle();
    let next = play.status(ZONE).zone.unwrap();
    assert_eq!(next.dnssec, "Changing");
    assert_eq!(next.next.unwrap().waits_for, "ns1 to serve the keys as they are");
    play.hour(ZONE);
    let next = play.status(ZONE).zone.unwrap().next.unwrap();
    assert_eq!(next.waits_for, "caches to forget what was served before");
    assert_eq!(next.not_before.as_deref(), Some(&*play.time_after(HOUR)));
    play.hours(2);
    assert_eq!(play.keys(ZONE), "1L 2LST");
    play.hours(30);
    assert_eq!(play.keys(ZONE), "1L 2LST", "the parent has the old DS");
    assert_eq!(play.says(ZONE, "DSPublished").0, "False Waiting");
    assert!(play.status(ZONE).zone.unwrap().next.unwrap().waits_for.contains("a.dns.it, b.dns.it still has the DS"));
    parent(&mut play, ZONE, &[2]);
    play.hours(10);
    assert_eq!(play.keys(ZONE), "1L 2LST", "caches may have the old DS");
    play.hours(2);
    assert_eq!(play.keys(ZONE), "2LST");
    play.hours(2);
    assert_eq!(play.status(ZONE).zone.unwrap().dnssec, "Signed");
}

#[test]
fn an_edit_amid_a_rollover_neither_stops_nor_hastens_it() {
    let mut play = signed();
    let record = |value: u32| json!({"name": "www", "type": "A", "values": [format!("192.0.2.{value}")]});
    let spec = |value: u32| json!({"dnssec": {"algorithm": "ED25519"}, "records": [record(value)]});
    let mut states = Vec::new();
    for hour in 0..60 {
        play.domain("urbino", ZONE, &spec(hour));
        play.hours(1);
        states.push(play.keys(ZONE));
        if hour == 20 {
            parent(&mut play, ZONE, &[2]);
        }
    }
    states.dedup();
    assert_eq!(states, ["1LST 2S", "1LST 2LS", "1LS 2LST", "1S 2LST", "2LST"]);
}

#[test]
fn a_zone_is_never_unsigned_while_the_parent_trusts_it() {
    let mut play = signed();
    play.domain("urbino", ZONE, &json!({"dnssec": {"mode": "Unsigned"}}));
    play.days(40);
    assert_eq!(play.keys(ZONE), "1LST leaving");
    let published = play.published(ZONE).unwrap();
    assert!(play.now.seconds - published.inception < 16 * 86_400, "its signatures are renewed");
    assert!(play.status(ZONE).zone.unwrap().ds.is_empty(), "none is to be handed on");
    parent(&mut play, ZONE, &[]);
    play.hours(10);
    assert_eq!(play.keys(ZONE), "1LST leaving");
    play.hours(3);
    assert_eq!(play.keys(ZONE), "");
    assert_eq!(play.status(ZONE).zone.unwrap().dnssec, "Unsigned");
    play.domain("urbino", ZONE, &json!({"dnssec": {"mode": "Signed"}}));
    play.hour(ZONE);
    assert_eq!(play.keys(ZONE), "1LS", "the same key");
    play.hours(3);
    assert_eq!(play.keys(ZONE), "1LST");
}

#[test]
fn a_ds_that_came_and_went_while_nobody_had_the_zone_is_waited_for() {
    let leaves: [fn(&mut Play); 2] = [
        |play| play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", ZONE)))),
        |play| play.tenant("urbino", &["urbino.pu.it"]),
    ];
    for leave in leaves {
        let mut play = asking();
        play.domain("urbino", ZONE, &json!({}));
        play.settle();
        parent(&mut play, ZONE, &[]);
        play.hours(2);
        leave(&mut play);
        play.hours(1);
        for ds in [&[1][..], &[]] {
            parent(&mut play, ZONE, ds);
            play.hours(1);
        }
        play.tenant("urbino", &["urbino.pu.it", ZONE]);
        play.domain("urbino", ZONE, &json!({"dnssec": {"mode": "Unsigned"}}));
        play.hours(7);
        assert_eq!(play.keys(ZONE), "1LST leaving", "caches may have the DS for ten hours");
        play.hours(4);
        assert_eq!(play.keys(ZONE), "");
    }
}

#[test]
fn where_nobody_asks_the_coordinators_word_stands_for_it_and_the_content_goes_on() {
    let mut play = Play::with(settings(&json!({})));
    play.engine.lead(true);
    play.listed();
    play.tenant("urbino", &[ZONE]);
    play.domain("urbino", ZONE, &json!({}));
    play.hours(1);
    let unsigned = |approve: &str| {
        json!({
            "metadata": {"name": ZONE, "namespace": "t-urbino", "annotations": {"territorial.services/approve": approve}},
            "spec": {"dnssec": {"mode": "Unsigned"}, "records": [{"name": "www", "type": "A", "values": ["192.0.2.1"]}]},
        })
    };
    play.object(Event::Domain, unsigned("nothing"));
    play.hours(10);
    assert_eq!(play.keys(ZONE), "1LST leaving");
    assert!(play.published(ZONE).unwrap().zone.get(&name(&format!("www.{ZONE}")), cst_api::RecordType::A).is_some());
    let (_, message) = play.says(ZONE, "PlanHeld");
    assert!(message.contains("no `dns.resolvers`") && message.contains("no DS"), "{message}");
    let digest = message.rsplit(' ').next().unwrap();
    play.object(Event::Domain, unsigned(digest));
    play.hours(1);
    assert_eq!(play.keys(ZONE), "");
    play.domain("urbino", ZONE, &json!({}));
    play.hours(10);
    assert_eq!(play.keys(ZONE), "1LST");
    play.object(Event::Domain, unsigned(digest));
    play.hours(10);
    assert_eq!(play.keys(ZONE), "1LST leaving", "the word was good once");
    assert!(!play.says(ZONE, "PlanHeld").1.ends_with(digest));
}

#[test]
fn a_zone_below_ours_is_led_by_what_our_own_servers_answer_above() {
    let mut play = asking();
    let above = "urbino.pu.it";
    let below = "museo.urbino.pu.it";
    play.domain("urbino", above, &json!({}));
    play.domain("urbino", below, &json!({}));
    let hours = |play: &mut Play, count: u32| {
        for _ in 0..count {
            play.hour(above);
            play.answers(below, play.published(below).map_or(0, |published| published.serial));
            play.settle();
        }
    };
    play.settle();
    parent(&mut play, above, &[]);
    hours(&mut play, 4);
    let ds = |play: &Play| {
        let zone = play.published(above).unwrap().zone;
        let set = zone.get(&name(below), cst_api::RecordType::DS).map(|set| set.values().to_vec());
        set.unwrap_or_default()
            .iter()
            .map(|data| data.to_string().split(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ds(&play), ["1"]);
    play.tomorrow();
    play.domain("urbino", below, &json!({"dnssec": {"rollover": "2026-11-19"}}));
    hours(&mut play, 1);
    assert_eq!((play.keys(below).as_str(), ds(&play)), ("1LST 2L", vec!["1".into()]));
    hours(&mut play, 10);
    assert_eq!((play.keys(below).as_str(), ds(&play)), ("2LST", vec!["2".into()]));
    play.domain("urbino", below, &json!({"dnssec": {"mode": "Unsigned"}}));
    hours(&mut play, 10);
    assert_eq!((play.keys(below).as_str(), ds(&play)), ("", vec![]));
}

#[test]
fn a_parent_that_trusts_another_key_is_an_outage_that_is_told() {
    let mut play = signed();
    parent(&mut play, ZONE, &[9]);
    play.hours(1);
    assert_eq!(play.says(ZONE, "Ready").0, "False DSMismatch");
    assert_eq!(play.says(ZONE, "Stalled").0, "True DSMismatch");
    parent(&mut play, ZONE, &[1]);
    play.hours(1);
    assert_eq!(play.says(ZONE, "Ready").0, "True Ready");
}

#[test]
fn a_clock_ten_years_ahead_signs_nothing_by_it() {
    let mut play = signed();
    let before = play.published(ZONE).unwrap();
    play.now.seconds += 10 * 365 * 86_400;
    play.engine.tick();
    play.settle();
    assert_eq!(play.published(ZONE).unwrap(), before);
    assert!(
        play.says(ZONE, "PlanHeld").1.starts_with("the clock is 3650 days after"),
        "{:?}",
        play.says(ZONE, "PlanHeld")
    );
    play.now.seconds -= 10 * 365 * 86_400;
    play.hours(1);
    assert_eq!(play.says(ZONE, "Ready").0, "True Ready");
}

#[test]
fn a_restart_with_a_clock_years_ahead_waits_to_hear_of_the_public_servers() {
    let published = signed().published(ZONE).unwrap();
    let mut play = asking();
    play.domain("urbino", ZONE, &json!({}));
    play.take(Event::Published(Seen::There(Box::new(published.to_config_map().unwrap()))));
    play.now.seconds += 10 * 365 * 86_400;
    play.settle();
    assert_eq!(play.published(ZONE).unwrap().inception, published.inception, "nobody was asked yet");
    play.take(Event::Observed(Observation::serial(name(ZONE), "ns1", None)));
    play.settle();
    assert!(play.published(ZONE).unwrap().inception > published.inception, "nobody serves it: we were away for long");
}

#[test]
fn without_a_public_server_no_key_step_is_believed_to_be_known() {
    let mut play = Play::with(settings(&json!({"dns": {"secondaries": []}})));
    play.engine.lead(true);
    play.listed();
    play.tenant("urbino", &["urbino.pu.it", ZONE]);
    play.domain("urbino", ZONE, &json!({"dnssec": {"mode": "Unsigned"}}));
    play.settle();
    play.domain("urbino", ZONE, &json!({}));
    play.hours(100);
    assert_eq!(play.keys(ZONE), "1LS");
    let next = play.status(ZONE).zone.unwrap().next.unwrap().waits_for;
    assert!(next.contains("a public server, named in the settings, to serve the keys"), "{next}");
}

#[test]
fn what_is_held_or_cannot_be_read_does_not_run_out_of_signatures() {
    let mut play = signed();
    let records: Vec<Value> =
        (0..20).map(|host| json!({"name": format!("h{host}"), "type": "A", "values": ["192.0.2.1"]})).collect();
    play.domain("urbino", ZONE, &json!({"records": records}));
    play.hours(1);
    play.domain("urbino", ZONE, &json!({}));
    play.days(50);
    assert!(play.says(ZONE, "PlanHeld").1.contains("record sets"));
    let age = |play: &Play| play.now.seconds - play.published(ZONE).unwrap().inception;
    assert!(age(&play) < 16 * 86_400);
    play.domain("urbino", ZONE, &json!({"records": [{"name": "h0", "type": "A", "values": ["no address"]}]}));
    play.days(50);
    assert!(age(&play) < 16 * 86_400);
}

#[test]
fn an_edit_keeps_the_signatures_of_what_it_leaves() {
    let mut play = signed();
    let before = play.published(ZONE).unwrap();
    play.domain("urbino", ZONE, &json!({"records": [{"name": "www", "type": "A", "values": ["192.0.2.1"]}]}));
    play.hours(1);
    let after = play.published(ZONE).unwrap();
    assert!(after.serial > before.serial);
    assert_eq!(after.inception, before.inception);
}

#[test]
fn after_27_days_without_a_controller_signatures_are_made_anew_before_anything_runs_out() {
    // The controller ends on the day before they would have been renewed.
    let mut aging = signed();
    let first = aging.published(ZONE).unwrap();
    let mut before = first.clone();
    while aging.published(ZONE).unwrap().inception == first.inception {
        before = aging.published(ZONE).unwrap();
        aging.days(1);
    }
    let mut play = asking();
    play.domain("urbino", ZONE, &json!({}));
    play.turn(aging.now.seconds - play.now.seconds + 27 * 86_400);
    assert!(play.now.seconds - before.inception > 36 * 86_400, "they are as old as they can be");
    assert!(play.now.seconds < before.inception + renewal::VALIDITY, "and valid still");
    let mut map = before.to_config_map().unwrap();
    map.metadata.resource_version = Some("900".into());
    play.take(Event::Published(Seen::There(Box::new(map))));
    play.answers(ZONE, before.serial);
    play.settle();
    let after = play.published(ZONE).unwrap();
    assert!(after.inception > before.inception + 26 * 86_400 && after.serial > before.serial);
    assert_eq!(after.signing.keys[0].ds, before.signing.keys[0].ds);
}
