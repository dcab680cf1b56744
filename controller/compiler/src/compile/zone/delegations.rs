//! The zones below, each delegated by itself: its name servers, their addresses where they lie inside, and its DS once it is served signed.

use std::collections::BTreeSet;

use cst_api::RecordType;

use super::compose::Composer;
use crate::desired::dns::{self, Contributor};
use crate::index::Index;
use crate::model::{DomainName, RecordData, RecordSet};

/// The owner of what is told of it.
const WHOSE: &str = "the delegation of that Domain";

impl Composer<'_> {
    pub(super) fn contribute_delegations(&mut self) {
        let dynamic = self.index.settings().dns.acme.as_ref().map(|acme| &acme.zone);
        let below = self.facts.below.keys().filter(|child| Some(*child) != dynamic).cloned();
        let mut last: Option<DomainName> = None;
        for child in children(self.index, &self.model.zone).into_iter().chain(below).collect::<BTreeSet<_>>() {
            // A zone comes before those below it, which it delegates itself.
            if !last.as_ref().is_some_and(|last| child.is_within(last)) {
                self.delegate(&child);
                last = Some(child);
            }
        }
    }

    fn delegate(&mut self, child: &DomainName) {
        let Some(servers) = dns::name_servers(child, &self.index.settings().dns, self.ttl) else { return };
        self.contribute(Contributor::Delegation, servers.clone(), WHOSE);
        // Servers written by hand, which are others', do not have its keys.
        let is_ours = |set: &RecordSet| {
            set.type_() == RecordType::NS && set.values().iter().all(|server| servers.values().contains(server))
        };
        if !self.composition.at(child).any(is_ours) {
            return;
        }
        let signer = self.facts.below.get(child).cloned().unwrap_or_default();
        let signer = signer.into_iter().map(RecordData::Ds).collect();
        let signer = RecordSet::new(child.clone(), dns::apex_ttl(self.ttl), signer);
        for set in signer.into_iter().chain(self.glue(child)) {
            self.contribute(Contributor::Delegation, set, WHOSE);
        }
    }

    /// The addresses of name servers within the child, which resolvers could not find otherwise (RFC 9471), be they in a zone below it.
    fn glue(&self, child: &DomainName) -> Vec<RecordSet> {
        let servers = &self.index.settings().dns.name_servers;
        let within = servers.iter().filter(|server| server.is_within(child)).collect::<BTreeSet<_>>();
        let addresses = |server: &DomainName| {
            let of_nobody = self.facts.glue.iter().filter(|set| set.name == *server).cloned().collect::<Vec<_>>();
            if of_nobody.is_empty() { written_addresses(self.index, server) } else { of_nobody }
        };
        within.into_iter().flat_map(addresses).collect()
    }
}

/// The held zones right below a zone.
fn children(index: &Index, zone: &DomainName) -> BTreeSet<DomainName> {
    let below = index.zones_within(zone).filter(|child| *child != zone && index.zone_holder(child).is_some());
    below.filter(|child| index.zone_above(child).as_ref() == Some(zone)).cloned().collect()
}

/// The addresses that the Domain writes in whose zone a name server lies.
fn written_addresses(index: &Index, server: &DomainName) -> Vec<RecordSet> {
    let settings = &index.settings().dns;
    let bounded = |set: &RecordSet| set.clone().with_ttl(settings.ttl.bounded(set.ttl));
    let zone = index.covering_zone(server).and_then(|zone| index.held_zone(&zone));
    let written = zone.into_iter().flat_map(|model| &model.sets).map(|(_, set)| set);
    let is_address = |set: &&RecordSet| matches!(set.type_(), RecordType::A | RecordType::AAAA) && set.name == *server;
    written.filter(is_address).map(bounded).collect()
}
