//! The next state of the keys that sign the mail of a zone's domain.

use std::time::Duration;

use cst_api::RecordType;
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, RecordSet};
use cst_compiler::plan::dkim::{self, Dkim, Facts, KeyRecord, KeySet, Wanted, key_name};
use cst_compiler::plan::dnssec::Wait;

use super::super::{Engine, Work};
use super::ZoneState;
use crate::clock::Now;
use crate::published::PublishedZone;

const WHY: &str = ": others are asked for the keys of its mail";

impl Engine {
    /// The state of the keys that the zone's next version holds; the last one where nobody declares the zone, or what is stored of the keys is
    /// not known yet.
    pub(super) fn next_dkim(&mut self, zone: &DomainName, now: &Now) -> Dkim {
        let Some(judged) = self.judge_dkim(zone, now) else {
            let state = self.zones.get_mut(zone);
            return state.and_then(ZoneState::stop_dkim).map(|last| last.dkim.clone()).unwrap_or_default();
        };
        let steady = self.steady.seconds(now);
        let left = judged.waits.iter().filter_map(|wait| wait.until).map(|until| until.wrapping_sub(steady)).min();
        if let Some(left) = left {
            let left = Duration::from_secs(if left < 1 << 31 { u64::from(left) + 1 } else { 1 });
            self.mark_later(Work::Unit(Unit::Zone(zone.clone())), now.instant + left);
        }
        let makes = judged.make.is_some();
        if let Some(state) = self.zones.get_mut(zone) {
            (state.dkim_make, state.dkim_waits) = (judged.make, judged.waits);
        }
        if makes || self.is_to_mend(zone) {
            self.mark(Work::Dkim(zone.clone()));
        }
        judged.dkim
    }

    fn judge_dkim(&self, zone: &DomainName, now: &Now) -> Option<dkim::Judged> {
        let model = self.index.held_zone(zone)?;
        let stored = self.stored_dkim_keys(zone)?;
        let state = self.zones.get(zone)?;
        let last = state.published.as_ref();
        let wanted = Wanted::of(model, self.index.settings(), self.mail_stays(zone));
        let is_taken = |selector: &_| {
            let name = key_name(selector, zone).ok();
            name.is_some_and(|name| model.sets.iter().any(|(_, set)| set.name == name))
        };
        let facts = Facts {
            now: self.steady.seconds(now),
            today: now.today,
            behind: &self.behind(state),
            stored: &stored,
            serves: &|set| last.is_some_and(|last| serves(last, set)),
            is_taken: &is_taken,
            in_use: &|selector| self.in_use(zone, selector),
            arrival: last.map_or(Ok(()), |last| self.has_arrived(last, now)),
        };
        Some(dkim::step(&last.map(|last| last.dkim.clone()).unwrap_or_default(), &wanted, &facts))
    }

    /// The zone is looked for at our servers, and nobody has it from others.
    fn has_arrived(&self, last: &PublishedZone, now: &Now) -> Result<(), Wait> {
        let servers = &self.index.settings().dns.name_servers;
        let arrival = last.signing.arrival;
        arrival.map_or(Ok(()), |arrival| arrival.is_over(servers, self.steady.seconds(now), WHY))
    }
}

impl ZoneState {
    /// Nothing is waited for. The stored version.
    fn stop_dkim(&mut self) -> Option<&PublishedZone> {
        (self.dkim_make, self.dkim_waits) = (None, Vec::new());
        self.published.as_ref()
    }
}

/// Whether a version holds a set's records, and nothing else at their names.
fn serves(version: &PublishedZone, set: &KeySet) -> bool {
    let holds = |record: &KeyRecord| {
        let wanted = record.to_set(version.apex(), 0);
        let there = wanted.as_ref().and_then(|wanted| version.zone.get(&wanted.name, RecordType::TXT));
        there.map(RecordSet::values) == wanted.as_ref().map(RecordSet::values)
    };
    set.records().iter().all(holds)
}
