//! The proofs of what does not exist: by the chain of names (RFC 4035 §3.1.3), or by that of their hashes (RFC 5155 §7.2).

use super::{Answer, Found};
use crate::message::{Owner, Section};
use crate::rtype;
use crate::served::{Node, ServedZone};
use crate::sign::hash;

impl<'z> Answer<'z> {
    /// A name is there, and has nothing of the type. `before`: whose NSEC says so.
    pub(super) fn deny_types(&mut self, zone: &'z ServedZone, labels: &[&[u8]], before: &'z Node) {
        if zone.hashed.is_empty() {
            self.deny(before);
        } else {
            self.match_hash(zone, labels);
        }
    }

    /// Neither the name is there nor a wildcard for it.
    pub(super) fn deny_name(
        &mut self,
        zone: &'z ServedZone,
        labels: &[&[u8]],
        before: &'z Node,
        before_wildcard: &'z Node,
    ) {
        if zone.hashed.is_empty() {
            self.deny(before);
            self.deny(before_wildcard);
            return;
        }
        let encloser = zone.encloser(labels);
        self.match_hash(zone, &labels[encloser..]);
        self.cover_hash(zone, &labels[encloser.saturating_sub(1)..]);
        let wildcard: Vec<&[u8]> = [&b"*"[..]].into_iter().chain(labels[encloser..].iter().copied()).collect();
        self.cover_hash(zone, &wildcard);
    }

    /// The name itself is not there, so that a wildcard may stand for it; when that has nothing of the type, where it stands is proved too
    /// (RFC 5155 §7.2.5).
    pub(super) fn deny_closer(&mut self, zone: &'z ServedZone, labels: &[&[u8]], before: &'z Node, found: &Found<'z>) {
        if zone.hashed.is_empty() {
            self.deny(before);
            return;
        }
        let encloser = zone.encloser(labels);
        if matches!(found, Found::Nothing) {
            self.match_hash(zone, &labels[encloser..]);
        }
        self.cover_hash(zone, &labels[encloser.saturating_sub(1)..]);
    }

    fn match_hash(&mut self, zone: &'z ServedZone, labels: &[&[u8]]) {
        if let Ok(index) = zone.find_hash(labels) {
            self.deny(&zone.hashed[index]);
        }
    }

    fn cover_hash(&mut self, zone: &'z ServedZone, labels: &[&[u8]]) {
        let Err(position) = zone.find_hash(labels) else { return };
        // Before the first comes the last.
        let before = position.checked_sub(1).unwrap_or(zone.hashed.len().saturating_sub(1));
        zone.hashed.get(before).into_iter().for_each(|node| self.deny(node));
    }

    /// The NSEC or NSEC3 of a name, once, where DNSSEC is asked for.
    fn deny(&mut self, node: &'z Node) {
        let denial = || node.set(rtype::NSEC).or_else(|| node.set(rtype::NSEC3));
        let Some(denial) = self.dnssec_ok.then(denial).flatten() else { return };
        let is_there = self.items.iter().any(|item| std::ptr::eq(item.set, denial));
        if !is_there {
            self.push(Section::Authority, Owner::Name(&node.name), denial);
        }
    }
}

impl ServedZone {
    /// Where the NSEC3 of a name stands, or would stand.
    fn find_hash(&self, labels: &[&[u8]]) -> Result<usize, usize> {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap_or(63));
            wire.extend_from_slice(label);
        }
        wire.push(0);
        let wanted = hash::label(&wire);
        self.hashed.binary_search_by(|node| node.name.labels().next().unwrap_or_default().cmp(&wanted))
    }
}
