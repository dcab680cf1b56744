//! The records of a zone one by one, as transfers send and compare them.

use cst_compiler::model::DomainName;

use crate::rtype;
use crate::served::{Node, ServedZone};

/// The octets of a record besides its owner and data (RFC 1035 §4.1.3).
const FIELDS: usize = 10;

/// One record as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordRef<'z> {
    pub(crate) owner: &'z DomainName,
    pub(crate) type_number: u16,
    pub(crate) ttl: u32,
    pub(crate) data: &'z [u8],
}

impl RecordRef<'_> {
    /// Its octets in a message without compression.
    pub(crate) fn octets(&self) -> usize {
        self.owner.as_str().len() + 2 + FIELDS + self.data.len()
    }
}

impl Node {
    /// All records at the name, each set's signature after it.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordRef<'_>> + Send {
        self.sets.iter().flat_map(|set| {
            let record = |type_number, data| RecordRef { owner: &self.name, type_number, ttl: set.ttl, data };
            let data = set.data.iter().map(move |data| record(set.type_number, data));
            data.chain(set.signatures.iter().map(move |data| record(rtype::RRSIG, data)))
        })
    }
}

impl ServedZone {
    /// All records, the SOA first.
    pub(crate) fn records(&self) -> impl Iterator<Item = RecordRef<'_>> + Send {
        self.nodes.iter().chain(&self.hashed).flat_map(Node::records)
    }

    /// The SOA.
    pub(crate) fn soa_record(&self) -> impl Iterator<Item = RecordRef<'_>> + Send {
        self.records().take(1)
    }

    /// The octets of all records in messages without compression.
    pub(crate) fn octets(&self) -> usize {
        self.records().map(|record| record.octets()).sum()
    }
}
