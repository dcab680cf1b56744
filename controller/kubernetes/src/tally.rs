//! How much waits for a human, for whoever prints it as metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// What waits. It is all zero on a replica that does not lead.
#[derive(Debug, Default)]
pub struct Tally {
    held: AtomicU64,
    untold: AtomicU64,
    retained: AtomicU64,
    missing: AtomicU64,
}

/// What waits, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Changes that wait for approval and stand in the status of a Domain or a Tenant.
    pub held: usize,
    /// Changes that wait for approval and that no object tells, because the Tenant is gone: they are logged.
    pub untold: usize,
    /// Units that nobody declares any more and that are served on.
    pub retained: usize,
    /// Tenants that are gone and were not Terminated.
    pub missing: usize,
}

impl Tally {
    /// Takes in what waits now.
    pub fn set(&self, waiting: Waiting) {
        let Waiting { held, untold, retained, missing } = waiting;
        for (gauge, number) in
            [(&self.held, held), (&self.untold, untold), (&self.retained, retained), (&self.missing, missing)]
        {
            gauge.store(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// What was taken in last: changes held that a status tells, changes held that none tells, units retained, and Tenants that are missing.
    pub fn numbers(&self) -> [u64; 4] {
        [&self.held, &self.untold, &self.retained, &self.missing].map(|gauge| gauge.load(Ordering::Relaxed))
    }
}
