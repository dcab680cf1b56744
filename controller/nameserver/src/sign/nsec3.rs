//! The chain of hashed names that proves what does not exist (RFC 5155), with the parameters of RFC 9276: SHA-1, no salt, no iterations, no
//! opt-out.

use std::collections::BTreeMap;

use cst_compiler::model::DomainName;

use crate::rtype;
use crate::served::{Node, Role, ServedSet, ServedZone};

use super::{bitmap, hash};

/// SHA-1, no flags, no iterations, no salt (RFC 5155 §4.2).
const PARAMETERS: [u8; 5] = [1, 0, 0, 0, 0];
/// The octets of a name before its zone's: 32 of a hash, and a length.
const LABEL: usize = 33;
/// The octets that a name has at most, as text without its last dot (RFC 1035 §3.1).
const LONGEST: usize = 253;

/// Whether hashed names within the zone are names.
pub(super) fn fits(apex: &DomainName) -> bool {
    apex.as_str().len() + LABEL <= LONGEST
}

/// The name at which a hash stands.
fn owner(hash: &hash::Hash, apex: &DomainName) -> Option<DomainName> {
    DomainName::parse(&format!("{}.{}", hash::text(hash), apex.as_str())).ok()
}

/// Gives every name but glue, and every empty name above one, its NSEC3, the last one pointing to the first.
pub(super) fn add_chain(zone: &mut ServedZone) {
    zone.nodes[0].sets.push(ServedSet::new(rtype::NSEC3PARAM, 0, vec![PARAMETERS.to_vec()]));
    let bitmaps = bitmaps(zone);
    let ttl = zone.negative_ttl();
    let next = bitmaps.keys().cycle().skip(1);
    let chain = bitmaps.iter().zip(next).filter_map(|((hash, bitmap), next)| {
        let mut data = PARAMETERS.to_vec();
        data.push(20);
        data.extend_from_slice(next);
        data.extend_from_slice(bitmap);
        Some(Node { sets: vec![ServedSet::new(rtype::NSEC3, ttl, vec![data])], ..Node::new(owner(hash, &zone.apex)?) })
    });
    zone.hashed = chain.collect();
}

/// The types at each name, by the name's hash.
fn bitmaps(zone: &ServedZone) -> BTreeMap<hash::Hash, Vec<u8>> {
    let apex_labels = zone.apex.labels().count();
    let mut bitmaps = BTreeMap::new();
    for node in zone.nodes.iter().filter(|node| node.role != Role::Glue) {
        let wire = wire(&node.name);
        let is_signed = node.role == Role::Authoritative || node.set(rtype::DS).is_some();
        let beside = if is_signed { &[rtype::RRSIG][..] } else { &[] };
        bitmaps.insert(hash::of(&wire), bitmap::of(node, beside));
        let above = node.name.labels().count().saturating_sub(apex_labels + 1);
        let mut rest = &wire[..];
        for _ in 0..above {
            rest = rest.get(usize::from(rest.first().copied().unwrap_or_default()) + 1..).unwrap_or_default();
            bitmaps.entry(hash::of(rest)).or_default();
        }
    }
    bitmaps
}

fn wire(name: &DomainName) -> Vec<u8> {
    let mut wire = Vec::new();
    name.write_wire(&mut wire);
    wire
}
