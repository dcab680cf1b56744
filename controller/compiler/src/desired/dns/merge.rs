//! Written and contributed records in one zone, which stays one that name servers take: who comes first has the name, and who gives way is told.
//!
//! What is written by hand comes first. Then, in this order: delegations of zones below and aliases into parts of a network; mail; certified
//! mail; hosts of sites; what the settings say of every zone; aliases for the sake of a service (autodiscovery, challenges of certificates).
//! Name servers refuse a whole zone with data beside a CNAME (RFC 1034 §3.6.2) and never answer what lies below a delegation (RFC 9499 §7
//! calls it occluded): so a CNAME is alone and single at its name, and at or below a delegation is nothing but its NS, DS and glue.

use std::collections::BTreeMap;

use cst_api::RecordType;

use crate::model::record::POLICIES;
use crate::model::{DomainName, RecordSet, Zone};

/// Who contributes a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contributor {
    /// A Domain below, delegated, or a part of a network.
    Delegation,
    /// Addresses that ask for their PTR.
    Pointers,
    /// The domain's mail.
    Mail,
    /// The domain's certified mail.
    Pec,
    /// A web site's host.
    Site,
    /// The centre's settings.
    Settings,
}

/// A contributed set that is not in the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displaced {
    /// The owner name.
    pub name: DomainName,
    /// What would have been there.
    pub contributed: RecordType,
    /// What keeps it out.
    pub by: Obstacle,
}

/// What keeps a contributed set out of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A written set of this type at the name.
    Written(RecordType),
    /// A set of this type at the name, which comes from who comes first.
    Contributed(RecordType, Contributor),
    /// The name is, or lies below, this one, for which other servers or another zone of ours answers.
    Delegated(DomainName),
    /// The set would be larger than name servers take.
    Size,
}

/// A zone being put together: first everything written, then contributions, who comes first before the others.
#[derive(Debug)]
pub struct Composition {
    written: Zone,
    zone: Zone,
    contributors: BTreeMap<(DomainName, RecordType), Contributor>,
}

impl Composition {
    /// Starts from a bare zone and what is written.
    pub fn new(mut zone: Zone, written: impl Iterator<Item = RecordSet>) -> Self {
        for set in written {
            zone.insert(set);
        }
        Self { written: zone.clone(), zone, contributors: BTreeMap::new() }
    }

    /// Adds a contributed set, or says what displaces it.
    pub fn contribute(&mut self, from: Contributor, set: RecordSet) -> Result<(), Displaced> {
        let (name, contributed) = (set.name.clone(), set.type_());
        let merged = match (self.obstacle(from, &set), self.zone.get(&name, contributed)) {
            (Some(by), _) => return Err(Displaced { name, contributed, by }),
            (None, Some(present)) => {
                RecordSet::new(name.clone(), present.ttl, [present.values(), set.values()].concat())
            }
            (None, None) => Some(set),
        };
        match merged.filter(|merged| merged.excess().is_none()) {
            Some(merged) => {
                self.zone.insert(merged);
                self.contributors.entry((name, contributed)).or_insert(from);
                Ok(())
            }
            None => Err(Displaced { name, contributed, by: Obstacle::Size }),
        }
    }

    /// The sets at a name, written and contributed so far.
    pub fn at(&self, name: &DomainName) -> impl Iterator<Item = &RecordSet> {
        self.zone.at(name)
    }

    /// Whether a name lies at or below a delegation, so that other servers answer for it.
    pub fn is_delegated(&self, name: &DomainName) -> bool {
        self.cut(name).is_some()
    }

    /// The finished zone.
    pub fn finish(self) -> Zone {
        self.zone
    }

    /// The delegation that a name lies at or below.
    fn cut(&self, name: &DomainName) -> Option<DomainName> {
        let inside = name.and_ancestors().take_while(|ancestor| ancestor != self.zone.apex());
        inside.into_iter().find(|ancestor| self.zone.get(ancestor, RecordType::NS).is_some())
    }

    fn obstacle(&self, from: Contributor, set: &RecordSet) -> Option<Obstacle> {
        let written = || self.displacing(from, set).map(Obstacle::Written);
        written().or_else(|| self.occluding(from, set)).or_else(|| self.excluding(set))
    }

    /// The written type that keeps a contributed set out.
    fn displacing(&self, from: Contributor, set: &RecordSet) -> Option<RecordType> {
        const ADDRESSES: [RecordType; 4] = [RecordType::A, RecordType::AAAA, RecordType::CNAME, RecordType::HTTPS];
        let mut written = self.written.at(&set.name);
        match (from, set.type_()) {
            (Contributor::Site, _) => written.map(RecordSet::type_).find(|type_| ADDRESSES.contains(type_)),
            (_, RecordType::TXT) => written.find_map(|present| match present.type_() {
                RecordType::CNAME => Some(RecordType::CNAME),
                RecordType::TXT if is_of_key(&set.name) || same_policy(present, set) => Some(RecordType::TXT),
                _ => None,
            }),
            (_, RecordType::CNAME) => written.map(RecordSet::type_).next(),
            (_, own) => written.map(RecordSet::type_).find(|type_| [RecordType::CNAME, own].contains(type_)),
        }
    }

    /// The delegation below which a set would never be answered; its own NS, DS and glue are what makes it one.
    fn occluding(&self, from: Contributor, set: &RecordSet) -> Option<Obstacle> {
        let is_glue = matches!(set.type_(), RecordType::A | RecordType::AAAA);
        let cut = self.cut(&set.name)?;
        let is_its_own = is_glue || cut == set.name && matches!(set.type_(), RecordType::NS | RecordType::DS);
        (from != Contributor::Delegation || !is_its_own).then_some(Obstacle::Delegated(cut))
    }

    /// What is at the name already and cannot stand beside the set, one of both being a CNAME.
    fn excluding(&self, set: &RecordSet) -> Option<Obstacle> {
        let excludes = |present: &RecordType| [*present, set.type_()].contains(&RecordType::CNAME);
        let present = self.zone.at(&set.name).map(RecordSet::type_).find(excludes)?;
        let contributor = self.contributors.get(&(set.name.clone(), present));
        Some(contributor.map_or(Obstacle::Written(present), |from| Obstacle::Contributed(present, *from)))
    }
}

/// Whether a name is a DKIM key's: of several records there receivers take any (RFC 6376 §3.6.2.2).
fn is_of_key(name: &DomainName) -> bool {
    name.labels().nth(1) == Some("_domainkey")
}

/// Whether both sets hold a policy of which a name may have one only.
fn same_policy(a: &RecordSet, b: &RecordSet) -> bool {
    let holds = |set: &RecordSet, policy: &str| set.values().iter().any(|value| value.is_policy(policy));
    POLICIES.iter().any(|policy| holds(a, policy) && holds(b, policy))
}
