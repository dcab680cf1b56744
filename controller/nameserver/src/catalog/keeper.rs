//! Publishes the catalog when the set of zones has changed: at once when it was quiet, else once a second with all that changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cst_compiler::model::DomainName;
use cst_compiler::plan::serial::{is_newer, next};
use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::error;

use crate::clock::Clock;
use crate::notify::{First, Notifier};
use crate::served::ServedZone;
use crate::zones::Zones;

use super::{Catalog, build};

/// The pause between two versions. With at most one a second, serials that follow the clock never run ahead of it.
const PAUSE: Duration = Duration::from_secs(1);

/// What calls for a new version, and whether it may be made here.
#[derive(Clone)]
pub(crate) struct Changes(Arc<(Notify, Mutex<State>)>);

struct State {
    /// The catalog's newest serial at a secondary.
    seen: Option<u32>,
    right: Right,
}

/// Who makes versions. A secondary takes the highest serial for the newest catalog and drops the zones that it lacks: so a replica that may
/// not know every zone must make none.
enum Right {
    /// This replica, for good.
    Alone,
    /// This one until then, and whichever is given the right afterwards.
    Until(Option<Instant>),
}

impl State {
    fn may_publish(&self) -> bool {
        match self.right {
            Right::Alone => true,
            Right::Until(until) => until.is_some_and(|until| Instant::now() < until),
        }
    }
}

impl Changes {
    pub(crate) fn new(is_alone: bool) -> Self {
        let right = if is_alone { Right::Alone } else { Right::Until(None) };
        Self(Arc::new((Notify::new(), Mutex::new(State { seen: None, right }))))
    }

    /// The set of zones has changed.
    pub(crate) fn announce(&self) {
        self.0.0.notify_one();
    }

    /// Until then versions are made here, or no more. What called for one before is made up for.
    pub(crate) fn allow(&self, until: Option<Instant>) {
        let mut state = self.state();
        let could = state.may_publish();
        if let Right::Until(old) = &mut state.right {
            *old = until;
        }
        if !could {
            self.announce();
        }
    }

    /// A secondary answers this serial for the catalog. One ahead of ours is from before a loss of ours, or another replica's.
    pub(crate) fn seen(&self, serial: u32) {
        let mut state = self.state();
        if state.seen.is_none_or(|old| is_newer(serial, old)) {
            state.seen = Some(serial);
            self.announce();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the catalog's versions.
pub(crate) struct CatalogKeeper {
    pub(crate) catalog: Catalog,
    pub(crate) zones: Arc<Zones>,
    pub(crate) notifier: Notifier,
    pub(crate) changes: Changes,
    pub(crate) clock: Clock,
    pub(crate) published: Option<Published>,
}

/// The version that is served.
pub(crate) struct Published {
    members: BTreeSet<DomainName>,
    serial: u32,
}

impl CatalogKeeper {
    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            self.changes.0.0.notified().await;
            if self.publish_if_due() {
                sleep(PAUSE).await;
            }
        }
    }

    fn publish_if_due(&mut self) -> bool {
        let seen = {
            let state = self.changes.state();
            if !self.zones.is_complete() || !state.may_publish() {
                return false;
            }
            state.seen
        };
        let members = self.zones.names();
        match &self.published {
            // Nothing was ever served: an empty catalog would take every zone from the secondaries.
            None if members.is_empty() => return false,
            // As it is already, and no secondary has one that looks newer: from before a loss, of another replica, by hand or from a backup.
            Some(old) if old.members == members && seen.is_none_or(|seen| !is_newer(seen, old.serial)) => return false,
            _ => {}
        }
        let Some(zone) = build(&self.catalog, &members) else {
            error!(catalog = %self.catalog.name, "the catalog's name is too long for its members: choose a shorter one");
            return false;
        };
        let now = u32::try_from(self.clock.now() & u64::from(u32::MAX)).unwrap_or(0);
        let serial = next(self.published.as_ref().map(|old| old.serial), seen, now);
        self.zones.set_catalog(ServedZone::unsigned(&zone, serial));
        self.notifier.publish(self.catalog.name.clone(), serial, First::Notify);
        self.published = Some(Published { members, serial });
        true
    }
}

#[cfg(test)]
mod tests {
    use cst_compiler::model::Soa;
    use tokio::task::JoinSet;

    use super::*;
    use crate::keyring::{Keyring, Keys};

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    /// A replica that was handed all that it knows of, and has no secondaries.
    fn keeper(is_alone: bool) -> CatalogKeeper {
        let nobody = name("invalid");
        let soa =
            Soa { mname: nobody.clone(), rname: nobody, serial: 0, refresh: 60, retry: 10, expire: 90, minimum: 0 };
        let catalog = Catalog { name: name("catalog.example"), soa };
        let (changes, clock) = (Changes::new(is_alone), Clock::system());
        let zones = Arc::new(Zones::new(catalog.name.clone(), Arc::default()));
        let keys = Keys::new(Keyring::default());
        let (notifier, _) = Notifier::start(
            Vec::new(),
            catalog.name.clone(),
            changes.clone(),
            &Arc::default(),
            &keys,
            &clock,
            &mut JoinSet::new(),
        );
        zones.set_complete();
        CatalogKeeper { catalog, zones, notifier, changes, clock, published: None }
    }

    impl CatalogKeeper {
        fn serial(&self) -> Option<u32> {
            self.zones.get(&self.catalog.name).map(|source| source.serial())
        }
    }

    #[test]
    fn versions_are_made_only_as_long_as_no_other_replica_may() {
        let mut keeper = keeper(false);
        keeper.zones.declare(&name("urbino.example"));
        assert!(!keeper.publish_if_due() && keeper.serial().is_none(), "it never led");
        keeper.changes.allow(Some(Instant::now() + Duration::from_hours(1)));
        assert!(keeper.publish_if_due());
        let serial = keeper.serial();
        assert!(serial.is_some());
        keeper.zones.declare(&name("fano.example"));
        keeper.changes.seen(serial.unwrap() + 1000);
        for until in [Some(Instant::now()), None] {
            keeper.changes.allow(until);
            assert!(!keeper.publish_if_due(), "its time is over");
        }
        assert_eq!(keeper.serial(), serial, "what it made is served on");
        keeper.changes.allow(Some(Instant::now() + Duration::from_hours(1)));
        assert!(keeper.publish_if_due());
        assert_eq!(keeper.serial(), serial.map(|serial| serial + 1001));
    }

    #[test]
    fn a_catalog_that_looks_newer_is_outbid_whenever_it_is_seen() {
        let mut keeper = keeper(true);
        keeper.zones.declare(&name("urbino.example"));
        assert!(keeper.publish_if_due());
        assert!(!keeper.publish_if_due(), "nothing has changed");
        for _ in 0..3 {
            let seen = keeper.serial().unwrap() + 1_000_000;
            keeper.changes.seen(seen);
            assert!(keeper.publish_if_due());
            assert_eq!(keeper.serial(), Some(seen + 1));
            assert!(!keeper.publish_if_due(), "once is enough");
        }
    }
}
