//! The withdrawal of a zone that nobody declares any more and whose time is over: not too many at once, not while the parent trusts its
//! keys, and from the zone above first.

use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, RecordType};
use cst_compiler::plan::departure::Standing;
use cst_compiler::plan::dnssec::Wait;
use cst_compiler::plan::guard::{self, Held};
use cst_compiler::plan::parent::Parent;
use cst_compiler::plan::withdrawal::{Facts, Leave, leads_to};

use super::super::Engine;
use super::super::mail::Leaving;
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
        let resource_version = last.resource_version.clone();
        let mut next = PublishedZone { retired: last.retired.or(Some(now.today)), ..last };
        let is_held = !may_go || !held.is_empty();
        if let Some(state) = self.zones.get_mut(&zone).filter(|_| is_held || mail != Leaving::Free) {
            state.going = None;
        }
        let wait = match mail {
            _ if is_held => None,
            Leaving::Free => match self.leave(&mut next, now).and_then(|()| self.hear_anew(&zone, now)) {
                Ok(()) => return Decision::only(Step::Forget(resource_version)),
                Err(wait) => Some(wait),
            },
            Leaving::Waits | Leaving::Held(_) => Some(Wait::new("its mail to be gone")),
        };
        let held = held.into_iter().chain(wait.as_ref().and_then(|wait| wait.held.clone())).collect();
        Decision { wait, ..self.kept(next, now).and_held(held) }
    }

    /// A stored version that cannot be read, of a zone that nobody declares: only a human knows whether it may go.
    pub(super) fn lost(&self, zone: &DomainName, damaged: &Damaged) -> Decision {
        let message = format!(
            "{}; nobody declares {zone}, and its public servers serve what they have of it for four weeks at most: restore it from a \
             backup, declare it, or approve that it is withdrawn",
            damaged.why
        );
        let held = guard::by_hand(&format!("{zone} damaged {}", damaged.identity), message);
        let is_approved = damaged.approvals.contains(&held.digest);
        if is_approved || damaged.holder.as_ref().is_some_and(|holder| self.approves(holder, &held)) {
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
    pub(in super::super) fn has_word(&self, last: &PublishedZone) -> bool {
        last.retained().is_some_and(|retained| self.is_dropped(&retained))
            || last.holder.tenant().is_some_and(|tenant| self.standing(tenant) == Standing::Left)
    }

    /// Whether the zone above delegates to others only: its DS are of what they serve.
    fn has_moved(&self, parent: &Parent) -> bool {
        let ours = &self.index.settings().dns.name_servers;
        parent.answers().all(|(_, said)| !said.ns.is_empty() && !leads_to(said, ours))
    }

    /// What lets it go was asked for when nothing else kept it: its parent may have got a DS since.
    fn hear_anew(&mut self, zone: &DomainName, now: &Now) -> Result<(), Wait> {
        let is_asked = self.asks_parent(zone);
        let Some(state) = self.zones.get_mut(zone).filter(|_| is_asked) else { return Ok(()) };
        let since = *state.going.get_or_insert(now.instant);
        let is_heard = state.parent.as_ref().is_some_and(|heard| heard.asked >= since);
        if is_heard { Ok(()) } else { Err(Wait::anew()) }
    }

    /// The delegation in one of our zones is taken out first, and no cache has it any more.
    fn leave(&self, next: &mut PublishedZone, now: &Now) -> Result<(), Wait> {
        let zone = next.apex().clone();
        let above = self.index.zone_above(&zone).zip(self.parent_of(&zone));
        let Some((above, parent)) = above else { return Ok(()) };
        let state = self.zones.get(&above);
        let published = state.and_then(|state| state.published.as_ref());
        let trouble = self.trouble_above(next, &above);
        let leave = next.leave.get_or_insert(Leave::begin(self.steady.seconds(now)));
        leave.step(&Facts {
            zone: &zone,
            above: &above,
            parent: &parent,
            servers: &self.index.settings().dns.name_servers,
            ttl: published.map(|published| published.caches.ttl()),
            trouble,
            now: self.steady.seconds(now),
            epoch: next.epoch,
            approves: &|held| self.approves(&next.holder, held),
        })
    }

    /// Why the zone above may go on delegating a zone that leaves, in words.
    fn trouble_above(&self, leaving: &PublishedZone, above: &DomainName) -> Option<&str> {
        let state = self.zones.get(above);
        if let Some(damaged) = state.and_then(|state| state.damaged.as_ref()) {
            return Some(&damaged.why);
        }
        let Some(published) = state.and_then(|state| state.published.as_ref()) else {
            return Some("it is not published");
        };
        // Others may serve it now.
        let delegates = published.zone.get(leaving.apex(), RecordType::NS).is_some();
        (delegates && leaving.leave.is_some())
            .then_some("its version delegates it: its Domain writes that, or is wrong, or its change is held")
    }
}
