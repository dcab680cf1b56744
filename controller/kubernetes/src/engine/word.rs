//! The coordinator's word, and where it is written: on the Domain, on its Tenant, or, where that is gone, on what is stored in the controller's
//! namespace, which nobody else may write. What no status can tell is logged: at each start, and every day.

use std::collections::{BTreeMap, BTreeSet};

use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::departure::Standing;
use cst_compiler::plan::guard::{APPROVE_ANNOTATION, DROP_ANNOTATION, Held};
use cst_compiler::problem::{Kind, ObjectRef};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Engine, Work};
use crate::applied;
use crate::published::config_map_name;
use crate::tally::Waiting;

/// What the annotations of an object let go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// The digests that are approved.
    pub approvals: BTreeSet<String>,
    /// What is let go by its name.
    pub drops: BTreeSet<String>,
}

/// The words of tenants whose Tenant is gone, and what was logged.
#[derive(Default)]
pub(super) struct Untold {
    words: BTreeMap<String, Words>,
    /// What was logged since the day began, by what it is about and its digest.
    told: BTreeSet<(String, String)>,
    /// The zones of which something is held, and nobody knows whose they are.
    pub ownerless: BTreeSet<DomainName>,
}

impl Words {
    pub fn of(metadata: &ObjectMeta) -> Self {
        let words = |annotation: &str| {
            let words = metadata.annotations.as_ref().and_then(|annotations| annotations.get(annotation));
            words.iter().flat_map(|words| words.split_whitespace()).map(str::to_owned).collect()
        };
        Self { approvals: words(APPROVE_ANNOTATION), drops: words(DROP_ANNOTATION) }
    }
}

impl Engine {
    /// Whether the coordinator approved a held step, on the Domain or for its tenant.
    pub(super) fn approves(&self, holder: &ObjectKey, held: &Held) -> bool {
        let domain = self.known.get(&ObjectRef::new(Kind::Domain, holder.clone()));
        domain.is_some_and(|known| known.words.approvals.contains(&held.digest))
            || holder.tenant().is_some_and(|tenant| self.tenant_approves(tenant, &held.digest))
    }

    /// Whether the coordinator approved a digest on a Tenant, or on the record of one.
    pub(super) fn tenant_approves(&self, tenant: &str, digest: &str) -> bool {
        self.words_for(tenant).any(|words| words.approvals.contains(digest))
    }

    /// The words on a Tenant, and on the record of it.
    pub(super) fn words_for(&self, tenant: &str) -> impl Iterator<Item = &Words> {
        let known = self.known.get(&ObjectRef::tenant(tenant)).map(|known| &known.words);
        known.into_iter().chain(self.untold.words.get(tenant))
    }

    /// The words on a tenant's record are these.
    pub(super) fn take_words(&mut self, tenant: &str, metadata: &ObjectMeta) {
        let words = Words::of(metadata);
        if self.untold.words.get(tenant).is_some_and(|known| *known == words) {
            return;
        }
        let is_news = words != Words::default() || self.untold.words.contains_key(tenant);
        self.untold.words.insert(tenant.to_owned(), words);
        if is_news {
            self.mark_held(&ObjectRef::tenant(tenant));
            self.mark_retained(tenant);
            self.mark(Work::Unit(Unit::Tenant(tenant.to_owned())));
        }
    }

    /// All that no status tells is logged anew.
    pub(super) fn tell_again(&mut self) {
        self.untold.told.clear();
    }

    /// Logs what is held of a tenant that no Tenant can tell, and where it is approved.
    pub(super) fn tell_held(&mut self, tenant: &str, held: &[Held]) {
        if self.is_there(Kind::Tenant, &ObjectRef::tenant(tenant).key) {
            return;
        }
        let record = applied::record_name(&Unit::Tenant(tenant.to_owned()));
        for held in held {
            self.tell(tenant, &held.digest, &held.message, &record);
        }
    }

    /// Logs what is held of a zone of nobody knows whom.
    pub(super) fn tell_ownerless(&mut self, zone: &DomainName, held: &[Held]) {
        for held in held {
            self.tell(zone.as_str(), &held.digest, &held.message, &config_map_name(zone));
        }
    }

    /// Logs that a Tenant is missing of which there is something.
    pub(super) fn tell_missing(&mut self, tenant: &str) {
        if self.is_missing(tenant) && self.untold.told.insert((tenant.to_owned(), String::new())) {
            tracing::warn!(
                tenant,
                "its Tenant is gone and was not Terminated: what it has stays, as when it is only missing; apply it again, as Terminated if \
                 it is to leave"
            );
        }
    }

    fn tell(&mut self, about: &str, digest: &str, message: &str, map: &str) {
        if self.untold.told.insert((about.to_owned(), digest.to_owned())) {
            tracing::warn!(
                about,
                digest,
                "held: {message}; no object is left to tell it: to approve, annotate ConfigMap {map} of the controller's namespace with \
                 {APPROVE_ANNOTATION}={digest}"
            );
        }
    }

    fn is_missing(&self, tenant: &str) -> bool {
        self.applied.contains_key(&Unit::Tenant(tenant.to_owned())) && self.standing(tenant) == Standing::Missing
    }

    /// How much waits for a human.
    pub fn waiting(&self) -> Waiting {
        if !self.leads {
            return Waiting::default();
        }
        let tenants =
            self.applied.keys().filter_map(|unit| if let Unit::Tenant(name) = unit { Some(name) } else { None });
        let of_units = self.held.iter().map(|(unit, holder)| (holder.tenant(), self.held_of(unit).len()));
        let leaving = self.leaving.iter().map(|(tenant, held)| (Some(tenant.as_str()), usize::from(held.is_some())));
        let mut waiting = Waiting {
            untold: self.untold.ownerless.len(),
            retained: self.retained.len(),
            missing: tenants.filter(|tenant| self.is_missing(tenant)).count(),
            ..Waiting::default()
        };
        for (tenant, count) in of_units.chain(leaving) {
            let is_told = tenant.is_some_and(|tenant| self.is_there(Kind::Tenant, &ObjectRef::tenant(tenant).key));
            let sum = if is_told { &mut waiting.held } else { &mut waiting.untold };
            *sum += count;
        }
        waiting
    }

    /// How much was logged since the day began.
    #[cfg(test)]
    pub(super) fn told(&self) -> usize {
        self.untold.told.len()
    }
}
