//! Rules across the records of one Domain: one set of a type at a name, nothing beside a CNAME, none at the apex; delegations.

use std::collections::BTreeMap;

use cst_api::RecordType;

use crate::model::{DomainName, RecordData, RecordSet};
use crate::parse::Reader;

/// The written types at each name.
type Types<'a> = BTreeMap<&'a DomainName, Vec<RecordType>>;

pub(super) fn check(reader: &mut Reader, zone: &DomainName, sets: &[(usize, RecordSet)]) {
    let mut first: BTreeMap<(&DomainName, RecordType), usize> = BTreeMap::new();
    let mut types_at = Types::new();
    for (index, set) in sets {
        if let Some(other) = first.insert((&set.name, set.type_()), *index) {
            let message =
                format!("{} {} stands in spec.records[{other}] too: put all values in one set", set.type_(), set.name);
            reader.invalid(&format!("spec.records[{index}]"), message);
        }
        types_at.entry(&set.name).or_default().push(set.type_());
    }
    for (index, set) in sets {
        let wrong = [
            misplaced(zone, set, &types_at),
            leads_to_an_alias(set, &types_at),
            below_a_delegation(zone, set, &types_at),
        ];
        for message in wrong.into_iter().flatten() {
            reader.invalid(&format!("spec.records[{index}]"), message);
        }
        let doubtful = without_glue(zone, set, &types_at).or_else(|| occluded(zone, set, sets, &types_at));
        if let Some(message) = doubtful {
            reader.warn(&format!("spec.records[{index}]"), message);
        }
    }
}

/// Why a type cannot stand where it does.
fn misplaced(zone: &DomainName, set: &RecordSet, types_at: &Types<'_>) -> Option<String> {
    let is_apex = set.name == *zone;
    match set.type_() {
        RecordType::CNAME if is_apex => {
            Some("a CNAME cannot stand at the apex (RFC 1034 §3.6.2): use A and AAAA there".into())
        }
        RecordType::CNAME => {
            let others: Vec<String> =
                types_at[&set.name].iter().filter(|t| **t != RecordType::CNAME).map(ToString::to_string).collect();
            let message = || {
                format!(
                    "{} has a CNAME beside {}: nothing may stand beside a CNAME (RFC 1034 §3.6.2)",
                    set.name,
                    others.join(", ")
                )
            };
            (!others.is_empty()).then(message)
        }
        RecordType::NS if is_apex => Some("the zone's own NS come from the centre's settings: leave them out".into()),
        RecordType::NS if set.name.is_wildcard() => {
            Some("a wildcard cannot be delegated (RFC 4592 §4.2): name what is delegated".into())
        }
        RecordType::DS if is_apex => {
            Some("a zone's DS stands in the zone above, never in itself: hand it to who serves that one".into())
        }
        RecordType::DS if !types_at[&set.name].contains(&RecordType::NS) => {
            Some(format!("{} has a DS and no NS: a DS stands beside the NS of a delegation (RFC 4035 §2.4)", set.name))
        }
        _ => None,
    }
}

/// A host that mail or name servers are named by and that is only an alias here (RFC 2181 §10.3), or an alias for itself.
fn leads_to_an_alias(set: &RecordSet, types_at: &Types<'_>) -> Option<String> {
    let is_alias = |name: &&DomainName| types_at.get(*name).is_some_and(|types| types.contains(&RecordType::CNAME));
    let targets = || set.values().iter().filter_map(RecordData::target);
    match set.type_() {
        RecordType::CNAME => targets()
            .find(|target| **target == set.name)
            .map(|name| format!("{name} is an alias for itself: name another target")),
        RecordType::MX | RecordType::NS | RecordType::SRV => targets().find(is_alias).map(|name| {
            format!("`{name}` is a CNAME: the host of {} has addresses itself (RFC 2181 §10.3)", set.type_())
        }),
        _ => None,
    }
}

/// A name server within what is delegated to it, which nobody finds without its address in the zone above.
fn without_glue(zone: &DomainName, set: &RecordSet, types_at: &Types<'_>) -> Option<String> {
    let is_glue = |type_: &RecordType| matches!(*type_, RecordType::A | RecordType::AAAA);
    let has_glue = |name: &DomainName| types_at.get(name).is_some_and(|types| types.iter().any(is_glue));
    let is_delegation = set.type_() == RecordType::NS && set.name != *zone;
    let targets = set.values().iter().filter(|_| is_delegation).filter_map(RecordData::target);
    let lost = targets.filter(|target| target.is_within(&set.name)).find(|target| !has_glue(target))?;
    Some(format!(
        "the name server `{lost}` lies in what is delegated to it and cannot be found: give it an A or AAAA record here too (glue, RFC 9471)"
    ))
}

/// An address at or below a delegation that no name server there is found by: it is never answered.
fn occluded(zone: &DomainName, set: &RecordSet, sets: &[(usize, RecordSet)], types_at: &Types<'_>) -> Option<String> {
    if !matches!(set.type_(), RecordType::A | RecordType::AAAA) {
        return None;
    }
    let is_cut = |name: &DomainName| types_at.get(name).is_some_and(|types| types.contains(&RecordType::NS));
    let cut = set.name.and_ancestors().take_while(|name| name != zone).find(is_cut)?;
    let servers = sets.iter().filter(|(_, set)| set.type_() == RecordType::NS).flat_map(|(_, set)| set.values());
    let is_glue = servers.filter_map(RecordData::target).any(|server| *server == set.name);
    (!is_glue).then(|| {
        format!(
            "`{cut}` is delegated by its NS, none of which names `{}`: this {} is never answered, write it in that zone",
            set.name,
            set.type_()
        )
    })
}

/// Only glue is answered below a delegation, and at it only NS and DS.
fn below_a_delegation(zone: &DomainName, set: &RecordSet, types_at: &Types<'_>) -> Option<String> {
    let type_ = set.type_();
    let is_cut = |name: &DomainName| types_at.get(name).is_some_and(|types| types.contains(&RecordType::NS));
    let is_glue = matches!(type_, RecordType::A | RecordType::AAAA);
    if set.name != *zone && is_cut(&set.name) && !is_glue && !matches!(type_, RecordType::NS | RecordType::DS) {
        return Some(format!(
            "{} is delegated by its NS: its {type_} would never be answered, write it in that zone",
            set.name
        ));
    }
    let cut = set.name.parent()?.and_ancestors().take_while(|name| name != zone).find(|name| is_cut(name))?;
    (!is_glue).then(|| {
        format!(
            "{} lies below {cut}, which is delegated by its NS: it would never be answered, write it in that zone",
            set.name
        )
    })
}
