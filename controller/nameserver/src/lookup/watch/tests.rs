use std::time::Duration;

use cst_compiler::model::DomainName;
use cst_compiler::plan::parent::{Parent, ParentAnswer};
use tokio::time::Instant;

use super::schedule::Schedule;
use super::{LookupError, Pace};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn zone(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn parent(answer: Option<ParentAnswer>) -> Parent {
    Parent { servers: [("ns.example".to_owned(), answer)].into() }
}

fn known() -> Parent {
    parent(Some(ParentAnswer::default()))
}

/// A schedule with one zone, and the time it begins.
fn one() -> (Schedule, DomainName, Instant) {
    let (mut schedule, zone, now) = (Schedule::new(Pace::default()), zone("fano.pu.it"), Instant::now());
    assert!(schedule.follow(&zone, now));
    assert!(!schedule.follow(&zone, now), "once");
    (schedule, zone, now)
}

#[test]
fn a_zone_is_due_at_once_then_about_every_hour_and_told_when_it_changes() {
    let (mut schedule, zone, now) = one();
    let ticket = schedule.begin(now).unwrap();
    assert!(schedule.begin(now).is_none(), "it is on its way");
    let seen = schedule.finish(&ticket, Ok(known()), now).unwrap();
    assert_eq!((seen.zone, seen.parent), (zone, known()));
    let due = schedule.next().unwrap();
    assert!(due - now >= HOUR * 3 / 4 && due - now <= HOUR * 5 / 4, "{:?}", due - now);
    assert!(schedule.begin(due - MINUTE).is_none());
    let ticket = schedule.begin(due).unwrap();
    assert_eq!(schedule.finish(&ticket, Ok(known()), due), None, "nothing new");
}

#[test]
fn many_zones_spread_over_the_hour() {
    let (mut schedule, now) = (Schedule::new(Pace::default()), Instant::now());
    for number in 0..1000 {
        schedule.follow(&zone(&format!("z{number}.example")), now);
    }
    while let Some(ticket) = schedule.begin(now) {
        schedule.finish(&ticket, Ok(known()), now);
    }
    let first = schedule.next().unwrap();
    let mut within = 0;
    while let Some(ticket) = schedule.begin(first + MINUTE) {
        schedule.finish(&ticket, Ok(known()), first + MINUTE);
        within += 1;
    }
    assert!((1..=80).contains(&within), "{within} of 1000 in the first of thirty minutes");
}

#[test]
fn what_is_waited_for_is_due_at_once_and_every_minute() {
    let (mut schedule, zone, now) = one();
    let ticket = schedule.begin(now).unwrap();
    schedule.finish(&ticket, Ok(known()), now);
    schedule.set_waiting(&zone, true, now);
    let ticket = schedule.begin(now).unwrap();
    schedule.finish(&ticket, Ok(known()), now);
    schedule.set_waiting(&zone, true, now);
    assert_eq!(schedule.next(), Some(now + MINUTE), "marked again, it is not asked again");
    schedule.set_waiting(&zone, false, now);
    let ticket = schedule.begin(now + MINUTE).unwrap();
    schedule.finish(&ticket, Ok(known()), now + MINUTE);
    assert!(schedule.next().unwrap() > now + HOUR / 2);
}

#[test]
fn what_is_waited_for_is_told_each_time_with_when_it_was_asked() {
    let (mut schedule, zone, now) = one();
    let ticket = schedule.begin(now).unwrap();
    schedule.finish(&ticket, Ok(known()), now);
    schedule.set_waiting(&zone, true, now);
    for round in 0..3 {
        let (begun, answered) = (now + MINUTE * 2 * round, now + MINUTE * (2 * round + 1));
        let ticket = schedule.begin(begun).unwrap();
        let seen = schedule.finish(&ticket, Ok(known()), answered).expect("the same is told again");
        assert_eq!((seen.parent, seen.asked), (known(), begun.into_std()));
    }
}

#[test]
fn who_asks_gets_an_answer_that_was_asked_for_afterwards() {
    let (mut schedule, zone, now) = one();
    let early = schedule.begin(now).unwrap();
    schedule.set_waiting(&zone, true, now);
    schedule.ask(&zone, now + MINUTE);
    assert!(schedule.begin(now + MINUTE).is_none(), "it is being asked");
    let at = now + MINUTE * 2;
    assert_eq!(schedule.finish(&early, Ok(known()), at).unwrap().asked, now.into_std(), "too early");
    let ticket = schedule.begin(at).expect("asked again at once");
    assert_eq!(schedule.finish(&ticket, Ok(known()), at).unwrap().asked, at.into_std());
    assert_eq!(schedule.next(), Some(at + MINUTE), "once");
    schedule.ask(&zone, at);
    assert!(schedule.begin(at).is_some(), "it was asked a moment ago");
    schedule.ask(&self::zone("urbino.pu.it"), at);
}

#[test]
fn silence_is_asked_again_soon_then_ever_later() {
    let (mut schedule, _, mut now) = one();
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let ticket = schedule.begin(now).unwrap();
        schedule.finish(&ticket, Ok(parent(None)), now);
        pauses.push(schedule.next().unwrap() - now);
        now = schedule.next().unwrap();
    }
    assert_eq!(pauses[..4], [MINUTE, MINUTE * 2, MINUTE * 4, MINUTE * 8]);
    assert!(pauses[7] >= HOUR * 3 / 4 && pauses[7] <= HOUR * 5 / 4);
}

#[test]
fn a_failure_silences_the_servers_known_before_and_forgets_none() {
    let (mut schedule, _, now) = one();
    let fail = || Err(LookupError::NoResolver);
    let ticket = schedule.begin(now).unwrap();
    let seen = schedule.finish(&ticket, fail(), now).unwrap();
    assert_eq!(seen.parent, Parent::default());
    assert!(seen.failure.unwrap().contains("dns.resolvers"));
    for (result, told) in [(Ok(known()), Some(known())), (fail(), Some(parent(None))), (fail(), None)] {
        let due = schedule.next().unwrap();
        let ticket = schedule.begin(due).unwrap();
        assert_eq!(schedule.finish(&ticket, result, due).map(|seen| seen.parent), told);
    }
}

#[test]
fn what_was_forgotten_meanwhile_is_not_told() {
    let (mut schedule, zone, now) = one();
    let ticket = schedule.begin(now).unwrap();
    assert!(schedule.forget(&zone));
    assert!(!schedule.forget(&zone));
    assert_eq!(schedule.finish(&ticket, Ok(known()), now), None);
    assert_eq!(schedule.next(), None);
    schedule.follow(&zone, now);
    assert_eq!(schedule.finish(&ticket, Ok(known()), now), None, "asked before it was followed again");
    assert!(schedule.begin(now).is_some());
}
