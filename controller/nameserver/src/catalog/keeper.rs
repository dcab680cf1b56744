//! Publishes the catalog when the set of zones has changed: at once when it was quiet, else once a second with all that changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

/// The catalog's newest serial at a secondary, and the wish for a new version.
#[derive(Clone, Default)]
pub(crate) struct Changes(Arc<(Notify, Mutex<Option<u32>>)>);

impl Changes {
    /// The set of zones has changed.
    pub(crate) fn announce(&self) {
        self.0.0.notify_one();
    }

    /// A secondary answers this serial for the catalog. One ahead of ours is from before a loss of ours, or another replica's.
    pub(crate) fn seen(&self, serial: u32) {
        let mut seen = self.0.1.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_none_or(|old| is_newer(serial, old)) {
            *seen = Some(serial);
            self.announce();
        }
    }

    fn newest_seen(&self) -> Option<u32> {
        *self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// Whether its serial was raised over a secondary's already: once for each content, or two replicas would outbid each other for ever.
    is_raised: bool,
}

impl CatalogKeeper {
    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            self.changes.0.0.notified().await;
            if self.zones.is_complete() && self.publish_if_changed() {
                sleep(PAUSE).await;
            }
        }
    }

    fn publish_if_changed(&mut self) -> bool {
        let members = self.zones.names();
        let seen = self.changes.newest_seen();
        let is_raised = match &self.published {
            // Nothing was ever served: an empty catalog would take every zone from the secondaries.
            None if members.is_empty() => return false,
            Some(old) if old.members == members => {
                let is_behind = seen.is_some_and(|seen| is_newer(seen, old.serial));
                if !is_behind || old.is_raised {
                    return false;
                }
                true
            }
            _ => false,
        };
        let Some(zone) = build(&self.catalog, &members) else {
            error!(catalog = %self.catalog.name, "the catalog's name is too long for its members: choose a shorter one");
            return false;
        };
        let now = u32::try_from(self.clock.now() & u64::from(u32::MAX)).unwrap_or(0);
        let serial = next(self.published.as_ref().map(|old| old.serial), seen, now);
        self.zones.set_catalog(ServedZone::unsigned(&zone, serial));
        self.notifier.publish(self.catalog.name.clone(), serial, First::Notify);
        self.published = Some(Published { members, serial, is_raised });
        true
    }
}
