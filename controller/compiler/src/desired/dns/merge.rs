//! Written and contributed records in one zone: what is written wins, and the contributor is told.

use cst_api::RecordType;

use crate::model::record::POLICIES;
use crate::model::{DomainName, RecordSet, Zone};

/// Who contributes a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contributor {
    /// The domain's mail.
    Mail,
    /// The centre's settings.
    Settings,
    /// A web site's host.
    Site,
    /// A Domain below, delegated.
    Delegation,
    /// Addresses that ask for their PTR.
    Pointers,
}

/// A contributed set that is not in the zone, because of a written one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displaced {
    /// The owner name.
    pub name: DomainName,
    /// What would have been there.
    pub contributed: RecordType,
    /// What is written there.
    pub written: RecordType,
}

/// A zone being put together: first everything written, then contributions.
#[derive(Debug)]
pub struct Composition {
    written: Zone,
    zone: Zone,
}

impl Composition {
    /// Starts from a bare zone and what is written.
    pub fn new(mut zone: Zone, written: impl Iterator<Item = RecordSet>) -> Self {
        for set in written {
            zone.insert(set);
        }
        Self { written: zone.clone(), zone }
    }

    /// Adds a contributed set, or says what displaces it.
    pub fn contribute(&mut self, from: Contributor, set: RecordSet) -> Result<(), Displaced> {
        if let Some(written) = self.displacing(from, &set) {
            return Err(Displaced { contributed: set.type_(), name: set.name, written });
        }
        let merged = match self.zone.get(&set.name, set.type_()) {
            Some(present) => RecordSet::new(set.name.clone(), present.ttl, [present.values(), set.values()].concat()),
            None => Some(set.clone()),
        };
        // Name servers would refuse the whole zone for a set that is too large.
        match merged.filter(|merged| merged.excess().is_none()) {
            Some(merged) => {
                self.zone.insert(merged);
                Ok(())
            }
            None => Err(Displaced { contributed: set.type_(), written: set.type_(), name: set.name }),
        }
    }

    /// The sets at a name, written and contributed so far.
    pub fn at(&self, name: &DomainName) -> impl Iterator<Item = &RecordSet> {
        self.zone.at(name)
    }

    /// Whether a name lies at or below a delegation, so that other servers answer for it.
    pub fn is_delegated(&self, name: &DomainName) -> bool {
        let inside = name.and_ancestors().take_while(|ancestor| ancestor != self.zone.apex());
        inside.into_iter().any(|ancestor| self.zone.get(&ancestor, RecordType::NS).is_some())
    }

    /// The finished zone.
    pub fn finish(self) -> Zone {
        self.zone
    }

    /// The written type that keeps a contributed set out.
    fn displacing(&self, from: Contributor, set: &RecordSet) -> Option<RecordType> {
        const ADDRESSES: [RecordType; 4] = [RecordType::A, RecordType::AAAA, RecordType::CNAME, RecordType::HTTPS];
        let mut written = self.written.at(&set.name);
        match (from, set.type_()) {
            (Contributor::Site, _) => written.map(RecordSet::type_).find(|type_| ADDRESSES.contains(type_)),
            (_, RecordType::TXT) => written.find_map(|present| match present.type_() {
                RecordType::CNAME => Some(RecordType::CNAME),
                RecordType::TXT if same_policy(present, set) => Some(RecordType::TXT),
                _ => None,
            }),
            (_, RecordType::CNAME) => written.map(RecordSet::type_).next(),
            (_, own) => written.map(RecordSet::type_).find(|type_| [RecordType::CNAME, own].contains(type_)),
        }
    }
}

/// Whether both sets hold a policy of which a name may have one only.
fn same_policy(a: &RecordSet, b: &RecordSet) -> bool {
    let holds = |set: &RecordSet, policy: &str| set.values().iter().any(|value| value.is_policy(policy));
    POLICIES.iter().any(|policy| holds(a, policy) && holds(b, policy))
}
