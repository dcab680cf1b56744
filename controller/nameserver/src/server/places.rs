//! The places for TCP connections: so many in all, and so many for one client. Where they run out, a newcomer waits, and the connection that has
//! waited the longest for a request makes room (RFC 7766 §6.2.3): BIND leaves one open after each transfer, and fetches thousands of zones. Where
//! none waits, it is one whose client has taken nothing of its answer for longest: so those who do not read keep out nobody who would.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use super::Limits;

/// How long a request may be on its way, at least.
const ON_ITS_WAY: Duration = Duration::from_millis(250);
/// How many connections may be there for each place, those that wait for one with it: of one client, and of all.
const CLIENT_CROWD: usize = 2;
const CROWD: usize = 4;

/// All places.
pub(super) struct Places {
    free: Arc<Semaphore>,
    crowd: Arc<Semaphore>,
    limits: Limits,
    state: Mutex<State>,
}

/// Who has them.
#[derive(Default)]
struct State {
    clients: HashMap<IpAddr, Client>,
    /// The connections that wait for their clients, the longest first.
    waiting: VecDeque<Waiting>,
    /// Counts them.
    last: u64,
}

/// What a client has.
struct Client {
    /// Its share of the places.
    share: Arc<Semaphore>,
    taken: usize,
    /// Its connections, those that wait for a place with them.
    present: usize,
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

/// A connection that is there until it is dropped, with a place or not.
pub(super) struct Guest {
    places: Arc<Places>,
    client: IpAddr,
    share: Arc<Semaphore>,
    _crowd: OwnedSemaphorePermit,
}

/// A place that a client has until it is dropped.
pub(super) struct Place {
    guest: Guest,
    _permits: [OwnedSemaphorePermit; 2],
}

/// The time in which a connection waits for its client.
pub(super) struct Wait<'p> {
    places: &'p Places,
    number: u64,
    leave: oneshot::Receiver<()>,
}

impl Waiting {
    /// Who leaves before whom; `None` for a message in work, and for who has just come: they are let be for a while.
    fn turn(&self, stall: Duration) -> Option<Turn> {
        let waited = self.since.elapsed();
        match self.awaits {
            Awaited::Another => Some(Turn::Idle),
            Awaited::First if waited >= stall => Some(Turn::NeverAsked),
            Awaited::First => (waited >= ON_ITS_WAY).then_some(Turn::JustCome),
            Awaited::Reading => (waited >= stall).then_some(Turn::ReadsNothing),
        }
    }
}

impl State {
    /// Asks one of the connections that are meant to leave.
    fn make_room(&mut self, stall: Duration, is_meant: impl Fn(&Self, &Waiting, Turn) -> bool) {
        let turn = |waiting: &Waiting| waiting.turn(stall).filter(|turn| is_meant(self, waiting, *turn));
        let turns = self.waiting.iter().enumerate().filter_map(|(place, waiting)| Some((turn(waiting)?, place)));
        let Some((_, place)) = turns.min() else { return };
        // One that has ended by itself meanwhile makes no room that was not counted on already.
        if self.waiting.remove(place).is_some_and(|waiting| waiting.leave.send(()).is_err()) {
            self.make_room(stall, is_meant);
        }
    }

    fn taken(&self, client: IpAddr) -> usize {
        self.clients.get(&client).map_or(0, |client| client.taken)
    }
}

impl Places {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            free: Arc::new(Semaphore::new(limits.connections)),
            crowd: Arc::new(Semaphore::new(limits.connections.saturating_mul(CROWD))),
            limits,
            state: Mutex::default(),
        }
    }

    /// Lets a connection in, to wait for a place; `None` when too many of its client's are there. Waits itself while too many of all are.
    pub(super) async fn enter(self: &Arc<Self>, client: IpAddr) -> Option<Guest> {
        let crowd = Arc::clone(&self.crowd).acquire_owned().await.ok()?;
        let (client, limit) = (client.to_canonical(), self.limits.client_connections);
        let mut state = self.state();
        let share = || Arc::new(Semaphore::new(limit));
        let here = state.clients.entry(client).or_insert_with(|| Client { share: share(), taken: 0, present: 0 });
        if here.present >= limit.saturating_mul(CLIENT_CROWD) {
            return None;
        }
        here.present += 1;
        Some(Guest { places: Arc::clone(self), client, share: Arc::clone(&here.share), _crowd: crowd })
    }

    /// Waits for a free place, and makes one wherever that can be.
    async fn permit(&self, places: &Arc<Semaphore>, make_room: impl Fn()) -> Option<OwnedSemaphorePermit> {
        if places.available_permits() == 0 {
            make_room();
        }
        let mut permit = pin!(Arc::clone(places).acquire_owned());
        loop {
            match timeout(self.limits.stall.min(ON_ITS_WAY), &mut permit).await {
                Ok(permit) => return permit.ok(),
                Err(_) => make_room(),
            }
        }
    }

    /// A connection of the client's own makes room.
    fn make_room_in_share(&self, client: IpAddr) {
        self.state()
            .make_room(self.limits.stall, |_, waiting, turn| waiting.client == client && turn != Turn::JustCome);
    }

    /// Who reads nothing makes room for those that have fewer places.
    fn make_room_for(&self, client: IpAddr) {
        let mut state = self.state();
        let taken = state.taken(client);
        state.make_room(self.limits.stall, |state, waiting, turn| {
            turn != Turn::ReadsNothing || state.taken(waiting.client) > taken
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// A place, once there is a free one; `None` when none was for too long.
    pub(super) async fn place(self) -> Option<Place> {
        timeout(self.places.limits.queue, self.wait()).await.ok().flatten()
    }

    async fn wait(self) -> Option<Place> {
        let (places, client) = (&self.places, self.client);
        let own = places.permit(&self.share, || places.make_room_in_share(client)).await?;
        let any = places.permit(&places.free, || places.make_room_for(client)).await?;
        if let Some(here) = places.state().clients.get_mut(&client) {
            here.taken += 1;
        }
        Some(Place { guest: self, _permits: [own, any] })
    }
}

impl Place {
    /// Whose it is.
    pub(super) fn client(&self) -> IpAddr {
        self.guest.client
    }

    /// From now on it waits for its client, and may be asked to leave.
    pub(super) fn wait(&self, awaits: Awaited) -> Wait<'_> {
        let (sender, leave) = oneshot::channel();
        let mut state = self.guest.places.state();
        state.last += 1;
        let number = state.last;
        state.waiting.push_back(Waiting {
            number,
            client: self.client(),
            awaits,
            since: Instant::now(),
            leave: sender,
        });
        Wait { places: &self.guest.places, number, leave }
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
        if let Some(here) = self.guest.places.state().clients.get_mut(&self.guest.client) {
            here.taken = here.taken.saturating_sub(1);
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut state = self.places.state();
        let Some(here) = state.clients.get_mut(&self.client) else { return };
        here.present = here.present.saturating_sub(1);
        if here.present == 0 {
            state.clients.remove(&self.client);
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
        Arc::new(Places::new(Limits { connections, client_connections, stall: 3 * SECOND, ..Limits::default() }))
    }

    async fn take(places: &Arc<Places>, host: u8) -> Option<Place> {
        places.enter(client(host)).await?.place().await
    }

    /// Lets a client come, and gives it a moment.
    async fn newcomer(places: &Arc<Places>, host: u8) -> tokio::task::JoinHandle<Option<Place>> {
        let places = Arc::clone(places);
        let coming = tokio::spawn(async move { take(&places, host).await });
        tokio::task::yield_now().await;
        coming
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_waited_longest_for_a_request_makes_room() {
        let places = places(2, 2);
        let (first, second) = (take(&places, 1).await.unwrap(), take(&places, 2).await.unwrap());
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
        let (own, too) = (take(&places, 1).await.unwrap(), take(&places, 1).await.unwrap());
        let mut stuck = own.wait(Awaited::Reading);
        tokio::time::sleep(3 * SECOND).await;
        let reading = too.wait(Awaited::Reading);
        let asker = take(&places, 2).await.unwrap();
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
        let (first, second) = (take(&places, 1).await.unwrap(), take(&places, 1).await.unwrap());
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
        let (own, other) = (take(&places, 1).await.unwrap(), take(&places, 2).await.unwrap());
        let stuck = [own.wait(Awaited::Reading), other.wait(Awaited::Reading)];
        let coming = newcomer(&places, 1).await;
        tokio::time::sleep(20 * SECOND).await;
        assert!(!coming.is_finished());
        assert!(stuck.into_iter().all(Wait::end), "nobody is asked to leave");
        drop(own);
        assert!(coming.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn in_a_share_ones_own_makes_room_once_it_stands_still() {
        let places = places(9, 1);
        let own = take(&places, 1).await.unwrap();
        let mut stuck = own.wait(Awaited::Reading);
        let coming = newcomer(&places, 1).await;
        assert!(places.enter(client(1)).await.is_none(), "its share of places, and as many wait");
        assert!(take(&places, 2).await.is_some(), "who waits is in nobody's way");
        let start = Instant::now();
        stuck.asked_to_leave().await;
        assert!(start.elapsed() >= 3 * SECOND, "in use until then");
        drop(stuck);
        drop(own);
        assert!(coming.await.unwrap().is_some());
        assert!(places.state().clients.is_empty(), "nobody is there any more");
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_much_at_once_loses_nothing() {
        let places = places(9, 2);
        let (first, second) = (take(&places, 1).await.unwrap(), take(&places, 1).await.unwrap());
        let asking = [first.wait(Awaited::First), second.wait(Awaited::First)];
        let coming = newcomer(&places, 1).await;
        tokio::time::sleep(2 * SECOND).await;
        assert!(!coming.is_finished() && asking.into_iter().all(Wait::end), "what has just come is not sent away");
        drop(first);
        assert!(coming.await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_too_long_is_sent_away() {
        let places = places(1, 1);
        let _busy = take(&places, 1).await.unwrap();
        assert!(take(&places, 2).await.is_none());
    }
}
