use cst_compiler::status::ailment::Ailment;

use super::*;

const ZONE: &str = "comune.urbino.pu.it";

fn urbino() -> Play {
    let mut play = Play::leading();
    play.tenant("urbino", &[ZONE]);
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    play
}

fn record(value: &str) -> Value {
    json!({"records": [{"name": "www", "type": "A", "values": [value]}]})
}

#[test]
fn the_same_content_is_no_new_version() {
    let mut play = urbino();
    let first = play.published(ZONE).unwrap();
    assert_eq!((first.serial, first.inception), (BEGIN, BEGIN - 3600));
    play.turn(100);
    play.domain("urbino", ZONE, &json!({"records": []}));
    play.settle();
    assert_eq!(play.published(ZONE).unwrap().serial, first.serial);
    play.domain("urbino", ZONE, &record("192.0.2.1"));
    play.settle();
    assert_eq!(play.published(ZONE).unwrap().serial, BEGIN + 100);
    play.domain("urbino", ZONE, &record("192.0.2.2"));
    play.settle();
    assert_eq!(play.published(ZONE).unwrap().serial, BEGIN + 101);
}

#[test]
fn signatures_are_renewed_before_two_thirds_of_their_time_are_over() {
    let mut play = urbino();
    let first = play.published(ZONE).unwrap();
    play.turn(10 * 86_400 - 7200);
    play.engine.tick();
    play.settle();
    assert_eq!(play.published(ZONE).unwrap().inception, first.inception);
    play.turn(5 * 86_400);
    play.engine.tick();
    play.settle();
    let renewed = play.published(ZONE).unwrap();
    assert!(renewed.serial > first.serial && renewed.inception == play.now.seconds - 3600);
    assert_eq!(renewed.digest, first.digest);
}

#[test]
fn a_public_server_that_is_ahead_is_overtaken() {
    let mut play = urbino();
    let first = play.published(ZONE).unwrap();
    play.answers(ZONE, first.serial);
    play.settle();
    assert_eq!(play.published(ZONE).unwrap().serial, first.serial);
    play.answers(ZONE, first.serial + 5000);
    play.settle();
    assert_eq!(play.published(ZONE).unwrap().serial, first.serial + 5001);
}

#[test]
fn who_waits_for_a_server_is_told_what_ails_it_and_who_does_not_is_not_touched() {
    let mut play = urbino();
    let ails = |play: &mut Play, ailment| {
        play.take(Event::Observed(Observation::Health { server: "ns1".into(), ailment }));
        play.settle();
    };
    let serial = play.published(ZONE).unwrap().serial;
    ails(&mut play, Some(Ailment::Silent));
    play.turn(60);
    play.engine.tick();
    play.settle();
    let waits = |why: &str| format!("waits for ns1 to answer serial {serial}{why}");
    assert_eq!(play.says(ZONE, "Ready"), ("False Waiting".into(), waits(" (ns1 does not answer)")));
    ails(&mut play, Some(Ailment::NoCatalog));
    assert_eq!(play.says(ZONE, "Ready").1, waits(" (ns1 answers, but does not have the catalog zone)"));
    ails(&mut play, None);
    assert_eq!(play.says(ZONE, "Ready").1, waits(""));

    play.answers(ZONE, serial);
    play.settle();
    assert_eq!(play.says(ZONE, "Ready").0, "True Ready");
    ails(&mut play, Some(Ailment::Silent));
    assert_eq!(play.says(ZONE, "Ready").0, "True Ready", "it is served as far as anybody knows");
}

#[test]
fn a_server_that_answers_a_serial_beyond_belief_is_named_with_what_to_do() {
    let mut play = urbino();
    let serial = play.published(ZONE).unwrap().serial;
    play.answers(ZONE, 3_500_000_000);
    play.settle();
    play.turn(60);
    play.engine.tick();
    play.settle();
    assert_eq!(play.published(ZONE).unwrap().serial, serial, "no version is made above it");
    let told =
        "(ns1 answers 3500000000, which is no serial of ours: remove the zone there, so that it is transferred anew)";
    assert_eq!(play.says(ZONE, "Ready").1, format!("waits for ns1 to answer serial {serial} {told}"));
    play.answers(ZONE, serial);
    play.settle();
    assert_eq!(play.says(ZONE, "Ready").0, "True Ready");
}

#[test]
fn a_domain_that_cannot_be_read_is_not_deleted() {
    let mut play = Play::new();
    let served = urbino().published(ZONE).unwrap();
    play.engine.zone_stored(served.clone(), play.now.instant);
    play.tenant("urbino", &[ZONE]);
    let metadata = json!({"name": ZONE, "namespace": "t-urbino", "uid": "u", "generation": 2, "resourceVersion": "9"});
    let metadata = Box::new(serde_json::from_value(metadata).unwrap());
    play.take(Event::Domain(Seen::Unreadable { metadata, error: "spec.ttl: expected a number".into() }));
    play.listed();
    play.engine.lead(true);
    let mut told = None;
    for (_, job) in play.all_work() {
        if let Job::Report(reports) = job {
            told = reports.into_iter().next();
        }
    }
    assert_eq!(play.published(ZONE).unwrap(), served);
    let conditions = told.unwrap().next.conditions().to_vec();
    assert_eq!((conditions[0].reason.as_str(), conditions[1].type_.as_str()), ("Invalid", "Stalled"));
    assert!(conditions[0].message.contains("spec.ttl: expected a number"));
}

#[test]
fn a_deleted_domain_is_served_for_its_retention_and_then_withdrawn() {
    let mut play = Play::leading();
    play.tenant("urbino", &["urbino.pu.it"]);
    play.domain("urbino", ZONE, &json!({"dnssec": {"mode": "Unsigned"}}));
    play.settle();
    let first = play.published(ZONE).unwrap();
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", ZONE))));
    play.settle();
    let retired = play.published(ZONE).unwrap();
    assert_eq!((retired.serial, retired.retired), (first.serial, Some(play.now.today)));
    play.now.today = Date::parse("2026-12-17").unwrap();
    play.engine.tick();
    play.settle();
    assert_eq!(play.published(ZONE), Some(retired));
    play.now.today = Date::parse("2026-12-18").unwrap();
    play.engine.tick();
    play.settle();
    assert_eq!(play.published(ZONE), None);
    assert!(play.engine.zones[&name(ZONE)].served.is_none());
}

#[test]
fn a_catalog_is_whole_only_when_all_that_is_stored_is_served() {
    let mut play = Play::new();
    play.engine.zone_stored(urbino().published(ZONE).unwrap(), play.now.instant);
    assert!(!play.engine.zones_are_complete());
    play.take(Event::Published(Seen::Listed));
    assert!(!play.engine.zones_are_complete());
    play.settle();
    assert!(play.engine.zones_are_complete(), "a follower serves what is stored");
    play.engine.lead(true);
    assert!(!play.engine.zones_are_complete(), "a leader knows of Domains that are not stored yet");
    play.tenant("urbino", &[ZONE]);
    play.domain("urbino", ZONE, &json!({}));
    assert_eq!(play.engine.zones_to_come(), None, "not all is listed");
    play.listed();
    assert!(!play.engine.zones_are_complete());
    assert_eq!(play.engine.zones_to_come(), Some(vec![name(ZONE)]));
    assert!(!play.engine.has_tried(&name(ZONE)));
    play.settle();
    assert!(play.engine.zones_are_complete() && play.engine.has_tried(&name(ZONE)));
}

#[test]
fn a_stored_zone_that_the_watch_has_not_told_is_known_to_be_unknown() {
    let mut play = Play::new();
    assert!(!play.engine.knows_stored(&name(ZONE)));
    play.engine.zone_stored(urbino().published(ZONE).unwrap(), play.now.instant);
    assert!(play.engine.knows_stored(&name(ZONE)) && !play.engine.knows_stored(&name("fano.example")));
    let mut damaged = urbino().published(ZONE).unwrap().to_config_map().unwrap();
    damaged.metadata.name = Some(crate::published::config_map_name(&name("fano.example")));
    play.take(Event::Published(Seen::There(Box::new(damaged))));
    assert!(play.engine.knows_stored(&name("fano.example")), "one that cannot be read is known too");
}

#[test]
fn a_zone_that_cannot_be_served_holds_back_no_other_and_says_so() {
    let mut play = Play::new();
    play.engine.zone_stored(urbino().published(ZONE).unwrap(), play.now.instant);
    play.take(Event::Published(Seen::Listed));
    let other = {
        let mut other = Play::leading();
        other.tenant("fano", &["fano.example"]);
        other.domain("fano", "fano.example", &json!({}));
        other.settle();
        other
    };
    play.engine.zone_stored(other.published("fano.example").unwrap(), play.now.instant);
    while let Some((work, job)) = play.engine.next(&play.now) {
        let fails = matches!(&work, Work::Serve(zone) if *zone == name(ZONE));
        let effects = if fails {
            vec![Effect::ZoneUnserved(name(ZONE), "its key is no key".into())]
        } else {
            play.carry_out(job)
        };
        play.engine.done(&work, effects, if fails { Err(broken()) } else { Ok(()) }, play.now.instant);
    }
    assert!(play.engine.zones_are_complete());
    assert_eq!(play.engine.zones[&name(ZONE)].trouble.as_deref(), Some("its key is no key"));
    play.turn(60);
    play.settle();
    assert_eq!(play.engine.zones[&name(ZONE)].trouble, None, "it is tried again");
}

fn stored_map(play: &Play, zone: &str, version: u64) -> k8s_openapi::api::core::v1::ConfigMap {
    let mut map = play.published(zone).unwrap().to_config_map().unwrap();
    map.metadata.resource_version = Some(version.to_string());
    map
}

#[test]
fn a_stored_zone_that_is_damaged_while_it_is_known_is_stored_again() {
    let mut play = urbino();
    let good = play.published(ZONE).unwrap();
    let mut map = stored_map(&play, ZONE, 900);
    map.binary_data = None;
    play.take(Event::Published(Seen::There(Box::new(map))));
    let stored = play.all_work().into_iter().find_map(|(_, job)| match job {
        Job::Zone(job) => job.pretend(901).into_iter().next(),
        _ => None,
    });
    let Some(Effect::ZoneStored(stored)) = stored else { panic!("{stored:?}") };
    assert_eq!(stored, PublishedZone { resource_version: "901".into(), ..good });
}

#[test]
fn a_stored_zone_that_cannot_be_read_stays_in_the_catalog_and_is_told() {
    let mut map = stored_map(&urbino(), ZONE, 900);
    map.binary_data = None;
    let (serial, mut play) = (urbino().published(ZONE).unwrap().serial, Play::leading());
    play.take(Event::Published(Seen::There(Box::new(map.clone()))));
    let served: Vec<String> = play
        .all_work()
        .into_iter()
        .filter_map(|(_, job)| if let Job::Serve(job) = job { job.damage } else { None })
        .collect();
    assert!(
        served[0].contains("`zone.gz` is missing or damaged"),
        "nobody asks for it, and it is declared: {served:?}"
    );
    play.turn(50);
    play.tenant("urbino", &[ZONE]);
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    assert_eq!(play.published(ZONE), None, "what stood there alone would be lost");
    let key = ObjectKey::new("t-urbino", ZONE);
    let told = play.told(Kind::Domain, &key, "PlanHeld").unwrap();
    assert!(told.contains("cannot be read") && told.contains("restore the object from a backup"), "{told}");
    let approve = told.rsplit(' ').next().unwrap();
    let metadata =
        json!({"name": ZONE, "namespace": "t-urbino", "annotations": {"territorial.services/approve": approve}});
    play.object(Event::Domain, json!({"metadata": metadata, "spec": {}}));
    play.settle();
    assert!(play.published(ZONE).unwrap().serial > serial);
}

#[test]
fn an_approval_is_good_once() {
    let mut play = urbino();
    let host = |number: u32| json!({"name": format!("h{number}"), "type": "A", "values": ["192.0.2.1"]});
    let spec = |count: u32| json!({"records": (0..count).map(host).collect::<Vec<_>>()});
    let declare = |play: &mut Play, count: u32, approve: &str| {
        let annotations = json!({"territorial.services/approve": approve});
        let metadata = json!({"name": ZONE, "namespace": "t-urbino", "annotations": annotations});
        play.object(Event::Domain, json!({"metadata": metadata, "spec": spec(count)}));
        play.settle();
        play.turn(60);
        play.settle();
    };
    let sets = |play: &Play| play.published(ZONE).unwrap().zone.sets().count();
    declare(&mut play, 20, "");
    let all = sets(&play);
    declare(&mut play, 3, "");
    assert_eq!(sets(&play), all);
    let told = play.told(Kind::Domain, &ObjectKey::new("t-urbino", ZONE), "PlanHeld").unwrap();
    let digest = told.rsplit(' ').next().unwrap();
    declare(&mut play, 3, digest);
    assert_eq!(sets(&play), all - 17);
    declare(&mut play, 20, digest);
    declare(&mut play, 3, digest);
    assert_eq!(sets(&play), all, "the same step again needs another word");
    let told = play.told(Kind::Domain, &ObjectKey::new("t-urbino", ZONE), "PlanHeld").unwrap();
    assert!(!told.ends_with(digest), "{told}");
    declare(&mut play, 3, told.rsplit(' ').next().unwrap());
    assert_eq!(sets(&play), all - 17);
}

#[test]
fn a_version_that_cannot_be_stored_again_and_again_is_told_until_it_is() {
    let mut play = urbino();
    play.answers(ZONE, play.published(ZONE).unwrap().serial);
    play.turn(60);
    play.settle();
    let key = ObjectKey::new("t-urbino", ZONE);
    assert!(play.told(Kind::Domain, &key, "Ready").is_some());
    play.domain("urbino", ZONE, &json!({"ttl": 600}));
    for _ in 0..4 {
        play.turn(60);
        while let Some((work, job)) = play.engine.next(&play.now) {
            let effects = play.carry_out(job);
            let fails = matches!(&work, Work::Unit(Unit::Zone(zone)) if *zone == name(ZONE));
            let is_told = |effect: &Effect| matches!(effect, Effect::Reported(_));
            let effects = effects.into_iter().filter(|effect| !fails || is_told(effect)).collect();
            play.engine.done(&work, effects, if fails { Err(broken()) } else { Ok(()) }, play.now.instant);
        }
    }
    assert_eq!(play.told(Kind::Domain, &key, "Ready"), None);
    let waits = play.told(Kind::Domain, &key, "Reconciling").unwrap();
    assert!(waits.contains("this to go well: the API server is away"), "{waits}");

    play.turn(60);
    play.settle();
    play.answers(ZONE, play.published(ZONE).unwrap().serial);
    play.turn(60);
    play.settle();
    assert!(play.told(Kind::Domain, &key, "Ready").is_some());
}
