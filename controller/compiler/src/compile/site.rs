use cst_api::Reason;

use super::Standing;
use crate::desired::web::Site;
use crate::index::Index;
use crate::model::{DomainName, ObjectKey};
use crate::parse::WebSiteModel;
use crate::problem::{Kind, ObjectRef, Problem};

/// What a WebSite gets of what it asks for.
#[derive(Clone, Debug)]
pub struct SiteVerdict<'a> {
    /// What to do.
    pub standing: Standing,
    /// The model in force.
    pub model: Option<&'a WebSiteModel>,
    /// The aliases it may have.
    pub aliases: Vec<&'a DomainName>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl SiteVerdict<'_> {
    /// The site as it shall be served, when it is live.
    pub fn site(&self, index: &Index) -> Option<Site> {
        let model = self.model.filter(|_| self.standing == Standing::Live)?;
        let application = index.settings().web.as_ref()?.applications.get(&model.application)?;
        Some(Site {
            tenant: model.key.tenant()?.to_owned(),
            key: model.key.clone(),
            application: application.clone(),
            host: model.host.clone(),
            aliases: self.aliases.iter().copied().cloned().collect(),
            storage: model.storage,
            deletion_policy: model.deletion_policy,
        })
    }
}

/// Judges a WebSite.
pub fn site<'a>(index: &'a Index, key: &ObjectKey) -> SiteVerdict<'a> {
    let object = ObjectRef::new(Kind::WebSite, key.clone());
    let Some(entry) = index.site(key) else {
        return SiteVerdict { standing: Standing::Retired, model: None, aliases: Vec::new(), problems: Vec::new() };
    };
    let mut verdict = SiteVerdict {
        standing: Standing::Kept,
        model: entry.model.as_ref(),
        aliases: Vec::new(),
        problems: entry.problems.clone(),
    };
    let Some(model) = &entry.model else { return verdict };
    let tenant = key.tenant().unwrap_or_default();
    if let Err(refusal) = index.tenant_serves(tenant) {
        verdict.problems.push(object.refused("metadata.namespace", refusal));
        return verdict;
    }
    if !index.admits_site(key) {
        let message = format!(
            "tenant {tenant} has reached its limit of sites or web storage: ask the coordinator, or remove another site"
        );
        verdict.problems.push(object.error("spec.host", Reason::LimitExceeded, message));
        return verdict;
    }
    let Some(()) = known_application(index, &object, model, &mut verdict.problems) else { return verdict };
    match may_have(index, key, &model.host) {
        Ok(()) => verdict.standing = Standing::Live,
        Err((reason, message)) => verdict.problems.push(object.error("spec.host", reason, message)),
    }
    for (at, alias) in model.aliases.placed() {
        match may_have(index, key, alias) {
            Ok(()) => verdict.aliases.push(alias),
            Err((reason, message)) => {
                verdict.problems.push(object.error(format!("spec.aliases[{at}]"), reason, message));
            }
        }
    }
    for (field, host) in [("spec.host".to_owned(), &model.host)].into_iter().chain(aliases_with_fields(model)) {
        let refused = verdict.problems.iter().any(|problem| problem.field == field);
        verdict.problems.extend(uncovered(index, &object, &field, host, key).filter(|_| !refused));
    }
    verdict
}

fn aliases_with_fields(model: &WebSiteModel) -> impl Iterator<Item = (String, &DomainName)> {
    model.aliases.placed().map(|(at, alias)| (format!("spec.aliases[{at}]"), alias))
}

fn known_application(
    index: &Index,
    object: &ObjectRef,
    model: &WebSiteModel,
    problems: &mut Vec<Problem>,
) -> Option<()> {
    let Some(web) = &index.settings().web else {
        problems.push(object.error(
            "spec.application",
            Reason::UnknownApplication,
            "the centre's settings have no web hosting",
        ));
        return None;
    };
    if web.applications.contains_key(&model.application) {
        return Some(());
    }
    let known = web.applications.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let message = format!("the catalogue has no application `{}`: use one of {known}", model.application);
    problems.push(object.error("spec.application", Reason::UnknownApplication, message));
    None
}

fn may_have(index: &Index, key: &ObjectKey, host: &DomainName) -> Result<(), (Reason, String)> {
    let held = index.site(key).is_some_and(|entry| entry.held.contains(host.as_str()));
    index
        .may_hold(key.tenant().unwrap_or_default(), host, held)
        .map_err(|refusal| (refusal.reason, refusal.message))?;
    match index.host_holder(host) {
        Some(holder) if holder != key => {
            Err((Reason::Conflict, super::asked_for(host, ObjectRef::new(Kind::WebSite, holder.clone()))))
        }
        _ => Ok(()),
    }
}

/// A host that no Domain of the tenant covers: it is served, but its address records must be published elsewhere.
fn uncovered(index: &Index, object: &ObjectRef, field: &str, host: &DomainName, key: &ObjectKey) -> Option<Problem> {
    let covered = index
        .covering_zone(host)
        .and_then(|zone| index.zone_holder(&zone))
        .is_some_and(|holder| holder.namespace == key.namespace);
    let message = format!(
        "no Domain of {} covers `{host}`: its address records must be published where its zone is served",
        key.namespace
    );
    (!covered).then(|| object.warning(field, Reason::DomainMissing, message))
}
