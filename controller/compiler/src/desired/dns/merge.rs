//! Written and contributed records in one zone: what is written wins, and the contributor is told.

use crate::model::record::POLICIES;
use crate::model::{DomainName, RecordSet, Zone};

/// Who contributes a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contributor {
    /// The domain's mail.
    Mail,
    /// A web site's host.
    Site,
    /// A Domain below, delegated.
    Delegation,
}

/// A contributed set that is not in the zone, because of a written one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Displaced {
    /// The owner name.
    pub name: DomainName,
    /// What would have been there.
    pub contributed: &'static str,
    /// What is written there.
    pub written: &'static str,
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
            return Err(Displaced { contributed: set.type_name(), name: set.name, written });
        }
        let merged = match self.zone.get(&set.name, set.type_number()) {
            Some(present) => RecordSet::new(set.name.clone(), present.ttl, [present.values(), set.values()].concat()),
            None => Some(set),
        };
        merged.map(|set| self.zone.insert(set));
        Ok(())
    }

    /// The finished zone.
    pub fn finish(self) -> Zone {
        self.zone
    }

    /// The written type that keeps a contributed set out.
    fn displacing(&self, from: Contributor, set: &RecordSet) -> Option<&'static str> {
        let mut written = self.written.at(&set.name);
        match (from, set.type_name()) {
            (Contributor::Site, _) => {
                written.map(RecordSet::type_name).find(|t| matches!(*t, "A" | "AAAA" | "CNAME" | "HTTPS"))
            }
            (_, "TXT") => written.find_map(|present| match present.type_name() {
                "CNAME" => Some("CNAME"),
                "TXT" if same_policy(present, set) => Some("TXT"),
                _ => None,
            }),
            (_, type_name) => written.map(RecordSet::type_name).find(|t| *t == "CNAME" || *t == type_name),
        }
    }
}

/// Whether both sets hold a policy of which a name may have one only.
fn same_policy(a: &RecordSet, b: &RecordSet) -> bool {
    let holds = |set: &RecordSet, policy: &str| set.values().iter().any(|value| value.is_policy(policy));
    POLICIES.iter().any(|policy| holds(a, policy) && holds(b, policy))
}
