//! The withdrawal of a zone that nobody declares any more and whose time is over: not too many at once, not while the parent trusts its
//! keys, and from the zone above first.

use std::time::Duration;

use cst_compiler::index::Unit;
use cst_compiler::model::DomainName;
use cst_compiler::plan::guard::{self, Held};

use super::super::mail::Leaving;
use super::super::{Engine, Work};
use super::{Damaged, Decision, Step};
use crate::clock::Now;
use crate::published::PublishedZone;

impl Engine {
    pub(super) fn withdrawal(&mut self, last: PublishedZone, now: &Now) -> Decision {
        let zone = last.apex().clone();
        let may_go = self.may_go(&last.holder, &Unit::Zone(zone.clone()));
        if !may_go {
            self.ask_to_go(&last.holder);
        }
        let mail = self.mail_leaving(last.apex());
        if let Some(state) = self.zones.get_mut(&zone) {
            state.awaits_mail = mail != Leaving::Free;
        }
        let held: Vec<Held> = self.trusted_above(&last).into_iter().chain(mail.held()).collect();
        let is_free = may_go && held.is_empty() && mail == Leaving::Free && self.has_left_above(&zone, now);
        if !is_free {
            return Decision { held, ..self.kept(last, now) };
        }
        Decision::only(Step::Forget(last.resource_version))
    }

    /// A stored version that cannot be read, of a zone that nobody declares: only a human knows whether it may go.
    pub(super) fn lost(&self, zone: &DomainName, damaged: &Damaged) -> Decision {
        let message = format!(
            "{}; nobody declares {zone}, and its public servers serve what they have of it for four weeks at most: restore it from a \
             backup, declare it, or approve that it is withdrawn",
            damaged.why
        );
        let held = guard::by_hand(&format!("{zone} damaged {}", damaged.resource_version), message);
        if damaged.holder.as_ref().is_some_and(|holder| self.approves(holder, &held)) {
            return Decision::only(Step::Forget(damaged.resource_version.clone()));
        }
        Decision { held: vec![held], ..Decision::only(Step::Keep) }
    }

    /// A zone elsewhere above trusts a key: whoever validates would find the name broken, not gone.
    fn trusted_above(&self, last: &PublishedZone) -> Option<Held> {
        let zone = last.apex();
        if self.index.zone_above(zone).is_some() {
            return None;
        }
        let parent = self.parent_of(zone)?;
        if parent.is_known() && parent.ds().is_empty() {
            return None;
        }
        let why =
            if parent.ds().is_empty() { "it is not known whether the parent has a DS" } else { "the parent has a DS" };
        let message =
            format!("{why} of {zone}, which is to be withdrawn: have its DS and its delegation taken out, or approve");
        let held = guard::by_hand(&format!("{zone} withdrawal"), message).in_epoch(last.epoch);
        (!self.approves(&last.holder, &held)).then_some(held)
    }

    /// Whether no cache has the delegation in one of our zones any more. It is taken out first.
    fn has_left_above(&mut self, zone: &DomainName, now: &Now) -> bool {
        let Some(above) = self.index.zone_above(zone).filter(|above| self.zones.contains_key(above)) else {
            return true;
        };
        let Some(parent) = self.parent_of(zone) else { return true };
        let is_out = parent.is_known() && parent.answers().all(|(_, said)| said.ns.is_empty());
        let ttl = self.zones.get(&above).and_then(|state| Some(state.published.as_ref()?.caches.ttl()));
        let ttl = Duration::from_secs(ttl.unwrap_or_default().into());
        let Some(state) = self.zones.get_mut(zone) else { return true };
        let first = !std::mem::replace(&mut state.leaves, true);
        state.out_since = is_out.then(|| state.out_since.unwrap_or(now.instant));
        let free_at = state.out_since.map(|since| since + ttl);
        if first {
            self.mark(Work::Unit(Unit::Zone(above)));
        }
        if let Some(at) = free_at.filter(|at| *at > now.instant) {
            self.mark_later(Work::Unit(Unit::Zone(zone.clone())), at);
        }
        free_at.is_some_and(|at| at <= now.instant)
    }
}
