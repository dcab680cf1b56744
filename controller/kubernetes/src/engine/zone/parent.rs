//! What is known of the zone above a zone, and what is waited for there.

use std::time::Duration;

use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, RecordType};
use cst_compiler::plan::dnssec::Wait;
use cst_compiler::plan::parent::{Parent, ParentAnswer};

use super::super::{COUNTING, Engine, Work};
use super::Heard;
use super::below::{name_servers, signers};
use crate::clock::Now;
use crate::published::PublishedZone;

/// How long a zone that nobody has seen yet waits to hear of its parent, before that is told.
const HEARING: Duration = Duration::from_secs(5);
/// How soon it is judged again what a step waits for.
const LOOK_AGAIN: Duration = Duration::from_hours(1);

impl Engine {
    /// What the zone above says: one of ours by what its public servers answer, any other as it was seen. `None`: nobody asks.
    pub(super) fn parent_of(&self, zone: &DomainName) -> Option<Parent> {
        if let Some(above) = self.index.zone_above(zone) {
            let known = self.zones.get(&above).and_then(|state| Some((state, state.published.as_ref()?)));
            let Some((state, published)) = known else { return Some(Parent::default()) };
            let said = self.answering(state).map(|server| {
                let is_current = state.seen.get(&server.name) == Some(&published.serial);
                (server.name.clone(), is_current.then(|| said_of(zone, published)))
            });
            return Some(Parent { servers: said.collect() });
        }
        let is_asked = self.asks_parent(zone);
        let heard = self.zones.get(zone).and_then(|state| state.parent.as_ref());
        is_asked.then(|| heard.map(|heard| heard.parent.clone()).unwrap_or_default())
    }

    /// Whether the zone above is asked: it is none of ours, and there is somebody to ask.
    pub(super) fn asks_parent(&self, zone: &DomainName) -> bool {
        self.index.zone_above(zone).is_none() && !self.index.settings().dns.resolvers.is_empty()
    }

    /// Whether a zone that was never published waits to hear of its parent, which may trust keys that are not here.
    pub(super) fn awaits_parent(&mut self, zone: &DomainName, now: &Now) -> bool {
        let is_asked = self.asks_parent(zone);
        let Some(state) = self.zones.get_mut(zone) else { return false };
        if !is_asked || state.parent.is_some() || state.keys.is_none() {
            return false;
        }
        let until = *state.asked.get_or_insert(now.instant) + HEARING;
        if now.instant >= until {
            return false;
        }
        self.mark_later(Work::Unit(Unit::Zone(zone.clone())), until);
        true
    }

    pub(in super::super) fn take_parent(&mut self, zone: DomainName, heard: Heard) {
        let Some(state) = self.zones.get_mut(&zone) else { return };
        let is_news = state.parent.as_ref().is_none_or(|last| last.parent != heard.parent);
        let is_needed = state.wait.as_ref().is_some_and(|wait| wait.anew);
        state.parent = Some(heard);
        if is_news || is_needed {
            self.mark(Work::Unit(Unit::Zone(zone)));
        }
    }

    /// When what the zone above says was asked for, seconds since 1970. Of one of ours it is known now.
    pub(super) fn asked(&self, zone: &DomainName, now: &Now) -> u32 {
        let heard = self.zones.get(zone).and_then(|state| state.parent.as_ref());
        let heard = heard.filter(|_| self.asks_parent(zone));
        let age = heard.map(|heard| now.instant.saturating_duration_since(heard.asked).as_secs());
        self.steady.seconds(now).wrapping_sub(age.and_then(|age| u32::try_from(age).ok()).unwrap_or_default())
    }

    /// Notes what a zone's next step waits for; time alone may bring it on, or leave it to the coordinator. Whether the zone above is to be
    /// asked for it now.
    pub(super) fn note_wait(&mut self, zone: &DomainName, wait: Option<Wait>, now: &Now) -> bool {
        if let Some(wait) = &wait {
            let left = wait.until.map(|until| until.wrapping_sub(self.steady.seconds(now)));
            let left = left
                .map_or(LOOK_AGAIN, |left| Duration::from_secs(if left < 1 << 31 { u64::from(left) + 1 } else { 1 }));
            self.mark_later(Work::Unit(Unit::Zone(zone.clone())), now.instant + left);
        }
        let Some(state) = self.zones.get_mut(zone) else { return false };
        let last = std::mem::replace(&mut state.wait, wait);
        let wait = state.wait.as_ref();
        let asks_anew = wait.is_some_and(|wait| wait.anew) && last.as_ref().is_none_or(|last| !last.anew);
        let text = |wait: Option<&Wait>| wait.map(|wait| wait.text.clone());
        let published = state.published.as_ref().filter(|published| published.retired.is_some());
        if let Some(tenant) = published.and_then(|published| published.holder.tenant())
            && text(wait) != text(last.as_ref())
        {
            tracing::info!(%zone, waits_for = text(wait), "to be withdrawn");
            let tenant = Work::Unit(Unit::Tenant(tenant.to_owned()));
            self.mark_later(tenant, now.instant + COUNTING);
        }
        asks_anew
    }

    /// Zones right below wait for what the public servers answer of this one.
    pub(in super::super) fn mark_awaiting_below(&mut self, zone: &DomainName) {
        let within = self.zones.range(zone.clone()..).take_while(|(below, _)| below.is_within(zone));
        let awaiting = within.filter(|(below, state)| {
            state.wait.is_some() && *below != zone && self.index.zone_above(below).as_ref() == Some(zone)
        });
        let awaiting: Vec<DomainName> = awaiting.map(|(below, _)| below.clone()).collect();
        for below in awaiting {
            self.mark(Work::Unit(Unit::Zone(below)));
        }
    }
}

/// What the published version of the zone above says of a zone.
fn said_of(zone: &DomainName, above: &PublishedZone) -> ParentAnswer {
    let set = |type_| above.zone.get(zone, type_);
    let ttl = set(RecordType::DS).map_or(0, |set| set.ttl);
    ParentAnswer { ns: name_servers(&above.zone, zone), ds: signers(&above.zone, zone).into_iter().collect(), ttl }
}
