//! A zone version as it is served: record sets in wire form, signed or not, at the names that hold them, in DNSSEC order.

use std::cmp::Ordering;

use cst_compiler::model::{DomainName, RecordSet, Zone};

use crate::rtype;

/// One version of a zone, ready to be transferred and to answer from. The first node is the apex, its first set the SOA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedZone {
    pub(crate) apex: DomainName,
    pub(crate) serial: u32,
    pub(crate) nodes: Vec<Node>,
    /// The NSEC3 records at their hashed names, in the order of the hashes; empty where the zone is not signed so.
    pub(crate) hashed: Vec<Node>,
}

/// A name that holds records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: DomainName,
    pub(crate) role: Role,
    pub(crate) sets: Vec<ServedSet>,
}

/// What a name is to its zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The zone answers for it with authority.
    Authoritative,
    /// A delegation: only its NSEC (and a DS) is ours to sign (RFC 4035 §2.2).
    Cut,
    /// Below a delegation: glue.
    Glue,
}

impl Role {
    /// Whether a set of the type at such a name is ours to sign (RFC 4035 §2.2).
    pub(crate) fn is_signed(self, type_number: u16) -> bool {
        match self {
            Self::Authoritative => true,
            Self::Cut => [rtype::DS, rtype::NSEC].contains(&type_number),
            Self::Glue => false,
        }
    }
}

/// All records of one type at one name, with the signature over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServedSet {
    pub(crate) type_number: u16,
    pub(crate) ttl: u32,
    pub(crate) data: DataList,
    /// The data of the RRSIGs over it; none: it is not signed.
    pub(crate) signatures: DataList,
}

/// The data of a set's records in canonical order (RFC 4034 §6.3), each with its length before it as on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DataList(Box<[u8]>);

impl DataList {
    pub(crate) fn new(mut data: Vec<Vec<u8>>) -> Self {
        data.sort();
        let mut bytes = Vec::with_capacity(data.iter().map(|d| d.len() + 2).sum());
        for one in data {
            bytes.extend_from_slice(&u16::try_from(one.len()).unwrap_or(u16::MAX).to_be_bytes());
            bytes.extend_from_slice(&one);
        }
        Self(bytes.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (one, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            rest = after;
            Some(one)
        })
    }
}

impl ServedSet {
    pub(crate) fn new(type_number: u16, ttl: u32, data: Vec<Vec<u8>>) -> Self {
        Self { type_number, ttl, data: DataList::new(data), signatures: DataList::default() }
    }

    fn of(set: &RecordSet) -> Self {
        let wire = |value: &cst_compiler::model::RecordData| {
            let mut bytes = Vec::new();
            value.write_wire(&mut bytes);
            bytes
        };
        Self::new(set.type_().number(), set.ttl, set.values().iter().map(wire).collect())
    }
}

impl Node {
    pub(crate) fn new(name: DomainName) -> Self {
        Self { name, role: Role::Authoritative, sets: Vec::new() }
    }

    /// The labels of its name, leftmost first.
    pub(crate) fn labels(&self) -> Vec<&[u8]> {
        self.name.labels().map(str::as_bytes).collect()
    }

    /// The set of a type.
    pub(crate) fn set(&self, type_number: u16) -> Option<&ServedSet> {
        self.sets.iter().find(|set| set.type_number == type_number)
    }
}

impl ServedZone {
    /// The zone without signatures. Sets outside the zone must have been refused before.
    pub fn unsigned(zone: &Zone, serial: u32) -> Self {
        let mut apex = Node::new(zone.apex().clone());
        let mut soa = Vec::new();
        zone.soa_data(serial).write_wire(&mut soa);
        apex.sets.push(ServedSet::new(rtype::SOA, zone.soa_ttl(), vec![soa]));
        let mut nodes = vec![apex];
        for set in zone.sets() {
            match nodes.last_mut() {
                Some(node) if node.name == set.name => node.sets.push(ServedSet::of(set)),
                _ => nodes.push(Node { sets: vec![ServedSet::of(set)], ..Node::new(set.name.clone()) }),
            }
        }
        assign_roles(&mut nodes);
        Self { apex: zone.apex().clone(), serial, nodes, hashed: Vec::new() }
    }

    /// The zone's name.
    pub fn apex(&self) -> &DomainName {
        &self.apex
    }

    /// The SOA's serial.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// The apex and its SOA.
    pub(crate) fn soa(&self) -> (&Node, &ServedSet) {
        (&self.nodes[0], &self.nodes[0].sets[0])
    }

    /// How long a denial may be kept: the SOA's minimum or its time to live, whichever is less (RFC 2308 §5, RFC 9077 §3).
    pub(crate) fn negative_ttl(&self) -> u32 {
        let soa = self.soa().1;
        let minimum = soa.data.iter().next().and_then(|data| data.last_chunk::<4>());
        minimum.map_or(soa.ttl, |bytes| u32::from_be_bytes(*bytes).min(soa.ttl))
    }

    /// The node of a name (labels leftmost first, lower-case), or where it would stand.
    pub(crate) fn find(&self, labels: &[&[u8]]) -> Result<usize, usize> {
        self.nodes.binary_search_by(|node| compare(&node.name, labels))
    }
}

/// DNSSEC order (RFC 4034 §6.1), for names of any octets.
fn compare(name: &DomainName, labels: &[&[u8]]) -> Ordering {
    name.labels().rev().map(str::as_bytes).cmp(labels.iter().rev().copied())
}

/// In DNSSEC order everything below a name follows it at once.
fn assign_roles(nodes: &mut [Node]) {
    let mut cut: Option<DomainName> = None;
    for node in nodes.iter_mut().skip(1) {
        if cut.as_ref().is_some_and(|cut| node.name.is_within(cut)) {
            node.role = Role::Glue;
        } else if node.set(rtype::NS).is_some() {
            node.role = Role::Cut;
            cut = Some(node.name.clone());
        }
    }
}
