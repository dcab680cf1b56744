use super::*;

fn set(units: &[&str]) -> BTreeSet<String> {
    units.iter().map(|unit| (*unit).to_owned()).collect()
}

/// A tenant of six units, of which these are over, on a day of November.
fn facts<'a>(over: &[&str], day: u8) -> Facts<'a> {
    let there = set(&["zone a", "zone b", "zone c", "site d", "site e", "site f"]);
    Facts {
        tenant: "fano",
        standing: Standing::There,
        own: Census { there, over: set(over) },
        named: BTreeSet::new(),
        returned: BTreeSet::new(),
        catalog: Census::default(),
        elsewhere: BTreeSet::new(),
        by_word: BTreeSet::new(),
        today: Date { year: 2026, month: 11, day },
        now: 1_795_000_000,
    }
}

fn without<'a>(facts: Facts<'a>, gone: &[&str]) -> Facts<'a> {
    let there = facts.own.there.difference(&set(gone)).cloned().collect();
    Facts { own: Census { there, ..facts.own }, ..facts }
}

fn refuse(_: &str) -> bool {
    false
}

#[test]
fn zones_and_sites_count_together() {
    let (next, held) = step(&Departures::default(), &facts(&["zone a"], 1), refuse);
    assert!(held.is_none() && next.has("zone a"));
    let (next, held) = step(&Departures::default(), &facts(&["zone a", "site d"], 1), refuse);
    let message = held.unwrap().message;
    assert_eq!(message, "it would drop 2 of 6 units (site d, zone a); of this tenant site d, zone a");
    assert!(!next.has("zone a") && !next.has("site d"));
}

#[test]
fn what_went_counts_for_two_days_as_does_what_may_go_and_is_still_there() {
    let (last, _) = step(&Departures::default(), &facts(&["zone a"], 1), refuse);
    let held = |facts: &Facts<'_>| step(&last, facts, refuse).1.is_some();
    assert!(held(&facts(&["zone a", "site d"], 9)), "it waits for its parent");
    assert!(held(&without(facts(&["site d"], 2), &["zone a"])));
    assert!(!held(&without(facts(&["site d"], 3), &["zone a"])));
    assert!(!held(&facts(&["site d"], 2)), "it came back");
}

#[test]
fn what_is_held_stays_held_when_the_rest_came_back_or_days_went_by() {
    let (last, held) = step(&Departures::default(), &facts(&["zone a", "site d"], 1), refuse);
    assert!(held.is_some());
    for later in [facts(&["zone a"], 1), facts(&["zone a", "site d"], 9), facts(&["zone a"], 9)] {
        let (next, held) = step(&last, &later, refuse);
        assert!(held.is_some() && !next.has("zone a"));
        let (next, held) = step(&last, &later, |_| true);
        assert!(held.is_none() && next.has("zone a") && next.held_by.is_empty());
    }
    let (back, held) = step(&last, &facts(&[], 1), refuse);
    assert!(held.is_none() && back.is_empty());
    let (next, _) = step(&back, &facts(&["zone a"], 1), refuse);
    assert!(next.has("zone a"), "it was declared again, and is deleted alone");
}

#[test]
fn one_that_came_back_needs_another_permission() {
    let (last, _) = step(&Departures::default(), &facts(&["zone a"], 1), refuse);
    let (next, _) = step(&last, &facts(&[], 1), refuse);
    assert!(next.is_empty());
    let returned = Facts { returned: set(&["zone a"]), ..facts(&["zone a", "site d"], 1) };
    let (next, held) = step(&last, &returned, refuse);
    assert!(held.is_some() && !next.has("zone a"), "and went again before anybody looked");
}

#[test]
fn an_approval_is_good_once() {
    let over = ["zone a", "site d", "site e"];
    let (_, held) = step(&Departures::default(), &facts(&over, 1), refuse);
    let digest = held.unwrap().digest;
    let (next, held) = step(&Departures::default(), &facts(&over, 1), |given| given == digest);
    assert!(held.is_none() && over.iter().all(|unit| next.has(unit)));
    let (back, _) = step(&next, &facts(&[], 1), refuse);
    let (next, held) = step(&back, &facts(&over, 1), |given| given == digest);
    assert!(held.is_some() && !next.has("zone a"));
}

#[test]
fn what_the_coordinator_let_go_needs_no_approval_and_counts_against_nothing() {
    let named = |over| Facts { named: set(&["zone a", "zone b", "zone c"]), ..facts(over, 1) };
    let (next, held) = step(&Departures::default(), &named(&["zone a", "zone b", "zone c"]), refuse);
    assert!(held.is_none() && next.has("zone c"));
    let (next, held) = step(&Departures::default(), &named(&["zone a", "site d"]), refuse);
    assert!(held.is_none() && next.has("zone a") && next.has("site d"), "one of five");
    let (next, held) = step(&next, &without(facts(&["site e"], 1), &["zone a", "site d"]), refuse);
    assert!(held.is_some() && !next.has("site e"), "two of five");
    let left = Facts { standing: Standing::Left, ..facts(&["zone a", "zone b"], 1) };
    let (left, _) = step(&Departures::default(), &left, refuse);
    let (approved, _) = step(&Departures::default(), &facts(&["zone a", "zone b"], 1), |_| true);
    for by_word in [left, approved] {
        assert_eq!(by_word.zones().count(), 0, "against others");
        assert_eq!(by_word.zones_by_word().collect::<BTreeSet<_>>(), set(&["zone a", "zone b"]));
    }
}

#[test]
fn a_word_stays_good_for_what_it_named_when_more_comes_to_be_held() {
    let (first, held) = step(&Departures::default(), &facts(&["zone a", "site d"], 1), refuse);
    let digest = held.unwrap().digest;
    let more = || facts(&["zone a", "site d", "site e"], 1);
    let (second, held) = step(&first, &more(), refuse);
    let newer = held.unwrap();
    assert_ne!(newer.digest, digest);
    assert!(newer.message.ends_with("of this tenant site d, site e, zone a"), "{}", newer.message);
    let (third, held) = step(&second, &more(), |given| given == digest);
    assert!(third.has("zone a") && third.has("site d") && !third.has("site e"));
    let left = held.unwrap();
    assert!(left.message.ends_with("of this tenant site e") && left.digest == newer.digest, "{left:?}");
    let (fourth, held) = step(&third, &without(more(), &["zone a", "site d"]), |given| given == newer.digest);
    assert!(held.is_none() && fourth.has("site e"));

    // It names what it named, also when a part of that came back and went again.
    let (back, _) = step(&second, &facts(&["site d", "site e"], 1), refuse);
    let (again, _) = step(&back, &more(), refuse);
    let (next, _) = step(&again, &more(), |given| given == digest);
    assert!(next.has("site d") && !next.has("zone a") && !next.has("site e"));
}

#[test]
fn so_many_digests_are_remembered_and_no_more() {
    let mut last = Departures::default();
    let units: Vec<String> = (0..100).map(|number| format!("zone {number:03}")).collect();
    for count in 2..units.len() {
        let own = Census { there: units.iter().cloned().collect(), over: units[..count].iter().cloned().collect() };
        last = step(&last, &Facts { standing: Standing::Missing, own, ..facts(&[], 1) }, refuse).0;
    }
    assert_eq!((last.told.len(), last.held_by.len()), (TOLD, 99));
}

#[test]
fn the_catalog_is_watched_across_tenants() {
    let all: BTreeSet<String> = (0..10).map(|number| format!("zone {number}")).chain(["zone a".into()]).collect();
    let elsewhere = |gone: &[&str]| {
        let catalog = Census { there: all.difference(&set(gone)).cloned().collect(), over: set(&["zone a"]) };
        Facts { elsewhere: set(gone), catalog, ..facts(&["zone a"], 1) }
    };
    assert!(step(&Departures::default(), &elsewhere(&["zone 1", "zone 2"]), refuse).1.is_none());
    let many = || elsewhere(&["zone 1", "zone 2", "zone 3"]);
    let (_, held) = step(&Departures::default(), &many(), refuse);
    assert!(held.unwrap().message.starts_with("the catalog would drop 1 of 8 zones"));
    let by_word = Facts { by_word: set(&["zone 1", "zone 2", "zone 3"]), ..elsewhere(&[]) };
    assert!(step(&Departures::default(), &by_word, refuse).1.is_none(), "the coordinator let them go");
    let left = Facts { standing: Standing::Left, ..many() };
    let (next, held) = step(&Departures::default(), &left, refuse);
    assert!(held.is_none() && next.has("zone a"), "the end of its Tenant is the coordinator's word");
    let missing = Facts { standing: Standing::Missing, ..facts(&["zone a"], 1) };
    let (next, held) = step(&Departures::default(), &missing, refuse);
    assert!(held.is_some() && !next.has("zone a"), "that it is missing is nobody's");
}
