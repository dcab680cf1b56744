//! A Domain whose mail the centre received and no longer shall: of many addresses that is held as any other step that takes so many.

use cst_compiler::model::DomainName;
use cst_compiler::plan::guard::Held;
use cst_compiler::plan::mail;

use super::super::{Engine, Source};
use crate::shards;

/// Whether a domain's mail lets its zone go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Leaving {
    /// It does.
    Free,
    /// It is not known yet, or what goes of it is held by itself.
    Waits,
    /// This waits for approval.
    Held(Held),
}

impl Leaving {
    /// What waits for approval.
    pub fn held(&self) -> Option<Held> {
        if let Self::Held(held) = self { Some(held.clone()) } else { None }
    }
}

impl Engine {
    /// Whether the zone goes on naming the mail servers, although its Domain asks for that no longer: that is held, or what it would take
    /// is not known yet.
    pub(in super::super) fn mail_stays(&self, zone: &DomainName) -> bool {
        self.is_given_up(zone) && (self.missing.contains(&Source::Shards) || self.held_giving_up(zone).is_some())
    }

    /// What of giving a domain's mail up waits for approval.
    pub(super) fn held_giving_up(&self, domain: &DomainName) -> Option<Held> {
        let holder = self.index.zone_holder(domain)?;
        self.giving_up(domain).filter(|held| !self.approves(holder, held))
    }

    /// What giving a domain's mail up would drop, where that is too much at once.
    pub(in super::super) fn giving_up(&self, domain: &DomainName) -> Option<Held> {
        let published = shards::published(domain, &self.mail.get(domain)?.shards)?;
        let epoch = self.zones.get(domain)?.published.as_ref()?.epoch;
        mail::giving_up(&published, epoch).filter(|_| self.is_given_up(domain))
    }

    /// Whether a domain's mail lets its zone go: of many addresses that is held as any other step that takes so many.
    pub(in super::super) fn mail_leaving(&self, domain: &DomainName) -> Leaving {
        let Some(last) = self.zones.get(domain).and_then(|state| state.published.as_ref()) else {
            return Leaving::Free;
        };
        if !last.mail_gate_open {
            return Leaving::Free;
        }
        if self.missing.contains(&Source::Shards) {
            return Leaving::Waits;
        }
        let Some(state) = self.mail.get(domain) else { return Leaving::Free };
        if state.held.is_some() {
            return Leaving::Waits;
        }
        let published = shards::published(domain, &state.shards);
        let held = published.and_then(|published| mail::giving_up(&published, last.epoch));
        held.filter(|held| !self.approves(&last.holder, held)).map_or(Leaving::Free, Leaving::Held)
    }

    /// The zone names the mail servers, and its Domain is there and asks for that no longer.
    fn is_given_up(&self, domain: &DomainName) -> bool {
        let published = self.zones.get(domain).and_then(|state| state.published.as_ref());
        published.is_some_and(|published| published.mail_gate_open)
            && self.index.held_zone(domain).is_some_and(|model| !model.hosts_mail())
    }
}
