//! Which key a zone shall end with.

use cst_api::Date;

use super::{Signing, Wanted, ZoneKey};

impl Signing {
    /// The key to go on to: what was begun is ended before anything new is, unless what is wanted now is one of the two keys at work.
    pub(super) fn choose(&mut self, wanted: &Wanted, today: Date) -> u16 {
        let fits = |key: &&ZoneKey| key.algorithm == wanted.algorithm && !wanted.replaces(key, today);
        let at_work: Vec<&ZoneKey> = self.active().collect();
        let newest = at_work.last().filter(|_| at_work.len() > 1);
        let idle = || self.keys.iter().rev().filter(|key| !key.is_active()).find(fits);
        let chosen = at_work.iter().copied().rev().find(fits).or(newest.copied()).or_else(idle).map(|key| key.id);
        chosen.unwrap_or_else(|| self.add_key(wanted.algorithm, today))
    }
}

impl Wanted {
    fn replaces(&self, key: &ZoneKey, today: Date) -> bool {
        let asked = self.rollover.is_some_and(|day| key.made < day && day <= today);
        asked || self.lifetime.is_some_and(|days| today.days() - key.made.days() >= i64::from(days))
    }
}
