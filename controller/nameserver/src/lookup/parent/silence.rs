//! Servers that did not answer a moment ago: one that is down must not be waited for once a zone. And who ever answered: such a one that is
//! silent may have what it had.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cst_compiler::model::DomainName;
use tokio::time::Instant;

/// For how long a silent server counts as silent without being asked.
const PAUSE: Duration = Duration::from_secs(30);

/// Who was silent when, and who spoke.
#[derive(Debug, Default)]
pub(in crate::lookup) struct Silence {
    silent: Mutex<HashMap<SocketAddr, Instant>>,
    spoke: Mutex<HashSet<(DomainName, SocketAddr)>>,
}

impl Silence {
    pub(super) fn note(&self, server: SocketAddr) {
        lock(&self.silent).insert(server, Instant::now());
    }

    pub(super) fn is_recent(&self, server: SocketAddr) -> bool {
        let mut servers = lock(&self.silent);
        let is_recent = servers.get(&server).is_some_and(|since| since.elapsed() < PAUSE);
        if !is_recent {
            servers.remove(&server);
        }
        is_recent
    }

    /// A server spoke for a zone.
    pub(super) fn note_speech(&self, server: SocketAddr, zone: &DomainName) {
        lock(&self.spoke).insert((zone.clone(), server));
    }

    /// Whether a server ever spoke for a zone.
    pub(super) fn has_spoken(&self, server: SocketAddr, zone: &DomainName) -> bool {
        lock(&self.spoke).contains(&(zone.clone(), server))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in it is right whoever panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
