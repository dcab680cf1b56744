//! The places for TCP connections: so many in all, and so many for one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Limits;

/// All places.
pub(super) struct Places {
    free: Arc<Semaphore>,
    client_limit: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place that a client has until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    client: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Self {
        let free = Arc::new(Semaphore::new(limits.connections));
        Self { free, client_limit: limits.client_connections, taken: Mutex::default() }
    }

    /// Waits for a place that nobody has.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// Gives it to a client; `None` when that has its share already.
    pub(super) fn take(self: &Arc<Self>, permit: OwnedSemaphorePermit, client: IpAddr) -> Option<Place> {
        let client = client.to_canonical();
        self.count(client, |taken| (taken < self.client_limit).then_some(taken + 1))?;
        Some(Place { places: Arc::clone(self), client, _permit: permit })
    }

    /// Changes how many places a client has; the new number.
    fn count(&self, client: IpAddr, change: impl FnOnce(usize) -> Option<usize>) -> Option<usize> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = change(taken.get(&client).copied().unwrap_or_default())?;
        if count == 0 {
            taken.remove(&client)
        } else {
            taken.insert(client, count)
        };
        Some(count)
    }
}

impl Place {
    /// Whose it is.
    pub(super) fn client(&self) -> IpAddr {
        self.client
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.count(self.client, |taken| taken.checked_sub(1));
    }
}
