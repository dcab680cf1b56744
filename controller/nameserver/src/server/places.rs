//! The places for TCP connections: so many in all, and so many for one client. Where they run out, the connection that has waited the longest
//! for a request makes room (RFC 7766 §6.2.3): BIND leaves one open after each transfer, and fetches thousands of zones. Where none waits, it is
//! one whose client has taken nothing of its answer for longest: so those who do not read keep out nobody who would.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use super::Limits;

/// All places.
pub(super) struct Places {
    free: Arc<Semaphore>,
    client_limit: usize,
    stall: Duration,
    state: Mutex<State>,
}

/// Who has them.
#[derive(Default)]
struct State {
    taken: HashMap<IpAddr, usize>,
    /// The connections that wait for their clients, the longest first.
    waiting: VecDeque<Waiting>,
    /// Counts them.
    last: u64,
}

/// A connection that can be asked to leave.
struct Waiting {
    number: u64,
    client: IpAddr,
    awaits: Awaited,
    since: Instant,
    leave: oneshot::Sender<()>,
}

/// What a connection waits for its client to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// To ask again, after an answer.
    Another,
    /// To ask: the request may be on its way.
    First,
    /// To take what it has asked for.
    Reading,
}

/// The order in which connections leave, each of a kind the longest waiting first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Idle,
    NeverAsked,
    ReadsNothing,
    /// Its request may be on its way.
    JustCome,
}

/// A place that a client has until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    client: IpAddr,
    _permit: OwnedSemaphorePermit,
}

/// The time in which a connection waits for its client.
pub(super) struct Wait<'p> {
    places: &'p Places,
    number: u64,
    leave: oneshot::Receiver<()>,
}

impl Waiting {
    /// Who leaves before whom; `None` for a message in work, which is let be for a while.
    fn turn(&self, stall: Duration) -> Option<Turn> {
        let is_stalled = self.since.elapsed() >= stall;
        match self.awaits {
            Awaited::Another => Some(Turn::Idle),
            Awaited::First if is_stalled => Some(Turn::NeverAsked),
            Awaited::Reading => is_stalled.then_some(Turn::ReadsNothing),
            Awaited::First => Some(Turn::JustCome),
        }
    }
}

impl State {
    /// Asks one of the connections that are meant to leave; whether there is one.
    fn make_room(&mut self, is_meant: impl Fn(&Self, &Waiting, Turn) -> bool, stall: Duration) -> bool {
        let turn = |waiting: &Waiting| waiting.turn(stall).filter(|turn| is_meant(self, waiting, *turn));
        let turns = self.waiting.iter().enumerate().filter_map(|(place, waiting)| Some((turn(waiting)?, place)));
        let Some((_, place)) = turns.min() else { return false };
        // One that has ended by itself meanwhile makes no room that was not counted on already.
        let left = self.waiting.remove(place).is_some_and(|waiting| waiting.leave.send(()).is_ok());
        left || self.make_room(is_meant, stall)
    }

    fn taken(&self, client: IpAddr) -> usize {
        self.taken.get(&client).copied().unwrap_or_default()
    }
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            free: Arc::new(Semaphore::new(limits.connections)),
            client_limit: limits.client_connections,
            stall: limits.stall,
            state: Mutex::default(),
        }
    }

    /// A place for a client, once there is a free one; `None` when it has its share already, and all of it in use.
    pub(super) async fn take(self: &Arc<Self>, client: IpAddr) -> Option<Place> {
        let client = client.to_canonical();
        let has_room = self.room_in_share(client)?;
        let permit = self.permit(client, has_room).await?;
        *self.state().taken.entry(client).or_default() += 1;
        Some(Place { places: Arc::clone(self), client, _permit: permit })
    }

    /// Whether a connection of the client's own makes room; `None` when it has its share and none does.
    fn room_in_share(&self, client: IpAddr) -> Option<bool> {
        let mut state = self.state();
        if state.taken(client) < self.client_limit {
            return Some(false);
        }
        state.make_room(|_, waiting, _| waiting.client == client, self.stall).then_some(true)
    }

    /// Waits for a free place, and makes one wherever that can be.
    async fn permit(&self, client: IpAddr, mut has_room: bool) -> Option<OwnedSemaphorePermit> {
        loop {
            if self.free.available_permits() == 0 && !has_room {
                self.make_room_for(client);
            }
            if let Ok(permit) = timeout(self.stall, Arc::clone(&self.free).acquire_owned()).await {
                return permit.ok();
            }
            has_room = false;
        }
    }

    /// Who reads nothing makes room for those that have fewer places.
    fn make_room_for(&self, client: IpAddr) -> bool {
        let mut state = self.state();
        let taken = state.taken(client);
        let is_meant =
            |state: &State, waiting: &Waiting, turn| turn != Turn::ReadsNothing || state.taken(waiting.client) > taken;
        state.make_room(is_meant, self.stall)
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

    /// From now on it waits for its client, and may be asked to leave.
    pub(super) fn wait(&self, awaits: Awaited) -> Wait<'_> {
        let (sender, leave) = oneshot::channel();
        let mut state = self.places.state();
        state.last += 1;
        let number = state.last;
        state.waiting.push_back(Waiting { number, client: self.client, awaits, since: Instant::now(), leave: sender });
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
        self.places.state().waiting.retain(|waiting| waiting.number != self.number);
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

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn client(host: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, host).into()
    }

    fn places(connections: usize, client_connections: usize) -> Arc<Places> {
        Arc::new(Places::new(&Limits { connections, client_connections, stall: 3 * SECOND, ..Limits::default() }))
    }

    /// Lets a client come, and gives it a moment.
    async fn newcomer(places: &Arc<Places>, host: u8) -> tokio::task::JoinHandle<Option<Place>> {
        let places = Arc::clone(places);
        let coming = tokio::spawn(async move { places.take(client(host)).await });
        tokio::task::yield_now().await;
        coming
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_waited_longest_for_a_request_makes_room() {
        let places = places(2, 2);
        let (first, second) = (places.take(client(1)).await.unwrap(), places.take(client(2)).await.unwrap());
        drop(first.wait(Awaited::Another));
        let mut longer = second.wait(Awaited::Another);
        let shorter = first.wait(Awaited::Another);
        let coming = newcomer(&places, 3).await;
        longer.asked_to_leave().await;
        drop(longer);
        drop(second);
        assert!(coming.await.unwrap().is_some());
        assert!(shorter.end(), "one is enough");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_just_come_stays_before_who_reads_nothing() {
        let places = places(3, 2);
        let (own, too) = (places.take(client(1)).await.unwrap(), places.take(client(1)).await.unwrap());
        let mut stuck = own.wait(Awaited::Reading);
        tokio::time::sleep(3 * SECOND).await;
        let reading = too.wait(Awaited::Reading);
        let asker = places.take(client(2)).await.unwrap();
        let mut on_its_way = asker.wait(Awaited::First);
        let coming = newcomer(&places, 3).await;
        stuck.asked_to_leave().await;
        drop(stuck);
        drop(own);
        let _came = coming.await.unwrap().unwrap();
        let coming = newcomer(&places, 4).await;
        on_its_way.asked_to_leave().await;
        drop(on_its_way);
        drop(asker);
        assert!(coming.await.unwrap().is_some() && reading.end());
    }

    #[tokio::test(start_paused = true)]
    async fn of_those_who_have_more_the_one_who_reads_nothing_makes_room() {
        let places = places(2, 2);
        let (first, second) = (places.take(client(1)).await.unwrap(), places.take(client(1)).await.unwrap());
        let mut stuck = first.wait(Awaited::Reading);
        let coming = newcomer(&places, 2).await;
        for _ in 0..10 {
            let reading = second.wait(Awaited::Reading);
            tokio::time::sleep(SECOND).await;
            assert!(reading.end(), "who reads now and then stays");
        }
        assert!(!coming.is_finished());
        stuck.asked_to_leave().await;
        drop(stuck);
        drop(first);
        assert!(coming.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_as_many_places_waits() {
        let places = places(2, 2);
        let (own, other) = (places.take(client(1)).await.unwrap(), places.take(client(2)).await.unwrap());
        let stuck = [own.wait(Awaited::Reading), other.wait(Awaited::Reading)];
        let coming = newcomer(&places, 1).await;
        tokio::time::sleep(60 * SECOND).await;
        assert!(!coming.is_finished());
        assert!(stuck.into_iter().all(Wait::end), "nobody is asked to leave");
        drop(own);
        assert!(coming.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_share_ones_own_makes_room_once_it_stands_still() {
        let places = places(9, 1);
        let own = places.take(client(1)).await.unwrap();
        let mut stuck = own.wait(Awaited::Reading);
        assert!(places.take(client(1)).await.is_none(), "its share, all of it in use");
        tokio::time::sleep(3 * SECOND).await;
        assert!(places.take(client(1)).await.is_some());
        stuck.asked_to_leave().await;
    }
}
