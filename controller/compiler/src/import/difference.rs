//! What a Domain renders to beside what was read, record by record.

use std::fmt;

use super::draft::is_others;
use super::source::{LeftOut, SourceZone};
use crate::index::Index;
use crate::model::{DomainName, RecordData, RecordType, Zone};

/// One way in which the rendered zone is not the one that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A record that is no more.
    Missing(DomainName, u32, RecordData),
    /// A record that is more.
    Added(DomainName, u32, RecordData),
    /// A set of another time to live: what it was, what it is.
    Ttl(DomainName, RecordType, u32, u32),
    /// A record that cannot be held.
    NotHeld(LeftOut),
}

impl fmt::Display for Difference {
    /// A line beginning with `-`, `+` or `TTL`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name, ttl, data) => write!(f, "- {name}. {ttl} IN {} {data}", data.type_()),
            Self::Added(name, ttl, data) => write!(f, "+ {name}. {ttl} IN {} {data}", data.type_()),
            Self::Ttl(name, type_, was, is) => write!(f, "TTL {name}. {type_}: {was} becomes {is}"),
            Self::NotHeld(left) => write!(f, "- {left}"),
        }
    }
}

/// The differences between what was read and what is rendered, SOA, the zone's own NS and what other Domains answer for aside.
pub(super) fn differences(index: &Index, source: &SourceZone, rendered: &Zone) -> Vec<Difference> {
    let apex = source.zone.apex();
    let is_own = |name: &DomainName, type_| !is_others(index, apex, name, type_);
    let mut found: Vec<Difference> = source.left_out.iter().cloned().map(Difference::NotHeld).collect();
    for set in source.zone.sets().filter(|set| is_own(&set.name, set.type_())) {
        let other = rendered.get(&set.name, set.type_());
        let is_there = |value: &&RecordData| other.is_some_and(|other| other.values().contains(value));
        let missing = set.values().iter().filter(|value| !is_there(value)).cloned();
        found.extend(missing.map(|value| Difference::Missing(set.name.clone(), set.ttl, value)));
        if let Some(other) = other.filter(|other| other.ttl != set.ttl) {
            found.push(Difference::Ttl(set.name.clone(), set.type_(), set.ttl, other.ttl));
        }
    }
    for set in rendered.sets().filter(|set| is_own(&set.name, set.type_())) {
        let other = source.zone.get(&set.name, set.type_());
        let is_new = |value: &&RecordData| !other.is_some_and(|other| other.values().contains(value));
        let added = set.values().iter().filter(is_new).cloned();
        found.extend(added.map(|value| Difference::Added(set.name.clone(), set.ttl, value)));
    }
    found
}

/// The digest that the zone read has under the settings' SOA and NS, and with what other Domains answer for: equal to the rendered one's,
/// when that is the same zone.
pub(super) fn expected_digest(index: &Index, source: &SourceZone, rendered: &Zone) -> String {
    let apex = source.zone.apex();
    let mut expected = Zone::new(apex.clone(), rendered.soa_ttl(), rendered.soa().clone());
    for set in rendered.sets().filter(|set| is_others(index, apex, &set.name, set.type_())) {
        expected.insert(set.clone());
    }
    for set in source.zone.sets().filter(|set| !is_others(index, apex, &set.name, set.type_())) {
        expected.insert(set.clone());
    }
    expected.digest()
}
