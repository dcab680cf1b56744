//! Follows what the zones above say of ours, and tells what changes, and each answer that is waited for. One task; a bounded number of zones is asked at a time.

mod schedule;

use std::sync::Arc;
use std::time::Duration;

use cst_compiler::model::DomainName;
use cst_compiler::plan::parent::Parent;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::parent::Silence;
use super::{LookupError, ParentLookup};
use crate::metrics::{Count, Family, Sample};

use schedule::{Schedule, Ticket};

/// How often and how many are asked.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A zone nobody waits for; each zone a quarter more or less, so that they spread out.
    pub every: Duration,
    /// A zone that is waited for, and at first one whose parent did not answer.
    pub waiting: Duration,
    /// Zones asked for at once; at least 1.
    pub concurrency: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every: Duration::from_hours(1), waiting: Duration::from_mins(1), concurrency: 8 }
    }
}

/// What the zone above says of a zone: told first, whenever it says something else, and each time while it is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentSeen {
    /// The zone.
    pub zone: DomainName,
    /// What is said. Servers known from before are silent when it can no longer be found out which servers there are.
    pub parent: Parent,
    /// Why it cannot be found out which servers the zone above has, and what to do; told with what changes.
    pub failure: Option<String>,
    /// When the asking began: what changed at the parent afterwards need not be in it.
    pub asked: std::time::Instant,
}

/// What is told, in the order it was found. What is not read waits.
#[derive(Debug)]
pub struct ParentAnswers(mpsc::UnboundedReceiver<ParentSeen>);

impl ParentAnswers {
    /// The next one; `None` after the watch's end.
    pub async fn next(&mut self) -> Option<ParentSeen> {
        self.0.recv().await
    }
}

/// Follows zones until it is dropped; copies follow the same ones.
#[derive(Clone, Debug)]
pub struct ParentWatch {
    commands: mpsc::UnboundedSender<Command>,
    counts: Arc<Counts>,
}

#[derive(Debug)]
enum Command {
    Follow(DomainName),
    Forget(DomainName),
    Wait(DomainName, bool),
    Ask(DomainName),
}

#[derive(Debug, Default)]
struct Counts {
    zones: Count,
    known: Count,
    silent: Count,
    failed: Count,
}

impl ParentWatch {
    /// Starts with no zones. Without resolvers nothing is asked and nothing told.
    pub fn start(lookup: ParentLookup, pace: Pace) -> (Self, ParentAnswers) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (sender, answers) = mpsc::unbounded_channel();
        let counts = Arc::<Counts>::default();
        let watcher = Watcher {
            lookup,
            silence: Arc::default(),
            pace,
            schedule: Schedule::new(pace),
            running: JoinSet::new(),
            answers: sender,
            counts: Arc::clone(&counts),
        };
        tokio::spawn(watcher.run(receiver));
        (Self { commands, counts }, ParentAnswers(answers))
    }

    /// Follows a zone: its parent is asked at once. One that is followed already stays as it is.
    pub fn follow(&self, zone: DomainName) {
        self.tell(Command::Follow(zone));
    }

    /// Follows it no longer: nothing is told of it any more, unless it is on its way.
    pub fn forget(&self, zone: DomainName) {
        self.tell(Command::Forget(zone));
    }

    /// Whether a change at the parent of a zone that is followed is waited for. From a no to a yes it is asked at once.
    pub fn set_waiting(&self, zone: DomainName, waiting: bool) {
        self.tell(Command::Wait(zone, waiting));
    }

    /// The zone above a zone that is followed is asked now, also when it was a moment ago or is being asked.
    pub fn ask(&self, zone: DomainName) {
        self.tell(Command::Ask(zone));
    }

    /// A watch that is gone is gone with its process.
    fn tell(&self, command: Command) {
        self.commands.send(command).unwrap_or_default();
    }

    /// What was done, counted.
    pub fn samples(&self) -> Vec<Sample> {
        let zones = Family::gauge("cst_dns_parent_zones", "Zones whose parent is followed.");
        let asked = Family::counter("cst_dns_parent_lookups_total", "How often the zone above a zone was asked.");
        let Counts { zones: count, known, silent, failed } = &*self.counts;
        let result = |result, count: &Count| asked.sample(&[("result", result)], count.get());
        vec![zones.sample(&[], count.get()), result("known", known), result("silent", silent), result("failed", failed)]
    }
}

/// The task.
struct Watcher {
    lookup: ParentLookup,
    silence: Arc<Silence>,
    pace: Pace,
    schedule: Schedule,
    running: JoinSet<(Ticket, Result<Parent, LookupError>)>,
    answers: mpsc::UnboundedSender<ParentSeen>,
    counts: Arc<Counts>,
}

impl Watcher {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            let has_room = self.running.len() < self.pace.concurrency.max(1) && !self.lookup.resolvers.is_empty();
            let next = self.schedule.next().filter(|_| has_room);
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.take(command),
                    None => return,
                },
                Some(done) = self.running.join_next() => {
                    // One that panicked is due again as if it had not been asked.
                    if let Ok((ticket, result)) = done { self.finish(&ticket, result) }
                }
                () = until(next) => self.ask_next(),
            }
        }
    }

    fn take(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Follow(zone) if self.schedule.follow(&zone, now) => self.counts.zones.add(1),
            Command::Forget(zone) if self.schedule.forget(&zone) => self.counts.zones.subtract(1),
            Command::Wait(zone, waiting) => self.schedule.set_waiting(&zone, waiting, now),
            Command::Ask(zone) => self.schedule.ask(&zone, now),
            Command::Follow(_) | Command::Forget(_) => {}
        }
    }

    fn ask_next(&mut self) {
        let Some(ticket) = self.schedule.begin(Instant::now()) else { return };
        let (lookup, silence) = (self.lookup.clone(), Arc::clone(&self.silence));
        self.running.spawn(async move {
            let result = lookup.ask_but(&ticket.zone, &silence).await;
            (ticket, result)
        });
    }

    fn finish(&mut self, ticket: &Ticket, result: Result<Parent, LookupError>) {
        let count = match &result {
            Ok(parent) if parent.is_known() => &self.counts.known,
            Ok(_) => &self.counts.silent,
            Err(error) => {
                debug!(zone = %ticket.zone, %error, "the servers of the zone above are not found");
                &self.counts.failed
            }
        };
        count.add(1);
        if let Some(seen) = self.schedule.finish(ticket, result, Instant::now()) {
            // Nobody listening is nobody interested.
            self.answers.send(seen).unwrap_or_default();
        }
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
