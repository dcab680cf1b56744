//! One secondary's follower: what is due is sent, what comes back is taken in, what does not come back is sent again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use cst_compiler::model::DomainName;
use cst_compiler::status::ailment::Ailment;
use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use crate::clock::Clock;
use crate::keyring::Keys;
use crate::lookup;
use crate::tsig::TsigKey;

use super::exchange::{Exchange, Outcome};
use super::health::Health;
use super::track::{Next, Step, Track};
use super::{Command, First, Reporter, Secondary};

/// How long a response is waited for.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Messages on the way at once.
const WINDOW: usize = 100;
/// The pause before a new zone is first asked about: the server hears of it by the catalog.
const NEW_ZONE_PAUSE: Duration = Duration::from_millis(20);
/// How often the server is asked for the catalog when that is in sync: one that somebody replaced there by hand, or from an old backup,
/// takes zones from it, and nothing else would tell.
const CATALOG_PAUSE: Duration = Duration::from_secs(10);
/// How long an idle follower sleeps.
const IDLE: Duration = Duration::from_hours(1);
/// The longest response to what is asked here.
const DATAGRAM: usize = 4096;

/// Follows one secondary.
pub(super) struct Follower {
    secondary: Secondary,
    keys: Keys,
    /// How often the server did not know the key: each time the next of its name is tried, as while a secret is replaced.
    unknown_keys: usize,
    reporter: Reporter,
    clock: Clock,
    socket: Option<UdpSocket>,
    tracks: HashMap<DomainName, Track>,
    due: BinaryHeap<Reverse<(Instant, u64, DomainName)>>,
    waiting: HashMap<u16, Waiting>,
    /// The ids waited for in the order of their time-outs.
    timeouts: VecDeque<(Instant, u16, u64)>,
    health: Health,
    /// What ails the server, as it was told last.
    ailment: Option<Ailment>,
    /// Counts messages, so that an id used again is not taken for its predecessor.
    sent: u64,
}

/// A message on its way.
struct Waiting {
    number: u64,
    plan: u64,
    exchange: Exchange,
}

impl Follower {
    pub(super) fn new(secondary: Secondary, reporter: Reporter, keys: Keys, clock: Clock) -> Self {
        Self {
            secondary,
            keys,
            unknown_keys: 0,
            reporter,
            clock,
            socket: None,
            tracks: HashMap::new(),
            due: BinaryHeap::new(),
            waiting: HashMap::new(),
            timeouts: VecDeque::new(),
            health: Health::default(),
            ailment: None,
            sent: 0,
        }
    }

    /// Runs until nobody is left to give commands.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut buffer = vec![0; DATAGRAM];
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.take(command),
                    None => return,
                },
                length = receive(self.socket.as_ref(), &mut buffer) => self.take_response(&buffer[..length]),
                () = sleep_until(self.next_event()) => self.drop_timed_out(),
            }
            self.send_due().await;
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Forget(zone) => {
                self.tracks.remove(&zone);
            }
            Command::Publish { zone, serial, first } => {
                let pause = if first == First::Ask { NEW_ZONE_PAUSE } else { Duration::ZERO };
                match self.tracks.get_mut(&zone) {
                    Some(track) => track.publish(serial, first),
                    None => {
                        self.tracks.insert(zone.clone(), Track::new(serial, first));
                    }
                }
                self.schedule(&zone, pause);
            }
        }
    }

    fn schedule(&mut self, zone: &DomainName, pause: Duration) {
        if let Some(track) = self.tracks.get(zone) {
            self.due.push(Reverse((Instant::now() + pause, track.plan, zone.clone())));
        }
    }

    fn next_event(&self) -> Instant {
        let timeout = self.timeouts.front().map(|(at, ..)| *at);
        let due = self.due.peek().filter(|_| self.has_room()).map(|Reverse((at, ..))| *at);
        timeout.into_iter().chain(due).min().unwrap_or_else(|| Instant::now() + IDLE)
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < if self.health.is_silent() { 1 } else { WINDOW }
    }

    async fn send_due(&mut self) {
        while self.has_room() {
            let Some(Reverse((at, ..))) = self.due.peek() else { return };
            if *at > Instant::now() {
                return;
            }
            let Some(Reverse((_, plan, zone))) = self.due.pop() else { return };
            let Some(step) = self.tracks.get(&zone).filter(|track| track.plan == plan).map(|track| track.step) else {
                continue;
            };
            self.send(&zone, step, plan).await;
        }
    }

    async fn send(&mut self, zone: &DomainName, step: Step, plan: u64) {
        let Some(id) = self.free_id() else { return self.schedule(zone, TIMEOUT) };
        let (exchange, message) = Exchange::begin(id, zone, step, self.key().as_ref(), self.clock.now());
        if let Err(error) = self.transmit(&message).await {
            // Counts as unanswered: its time-out comes.
            debug!(server = self.secondary.name, %error, "a secondary cannot be reached");
            self.socket = None;
        }
        if step == Step::Notify {
            self.reporter.counts.notifies.add(1);
        }
        self.sent += 1;
        self.waiting.insert(id, Waiting { number: self.sent, plan, exchange });
        self.timeouts.push_back((Instant::now() + TIMEOUT, id, self.sent));
    }

    /// The key to sign with: of several of its name the first, unless the server turned out not to know it.
    fn key(&self) -> Option<Arc<TsigKey>> {
        let keyring = self.keys.get();
        let named: Vec<_> = keyring.named(&self.secondary.key).collect();
        let index = self.unknown_keys.checked_rem(named.len())?;
        named.get(index).map(|key| Arc::clone(key))
    }

    /// An id that cannot be guessed and is not in use.
    fn free_id(&self) -> Option<u16> {
        (0..WINDOW).find_map(|_| {
            let mut id = [0; 2];
            getrandom::fill(&mut id).ok()?;
            Some(u16::from_be_bytes(id)).filter(|id| !self.waiting.contains_key(id))
        })
    }

    async fn transmit(&mut self, message: &[u8]) -> io::Result<()> {
        let socket = match &self.socket {
            Some(socket) => socket,
            None => self.socket.insert(connect(&self.secondary.address).await?),
        };
        socket.send(message).await.map(|_| ())
    }

    fn take_response(&mut self, bytes: &[u8]) {
        let Some(id) = crate::message::read_u16(bytes, 0) else { return };
        let outcome = self.waiting.get(&id).and_then(|waiting| waiting.exchange.end(bytes, self.clock.now()));
        let Some(outcome) = outcome else { return };
        let Some(Waiting { plan, exchange, .. }) = self.waiting.remove(&id) else { return };
        self.note(&exchange, &outcome);
        let now = self.seconds();
        self.follow_up(&exchange.zone, plan, |track| match outcome {
            Outcome::Notified | Outcome::Refused => track.notified(),
            Outcome::Serial(serial) => track.answered(serial, now),
            Outcome::UnknownKey | Outcome::OtherSecret | Outcome::OtherTime => track.unanswered(),
        });
    }

    fn drop_timed_out(&mut self) {
        while self.timeouts.front().is_some_and(|(at, ..)| *at <= Instant::now()) {
            let Some((_, id, number)) = self.timeouts.pop_front() else { return };
            // Answered, and the id may be in use again.
            if self.waiting.get(&id).is_none_or(|waiting| waiting.number != number) {
                continue;
            }
            let Some(Waiting { plan, exchange, .. }) = self.waiting.remove(&id) else { continue };
            if exchange.step == Step::Notify {
                self.reporter.counts.notifies_unanswered.add(1);
            }
            self.note_unanswered();
            self.follow_up(&exchange.zone, plan, Track::unanswered);
        }
    }

    fn note(&mut self, exchange: &Exchange, outcome: &Outcome) {
        self.health.answered();
        let is_catalog = exchange.zone == self.reporter.catalog;
        match outcome {
            Outcome::Notified => {
                self.reporter.counts.notifies_taken.add(1);
                self.health.accepted();
                self.health.notify(true);
            }
            Outcome::Refused => {
                self.reporter.counts.notifies_refused.add(1);
                // For a zone that it does not have yet it says the same.
                if self.tracks.get(&exchange.zone).is_some_and(Track::is_served) {
                    self.health.notify(false);
                }
            }
            Outcome::Serial(serial) if is_catalog => {
                self.health.accepted();
                self.health.catalog(serial.is_some());
            }
            Outcome::Serial(_) => {}
            Outcome::UnknownKey | Outcome::OtherSecret => {
                self.unknown_keys = self.unknown_keys.wrapping_add(1);
                self.health.key_refused(*outcome == Outcome::OtherSecret);
            }
            Outcome::OtherTime => self.health.time_refused(),
        }
        self.judge();
    }

    /// The time as serials count it, seconds since 1970.
    fn seconds(&self) -> u32 {
        super::seconds(self.clock.now())
    }

    fn note_unanswered(&mut self) {
        self.health.unanswered();
        self.judge();
        if self.health.is_silent() {
            // Its address may have changed.
            self.socket = None;
        }
    }

    /// Tells what ails the server when that changed.
    fn judge(&mut self) {
        let ailment = self.health.ailment(self.keys.get().named(&self.secondary.key).count());
        if ailment == self.ailment {
            return;
        }
        let Secondary { name, address, key } = &self.secondary;
        if let Some(ailment) = ailment {
            warn!(server = name, address, key = key.as_str(), "a public server {ailment}");
        } else {
            info!(server = name, "a public server follows again");
        }
        self.reporter.report_health(name, ailment);
        self.ailment = ailment;
    }

    /// Unless the zone was published anew meanwhile: then the newer plan goes on.
    fn follow_up(&mut self, zone: &DomainName, plan: u64, take: impl FnOnce(&mut Track) -> Next) {
        let Some(track) = self.tracks.get_mut(zone).filter(|track| track.plan == plan) else { return };
        let Next { report, pause } = take(track);
        if let Some(serial) = report {
            self.reporter.report(&self.secondary.name, zone, serial, self.clock.now());
        }
        if let Some(pause) = pause.or_else(|| (*zone == self.reporter.catalog).then_some(CATALOG_PAUSE)) {
            self.schedule(zone, pause);
        }
    }
}

/// The next datagram; without a socket there is none. Errors belong to what was sent, whose time-out comes.
async fn receive(socket: Option<&UdpSocket>, buffer: &mut [u8]) -> usize {
    match socket {
        Some(socket) => loop {
            match socket.recv(buffer).await {
                Ok(length) => return length,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        },
        None => std::future::pending().await,
    }
}

/// A socket that hears from this server alone.
async fn connect(address: &str) -> io::Result<UdpSocket> {
    let server = lookup_host(address).await?.next().ok_or(io::ErrorKind::NotFound)?;
    lookup::connect(server).await
}

#[cfg(test)]
mod tests;
