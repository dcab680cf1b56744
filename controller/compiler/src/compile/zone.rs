mod challenges;
mod compose;
mod delegations;
pub(super) mod mail;
mod pointers;
mod written;

use std::collections::BTreeMap;
use std::sync::Arc;

use cst_api::{Date, Reason};

use super::{Standing, aliases};
use crate::index::Index;
use crate::model::record::Ds;
use crate::model::{DomainName, ObjectKey, RecordSet, Zone};
use crate::plan::dkim::KeyRecord;
use crate::problem::{Kind, ObjectRef, Problem};

/// What was observed that a zone depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneFacts {
    /// Every mail replica has acknowledged the domain (or had, once): only then MX and SPF of hosted mail are published.
    pub mail_acknowledged: bool,
    /// Hosted mail was published, and giving it up is held: its MX and SPF stay.
    pub mail_stays: bool,
    /// The day, in the settings' time zone; `None`: before all that is dated.
    pub today: Option<Date>,
    /// The records of the keys that its mail is or was signed with.
    pub dkim: Vec<KeyRecord>,
    /// The zones right below that are published, also without their Domain, with their DS records when every public server serves them signed.
    pub below: BTreeMap<DomainName, Vec<Ds>>,
    /// The addresses of our name servers that lie in a zone below that is served and that nobody declares, as it has them.
    pub glue: Vec<RecordSet>,
}

impl ZoneFacts {
    /// As if everything that is waited for had come, for judging manifests without a cluster.
    pub fn hopeful() -> Self {
        Self { mail_acknowledged: true, ..Self::default() }
    }
}

/// A compiled zone.
#[derive(Clone, Debug)]
pub struct ZoneOutcome {
    /// What to do.
    pub standing: Standing,
    /// The zone, when it is live.
    pub zone: Option<Arc<Zone>>,
    /// The Domain that holds it.
    pub holder: Option<ObjectKey>,
    /// What is wrong, of all Domains that ask for the zone and of the sites in it.
    pub problems: Vec<Problem>,
}

/// Compiles a zone.
pub fn zone(index: &Index, name: &DomainName, facts: &ZoneFacts) -> ZoneOutcome {
    let holder = index.zone_holder(name).cloned();
    let mut problems = claim_problems(index, name, holder.as_ref());
    let model = holder.as_ref().and_then(|key| index.domain(key)).and_then(|entry| entry.model.as_ref());
    problems.extend(model.into_iter().flat_map(|model| mail::wishes(index, model)));
    let zone = model.filter(|model| model.is_whole).map(|model| {
        let zone = Arc::new(compose::compose(index, model, facts, &mut problems));
        problems.extend(aliases::problems(&[(name.clone(), Arc::clone(&zone))].into(), &zone, model, index.settings()));
        zone
    });
    let standing = match (&zone, index.domains_of_zone(name).next().is_some() || !problems.is_empty()) {
        (Some(_), _) => Standing::Live,
        (None, true) => Standing::Kept,
        (None, false) => Standing::Retired,
    };
    ZoneOutcome { standing, zone, holder, problems }
}

/// What keeps each Domain that asks for the zone from having it, and what is wrong with its newest spec.
fn claim_problems(index: &Index, name: &DomainName, holder: Option<&ObjectKey>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let named: Vec<ObjectKey> = index.domains_of_zone(name).cloned().collect();
    for key in &named {
        let object = ObjectRef::new(Kind::Domain, key.clone());
        let Some(entry) = index.domain(key) else { continue };
        problems.extend(entry.problems.iter().cloned());
        if holder == Some(key) {
            continue;
        }
        let tenant = key.tenant().unwrap_or_default();
        let held = entry.held.contains(name.as_str());
        let refusal = if key.tenant().is_none() {
            Some(object.error(
                "metadata.namespace",
                Reason::TenantMissing,
                format!("{} is no tenant's namespace (t-<tenant>)", key.namespace),
            ))
        } else {
            let missing =
                index.tenant_serves(tenant).err().map(|refusal| object.refused("metadata.namespace", refusal));
            let refused = || index.may_hold(tenant, name, held).err();
            missing.or_else(|| refused().map(|refusal| object.refused("metadata.name", refusal)))
        };
        problems.extend(refusal.or_else(|| {
            holder.map(|h| object.conflict("metadata.name", name.as_str(), &ObjectRef::new(Kind::Domain, h.clone())))
        }));
    }
    problems
}
