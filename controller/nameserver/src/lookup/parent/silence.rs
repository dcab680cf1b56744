//! Servers that did not answer a moment ago: one that is down must not be waited for once a zone.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// For how long a silent server counts as silent without being asked.
const PAUSE: Duration = Duration::from_secs(30);

/// Who was silent when.
#[derive(Debug, Default)]
pub(in crate::lookup) struct Silence(Mutex<HashMap<SocketAddr, Instant>>);

impl Silence {
    pub(super) fn note(&self, server: SocketAddr) {
        self.lock().insert(server, Instant::now());
    }

    pub(super) fn is_recent(&self, server: SocketAddr) -> bool {
        let mut servers = self.lock();
        let is_recent = servers.get(&server).is_some_and(|since| since.elapsed() < PAUSE);
        if !is_recent {
            servers.remove(&server);
        }
        is_recent
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SocketAddr, Instant>> {
        // What is in it is right whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
