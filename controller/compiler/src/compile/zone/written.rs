//! The records that a Domain writes, as far as they are its own to write.

use cst_api::{Reason, RecordType};

use super::ZoneFacts;
use crate::index::Index;
use crate::model::{DomainName, RecordSet};
use crate::parse::DomainModel;
use crate::problem::{Kind, ObjectRef, Problem};
use crate::settings::TtlBounds;

/// The written sets that go into the zone.
pub(super) fn written_sets(
    index: &Index,
    model: &DomainModel,
    facts: &ZoneFacts,
    problems: &mut Vec<Problem>,
) -> Vec<RecordSet> {
    let object = ObjectRef::new(Kind::Domain, model.key.clone());
    let mut sets = Vec::with_capacity(model.sets.len());
    for (at, set) in &model.sets {
        let refusal = refusal(index, &object, model, *at, set);
        match refusal.or_else(|| waiting(&object, model, facts, *at, set)) {
            Some(refusal) => problems.push(refusal),
            None => sets.push(set.clone().with_ttl(bounded_ttl(index, &object, *at, set.ttl, problems))),
        }
    }
    sets
}

/// Why a written set does not go into the zone: its name belongs to another tenant or lies in a zone below.
pub(super) fn refusal(
    index: &Index,
    object: &ObjectRef,
    model: &DomainModel,
    at: usize,
    set: &RecordSet,
) -> Option<Problem> {
    let field = format!("spec.records[{at}].name");
    let tenant = model.key.tenant().unwrap_or_default();
    if let Err(refusal) = index.may_hold(tenant, &set.name, true) {
        return Some(object.refused(field, refusal));
    }
    let below = index.covering_zone(&set.name).filter(|zone| *zone != model.zone)?;
    if set.name == below && set.type_() == RecordType::NS {
        return None;
    }
    let message = format!("`{}` lies in the zone {below}, which another Domain holds: write it there", set.name);
    Some(object.error(field, Reason::RecordConflict, message))
}

/// What is told of a written set within a zone that is still served, though no Domain asks for it any more: its delegation stays until it has
/// gone, and hides the set. One that the Domain delegates itself is judged with its own records.
fn waiting(object: &ObjectRef, model: &DomainModel, facts: &ZoneFacts, at: usize, set: &RecordSet) -> Option<Problem> {
    let is_written =
        |below: &DomainName| model.sets.iter().any(|(_, set)| set.name == *below && set.type_() == RecordType::NS);
    let mut above = set.name.and_ancestors();
    let below = above.find(|name| facts.below.contains_key(name)).filter(|below| !is_written(below))?;
    let message = format!(
        "`{}` lies in the zone {below}, which is still served without its Domain: it is published once that zone has gone",
        set.name
    );
    Some(object.warning(format!("spec.records[{at}].name"), Reason::RecordConflict, message))
}

/// A record stays published when the centre's bounds become narrower.
fn bounded_ttl(index: &Index, object: &ObjectRef, at: usize, ttl: u32, problems: &mut Vec<Problem>) -> u32 {
    let bounds = index.settings().dns.ttl;
    let (TtlBounds { min, max }, bounded) = (bounds, bounds.bounded(ttl));
    if bounded != ttl {
        let message = format!(
            "the centre's settings allow times to live from {min} to {max} seconds: {bounded} is published in place of {ttl}"
        );
        problems.push(object.warning(format!("spec.records[{at}].ttl"), Reason::Invalid, message));
    }
    bounded
}
