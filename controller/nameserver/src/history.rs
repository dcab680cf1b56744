//! What has changed between the versions of a zone, for incremental transfers (RFC 1995): kept for the last versions that somebody could
//! have transferred, and for no more octets than the zone itself has, because then the whole zone is the shorter answer.

mod difference;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::served::ServedZone;

pub(crate) use difference::Difference;

/// The most versions that are remembered.
const VERSIONS: usize = 100;

/// The differences that lead to a version, each from where the one before it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Vec<Arc<Difference>>);

impl History {
    /// The history of `new`, which comes after `old`, whose history this is.
    pub(crate) fn followed_by(&self, old: &ServedZone, new: &ServedZone) -> Self {
        let bound = new.octets();
        let Some(difference) = Difference::between(old, new, bound) else { return Self::default() };
        let mut differences = self.0.clone();
        differences.push(Arc::new(difference));
        let mut octets = 0;
        let fits = |difference: &&Arc<Difference>| {
            octets += difference.octets();
            octets <= bound
        };
        let kept = differences.iter().rev().take(VERSIONS).take_while(fits).count();
        Self(differences.split_off(differences.len() - kept))
    }

    /// What leads from a version to the newest; `None` when it is not remembered.
    pub(crate) fn since(&self, serial: u32) -> Option<&[Arc<Difference>]> {
        let start = self.0.iter().rposition(|difference| difference.serials().0 == serial)?;
        self.0.get(start..)
    }
}
