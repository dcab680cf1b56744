//! The withdrawal of a zone that nobody declares any more and whose time is over: not too many at once, not while the parent trusts its
//! keys, and from the zone above first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cst_api::Date;
use cst_compiler::index::Unit;
use cst_compiler::model::DomainName;
use cst_compiler::plan::guard::{self, Held, Watched};
use cst_compiler::plan::retention::{self, Retention};
use cst_compiler::problem::{Kind, ObjectRef};

use super::super::{Engine, Work};
use super::{Damaged, Decision, Step};
use crate::clock::Now;
use crate::published::PublishedZone;

/// For so many days, the day itself included, withdrawals count together.
const WINDOW_DAYS: i64 = 2;

impl Engine {
    pub(super) fn withdrawal(&mut self, last: PublishedZone, now: &Now) -> Decision {
        let zone = last.apex().clone();
        let too_many = self.too_many(&last, now.today);
        let held: Vec<Held> = too_many.into_iter().chain(self.trusted_above(&last)).collect();
        let is_free = held.is_empty() && self.has_left_above(&zone, now);
        if !is_free {
            return Decision { held, ..self.kept(last, now) };
        }
        self.approved.remove(&zone);
        self.withdrawn.retain(|_, (day, _)| now.today.days() - day.days() < WINDOW_DAYS);
        self.withdrawn.insert(zone, (now.today, last.holder.tenant().unwrap_or_default().to_owned()));
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

    /// More of the catalog's zones, or of the tenant's, than may go at once. The coordinator approves what goes of a tenant, all of it by one
    /// word; by the Tenant's own end they have given it.
    fn too_many(&mut self, last: &PublishedZone, today: Date) -> Option<Held> {
        if self.approved.contains(last.apex()) {
            return None;
        }
        let (going, staying): (Vec<_>, Vec<_>) = self
            .zones
            .values()
            .filter_map(|state| state.published.as_ref())
            .partition(|zone| self.is_over(zone, today));
        let tenant = last.holder.tenant().unwrap_or_default();
        let judge = |watched: Watched, of: Option<&str>| {
            let names = |zones: &[&PublishedZone]| {
                let within = zones.iter().filter(|zone| of.is_none() || zone.holder.tenant() == of);
                within.map(|zone| zone.apex().to_string()).collect::<BTreeSet<_>>()
            };
            let after = names(&staying);
            let before = after.union(&names(&going)).cloned().collect();
            let withdrawn = self.withdrawn.iter().filter(|(_, (_, whose))| of.is_none_or(|of| of == whose));
            let earlier = withdrawn.map(|(zone, _)| zone.to_string()).collect();
            guard::names(watched, of.unwrap_or("catalog"), &earlier, &before, &after)
        };
        let of_catalog = judge(Watched::Zones, None).map(|held| format!("the catalog {}", held.message));
        let is_there = self.is_there(Kind::Tenant, &ObjectRef::tenant(tenant).key);
        let of_tenant = || {
            let held = is_there.then(|| judge(Watched::Units, Some(tenant))).flatten()?;
            Some(format!("it {}", held.message))
        };
        let message = of_catalog.or_else(of_tenant)?;
        let own = going.into_iter().filter(|zone| zone.holder.tenant() == Some(tenant));
        let own: BTreeMap<DomainName, u32> = own.map(|zone| (zone.apex().clone(), zone.epoch)).collect();
        let list = own.keys().map(DomainName::as_str).collect::<Vec<_>>().join(", ");
        let message = format!("{message}; of this tenant {list}");
        // One that comes back does so in another epoch.
        let held = guard::by_hand(&format!("{tenant} zones {own:?}"), message);
        if self.approves(&last.holder, &held) {
            self.approved.extend(own.into_keys());
            return None;
        }
        Some(held)
    }

    /// Whether nobody declares it any more, and its time is over.
    fn is_over(&self, zone: &PublishedZone, today: Date) -> bool {
        let days = self.index.settings().retain_days;
        !self.is_there(Kind::Domain, &zone.holder)
            && retention::judge(zone.deletion_policy, zone.retired, today, days) == Retention::Drop
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
