use std::collections::BTreeSet;
use std::sync::Arc;

use cst_api::{MailMode, Reason};

use super::Standing;
use crate::desired::dns::{self, Composition, Contributor, Displaced};
use crate::index::Index;
use crate::model::{DomainName, ObjectKey, RecordSet, Zone};
use crate::parse::DomainModel;
use crate::problem::{Kind, ObjectRef, Problem};

/// What was observed that a zone depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZoneFacts {
    /// Every mail replica has acknowledged the domain (or had, once): only then MX and SPF of hosted mail are published.
    pub mail_acknowledged: bool,
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
pub fn zone(index: &Index, name: &DomainName, facts: ZoneFacts) -> ZoneOutcome {
    let holder = index.zone_holder(name).cloned();
    let mut problems = claim_problems(index, name, holder.as_ref());
    let model = holder.as_ref().and_then(|key| index.domain(key)).and_then(|entry| entry.model.as_ref());
    let zone = model.map(|model| Arc::new(compose(index, model, facts, &mut problems)));
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

fn compose(index: &Index, model: &DomainModel, facts: ZoneFacts, problems: &mut Vec<Problem>) -> Zone {
    let settings = index.settings();
    let object = ObjectRef::new(Kind::Domain, model.key.clone());
    let written: Vec<RecordSet> =
        model.sets.iter().filter_map(|(at, set)| own_set(index, &object, model, *at, set, problems)).collect();
    let mut composition = Composition::new(dns::bare_zone(&model.zone, &settings.dns), written.into_iter());
    for child in children(index, &model.zone) {
        let delegation = dns::name_servers(&child, &settings.dns);
        let results = delegation.map(|set| composition.contribute(Contributor::Delegation, set));
        problems.extend(results.and_then(Result::err).map(|displaced| {
            object.warning("spec.records", Reason::RecordConflict, told(&displaced, "the delegation of that Domain"))
        }));
    }
    contribute_mail(index, model, facts, &object, &mut composition, problems);
    contribute_sites(index, model, &mut composition, problems);
    composition.finish()
}

/// A written set, unless its name belongs to another tenant or lies in a zone below.
fn own_set(
    index: &Index,
    object: &ObjectRef,
    model: &DomainModel,
    at: usize,
    set: &RecordSet,
    problems: &mut Vec<Problem>,
) -> Option<RecordSet> {
    let tenant = model.key.tenant()?;
    let field = format!("spec.records[{at}].name");
    if let Err(refusal) = index.may_hold(tenant, &set.name, true) {
        problems.push(object.refused(field, refusal));
        return None;
    }
    match index.covering_zone(&set.name).filter(|zone| *zone != model.zone) {
        Some(below) if set.name != below || set.type_name() != "NS" => {
            let message =
                format!("`{}` lies in the zone {below}, which another Domain holds: write it there", set.name);
            problems.push(object.error(field, Reason::RecordConflict, message));
            None
        }
        _ => Some(set.clone()),
    }
}

/// The held zones right below a zone.
fn children(index: &Index, zone: &DomainName) -> BTreeSet<DomainName> {
    let below = index.zones_within(zone).filter(|child| *child != zone && index.zone_holder(child).is_some());
    below.filter(|child| index.zone_above(child).as_ref() == Some(zone)).cloned().collect()
}

fn contribute_mail(
    index: &Index,
    model: &DomainModel,
    facts: ZoneFacts,
    object: &ObjectRef,
    composition: &mut Composition,
    problems: &mut Vec<Problem>,
) {
    let Some(mail) = &model.mail else { return };
    let settings = index.settings().mail.as_ref();
    let hosts = settings.map(|mail| mail.hosts.as_slice()).unwrap_or_default();
    if mail.mode == MailMode::Hosted && settings.is_none() {
        problems.push(object.error(
            "spec.mail.mode",
            Reason::Invalid,
            "the centre's settings have no mail: leave spec.mail out",
        ));
        return;
    }
    if mail.mode == MailMode::Hosted && !facts.mail_acknowledged {
        return;
    }
    for set in dns::mail_sets(&model.zone, mail, hosts, model.ttl) {
        if let Err(displaced) = composition.contribute(Contributor::Mail, set) {
            let message = told(&displaced, "spec.mail");
            problems.push(object.warning("spec.records", Reason::RecordConflict, message));
        }
    }
}

fn contribute_sites(index: &Index, model: &DomainModel, composition: &mut Composition, problems: &mut Vec<Problem>) {
    let addresses = index.settings().web.as_ref().map(|web| web.addresses.as_slice()).unwrap_or_default();
    for (host, _) in index.hosts_within(&model.zone) {
        let Some(site) = index.host_holder(host).filter(|site| site.namespace == model.key.namespace) else { continue };
        if index.covering_zone(host).as_ref() != Some(&model.zone) {
            continue;
        }
        for set in dns::address_sets(host, addresses, model.ttl) {
            if let Err(displaced) = composition.contribute(Contributor::Site, set) {
                let message = told(&displaced, &format!("WebSite {}", site.name));
                problems.push(ObjectRef::new(Kind::WebSite, site.clone()).warning(
                    "spec.host",
                    Reason::RecordConflict,
                    message,
                ));
                break;
            }
        }
    }
}

fn told(displaced: &Displaced, whose: &str) -> String {
    let Displaced { name, contributed, written } = displaced;
    format!(
        "`{name}` has a written {written}, so the {contributed} of {whose} is left out: remove the record to have it published"
    )
}
