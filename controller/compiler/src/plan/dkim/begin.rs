//! From stored keys to keys that sign.

use cst_api::DkimPhase;

use super::{Dkim, Facts, KeySet, Wanted};
use crate::plan::dnssec::{Wait, until};

impl Dkim {
    /// Publishes stored keys that are new: those that were just made, and those of a state that was lost. Of these the newest signs on once it
    /// is known to be published, and the others verify what they signed.
    pub(super) fn take_up(&mut self, wanted: &Wanted, facts: &Facts<'_>) {
        let is_lost = self.newest.is_none();
        let newest = facts.stored.iter().map(|set| set.name).max();
        for stored in facts.stored.iter().filter(|set| self.newest.is_none_or(|known| known < set.name)) {
            let phase = match (wanted.signs() && Some(stored.name) == newest, is_lost) {
                (true, _) => DkimPhase::Published,
                (false, true) => DkimPhase::Retired,
                (false, false) => continue,
            };
            let (name, made, keys) = (stored.name, stored.made, stored.keys.clone());
            self.sets.push(KeySet { name, made, keys, phase, since: facts.now, settled: None });
        }
        self.sets.sort_by_key(|set| set.name);
        self.newest = self.newest.max(self.sets.last().map(|set| set.name));
    }

    /// No mail is signed with keys that are lost, that something else in the zone hides, or when none shall be signed. Keys of which nobody knows
    /// that they signed may have, in a state that was lost.
    pub(super) fn stop(&mut self, wanted: &Wanted, facts: &Facts<'_>) {
        let may_sign = |set: &KeySet| wanted.signs() && set.is_stored(facts);
        for set in &mut self.sets {
            let goes_on = match set.phase {
                DkimPhase::Published => may_sign(set),
                DkimPhase::Signing => may_sign(set) && (facts.serves)(set),
                DkimPhase::Retired | DkimPhase::Revoked => true,
            };
            if !goes_on {
                set.enter(DkimPhase::Retired, facts.now);
            }
        }
    }

    /// Signs with the keys that are published, when every public server serves them and no cache holds that they are not there; and no longer
    /// with those before them.
    pub(super) fn begin(&mut self, facts: &Facts<'_>) -> Result<(), Wait> {
        let Some(at) = self.sets.iter().rposition(|set| set.phase == DkimPhase::Published) else { return Ok(()) };
        let absence = self.absence.ttl();
        let (before, from) = self.sets.split_at_mut(at);
        let Some(set) = from.first_mut() else { return Ok(()) };
        set.is_known_everywhere(absence, facts).and(facts.arrival.clone())?;
        set.enter(DkimPhase::Signing, facts.now);
        for set in before.iter_mut().filter(|set| set.phase == DkimPhase::Signing) {
            set.enter(DkimPhase::Retired, facts.now);
        }
        Ok(())
    }
}

impl KeySet {
    /// Every public server serves it, and no cache holds that it is not there (RFC 2308 §5).
    fn is_known_everywhere(&mut self, absence: u32, facts: &Facts<'_>) -> Result<(), Wait> {
        if !(facts.serves)(self) {
            self.settled = None;
            let selectors: Vec<String> = self.selectors().map(|selector| selector.to_string()).collect();
            let text = format!("the zone to hold {} and nothing else there", selectors.join(" and "));
            return Err(Wait::new(text));
        }
        if self.settled.is_none() && !facts.behind.is_empty() {
            return Err(Wait::new(format!("{} to serve the keys {}", facts.behind.join(", "), self.name)));
        }
        let since = self.settle(facts.now);
        until(since, absence, facts.now, &format!("caches to forget that there were no keys {}", self.name))
    }
}
