//! The chain of names that proves what does not exist (RFC 4034 §4, RFC 4035 §2.3).

use crate::rtype;
use crate::served::{Role, ServedSet, ServedZone};

use super::bitmap;

/// Gives every name but glue its NSEC, the last one pointing to the apex.
pub(super) fn add_chain(zone: &mut ServedZone) {
    let ttl = zone.negative_ttl();
    let mut next = Vec::new();
    zone.apex.write_wire(&mut next);
    for node in zone.nodes.iter_mut().rev().filter(|node| node.role != Role::Glue) {
        let mut data = std::mem::take(&mut next);
        data.extend(bitmap::of(node, &[rtype::RRSIG, rtype::NSEC]));
        node.sets.push(ServedSet::new(rtype::NSEC, ttl, vec![data]));
        node.name.write_wire(&mut next);
    }
}
