//! Who asks for the PTR of an address, and which zone has it.

use std::collections::BTreeSet;

use super::{Index, Unit, within};
use crate::model::reverse::{is_reverse, part_of_network};
use crate::model::{DomainName, ObjectKey};
use crate::parse::DomainModel;

impl Index {
    /// The Domains that ask for the PTR of an address.
    pub fn pointer_wishes(&self, reverse: &DomainName) -> impl Iterator<Item = &ObjectKey> {
        self.pointers.get(reverse).into_iter().flatten()
    }

    /// The zone that an address' PTR belongs to: a part of its network (RFC 2317), else the one that covers its name.
    pub fn pointer_zone(&self, reverse: &DomainName) -> Option<DomainName> {
        let covering = self.covering_zone(reverse)?;
        let octet: Option<u8> = reverse.labels().next().and_then(|label| label.parse().ok());
        let network = reverse.parent();
        let part = network.as_ref().zip(octet).and_then(|(network, octet)| self.part_with(network, octet));
        part.cloned().or(Some(covering))
    }

    /// The zone for a part of a network that has this address of it: of several the smallest, as of routes.
    pub fn part_with<'a>(&'a self, network: &'a DomainName, octet: u8) -> Option<&'a DomainName> {
        let parts = within(&self.zones, network).map(|(zone, _)| zone).filter(|zone| self.zone_holder(zone).is_some());
        let sized =
            parts.filter_map(|part| Some((part_of_network(part).filter(|has| has.contains(&octet))?.len(), part)));
        sized.min().map(|(_, part)| part)
    }

    /// The asked for PTRs that belong to a zone.
    pub fn pointers_into(&self, zone: &DomainName) -> impl Iterator<Item = DomainName> {
        self.pointers_near(zone).into_iter().filter(move |reverse| self.pointer_zone(reverse).as_ref() == Some(zone))
    }

    /// The asked for PTRs that a zone, or a part of its network, may have.
    fn pointers_near(&self, zone: &DomainName) -> Vec<DomainName> {
        let network = if part_of_network(zone).is_some() { zone.parent() } else { Some(zone.clone()) };
        let Some(network) = network.filter(is_reverse) else { return Vec::new() };
        within(&self.pointers, &network).map(|(reverse, _)| reverse.clone()).collect()
    }

    /// The zones that give a zone its PTRs, and those that have the ones that it asks for.
    pub(super) fn pointer_units(&self, zone: &DomainName) -> BTreeSet<Unit> {
        let mut units = BTreeSet::new();
        for reverse in self.pointers_near(zone) {
            units.extend(self.units_around(&reverse));
        }
        let asking = self.zones.get(zone).into_iter().flatten().filter_map(|key| self.domains.get(key)?.model.as_ref());
        units.extend(asking.flat_map(|model| self.units_of_wishes(model)));
        units
    }

    /// All that have to do with the PTRs that a Domain asks for.
    pub(super) fn units_of_wishes(&self, model: &DomainModel) -> BTreeSet<Unit> {
        model.wanted_pointers().flat_map(|reverse| self.units_around(&reverse)).collect()
    }

    /// The zones that an address' PTR may be in, and the zones of who asks for it.
    fn units_around(&self, reverse: &DomainName) -> BTreeSet<Unit> {
        let asking = self.pointer_wishes(reverse).filter_map(|key| self.domains.get(key)?.model.as_ref());
        let asking = asking.map(|model| model.zone.clone());
        let holding = self.pointer_zone(reverse).into_iter().chain(self.covering_zone(reverse));
        asking.chain(holding).map(Unit::Zone).collect()
    }
}
