//! What is observed of a site: its pods, and whether the gateway took its routes.

use std::collections::BTreeMap;
use std::time::Instant;

use cst_compiler::desired::object::SITE;
use cst_compiler::desired::web::Site;
use cst_compiler::index::Unit;
use cst_compiler::model::ObjectKey;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;
use kube::api::DynamicObject;
use serde_json::Value;

use super::super::damage::{DEPLOYMENT, ROUTE};
use super::super::{Engine, Source, Work};
use crate::gateway::Question;
use crate::watch::Seen;

/// What was observed of a site.
#[derive(Debug, Default)]
pub(in super::super) struct SiteState {
    /// The Deployment's pods are available, as of its newest generation.
    available: bool,
    /// Which of its routes the gateway took, by name.
    accepted: BTreeMap<String, bool>,
    /// What shall be asked of it, when its pod and its routes are ready.
    pub(super) question: Option<Question>,
    /// What it answered since they are.
    pub(super) answered: Option<Question>,
}

impl Engine {
    pub(in super::super) fn take_deployment(&mut self, seen: Seen<Deployment>, now: Instant) {
        match seen {
            Seen::There(deployment) => {
                let Some(key) = site_of(&*deployment) else { return };
                self.object_seen(DEPLOYMENT, &deployment.metadata, now);
                let available = is_available(&deployment);
                let state = self.sites.entry(key.clone()).or_default();
                if std::mem::replace(&mut state.available, available) != available {
                    state.answered = None;
                    self.mark(Work::Unit(Unit::Site(key)));
                }
            }
            Seen::Gone(key) => {
                self.site_forgets(&key, |state| state.available = false);
                self.object_gone(DEPLOYMENT.named(key), now);
            }
            Seen::Unreadable { metadata, error } => {
                tracing::error!(deployment = metadata.name, error, "a Deployment cannot be read");
            }
            Seen::Listed => self.listed(Source::Deployments),
            Seen::Anew => {}
        }
    }

    pub(in super::super) fn take_route(&mut self, seen: Seen<DynamicObject>, now: Instant) {
        match seen {
            Seen::There(route) => {
                let Some(key) = site_of(&*route) else { return };
                self.object_seen(ROUTE, &route.metadata, now);
                let (name, accepted) = (route.name_any(), is_accepted(&route));
                let state = self.sites.entry(key.clone()).or_default();
                if state.accepted.insert(name, accepted) != Some(accepted) {
                    state.answered = None;
                    self.mark(Work::Unit(Unit::Site(key)));
                }
            }
            Seen::Gone(key) => {
                let site = ObjectKey::new(&key.namespace, key.name.split('.').next().unwrap_or_default());
                self.site_forgets(&site, |state| state.accepted.retain(|route, _| *route != key.name));
                self.object_gone(ROUTE.named(key), now);
            }
            Seen::Unreadable { metadata, error } => {
                tracing::error!(route = metadata.name, error, "an HTTPRoute cannot be read");
            }
            Seen::Listed => self.listed(Source::Routes),
            Seen::Anew => {}
        }
    }

    /// An object of a site is gone, and what was observed of it.
    fn site_forgets(&mut self, site: &ObjectKey, forget: impl FnOnce(&mut SiteState)) {
        let Some(state) = self.sites.get_mut(site) else { return };
        forget(state);
        state.answered = None;
        self.mark(Work::Unit(Unit::Site(site.clone())));
    }

    /// The credentials of a site changed under its hands: they are put right.
    pub(in super::super) fn take_site_secret(&mut self, key: &ObjectKey) {
        let Some(name) = key.name.strip_suffix("-database") else { return };
        let unit = Unit::Site(ObjectKey::new(&key.namespace, name));
        if self.applied.get(&unit).is_some_and(|applied| applied.database.is_some()) {
            self.built.remove(&unit);
            self.mark(Work::Unit(unit));
        }
    }
}

impl SiteState {
    pub(super) fn waiting(&self, site: &Site) -> Vec<String> {
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
