//! From keys that signed to none.

use cst_api::DkimPhase;

use super::{Dkim, Facts, InUse, KeySet, Wanted};
use crate::plan::dnssec::{Wait, until};

/// For how long a revoked key says so before it goes, in seconds.
const REVOKED: u32 = 30 * DAY;
const DAY: u32 = 86_400;

impl Dkim {
    /// Revokes what nobody needs any more to verify mail, and drops what was revoked for long. What that waits for, the oldest first.
    pub(super) fn let_go(&mut self, wanted: &Wanted, facts: &Facts<'_>) -> Vec<Wait> {
        let mut waits = Vec::new();
        let mut kept = Vec::new();
        for mut set in self.sets.drain(..) {
            let result = match set.phase {
                DkimPhase::Published | DkimPhase::Signing => Ok(false),
                DkimPhase::Retired => set.is_needed_by_nobody(wanted, facts).map(|()| {
                    set.enter(DkimPhase::Revoked, facts.now);
                    false
                }),
                DkimPhase::Revoked => set.is_revoked_for_long(facts).map(|()| true),
            };
            if result != Ok(true) {
                kept.push(set);
            }
            waits.extend(result.err());
        }
        self.sets = kept;
        waits
    }
}

impl KeySet {
    /// No agent signs with it, and what they signed with it arrived long ago.
    fn is_needed_by_nobody(&mut self, wanted: &Wanted, facts: &Facts<'_>) -> Result<(), Wait> {
        let in_use = self.selectors().map(|selector| (facts.in_use)(&selector)).max().unwrap_or(InUse::No);
        // Once they all had stopped, none begins again but with what it is given.
        if in_use == InUse::Yes || (in_use == InUse::Unknown && self.settled.is_none()) {
            self.settled = None;
            return Err(Wait::new(format!("the mail servers to sign no more with the keys {}", self.name)));
        }
        let since = self.settle(facts.now);
        let seconds = u32::from(wanted.keep_days).saturating_mul(DAY);
        until(since, seconds, facts.now, &format!("mail that was signed with the keys {} to arrive", self.name))
    }

    fn is_revoked_for_long(&mut self, facts: &Facts<'_>) -> Result<(), Wait> {
        let since = self.settle(facts.now);
        until(since, REVOKED, facts.now, &format!("the revoked keys {} to go", self.name))
    }
}
