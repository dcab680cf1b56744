//! What a zone is told of the zones right below it: that they are published, and their DS once every public server serves them signed.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::Date;
use cst_compiler::compile::ZoneFacts;
use cst_compiler::index::Unit;
use cst_compiler::model::record::Ds;
use cst_compiler::model::{DomainName, RecordData, RecordSet, RecordType, Zone};
use cst_compiler::plan::dkim::KeyRecord;

use super::super::{Engine, Work};
use super::ZoneState;
use crate::published::PublishedZone;

impl Engine {
    pub(super) fn zone_facts(
        &self,
        zone: &DomainName,
        mail_acknowledged: bool,
        dkim: Vec<KeyRecord>,
        today: Date,
    ) -> ZoneFacts {
        let within = self.zones.range(zone.clone()..).skip_while(|(below, _)| *below == zone);
        let within = within.take_while(|(below, _)| below.is_within(zone));
        let right_below = within.filter(|(below, state)| {
            // One that is declared again while it leaves does not leave any more.
            let stays = |last: &PublishedZone| last.leave.is_none() || self.index.zone_holder(below).is_some();
            state.published.as_ref().is_some_and(stays) && self.index.zone_above(below).as_ref() == Some(zone)
        });
        let below: BTreeMap<DomainName, Vec<Ds>> =
            right_below.map(|(below, state)| (below.clone(), self.signer_of(below, state, zone))).collect();
        let (mail_stays, glue) = (self.mail_stays(zone), self.glue_of_nobody(zone));
        ZoneFacts { mail_acknowledged, mail_stays, today: Some(today), dkim, below, glue }
    }

    /// The addresses of our name servers that lie in zones below one that are served and that nobody declares, or not rightly.
    fn glue_of_nobody(&self, above: &DomainName) -> Vec<RecordSet> {
        let servers = self.index.settings().dns.name_servers.iter().filter(|server| server.is_within(above));
        let sets =
            servers.filter_map(|server| Some((server, self.nobodys_zone_of(server)?))).flat_map(|(server, zone)| {
                let addresses = [RecordType::A, RecordType::AAAA];
                addresses.into_iter().filter_map(|type_| zone.get(server, type_)).cloned().collect::<Vec<_>>()
            });
        sets.collect()
    }

    /// The content of the zone that has a name, where that is served and nobody declares it, or what is declared cannot be read whole.
    fn nobodys_zone_of(&self, name: &DomainName) -> Option<&Zone> {
        let published = name.and_ancestors().find_map(|zone| self.zones.get(&zone)?.published.as_ref())?;
        let (zone, declared) = (published.apex(), self.index.covering_zone(name));
        let is_whole = || self.index.held_zone(zone).is_some_and(|model| model.is_whole);
        let is_nobodys =
            declared.is_none_or(|declared| zone.is_within(&declared) && (*zone != declared || !is_whole()));
        is_nobodys.then_some(&*published.zone)
    }

    /// The DS that the zone above is to publish: of a zone that is served everywhere; until then what it says already.
    fn signer_of(&self, below: &DomainName, state: &ZoneState, above: &DomainName) -> Vec<Ds> {
        match &state.published {
            Some(published) if self.is_everywhere(state) => {
                let mut signer: Vec<Ds> = published.signing.ds().cloned().collect();
                signer.sort();
                signer
            }
            // Not everywhere yet, or after a restart not even read.
            Some(_) | None => self.published_signer(below, above),
        }
    }

    /// The DS that the zone above publishes now.
    fn published_signer(&self, below: &DomainName, above: &DomainName) -> Vec<Ds> {
        let published = self.zones.get(above).and_then(|state| state.published.as_ref());
        published.map(|last| signers(&last.zone, below)).unwrap_or_default()
    }

    /// Whether every public server that counts answers the newest version.
    fn is_everywhere(&self, state: &ZoneState) -> bool {
        let serial = state.published.as_ref().map(|published| published.serial);
        let mut servers = self.answering(state).peekable();
        servers.peek().is_some() && servers.all(|server| state.seen.get(&server.name).copied() == serial)
    }

    /// The zones above have the addresses of name servers that lie in this one.
    pub(super) fn mark_with_glue(&mut self, zone: &DomainName) {
        let has_servers = self.index.settings().dns.name_servers.iter().any(|server| server.is_within(zone));
        let above = std::iter::successors(self.index.zone_above(zone), |above| self.index.zone_above(above));
        for above in above.filter(|_| has_servers).collect::<Vec<_>>() {
            self.mark(Work::Unit(Unit::Zone(above)));
        }
    }

    /// The zone above is compiled anew when it is to say something else of this one.
    pub(super) fn mark_above(&mut self, zone: &DomainName) {
        let Some((above, state)) = self.index.zone_above(zone).zip(self.zones.get(zone)) else { return };
        let stays = state.published.as_ref().is_some_and(|last| last.leave.is_none());
        if stays && self.signer_of(zone, state, &above) != self.published_signer(zone, &above) {
            self.mark(Work::Unit(Unit::Zone(above)));
        }
    }
}

/// The DS that a zone has at a name, in order.
pub(super) fn signers(zone: &Zone, name: &DomainName) -> Vec<Ds> {
    let data = zone.get(name, RecordType::DS).map(RecordSet::values).unwrap_or_default().iter();
    let mut signers: Vec<Ds> =
        data.filter_map(|data| if let RecordData::Ds(ds) = data { Some(ds.clone()) } else { None }).collect();
    signers.sort();
    signers
}

/// The name servers that a zone has at a name.
pub(super) fn name_servers(zone: &Zone, name: &DomainName) -> BTreeSet<DomainName> {
    let data = zone.get(name, RecordType::NS).map(RecordSet::values).unwrap_or_default().iter();
    data.filter_map(|data| if let RecordData::Ns(name) = data { Some(name.clone()) } else { None }).collect()
}
