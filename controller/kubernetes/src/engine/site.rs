//! A web site: its objects and database, whether it answers, and what its WebSite is told.

mod asked;
mod observed;

use std::collections::BTreeSet;
use std::time::Instant;

use cst_api::{DeletionPolicy, WebSiteStatus};
use cst_compiler::compile::{self, SiteVerdict, Standing};
use cst_compiler::desired::web::{self, Credentials, Password, Site};
use cst_compiler::index::{Change, Unit};
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::parse::WebSiteModel;
use cst_compiler::problem::{Kind, ObjectRef};
use cst_compiler::settings::web::Web;

use super::departures::End;
use super::{Effect, Engine, Shell, WorkError};
use crate::applied::{self, Applied};
use crate::apply::{self, ObjectId};
use crate::clock::Now;
use crate::names;
use crate::passwords;
use crate::report::{Draft, ObjectStatus};
pub use asked::AskJob;
use asked::{question, was_ready};
pub(super) use observed::SiteState;

/// The work on a site, ready to be carried out.
pub struct SiteJob {
    key: ObjectKey,
    last: Option<Applied>,
    step: Step,
    draft: Option<Draft>,
}

enum Step {
    /// What is there stays.
    Keep,
    /// This is built.
    Build {
        site: Box<Site>,
        web: Box<Web>,
        digest: String,
        /// What of it was lost or changed by somebody else.
        anew: BTreeSet<ObjectId>,
    },
    /// The record changes, the objects stay.
    Note(Applied),
    /// Its time is over, and what is there stays until it may go.
    Ask,
    /// It goes.
    Remove(Applied),
}

impl Engine {
    /// Compiles a site and decides what to do. Damage is handed out once: a further attempt goes on from there.
    pub(super) fn site_job(&mut self, key: &ObjectKey, now: &Now) -> SiteJob {
        let unit = Unit::Site(key.clone());
        let last = self.applied.get(&unit).cloned();
        if let Some(last) = last.as_ref().filter(|last| self.end_of_site(key, last, now.today) == End::Unknown) {
            self.absence(&ObjectRef::new(Kind::WebSite, key.clone()), &unit, last.deletion_policy);
        }
        let verdict = compile::site(&self.index, key);
        let (mut step, mut waiting) = self.site_step(key, &verdict, last.as_ref(), now);
        if let Step::Build { anew, .. } = &mut step {
            // Until all of it is applied nobody knows what is there: what is wanted next is built, even if it is what was.
            self.built.remove(&unit);
            *anew = self.damage.hand_out(&unit);
        }
        let mut draft = self.site_draft(key, &verdict, now);
        let site = verdict.site(&self.index);
        let is_live = site.is_some();
        let question = site.filter(|_| waiting.is_empty() && !was_ready(draft.as_ref())).map(|site| question(&site));
        if let Some(host) = self.ask_for(key, question) {
            waiting.push(format!("the gateway to answer for {host}"));
        }
        if let Some(draft) = &mut draft {
            draft.facts.waiting = waiting;
        }
        match step {
            Step::Ask => self.ask_to_go(key),
            _ if is_live => self.has_returned(key, &unit),
            _ => {}
        }
        SiteJob { key: key.clone(), last, step, draft }
    }

    fn site_step(
        &self,
        key: &ObjectKey,
        verdict: &SiteVerdict<'_>,
        last: Option<&Applied>,
        now: &Now,
    ) -> (Step, Vec<String>) {
        let site = verdict.site(&self.index);
        if let (Some(site), Some(web)) = (site, &self.index.settings().web) {
            let digest = names::hash(format!("{site:?}{web:?}"));
            let state = self.sites.get(key);
            let waiting = state.map_or_else(|| vec!["its pod".into()], |state| state.waiting(&site));
            if self.built.get(&Unit::Site(key.clone())) == Some(&digest) {
                return (Step::Keep, waiting);
            }
            return (
                Step::Build { site: Box::new(site), web: Box::new(web.clone()), digest, anew: BTreeSet::new() },
                waiting,
            );
        }
        let Some(last) = last.filter(|_| verdict.standing == Standing::Retired && !self.is_there(Kind::WebSite, key))
        else {
            return (Step::Keep, Vec::new());
        };
        let retired = || Applied { retired: Some(now.today), ..last.clone() };
        let step = match (self.end_of_site(key, last, now.today), last.retired) {
            (End::Over, _) if self.may_go(key, &Unit::Site(key.clone())) => Step::Remove(last.clone()),
            (End::Over, _) => Step::Ask,
            (End::Swept, _) => Step::Note(Applied { deletion_policy: DeletionPolicy::Retain, ..retired() }),
            (End::Retained, None) => Step::Note(retired()),
            (End::Unknown | End::Declared | End::Retained, _) => Step::Keep,
        };
        (step, Vec::new())
    }

    fn site_draft(&self, key: &ObjectKey, verdict: &SiteVerdict<'_>, now: &Now) -> Option<Draft> {
        let mut draft = self.draft(&ObjectRef::new(Kind::WebSite, key.clone()), now)?;
        let ObjectStatus::WebSite(last) = draft.last.clone() else { return None };
        let live = verdict.standing == Standing::Live;
        let model = verdict.model;
        let host = model.filter(|_| live).map(|model| &model.host);
        let holds: Vec<&DomainName> =
            host.into_iter().chain(verdict.aliases.iter().copied().filter(|_| live)).collect();
        let still = |text: &&String| {
            let asked = model.and_then(|model| model.hosts().find(|host| host.as_str() == text.as_str()));
            asked.is_some_and(|host| {
                !holds.contains(&host) && self.index.host_holder(host).is_none_or(|holder| holder == key)
            })
        };
        let kept = last.hosts.iter().filter(still).cloned();
        draft.next = ObjectStatus::WebSite(WebSiteStatus {
            hosts: holds.iter().map(ToString::to_string).chain(kept).collect(),
            ..WebSiteStatus::default()
        });
        draft.facts.problems.clone_from(&verdict.problems);
        let zones = model.into_iter().flat_map(WebSiteModel::hosts).filter_map(|host| self.index.covering_zone(host));
        let zones: BTreeSet<DomainName> = zones.collect();
        let of_zones = zones.iter().filter_map(|zone| self.zones.get(zone)?.site_problems.get(key));
        draft.facts.problems.extend(of_zones.flatten().cloned());
        draft.facts.summary = host.map(|host| format!("{host} is served")).unwrap_or_default();
        Some(draft)
    }

    /// What a unit has was written down, before or after it got it.
    pub(super) fn was_recorded(&mut self, unit: Unit, applied: Applied, now: Instant) {
        if let Unit::Site(key) = &unit {
            self.change(Change::SitePublished(key.clone(), Some(applied.hosts.clone())), now);
        }
        let before = self.applied.insert(unit.clone(), applied.clone()).unwrap_or_default();
        self.note_retained(before.retained(&unit), applied.retained(&unit), now);
        if let Unit::Tenant(tenant) = &unit {
            self.departures_recorded(tenant, &before, &applied);
        }
    }

    pub(super) fn was_applied(&mut self, unit: Unit, applied: Option<Applied>, digest: String, now: Instant) {
        if let Some(applied) = applied {
            self.was_recorded(unit.clone(), applied, now);
            if !self.damage.is_of(&unit) {
                self.built.insert(unit, digest);
            }
        } else {
            if let Unit::Site(key) = &unit {
                self.change(Change::SitePublished(key.clone(), None), now);
            }
            let before = self.applied.remove(&unit).unwrap_or_default();
            self.note_retained(before.retained(&unit), None, now);
            self.built.remove(&unit);
            self.damage.forget(&unit);
            self.forget_absences(&unit);
        }
    }
}

impl SiteJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Self { key, last, step, draft } = self;
        let unit = Unit::Site(key.clone());
        let records = shell.config_maps();
        let result = match step {
            Step::Keep | Step::Ask => Ok(()),
            Step::Build { site, web, digest, anew } => {
                shell.memory.forget(&anew);
                build(shell, &unit, last.as_ref(), &site, &web, effects).await.map(|applied| {
                    effects.push(Effect::Applied(unit, Some(applied), digest));
                })
            }
            Step::Note(applied) => applied::write(&records, &unit, &applied).await.map_err(WorkError::from).map(|()| {
                effects.push(Effect::Applied(unit, Some(applied), String::new()));
            }),
            Step::Remove(applied) => remove(shell, &unit, &key, &applied).await.map(|()| {
                effects.push(Effect::Applied(unit, None, String::new()));
            }),
        };
        let report = match &result {
            Ok(()) => draft.map(Draft::report),
            Err(error) => draft.map(|draft| draft.failed(error)),
        };
        let reported = shell.report(report.into_iter().collect(), effects).await;
        result.and(reported)
    }
}

async fn build(
    shell: &Shell,
    unit: &Unit,
    last: Option<&Applied>,
    site: &Site,
    web: &Web,
    effects: &mut Vec<Effect>,
) -> Result<Applied, WorkError> {
    let credentials = credentials(shell, site, web).await?;
    let objects = web::objects(site, web, credentials.as_ref());
    let wanted = Applied {
        hosts: std::iter::once(&site.host).chain(&site.aliases).cloned().collect(),
        database: credentials.map(|credentials| credentials.database),
        deletion_policy: site.deletion_policy,
        ..Applied::default()
    };
    Ok(applied::bring_about(shell, unit, last, &objects, wanted, effects).await?)
}

/// The site's credentials, for an application with a database: the password is kept in our namespace first, then the database takes
/// it, then the site's namespace gets it.
async fn credentials(shell: &Shell, site: &Site, web: &Web) -> Result<Option<Credentials>, WorkError> {
    if !site.application.database {
        return Ok(None);
    }
    let databases = shell.databases.as_ref().ok_or(WorkError::NoDatabases)?;
    let kept = passwords::recall_or_make(&shell.secrets(), &subject(&site.key)).await?;
    let credentials = Credentials::new(&site.key, web.database_host(), Password::new(kept.password));
    databases.ensure(&credentials).await?;
    apply::apply_secret(&shell.client, &credentials.to_secret(site)).await?;
    Ok(Some(credentials))
}

/// Takes a site down. With `Retain` its volume and its database stay, with nobody using them; with `Delete` nothing stays.
async fn remove(shell: &Shell, unit: &Unit, key: &ObjectKey, applied: &Applied) -> Result<(), WorkError> {
    let delete = applied.deletion_policy == DeletionPolicy::Delete;
    for id in applied.objects.iter().filter(|id| delete || !applied::is_kept(id)) {
        apply::remove(&shell.client, id, applied::site_of(unit)).await?;
    }
    shell.memory.forget(&applied.objects);
    if applied.database.is_some() && delete && apply::namespace_stays(&shell.client, &key.namespace).await? {
        apply::remove(&shell.client, &secret_id(key), applied::site_of(unit)).await?;
    }
    if let (Some(database), Some(databases), true) = (&applied.database, &shell.databases, delete) {
        databases.remove(database).await?;
        passwords::forget(&shell.secrets(), &subject(key)).await?;
    }
    tracing::info!(site = %key, delete, "site taken down");
    Ok(applied::forget(&shell.config_maps(), unit).await?)
}

/// The Secret with its database's credentials. No record names it.
fn secret_id(key: &ObjectKey) -> ObjectId {
    ObjectId {
        api_version: "v1".into(),
        kind: "Secret".into(),
        namespace: key.namespace.clone(),
        name: web::secret_name(&key.name),
    }
}

fn subject(key: &ObjectKey) -> String {
    format!("database of {key}")
}

#[cfg(test)]
impl SiteJob {
    /// What comes of the work when every write succeeds.
    pub(super) fn pretend(self) -> Vec<Effect> {
        match self.step {
            Step::Build { site, web, digest, .. } => {
                let objects = web::objects(&site, &web, None).iter().filter_map(|o| ObjectId::of(o).ok()).collect();
                let (hosts, deletion_policy) = (vec![site.host.clone()], site.deletion_policy);
                let applied = Applied { objects, hosts, deletion_policy, ..Applied::default() };
                vec![Effect::Applied(Unit::Site(self.key), Some(applied), digest)]
            }
            Step::Note(applied) => vec![Effect::Applied(Unit::Site(self.key), Some(applied), String::new())],
            Step::Remove(_) => vec![Effect::Applied(Unit::Site(self.key), None, String::new())],
            Step::Keep | Step::Ask => Vec::new(),
        }
    }

    /// What is known to be there.
    pub(super) fn last(&self) -> Option<&Applied> {
        self.last.as_ref()
    }

    /// Whether it builds, and whether everything of it anew.
    pub(super) fn builds(&self) -> Option<bool> {
        if let Step::Build { anew, .. } = &self.step { Some(!anew.is_empty()) } else { None }
    }
}
