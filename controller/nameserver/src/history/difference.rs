//! The difference between two versions: the records of the one that are not in the other, and the other way round.

use std::cmp::Ordering;

use cst_compiler::model::DomainName;
use cst_compiler::plan::serial::is_newer;

use crate::records::RecordRef;
use crate::rtype;
use crate::served::{Node, ServedZone};

/// What leads from one version to a later one. A set whose time to live changes is removed and added.
#[derive(Debug)]
pub(crate) struct Difference {
    serials: (u32, u32),
    /// The SOA of the older version, then what is in that one alone.
    removed: Vec<Record>,
    /// The SOA of the newer version, then what is in that one alone.
    added: Vec<Record>,
    octets: usize,
}

/// A record that outlives its version.
#[derive(Debug)]
struct Record {
    owner: DomainName,
    type_number: u16,
    ttl: u32,
    data: Box<[u8]>,
}

impl Record {
    fn of(record: RecordRef<'_>) -> Self {
        let RecordRef { owner, type_number, ttl, data } = record;
        Self { owner: owner.clone(), type_number, ttl, data: data.into() }
    }

    fn as_ref(&self) -> RecordRef<'_> {
        RecordRef { owner: &self.owner, type_number: self.type_number, ttl: self.ttl, data: &self.data }
    }
}

impl Difference {
    /// `None` when it has more than `bound` octets, or when the new version's serial does not come after the old one's.
    pub(super) fn between(old: &ServedZone, new: &ServedZone, bound: usize) -> Option<Self> {
        if !is_newer(new.serial(), old.serial()) {
            return None;
        }
        let serials = (old.serial(), new.serial());
        let mut found = Self { serials, removed: Vec::new(), added: Vec::new(), octets: 0 };
        old.soa_record().for_each(|soa| found.remove(soa));
        new.soa_record().for_each(|soa| found.add(soa));
        let is_within = found.walk(&old.nodes, &new.nodes, bound) && found.walk(&old.hashed, &new.hashed, bound);
        is_within.then_some(found)
    }

    /// Walks two lists of names, which have the same order; whether what they do not share is within the bound.
    fn walk(&mut self, olds: &[Node], news: &[Node], bound: usize) -> bool {
        let (mut olds, mut news) = (olds.iter().peekable(), news.iter().peekable());
        while self.octets <= bound {
            match (olds.peek(), news.peek()) {
                (None, None) => return true,
                (old, new) => match order(old, new) {
                    Ordering::Less => self.compare(olds.next(), None),
                    Ordering::Greater => self.compare(None, news.next()),
                    Ordering::Equal => self.compare(olds.next(), news.next()),
                },
            }
        }
        false
    }

    /// The serials of the older and the newer version.
    pub(crate) fn serials(&self) -> (u32, u32) {
        self.serials
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    /// As RFC 1995 §4 has it: the old SOA, what is removed, the new SOA, what is added.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordRef<'_>> + Send {
        self.removed.iter().chain(&self.added).map(Record::as_ref)
    }

    /// What two nodes of one name do not share.
    fn compare(&mut self, old: Option<&Node>, new: Option<&Node>) {
        if old.zip(new).is_some_and(|(old, new)| old.sets == new.sets) {
            return;
        }
        let (olds, news) = (sorted(old), sorted(new));
        olds.iter().filter(|record| !contains(&news, record)).for_each(|record| self.remove(*record));
        news.iter().filter(|record| !contains(&olds, record)).for_each(|record| self.add(*record));
    }

    fn remove(&mut self, record: RecordRef<'_>) {
        self.octets += record.octets();
        self.removed.push(Record::of(record));
    }

    fn add(&mut self, record: RecordRef<'_>) {
        self.octets += record.octets();
        self.added.push(Record::of(record));
    }
}

/// Which of two nodes comes first; one that is not there comes after all others.
fn order(old: Option<&&Node>, new: Option<&&Node>) -> Ordering {
    match (old, new) {
        (Some(old), Some(new)) => old.name.cmp(&new.name),
        (Some(_), None) => Ordering::Less,
        (None, _) => Ordering::Greater,
    }
}

/// A node's records without the SOA, which stands at the head of its list.
fn sorted(node: Option<&Node>) -> Vec<RecordRef<'_>> {
    let mut records: Vec<_> =
        node.into_iter().flat_map(Node::records).filter(|record| record.type_number != rtype::SOA).collect();
    records.sort_unstable_by(place);
    records
}

fn contains(sorted: &[RecordRef<'_>], record: &RecordRef<'_>) -> bool {
    sorted.binary_search_by(|other| place(other, record)).is_ok()
}

fn place(a: &RecordRef<'_>, b: &RecordRef<'_>) -> Ordering {
    (a.type_number, a.ttl, a.data).cmp(&(b.type_number, b.ttl, b.data))
}
