//! Which zone is asked for when, and what was said last. Pure: time is an argument.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use cst_compiler::model::DomainName;
use cst_compiler::plan::parent::Parent;
use tokio::time::Instant;

use super::super::LookupError;
use super::{Pace, ParentSeen};

/// A zone that is being asked for.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) zone: DomainName,
    /// Tells one that was forgotten and is followed again from what it was before.
    since: u64,
    asked: Instant,
}

/// What is known of a zone.
#[derive(Debug)]
struct Watched {
    since: u64,
    /// Counts plans, so that what was due under an earlier one is known to be stale.
    plan: u64,
    is_waited_for: bool,
    is_being_asked: bool,
    /// What is being asked was begun too early for somebody: it is asked again as soon as that is answered.
    is_late: bool,
    /// How often in a row not everything was answered.
    failures: u32,
    last: Option<Parent>,
}

/// All zones and when each is due.
#[derive(Debug)]
pub(super) struct Schedule {
    pace: Pace,
    count: u64,
    zones: HashMap<DomainName, Watched>,
    due: BinaryHeap<Reverse<(Instant, u64, DomainName)>>,
}

impl Schedule {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, count: 0, zones: HashMap::new(), due: BinaryHeap::new() }
    }

    /// Whether it was not followed.
    pub(super) fn follow(&mut self, zone: &DomainName, now: Instant) -> bool {
        if self.zones.contains_key(zone) {
            return false;
        }
        let watched = Watched {
            since: self.count,
            plan: 0,
            is_waited_for: false,
            is_being_asked: false,
            is_late: false,
            failures: 0,
            last: None,
        };
        self.zones.insert(zone.clone(), watched);
        self.plan(zone, now);
        true
    }

    /// Whether it was followed.
    pub(super) fn forget(&mut self, zone: &DomainName) -> bool {
        self.zones.remove(zone).is_some()
    }

    pub(super) fn set_waiting(&mut self, zone: &DomainName, waiting: bool, now: Instant) {
        let Some(watched) = self.zones.get_mut(zone) else { return };
        let begins = waiting && !watched.is_waited_for && !watched.is_being_asked;
        watched.is_waited_for = waiting;
        if begins {
            self.plan(zone, now);
        }
    }

    /// It is due now, and again if it is being asked.
    pub(super) fn ask(&mut self, zone: &DomainName, now: Instant) {
        match self.zones.get_mut(zone) {
            Some(watched) if watched.is_being_asked => watched.is_late = true,
            Some(_) => self.plan(zone, now),
            None => {}
        }
    }

    fn plan(&mut self, zone: &DomainName, at: Instant) {
        let Some(watched) = self.zones.get_mut(zone) else { return };
        self.count += 1;
        watched.plan = self.count;
        self.due.push(Reverse((at, self.count, zone.clone())));
    }

    /// When the next zone is due.
    pub(super) fn next(&mut self) -> Option<Instant> {
        while let Some(Reverse((at, plan, zone))) = self.due.peek() {
            if self.zones.get(zone).is_some_and(|watched| watched.plan == *plan) {
                return Some(*at);
            }
            self.due.pop();
        }
        None
    }

    /// The next zone, if it is due. It is due again in its time if nothing is heard of it.
    pub(super) fn begin(&mut self, now: Instant) -> Option<Ticket> {
        self.next().filter(|at| *at <= now)?;
        let Reverse((_, _, zone)) = self.due.pop()?;
        self.plan(&zone, now + self.pace.every);
        let watched = self.zones.get_mut(&zone)?;
        watched.is_being_asked = true;
        Some(Ticket { since: watched.since, zone, asked: now })
    }

    /// Takes in what was answered; what is to be told.
    pub(super) fn finish(
        &mut self,
        ticket: &Ticket,
        result: Result<Parent, LookupError>,
        now: Instant,
    ) -> Option<ParentSeen> {
        let zone = &ticket.zone;
        let watched = self.zones.get_mut(zone).filter(|watched| watched.since == ticket.since)?;
        watched.is_being_asked = false;
        let (parent, failure) = match result {
            Ok(parent) => (parent, None),
            Err(error) => (silenced(watched.last.as_ref()), Some(error.to_string())),
        };
        watched.failures = if parent.is_known() { 0 } else { watched.failures + 1 };
        let is_late = std::mem::take(&mut watched.is_late);
        let pause = if is_late { Duration::ZERO } else { pause(zone, watched, self.pace) };
        let changed = watched.last.as_ref() != Some(&parent);
        let is_told = changed || watched.is_waited_for;
        // Why is told once.
        let failure = failure.filter(|_| changed);
        watched.last = Some(parent.clone());
        self.plan(zone, now + pause);
        is_told.then(|| ParentSeen { zone: zone.clone(), parent, failure, asked: ticket.asked.into_std() })
    }
}

/// The same servers, none of which answers.
fn silenced(last: Option<&Parent>) -> Parent {
    let servers = last.map(|last| last.servers.keys().map(|server| (server.clone(), None)).collect());
    Parent { servers: servers.unwrap_or_default() }
}

/// How long until the zone is asked for again: when not all was answered soon, then ever later.
fn pause(zone: &DomainName, watched: &Watched, pace: Pace) -> Duration {
    match watched.failures {
        _ if watched.is_waited_for => pace.waiting,
        0 => spread(zone, pace.every),
        failures => pace.waiting.saturating_mul(1 << (failures - 1).min(16)).min(spread(zone, pace.every)),
    }
}

/// A quarter more or less, always the same for a zone.
fn spread(zone: &DomainName, every: Duration) -> Duration {
    let mut hasher = DefaultHasher::new();
    zone.hash(&mut hasher);
    let part = u32::try_from(hasher.finish() % 1024).unwrap_or(0);
    every * 3 / 4 + every * part / 2048
}
