//! Zones that begin while others serve them, or with keys that are there already.

use cst_compiler::plan::dnssec::StoredKey;

use super::*;

#[test]
fn a_zone_that_moves_in_shows_its_ds_when_no_cache_has_it_from_other_servers() {
    let mut play = asking();
    let delegated = |play: &mut Play, servers: &[&str]| {
        let ns = servers.iter().map(|server| name(server)).collect();
        let answer = ParentAnswer { ns, ..ParentAnswer::default() };
        // One that cannot be reached from here.
        let servers = [("a.dns.it".to_owned(), Some(answer)), ("b.dns.it".to_owned(), None)];
        let parent = Parent { servers: servers.into() };
        let asked = play.now.instant;
        play.take(Event::Observed(Observation::Parent { zone: name(ZONE), parent, asked }));
        play.settle();
    };
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    delegated(&mut play, &["ns.old.example"]);
    play.hours(30);
    assert_eq!(play.keys(ZONE), "1LS", "who has its DS would not believe the old servers");
    let zone = play.status(ZONE).zone.unwrap();
    assert_eq!((zone.dnssec.as_str(), zone.ds.len()), ("Changing", 0));
    let waits = zone.next.unwrap().waits_for;
    assert!(waits.starts_with("the parent to delegate the zone to ns1.cst.example.net alone"), "{waits}");
    delegated(&mut play, &["ns1.cst.example.net"]);
    play.hours(24 * 7 - 1);
    assert_eq!(play.keys(ZONE), "1LS");
    play.hours(3);
    assert_eq!((play.keys(ZONE).as_str(), play.status(ZONE).zone.unwrap().ds.len()), ("1LST", 1));
}

#[test]
fn keys_that_the_parent_does_not_trust_begin_no_zone() {
    let mut play = asking();
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    assert!(play.published(ZONE).is_none(), "it waits to hear of the parent");
    parent(&mut play, ZONE, &[77]);
    play.settle();
    assert!(play.published(ZONE).is_none());
    let (_, message) = play.says(ZONE, "PlanHeld");
    assert!(message.starts_with("the parent has the DS of key 77, and there is no key here"), "{message}");
    // The backup of the Secret is put back, and the controller started again.
    let mut play = asking();
    play.domain("urbino", ZONE, &json!({}));
    play.settle();
    let stored = |id| StoredKey {
        id,
        algorithm: cst_api::DnssecAlgorithm::EcdsaP256Sha256,
        ds: Ds { key_tag: id, algorithm: 13, digest_type: 2, digest: vec![0xAA; 32] },
        made: None,
    };
    play.engine.zone_keys(name(ZONE), vec![stored(76), stored(77)]);
    parent(&mut play, ZONE, &[77]);
    play.settle();
    assert_eq!(play.keys(ZONE), "76LST 77LS", "whichever of them is trusted, the zone is believed");
}

#[test]
fn a_rollover_of_an_earlier_day_is_done_when_the_key_says_so_though_all_else_is_lost() {
    for (made, keys) in [("2026-01-02", "1LST 2L"), ("2026-06-01", "1LST")] {
        let mut play = asking();
        play.domain("urbino", ZONE, &json!({"dnssec": {"rollover": "2026-06-01"}}));
        play.settle();
        let stored = StoredKey {
            id: 1,
            algorithm: cst_api::DnssecAlgorithm::EcdsaP256Sha256,
            ds: Ds { key_tag: 1, algorithm: 13, digest_type: 2, digest: vec![0xAA; 32] },
            made: Some(Date::parse(made).unwrap()),
        };
        play.engine.zone_keys(name(ZONE), vec![stored]);
        parent(&mut play, ZONE, &[1]);
        play.settle();
        assert_eq!(play.keys(ZONE), keys, "made on {made}");
    }
}
