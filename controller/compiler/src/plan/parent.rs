//! What the zone above says of a zone: how it delegates it, and whom it trusts to sign it.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::DomainName;
use crate::model::record::Ds;

/// What the servers of the zone above answer for a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parent {
    /// By the server's name; `None`: none of its addresses answered.
    pub servers: BTreeMap<String, Option<ParentAnswer>>,
}

/// What one server of the zone above answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParentAnswer {
    /// The zone's name servers as they are delegated to; none: it is not delegated.
    pub ns: BTreeSet<DomainName>,
    /// The zone's DS records.
    pub ds: BTreeSet<Ds>,
    /// How long the DS set may be kept, in seconds; 0 when there is none.
    pub ttl: u32,
}

impl ParentAnswer {
    /// Whether it has a DS of this one's key, of whichever digest.
    pub fn trusts(&self, key: &Ds) -> bool {
        self.ds.iter().any(|ds| ds.is_of_same_key(key))
    }
}

impl Parent {
    /// The servers that have not answered.
    pub fn silent(&self) -> impl Iterator<Item = &str> {
        self.servers.iter().filter(|(_, answer)| answer.is_none()).map(|(name, _)| name.as_str())
    }

    /// Whether every server answered, and there is one.
    pub fn is_known(&self) -> bool {
        !self.servers.is_empty() && self.silent().next().is_none()
    }

    /// Every DS that some server has.
    pub fn ds(&self) -> BTreeSet<&Ds> {
        self.answers().flat_map(|(_, answer)| &answer.ds).collect()
    }

    /// The servers that have a DS of one of these keys.
    pub fn holders<'a>(&'a self, any_of: &'a BTreeSet<&Ds>) -> impl Iterator<Item = &'a str> {
        self.answers().filter(|(_, answer)| any_of.iter().any(|ds| answer.trusts(ds))).map(|(name, _)| name)
    }

    /// The longest time for which a DS set may be kept, in seconds.
    pub fn ttl(&self) -> u32 {
        self.answers().map(|(_, answer)| answer.ttl).max().unwrap_or_default()
    }

    /// What was answered, with the server's name.
    pub fn answers(&self) -> impl Iterator<Item = (&str, &ParentAnswer)> {
        self.servers.iter().filter_map(|(name, answer)| Some((name.as_str(), answer.as_ref()?)))
    }
}
