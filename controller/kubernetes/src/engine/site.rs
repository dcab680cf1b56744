//! A web site: its objects and database, whether it answers, and what its WebSite is told.

use std::collections::BTreeMap;

use cst_api::{DeletionPolicy, WebSiteStatus};
use cst_compiler::compile::{self, SiteVerdict, Standing};
use cst_compiler::desired::object::SITE;
use cst_compiler::desired::web::{self, Credentials, Password, Site};
use cst_compiler::index::{Admitted, Change, Unit};
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::parse::WebSiteModel;
use cst_compiler::plan::retention::{self, Retention};
use cst_compiler::problem::{Kind, ObjectRef};
use cst_compiler::settings::web::Web;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use serde_json::Value;

use super::{Effect, Engine, Shell, Source, Work, WorkError};
use crate::applied::{self, Applied};
use crate::apply;
use crate::clock::Now;
use crate::names;
use crate::passwords;
use crate::report::{Draft, ObjectStatus};
use crate::watch::Seen;

/// What was observed of a site.
#[derive(Debug, Default)]
pub(super) struct SiteState {
    /// The Deployment's pods are available, as of its newest generation.
    available: bool,
    /// Which of its routes the gateway took, by name.
    accepted: BTreeMap<String, bool>,
    /// Something of it was lost or changed by somebody else since it was built.
    damaged: bool,
}

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
        /// Something of it was lost or changed by somebody else.
        anew: bool,
    },
    /// The record changes, the objects stay.
    Note(Applied),
    /// Its time is over.
    Remove(Applied),
}

impl Engine {
    /// Compiles a site and decides what to do.
    pub(super) fn site_job(&mut self, key: &ObjectKey, now: &Now) -> SiteJob {
        let admitted = key.tenant().map_or(Admitted::All, |tenant| self.index.admitted_sites(tenant));
        let verdict = compile::site(&self.index, key, &admitted);
        let unit = Unit::Site(key.clone());
        let last = self.applied.get(&unit).cloned();
        let (step, waiting) = self.site_step(key, &verdict, last.as_ref(), now);
        let draft = self.site_draft(key, &verdict, waiting, now);
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
            let anew = state.is_some_and(|state| state.damaged);
            return (Step::Build { site: Box::new(site), web: Box::new(web.clone()), digest, anew }, waiting);
        }
        let Some(last) = last.filter(|_| verdict.standing == Standing::Retired && !self.is_there(Kind::WebSite, key))
        else {
            return (Step::Keep, Vec::new());
        };
        let days = self.index.settings().retain_days;
        let step = match retention::judge(last.deletion_policy, last.retired, now.today, days) {
            Retention::Serve(since) if last.retired == Some(since) => Step::Keep,
            Retention::Serve(since) => Step::Note(Applied { retired: Some(since), ..last.clone() }),
            Retention::Drop => Step::Remove(last.clone()),
        };
        (step, Vec::new())
    }

    fn site_draft(&self, key: &ObjectKey, verdict: &SiteVerdict<'_>, waiting: Vec<String>, now: &Now) -> Option<Draft> {
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
        let zones: std::collections::BTreeSet<DomainName> = zones.collect();
        let of_zones = zones.iter().filter_map(|zone| self.zones.get(zone)?.site_problems.get(key));
        draft.facts.problems.extend(of_zones.flatten().cloned());
        draft.facts.summary = host.map(|host| format!("{host} is served")).unwrap_or_default();
        draft.facts.waiting = waiting;
        Some(draft)
    }

    pub(super) fn take_deployment(&mut self, seen: Seen<Deployment>) {
        match seen {
            Seen::There(deployment) => {
                let Some(key) = site_of(&*deployment) else { return };
                let available = is_available(&deployment);
                let state = self.sites.entry(key.clone()).or_default();
                if std::mem::replace(&mut state.available, available) != available {
                    self.mark(Work::Unit(Unit::Site(key)));
                }
            }
            Seen::Gone(key) => self.site_object_gone(key.clone(), |state| state.available = false),
            Seen::Unreadable { metadata, error } => {
                tracing::error!(deployment = metadata.name, error, "a Deployment cannot be read");
            }
            Seen::Listed => self.listed(Source::Deployments),
        }
    }

    pub(super) fn take_route(&mut self, seen: Seen<DynamicObject>) {
        match seen {
            Seen::There(route) => {
                let Some(key) = site_of(&*route) else { return };
                let (name, accepted) = (route.name_any(), is_accepted(&route));
                let state = self.sites.entry(key.clone()).or_default();
                if state.accepted.insert(name, accepted) != Some(accepted) {
                    self.mark(Work::Unit(Unit::Site(key)));
                }
            }
            Seen::Gone(key) => {
                let name = key.name.clone();
                let site = ObjectKey::new(key.namespace, key.name.split('.').next().unwrap_or_default());
                self.site_object_gone(site, |state| state.accepted.retain(|route, _| *route != name));
            }
            Seen::Unreadable { metadata, error } => {
                tracing::error!(route = metadata.name, error, "an HTTPRoute cannot be read");
            }
            Seen::Listed => self.listed(Source::Routes),
        }
    }

    /// An object of a site is gone: where it was not us, it is made again.
    fn site_object_gone(&mut self, site: ObjectKey, forget: impl FnOnce(&mut SiteState)) {
        let Some(state) = self.sites.get_mut(&site) else { return };
        forget(state);
        state.damaged = true;
        let unit = Unit::Site(site);
        self.built.remove(&unit);
        self.mark(Work::Unit(unit));
    }

    /// The credentials of a site changed under its hands: they are put right.
    pub(super) fn take_site_secret(&mut self, key: &ObjectKey) {
        let Some(name) = key.name.strip_suffix("-database") else { return };
        let unit = Unit::Site(ObjectKey::new(&key.namespace, name));
        if self.applied.get(&unit).is_some_and(|applied| applied.database.is_some()) {
            self.built.remove(&unit);
            self.mark(Work::Unit(unit));
        }
    }

    pub(super) fn was_applied(
        &mut self,
        unit: Unit,
        applied: Option<Applied>,
        digest: String,
        now: std::time::Instant,
    ) {
        if let Unit::Site(key) = &unit {
            let hosts = applied.as_ref().map(|applied| applied.hosts.clone());
            self.change(Change::SitePublished(key.clone(), hosts), now);
            self.sites.entry(key.clone()).or_default().damaged = false;
        }
        if let Some(applied) = applied {
            self.applied.insert(unit.clone(), applied);
            self.built.insert(unit, digest);
        } else {
            self.applied.remove(&unit);
            self.built.remove(&unit);
        }
    }
}

impl SiteState {
    fn waiting(&self, site: &Site) -> Vec<String> {
        let mut waiting = Vec::new();
        if !self.available {
            waiting.push("its pod to be ready".into());
        }
        let aliases = (!site.aliases.is_empty()).then(|| format!("{}.aliases", site.key.name));
        let routes = std::iter::once(site.key.name.clone()).chain(aliases);
        let missing: Vec<String> = routes.filter(|name| self.accepted.get(name) != Some(&true)).collect();
        if !missing.is_empty() {
            waiting.push(format!("the gateway to take its routes: {}", missing.join(", ")));
        }
        waiting
    }
}

impl SiteJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Self { key, last, step, draft } = self;
        let unit = Unit::Site(key.clone());
        let records = shell.config_maps();
        let result = match step {
            Step::Keep => Ok(()),
            Step::Build { site, web, digest, anew } => {
                shell.memory.forget(last.iter().filter(|_| anew).flat_map(|last| &last.objects));
                build(shell, &unit, last.as_ref(), &site, &web).await.map(|applied| {
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
) -> Result<Applied, WorkError> {
    let credentials = credentials(shell, site, web).await?;
    let objects = web::objects(site, web, credentials.as_ref());
    let wanted = Applied {
        hosts: std::iter::once(&site.host).chain(&site.aliases).cloned().collect(),
        database: credentials.map(|credentials| credentials.database),
        deletion_policy: site.deletion_policy,
        ..Applied::default()
    };
    Ok(applied::bring_about(shell, unit, last, &objects, wanted).await?)
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
        apply::remove(&shell.client, id).await?;
    }
    shell.memory.forget(&applied.objects);
    if let (Some(database), Some(databases), true) = (&applied.database, &shell.databases, delete) {
        databases.remove(database).await?;
        passwords::forget(&shell.secrets(), &subject(key)).await?;
    }
    tracing::info!(site = %key, delete, "site taken down");
    Ok(applied::forget(&shell.config_maps(), unit).await?)
}

fn subject(key: &ObjectKey) -> String {
    format!("database of {key}")
}

fn site_of<K: kube::Resource>(object: &K) -> Option<ObjectKey> {
    let site = object.meta().labels.as_ref()?.get(SITE)?;
    Some(ObjectKey::new(object.meta().namespace.clone()?, site))
}

fn is_available(deployment: &Deployment) -> bool {
    let (Some(spec), Some(status)) = (&deployment.spec, &deployment.status) else { return false };
    let current = status.observed_generation >= deployment.metadata.generation;
    current && status.available_replicas.unwrap_or(0) >= spec.replicas.unwrap_or(1)
}

/// Whether a gateway took the route as it is now and found what it leads to (Gateway API, `RouteParentStatus`).
fn is_accepted(route: &DynamicObject) -> bool {
    let generation = route.metadata.generation;
    let holds = |parent: &Value, type_: &str| {
        parent["conditions"].as_array().into_iter().flatten().any(|condition| {
            condition["type"] == type_
                && condition["status"] == "True"
                && condition["observedGeneration"].as_i64() >= generation
        })
    };
    let parents = route.data["status"]["parents"].as_array();
    parents.into_iter().flatten().any(|parent| holds(parent, "Accepted") && holds(parent, "ResolvedRefs"))
}
