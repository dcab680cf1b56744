//! Where a name stands in a zone: at a node, below a delegation, under a wildcard, or nowhere (RFC 1034 §4.3.2, RFC 4592).

use crate::served::{Node, Role, ServedZone};

/// Where a name stands. `before` is the name whose NSEC covers the place.
pub(super) enum Place<'z> {
    /// At or below a delegation.
    Cut(&'z Node),
    /// It is there.
    Node(&'z Node),
    /// It is not, but a wildcard stands for it.
    Wildcard { node: &'z Node, before: &'z Node },
    /// It has no records, but names below it have (RFC 4592 §2.2.2).
    Empty { before: &'z Node },
    /// It does not exist, nor does a wildcard for it.
    Missing { before: &'z Node, before_wildcard: &'z Node },
}

/// Finds the place of a name that is within the zone.
pub(super) fn locate<'z>(zone: &'z ServedZone, labels: &[&[u8]]) -> Place<'z> {
    let below_apex = labels.len().saturating_sub(zone.apex.labels().count());
    let ancestors = (0..below_apex).rev().map(|skip| zone.find(&labels[skip..]));
    if let Some(cut) = ancestors.flatten().map(|index| &zone.nodes[index]).find(|node| node.role == Role::Cut) {
        return Place::Cut(cut);
    }
    let position = match zone.find(labels) {
        Ok(index) => return Place::Node(&zone.nodes[index]),
        Err(position) => position,
    };
    let before = zone.speaker_before(position);
    if zone.is_above(position, labels) {
        return Place::Empty { before };
    }
    let mut wildcard: Vec<&[u8]> = vec![b"*"];
    wildcard.extend(&labels[zone.encloser(labels)..]);
    match zone.find(&wildcard) {
        Ok(index) => Place::Wildcard { node: &zone.nodes[index], before },
        Err(position) => Place::Missing { before, before_wildcard: zone.speaker_before(position) },
    }
}

impl ServedZone {
    /// Whether the name is the zone's or below it.
    pub(crate) fn encloses(&self, labels: &[&[u8]]) -> bool {
        labels.iter().rev().copied().take(self.apex.labels().count()).eq(self.apex.labels().rev().map(str::as_bytes))
    }

    /// How many labels are to be left off until there is a name that exists: the closest encloser (RFC 4592 §3.3.1).
    pub(super) fn encloser(&self, labels: &[&[u8]]) -> usize {
        let below_apex = labels.len().saturating_sub(self.apex.labels().count());
        let exists = |skip: &usize| match self.find(&labels[*skip..]) {
            Ok(_) => true,
            Err(position) => self.is_above(position, &labels[*skip..]),
        };
        (1..=below_apex).find(exists).unwrap_or(below_apex)
    }

    /// The name before a position whose NSEC covers what would stand there: glue has none, its delegation has.
    fn speaker_before(&self, position: usize) -> &Node {
        let before = self.nodes[..position].iter().rev();
        before.clone().find(|node| node.role != Role::Glue).unwrap_or(&self.nodes[0])
    }

    /// Whether the name at a position is below `labels`.
    fn is_above(&self, position: usize, labels: &[&[u8]]) -> bool {
        let Some(node) = self.nodes.get(position) else { return false };
        labels.iter().rev().copied().eq(node.name.labels().rev().map(str::as_bytes).take(labels.len()))
    }
}

/// The labels of an uncompressed name.
pub(super) fn labels_of(wire: &[u8]) -> Vec<&[u8]> {
    let mut labels = Vec::new();
    let mut rest = wire;
    while let Some((label, after)) =
        rest.split_first().and_then(|(length, after)| after.split_at_checked((*length).into()))
    {
        if label.is_empty() {
            break;
        }
        labels.push(label);
        rest = after;
    }
    labels
}
