//! The steps, and a world in which they are taken: whatever a validator may have kept, it believes the zone.

mod world;

use super::*;
use world::{Registry, World};

const SIGNED: Wanted = Wanted {
    signed: true,
    algorithm: DnssecAlgorithm::EcdsaP256Sha256,
    denial: Denial::Nsec,
    rollover: None,
    lifetime: None,
};
const UNSIGNED: Wanted = Wanted { signed: false, ..SIGNED };
const ED25519: Wanted = Wanted { algorithm: DnssecAlgorithm::Ed25519, ..SIGNED };

fn rolled_on(day: &str) -> Wanted {
    Wanted { rollover: Some(Date::parse(day).unwrap()), ..SIGNED }
}

/// What the active keys do: `L`isted, `S`igning, `T`rusted.
fn state(signing: &Signing) -> String {
    let letters = |key: &ZoneKey| {
        let of = [(key.listed, 'L'), (key.signs, 'S'), (key.trusted, 'T')];
        of.into_iter().filter(|(does, _)| *does).map(|(_, letter)| letter).collect::<String>()
    };
    let keys: Vec<String> = signing.active().map(|key| format!("{}{}", key.id, letters(key))).collect();
    if signing.leaving { format!("{} leaving", keys.join(" ")) } else { keys.join(" ") }
}

/// The states that a zone goes through until it is as it is wanted, and for how many hours it stays in each.
fn path(world: &mut World, wanted: &Wanted) -> Vec<String> {
    world.run(wanted, 24 * 30);
    world.take_path(state)
}

#[test]
fn a_new_zone_begins_as_it_is_wanted() {
    let mut world = World::new(&SIGNED, 1);
    assert_eq!(path(&mut world, &SIGNED), ["1LST"]);
    let mut world = World::new(&UNSIGNED, 1);
    assert_eq!(path(&mut world, &UNSIGNED), [""]);
    assert_eq!(path(&mut world, &SIGNED), ["", "1LS", "1LST"]);
}

#[test]
fn a_rollover_lists_the_new_key_then_the_parent_changes_then_the_old_goes() {
    let mut world = World::new(&SIGNED, 2);
    world.run(&SIGNED, 100);
    let tomorrow = rolled_on(&world.day(1));
    assert_eq!(path(&mut world, &tomorrow), ["1LST", "1LST 2L", "1L 2LST", "2LST"]);
    world.take_path(state);
    assert_eq!(path(&mut world, &tomorrow), ["2LST"], "once is enough");
    world.run(&Wanted { lifetime: Some(20), ..SIGNED }, 24 * 15);
    assert_eq!(world.take_path(state).last().unwrap(), "3LST", "it was older than it may become");
}

#[test]
fn another_algorithm_signs_before_it_is_listed_and_the_old_one_signs_after_it_was() {
    let mut world = World::new(&SIGNED, 3);
    let expected = ["1LST", "1LST 2S", "1LST 2LS", "1LS 2LST", "1S 2LST", "2LST"];
    assert_eq!(path(&mut world, &ED25519), expected);
}

#[test]
fn going_unsigned_waits_for_the_parent_and_the_key_is_kept() {
    let mut world = World::new(&SIGNED, 4);
    world.run(&SIGNED, 200);
    assert_eq!(path(&mut world, &UNSIGNED), ["1LST", "1LST leaving", ""]);
    assert_eq!(path(&mut world, &SIGNED), ["", "1LS", "1LST"], "the same key");
}

#[test]
fn going_unsigned_waits_for_an_answer_that_is_asked_for_when_nothing_else_is_waited_for() {
    let mut world = World::new(&SIGNED, 4);
    world.registry = Registry::IsDeaf;
    world.run(&SIGNED, 200);
    world.asks_no_more = true;
    world.run(&UNSIGNED, 24 * 9);
    assert_eq!(world.take_path(state).last().unwrap(), "1LST leaving", "there was no DS nine days ago");
    assert!(world.wait.clone().unwrap().anew, "{:?}", world.wait);
    world.asks_no_more = false;
    world.run(&UNSIGNED, 2);
    assert_eq!(world.take_path(state).last().unwrap(), "");
}

#[test]
fn a_zone_that_others_serve_is_to_be_trusted_when_no_cache_has_it_from_them() {
    let (ours, others) = (DomainName::parse("ns1.cst.example").unwrap(), DomainName::parse("ns.old.example").unwrap());
    let mut world = World::new(&UNSIGNED, 11);
    world.delegated = [others.clone()].into();
    world.run(&UNSIGNED, 24);
    for delegated in [vec![others.clone()], vec![ours.clone(), others]] {
        world.delegated = delegated.into_iter().collect();
        world.run(&SIGNED, 24 * 20);
        assert_eq!(world.take_path(state).last().unwrap(), "1LS");
        let wait = world.wait.clone().unwrap();
        assert!(wait.text.starts_with("the parent to delegate the zone to ns1.cst.example alone"), "{}", wait.text);
    }
    world.delegated = [ours].into();
    world.run(&SIGNED, 24 * 6);
    assert_eq!(world.take_path(state), ["1LS"]);
    assert_eq!(world.wait.clone().unwrap().text, "caches to forget what other servers served");
    assert_eq!(path(&mut world, &SIGNED), ["1LS", "1LST"]);
}

#[test]
fn who_changes_their_mind_goes_back() {
    let mut world = World::new(&SIGNED, 5);
    world.run(&SIGNED, 200);
    world.registry = Registry::IsDeaf;
    world.run(&ED25519, 24 * 9);
    assert_eq!(world.take_path(state).last().unwrap(), "1LS 2LST", "the parent never took the new DS");
    world.registry = Registry::Follows;
    assert_eq!(path(&mut world, &SIGNED).last().unwrap(), "1LST");
    world.run(&UNSIGNED, 1);
    assert_eq!(path(&mut world, &SIGNED).last().unwrap(), "1LST");
}

#[test]
fn whatever_is_wanted_and_whenever_validators_believe_the_zone() {
    for seed in 1..=40 {
        let mut world = World::new(&SIGNED, seed);
        world.registry = [Registry::Follows, Registry::IsMeddledWith][world.below(2)];
        world.digest_type = [2, 4][world.below(2)];
        for _ in 0..9 {
            let wishes = [SIGNED, UNSIGNED, ED25519, rolled_on(&world.day(0)), rolled_on(&world.day(2))];
            let wish = world.below(5);
            let longest = [6, 400][world.below(2)];
            let hours = world.below(longest);
            world.run(&wishes[wish], hours);
        }
        world.registry = Registry::Follows;
        world.run(&SIGNED, 24 * 60);
        let end = world.take_path(state);
        assert!(end.last().unwrap().ends_with("LST"), "seed {seed}: {end:?}");
    }
}

#[test]
#[should_panic(expected = "bogus")]
fn a_zone_that_is_led_too_fast_is_found_out() {
    let mut world = World::new(&SIGNED, 6);
    world.run(&SIGNED, 200);
    world.haste = true;
    for _ in 0..10 {
        world.run(&rolled_on(&world.day(0)), 24 * 30);
    }
}

#[test]
fn a_clock_that_goes_back_takes_no_step_too_early() {
    let mut world = World::new(&SIGNED, 7);
    world.run(&SIGNED, 100);
    world.run(&ED25519, 3);
    world.clock_is_behind_by(50 * 3600);
    world.run(&ED25519, 24 * 40);
    assert_eq!(world.take_path(state).last().unwrap(), "2LST");
}

#[test]
fn where_nobody_asks_the_parent_the_coordinator_says_that_it_is_done() {
    let mut world = World::new(&SIGNED, 8);
    world.run(&SIGNED, 10);
    world.nobody_asks_the_parent = true;
    world.run(&UNSIGNED, 24 * 30);
    assert_eq!(world.take_path(state).last().unwrap(), "1LST leaving");
    let held = world.wait.clone().unwrap().held.unwrap();
    assert!(held.message.contains("no `dns.resolvers`") && held.message.contains("no DS"), "{}", held.message);
    world.approved = Some(held.digest);
    assert_eq!(path(&mut world, &UNSIGNED).last().unwrap(), "");
}

#[test]
fn what_is_waited_for_is_said() {
    let mut world = World::new(&SIGNED, 9);
    world.run(&SIGNED, 100);
    world.registry = Registry::IsDeaf;
    world.run(&rolled_on(&world.day(0)), 24 * 6);
    let wait = world.wait.clone().unwrap();
    let (old, new) = (1001, 1002);
    assert!(wait.text.contains(&format!("the parent to have the DS {new} 13 2")), "{}", wait.text);
    assert!(wait.text.ends_with(&format!("a.example, b.example still has the DS of key {old}")), "{}", wait.text);
    assert_eq!(wait.until, None);
}

#[test]
fn a_state_is_stored_and_read_back() {
    let mut world = World::new(&SIGNED, 10);
    world.run(&SIGNED, 100);
    world.run(&ED25519, 100);
    let text = serde_json::to_string(&world.signing).unwrap();
    assert_eq!(serde_json::from_str::<Signing>(&text).unwrap(), world.signing);
}
