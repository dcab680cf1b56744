//! PTR records of a reverse zone, from the addresses of the centre's own records that ask for them.

use cst_api::{Pointers, Reason};

use super::compose::Composer;
use super::written;
use crate::desired::dns::Contributor;
use crate::index::Index;
use crate::model::reverse::{address_of, part_of_network};
use crate::model::{DomainName, RecordData, RecordSet};
use crate::parse::DomainModel;
use crate::problem::{Kind, ObjectRef};

/// Who is told of it.
const WHOSE: &str = "an address with ptr";
/// The owner of what is told of it.
const PART: &str = "that part of the network";

/// What became of a wish for a PTR.
enum Wish<'a> {
    /// It is this name's, in this zone.
    Granted(&'a DomainName),
    /// Another name has it.
    Taken(&'a DomainName),
    /// No zone takes it.
    Refused(String),
}

impl Composer<'_> {
    /// Of a reverse zone its PTRs, of any other the wishes that are not granted.
    pub(super) fn contribute_pointers(&mut self) {
        let (index, model) = (self.index, self.model);
        for (at, set) in model.pointers() {
            let told = addresses(set).filter_map(|reverse| refusal(index, model, &set.name, &reverse));
            for message in told {
                self.problems.push(self.object.warning(
                    format!("spec.records[{at}].ptr"),
                    Reason::RecordConflict,
                    message,
                ));
            }
        }
        self.contribute_part_aliases();
        let wishes: Vec<(DomainName, DomainName)> = index
            .pointers_into(&model.zone)
            .filter_map(|reverse| granted(index, &reverse).cloned().map(|name| (reverse, name)))
            .collect();
        for (reverse, name) in wishes {
            let owner = owner_in(&model.zone, &reverse);
            let set = owner.and_then(|owner| RecordSet::new(owner, self.ttl, vec![RecordData::Ptr(name)]));
            if let Some(set) = set {
                self.contribute(Contributor::Pointers, set, WHOSE);
            }
        }
    }

    /// The addresses of a part of the network are aliases for their names in that part (RFC 2317 §4).
    fn contribute_part_aliases(&mut self) {
        let (index, zone) = (self.index, &self.model.zone);
        let parts = index.zones_within(zone).filter(|part| index.zone_above(part).as_ref() == Some(zone));
        let parts: Vec<&DomainName> = parts.filter(|part| index.zone_holder(part).is_some()).collect();
        for part in parts {
            let (Some(network), Some(octets)) = (part.parent(), part_of_network(part)) else { continue };
            let with_owner = octets.filter_map(|octet| Some((octet, index.part_with(&network, octet)?)));
            let (own, taken): (Vec<_>, Vec<_>) = with_owner.partition(|(_, owner)| *owner == part);
            for (octet, _) in own {
                self.contribute_alias(&network, part, octet);
            }
            if let Some((octet, owner)) = taken.first() {
                let message = format!(
                    "{} addresses of {part} belong to smaller parts of the network, {octet} the first, to {owner}: an address is in one part",
                    taken.len()
                );
                self.problems.push(self.object.warning("metadata.name", Reason::RecordConflict, message));
            }
        }
    }

    fn contribute_alias(&mut self, network: &DomainName, part: &DomainName, octet: u8) {
        let octet = octet.to_string();
        let name = network.child(&octet).ok().zip(part.child(&octet).ok());
        let set = name.and_then(|(name, to)| RecordSet::new(name, self.ttl, vec![RecordData::Cname(to)]));
        if let Some(set) = set {
            self.contribute(Contributor::Delegation, set, PART);
        }
    }
}

fn addresses(set: &RecordSet) -> impl Iterator<Item = DomainName> {
    set.values().iter().filter_map(RecordData::reverse_name)
}

fn refusal(index: &Index, model: &DomainModel, name: &DomainName, reverse: &DomainName) -> Option<String> {
    let address = address_of(reverse).map(|address| address.to_string()).unwrap_or_default();
    match wish(index, model, name, reverse) {
        Wish::Granted(winner) if winner == name => None,
        Wish::Granted(winner) | Wish::Taken(winner) => {
            Some(format!("{address} has its PTR from `{winner}`, which comes first: leave ptr out at one of them"))
        }
        Wish::Refused(why) => Some(format!("no PTR for {address}: {why}")),
    }
}

fn wish<'a>(index: &'a Index, model: &DomainModel, name: &'a DomainName, reverse: &DomainName) -> Wish<'a> {
    let Some(zone) = index.pointer_zone(reverse) else {
        return Wish::Refused("no Domain of the centre holds its reverse zone".into());
    };
    let Some(reverse_model) = index.held_zone(&zone) else {
        return Wish::Refused(format!("{zone} cannot be read"));
    };
    if !takes(reverse_model, model) {
        return Wish::Refused(format!("the Domain {zone} takes none from here: its spec.pointers says whose it takes"));
    }
    match granted(index, reverse) {
        Some(winner) if winner == name => Wish::Granted(name),
        Some(winner) => Wish::Taken(winner),
        None => Wish::Refused("its own record is not published".into()),
    }
}

fn takes(reverse: &DomainModel, asking: &DomainModel) -> bool {
    match reverse.pointers {
        Pointers::Centre => true,
        Pointers::Tenant => reverse.key.namespace == asking.key.namespace,
        Pointers::None => false,
    }
}

/// The first name, of those that may, that asks for an address' PTR.
fn granted<'a>(index: &'a Index, reverse: &DomainName) -> Option<&'a DomainName> {
    let zone = index.held_zone(&index.pointer_zone(reverse)?)?;
    let asking = index.pointer_wishes(reverse).filter_map(|key| index.domain(key)?.model.as_ref());
    let may = asking.filter(|model| takes(zone, model) && index.zone_holder(&model.zone) == Some(&model.key));
    let names = may.flat_map(|model| {
        let object = ObjectRef::new(Kind::Domain, model.key.clone());
        let sets = model.pointers().filter(|(_, set)| addresses(set).any(|wanted| wanted == *reverse));
        sets.filter(move |(at, set)| written::refusal(index, &object, model, *at, set).is_none())
            .map(|(_, set)| &set.name)
    });
    names.min()
}

/// Where an address stands in a zone: in a part of a network by its last octet (RFC 2317 §4).
fn owner_in(zone: &DomainName, reverse: &DomainName) -> Option<DomainName> {
    match part_of_network(zone) {
        Some(_) => zone.child(reverse.labels().next()?).ok(),
        None => Some(reverse.clone()),
    }
}
