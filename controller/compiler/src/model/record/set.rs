//! All records of one type at one name.

use cst_api::RecordType;

use super::{DomainName, RecordData};

/// All records of one type at one name, with their one TTL (RFC 2181 §5.2). Values are sorted and distinct.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordSet {
    /// The owner.
    pub name: DomainName,
    /// Seconds.
    pub ttl: u32,
    values: Box<[RecordData]>,
}

/// How many records a name server takes in a set: BIND's `max-records-per-type`.
pub const MOST_RECORDS: usize = 100;
/// How many octets of data a set may have: a message that answers with it holds 64 KiB, its signature too.
pub const MOST_OCTETS: usize = 60_000;

impl RecordSet {
    /// Why name servers would refuse the set, and the zone with it.
    pub fn excess(&self) -> Option<String> {
        let mut wire = Vec::new();
        self.values.iter().for_each(|value| value.write_wire(&mut wire));
        let (records, octets) = (self.values.len(), wire.len() + 12 * self.values.len());
        if records > MOST_RECORDS {
            return Some(format!("{records} values, where name servers take {MOST_RECORDS} in a set"));
        }
        (octets > MOST_OCTETS).then(|| format!("{octets} octets, where a set has at most {MOST_OCTETS}"))
    }

    /// A set of values of one type; `None` when there are none or their types differ.
    pub fn new(name: DomainName, ttl: u32, mut values: Vec<RecordData>) -> Option<Self> {
        values.sort();
        values.dedup();
        let type_ = values.first()?.type_();
        values.iter().all(|value| value.type_() == type_).then(|| Self { name, ttl, values: values.into() })
    }

    /// The same values under another TTL.
    #[must_use]
    pub fn with_ttl(self, ttl: u32) -> Self {
        Self { ttl, ..self }
    }

    /// The values, sorted, at least one.
    pub fn values(&self) -> &[RecordData] {
        &self.values
    }

    /// The type.
    pub fn type_(&self) -> RecordType {
        self.values[0].type_()
    }
}
