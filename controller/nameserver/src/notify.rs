//! Tells every secondary of a new version (NOTIFY, RFC 1996), then asks for its serial until it answers it. One task a secondary, so that
//! a slow one delays nobody; what is in sync is not asked about, but for the catalog now and then.

mod exchange;
mod follow;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod health;
mod track;

use std::sync::Arc;

use cst_compiler::model::DomainName;
use cst_compiler::plan::serial::is_believable;
use cst_compiler::status::ailment::Ailment;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::catalog::Changes;
use crate::clock::Clock;
use crate::keyring::Keys;
use crate::metrics::Counts;

use follow::Follower;

/// A server that transfers from us.
#[derive(Clone, Debug)]
pub struct Secondary {
    /// What it is called in observations.
    pub name: String,
    /// `host:port` for NOTIFY and SOA queries; a host name is looked up again whenever the server falls silent.
    pub address: String,
    /// The name of the key that NOTIFY and the queries for the catalog are signed with.
    pub key: DomainName,
}

/// What is seen of a secondary, called by its [`Secondary::name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// What it answers for a zone: given when that changes, and once after each publication.
    Serial {
        /// Which secondary.
        server: String,
        /// The zone, or the catalog.
        zone: DomainName,
        /// The serial it answers with authority; `None` when it answers none, or nothing at all.
        serial: Option<u32>,
    },
    /// Something keeps it from following, or no longer does: given when that changes.
    Health {
        /// Which secondary.
        server: String,
        /// What ails it; `None`: nothing.
        ailment: Option<Ailment>,
    },
}

/// The observations, as they are made. Those not read wait.
#[derive(Debug)]
pub struct Observations(mpsc::UnboundedReceiver<Observation>);

impl Observations {
    /// The next one; `None` after the primary's end.
    pub async fn next(&mut self) -> Option<Observation> {
        self.0.recv().await
    }
}

/// What is done first for a published version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// NOTIFY: the secondary serves the zone and has an older version.
    Notify,
    /// Ask for the serial: after a restart most are in sync, and a new zone is learned from the catalog.
    Ask,
}

/// What a follower is told.
#[derive(Clone, Debug)]
enum Command {
    Publish { zone: DomainName, serial: u32, first: First },
    Forget(DomainName),
}

/// Reaches all followers.
#[derive(Clone)]
pub(crate) struct Notifier(Arc<[mpsc::UnboundedSender<Command>]>);

/// Where observations go.
#[derive(Clone)]
struct Reporter {
    observations: mpsc::UnboundedSender<Observation>,
    catalog: DomainName,
    changes: Changes,
    counts: Arc<Counts>,
}

impl Notifier {
    /// Starts a follower for every secondary.
    pub(crate) fn start(
        secondaries: Vec<Secondary>,
        catalog: DomainName,
        changes: Changes,
        counts: &Arc<Counts>,
        keys: &Keys,
        clock: &Clock,
        tasks: &mut JoinSet<()>,
    ) -> (Self, Observations) {
        let (observations, receiver) = mpsc::unbounded_channel();
        let reporter = Reporter { observations, catalog, changes, counts: Arc::clone(counts) };
        let mut start = |secondary| {
            let (sender, commands) = mpsc::unbounded_channel();
            tasks.spawn(Follower::new(secondary, reporter.clone(), keys.clone(), clock.clone()).run(commands));
            sender
        };
        let senders = secondaries.into_iter().map(&mut start).collect();
        (Self(senders), Observations(receiver))
    }

    pub(crate) fn publish(&self, zone: DomainName, serial: u32, first: First) {
        self.tell(&Command::Publish { zone, serial, first });
    }

    pub(crate) fn forget(&self, zone: DomainName) {
        self.tell(&Command::Forget(zone));
    }

    /// A follower that is gone has been told to go.
    fn tell(&self, command: &Command) {
        self.0.iter().for_each(|follower| follower.send(command.clone()).unwrap_or_default());
    }
}

impl Reporter {
    /// `now`: seconds since 1970. A serial that can be no version's moves no catalog.
    fn report(&self, server: &str, zone: &DomainName, serial: Option<u32>, now: u64) {
        if let Some(serial) = serial.filter(|serial| *zone == self.catalog && is_believable(*serial, seconds(now))) {
            self.changes.seen(serial);
        }
        self.tell(Observation::Serial { server: server.to_owned(), zone: zone.clone(), serial });
    }

    fn report_health(&self, server: &str, ailment: Option<Ailment>) {
        self.tell(Observation::Health { server: server.to_owned(), ailment });
    }

    /// Nobody listening is nobody interested.
    fn tell(&self, observation: Observation) {
        self.observations.send(observation).unwrap_or_default();
    }
}

/// Seconds since 1970 as serials count them (RFC 1982).
fn seconds(now: u64) -> u32 {
    u32::try_from(now & u64::from(u32::MAX)).unwrap_or(0)
}
