//! The withdrawal of a zone that nobody declares any more and whose time is over: not too many at once, not while the parent trusts its
//! keys, and from the zone above first.

use std::time::Duration;

use cst_compiler::index::Unit;
use cst_compiler::model::DomainName;
use cst_compiler::plan::departure::Standing;
use cst_compiler::plan::guard::{self, Held};
use cst_compiler::plan::parent::{Parent, ParentAnswer};

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
        // First many at once are let go by one word, then each is looked at.
        let trusted = if may_go { self.trusted_above(&last) } else { None };
        let held: Vec<Held> = trusted.into_iter().chain(mail.held()).collect();
        let is_free = may_go && held.is_empty() && mail == Leaving::Free && self.has_left_above(&zone, now);
        if !is_free {
            let retired = last.retired.or(Some(now.today));
            return Decision { held, ..self.kept(PublishedZone { retired, ..last }, now) };
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

    /// A zone elsewhere above trusts a key, or may: whoever validates would find the name broken, not gone.
    fn trusted_above(&self, last: &PublishedZone) -> Option<Held> {
        let zone = last.apex();
        if self.index.zone_above(zone).is_some() {
            return None;
        }
        let why = match self.parent_of(zone) {
            None if !last.signing.is_signed() || self.has_word(last) => return None,
            None => "nobody asks what the parent has, because the settings name no `dns.resolvers`,",
            Some(parent) if parent.is_known() && (parent.ds().is_empty() || self.has_moved(&parent)) => return None,
            Some(parent) if parent.ds().is_empty() => "it is not known whether the parent has a DS",
            Some(_) => "the parent has a DS",
        };
        let message = format!(
            "{why} of {zone}, which is to be withdrawn: have its DS and its delegation taken out, wait until their times to live are over, \
             then approve"
        );
        let held = guard::by_hand(&format!("{zone} withdrawal"), message).in_epoch(last.epoch);
        (!self.approves(&last.holder, &held)).then_some(held)
    }

    /// Whether the coordinator let the zone go, by its name or with all its tenant had. That stands for what nobody asks.
    fn has_word(&self, last: &PublishedZone) -> bool {
        last.retained().is_some_and(|retained| self.is_dropped(&retained))
            || last.holder.tenant().is_some_and(|tenant| self.standing(tenant) == Standing::Left)
    }

    /// Whether the zone above delegates to others only: its DS are of what they serve.
    fn has_moved(&self, parent: &Parent) -> bool {
        parent.answers().all(|(_, said)| !said.ns.is_empty() && !self.leads_here(said))
    }

    /// Whether a server of the zone above delegates to any of ours.
    fn leads_here(&self, said: &ParentAnswer) -> bool {
        let ours = &self.index.settings().dns.name_servers;
        said.ns.iter().any(|server| ours.contains(server))
    }

    /// Whether no cache has the delegation in one of our zones any more. It is taken out first.
    fn has_left_above(&mut self, zone: &DomainName, now: &Now) -> bool {
        let Some(above) = self.index.zone_above(zone).filter(|above| self.zones.contains_key(above)) else {
            return true;
        };
        let Some(parent) = self.parent_of(zone) else { return true };
        let is_out = parent.is_known() && parent.answers().all(|(_, said)| !self.leads_here(said));
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
