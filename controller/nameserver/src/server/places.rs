//! The places for TCP connections: so many in all, and so many for one client. Where they run out, the connection that has waited the longest
//! for a request makes room (RFC 7766 §6.2.3): BIND leaves one open after each transfer, and fetches thousands of zones.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::Limits;

/// All places.
pub(super) struct Places {
    free: Arc<Semaphore>,
    client_limit: usize,
    state: Mutex<State>,
}

/// Who has them.
#[derive(Default)]
struct State {
    taken: HashMap<IpAddr, usize>,
    /// The connections that wait for a request, the longest first.
    idle: VecDeque<Idle>,
    /// Counts them.
    last: u64,
}

/// A connection that can be asked to leave.
struct Idle {
    number: u64,
    client: IpAddr,
    /// Whether it has had an answer: the request of one that has not may be on its way.
    was_served: bool,
    leave: oneshot::Sender<()>,
}

/// A place that a client has until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    client: IpAddr,
    _permit: OwnedSemaphorePermit,
}

/// The time in which a connection waits for a request.
pub(super) struct Wait<'p> {
    places: &'p Places,
    number: u64,
    leave: oneshot::Receiver<()>,
}

impl State {
    /// Asks the one of these clients that has waited the longest to leave, those that were served first; whether there is one.
    fn make_room(&mut self, is_meant: impl Fn(IpAddr) -> bool) -> bool {
        let find = |idle: &VecDeque<Idle>, was_served| {
            idle.iter().position(|idle| is_meant(idle.client) && idle.was_served == was_served)
        };
        while let Some(place) = find(&self.idle, true).or_else(|| find(&self.idle, false)) {
            // One that has ended by itself meanwhile makes no room that was not counted on already.
            if self.idle.remove(place).is_some_and(|idle| idle.leave.send(()).is_ok()) {
                return true;
            }
        }
        false
    }
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Self {
        let free = Arc::new(Semaphore::new(limits.connections));
        Self { free, client_limit: limits.client_connections, state: Mutex::default() }
    }

    /// A place for a client, once there is a free one; `None` when it has its share already, and all of it in use.
    pub(super) async fn take(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        if self.free.available_permits() == 0 {
            self.state().make_room(|_| true);
        }
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        let client = client.to_canonical();
        let mut state = self.state();
        let taken = state.taken.get(&client).copied().unwrap_or_default();
        if taken >= self.client_limit && !state.make_room(|idle| idle == client) {
            return None;
        }
        state.taken.insert(client, taken + 1);
        Some(Place { places: Arc::clone(self), client, _permit: permit })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Whose it is.
    pub(super) fn client(&self) -> IpAddr {
        self.client
    }

    /// From now on it waits for a request, and may be asked to leave.
    pub(super) fn wait(&self, was_served: bool) -> Wait<'_> {
        let (sender, leave) = oneshot::channel();
        let mut state = self.places.state();
        state.last += 1;
        let number = state.last;
        state.idle.push_back(Idle { number, client: self.client, was_served, leave: sender });
        Wait { places: &self.places, number, leave }
    }
}

impl Wait<'_> {
    /// Ends when it is asked to leave.
    pub(super) async fn asked_to_leave(&mut self) {
        (&mut self.leave).await.unwrap_or_default();
    }

    /// It has waited enough; `false` when it was asked to leave at the last moment.
    pub(super) fn end(mut self) -> bool {
        self.withdraw();
        self.leave.try_recv().is_err()
    }

    fn withdraw(&self) {
        self.places.state().idle.retain(|idle| idle.number != self.number);
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.places.state();
        let Some(taken) = state.taken.get_mut(&self.client) else { return };
        *taken = taken.saturating_sub(1);
        if *taken == 0 {
            state.taken.remove(&self.client);
        }
    }
}
