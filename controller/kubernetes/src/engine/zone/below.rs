//! What a zone is told of the zones right below it: that they are published, and their DS once every public server serves them signed.

use std::collections::BTreeMap;

use cst_compiler::compile::ZoneFacts;
use cst_compiler::index::Unit;
use cst_compiler::model::record::Ds;
use cst_compiler::model::{DomainName, RecordData, RecordType};

use super::super::{Engine, Work};
use super::ZoneState;

impl Engine {
    pub(super) fn zone_facts(&self, zone: &DomainName, mail_acknowledged: bool) -> ZoneFacts {
        let within = self.zones.range(zone.clone()..).skip_while(|(below, _)| *below == zone);
        let within = within.take_while(|(below, _)| below.is_within(zone));
        let right_below = within
            .filter(|(below, state)| state.published.is_some() && self.index.zone_above(below).as_ref() == Some(zone));
        let below: BTreeMap<DomainName, Vec<Ds>> =
            right_below.map(|(below, state)| (below.clone(), self.signer_of(below, state, zone))).collect();
        ZoneFacts { mail_acknowledged, mail_stays: self.mail_stays(zone), below }
    }

    /// The DS that the zone above is to publish: of a zone that is served everywhere; until then what it says already.
    fn signer_of(&self, below: &DomainName, state: &ZoneState, above: &DomainName) -> Vec<Ds> {
        let there = self.published_signer(below, above);
        match &state.served {
            Some((_, texts)) if self.is_everywhere(state) => read_signer(texts),
            // Not everywhere yet, or after a restart not even read.
            Some(_) | None => there,
        }
    }

    /// The DS that the zone above publishes now.
    fn published_signer(&self, below: &DomainName, above: &DomainName) -> Vec<Ds> {
        let published = self.zones.get(above).and_then(|state| state.published.as_ref());
        let set = published.and_then(|last| last.zone.get(below, RecordType::DS));
        set.map(|set| signer(set.values().iter().cloned())).unwrap_or_default()
    }

    /// Whether every required public server answers the newest version.
    fn is_everywhere(&self, state: &ZoneState) -> bool {
        let serial = state.published.as_ref().map(|published| published.serial);
        let mut required = self.index.settings().dns.secondaries.iter().filter(|server| server.required).peekable();
        required.peek().is_some() && required.all(|server| state.seen.get(&server.name).copied() == serial)
    }

    /// The zone above is compiled anew when it is to say something else of this one.
    pub(super) fn mark_above(&mut self, zone: &DomainName) {
        let Some((above, state)) = self.index.zone_above(zone).zip(self.zones.get(zone)) else { return };
        if state.published.is_some() && self.signer_of(zone, state, &above) != self.published_signer(zone, &above) {
            self.mark(Work::Unit(Unit::Zone(above)));
        }
    }
}

fn read_signer(texts: &[String]) -> Vec<Ds> {
    signer(texts.iter().filter_map(|text| RecordData::from_zone_text(RecordType::DS, text).ok()))
}

/// The DS among records, in order.
fn signer(data: impl Iterator<Item = RecordData>) -> Vec<Ds> {
    let mut signer: Vec<Ds> =
        data.filter_map(|data| if let RecordData::Ds(ds) = data { Some(ds) } else { None }).collect();
    signer.sort();
    signer
}
