//! The objects of our kinds beside their specs: who they are, and what their status says.

use cst_api::{Domain, Mailbox, Tenant, TenantState, WebSite};
use cst_compiler::index::{Change, Unit};
use cst_compiler::model::ObjectKey;
use cst_compiler::problem::{Kind, ObjectRef};
use k8s_openapi::api::core::v1::Namespace;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt as _};
use std::time::Instant;

use super::absence::birth;
use super::damage::NAMESPACE;
use super::word::Words;
use super::{Engine, Source, Work, version_number};
use crate::clock::Now;
use crate::report::{Draft, ObjectStatus, Reported};
use crate::watch::Seen;

/// An object of ours.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub uid: String,
    pub generation: Option<i64>,
    /// What its annotations let go.
    pub words: Words,
    /// What its status says, as far as is known here.
    pub status: ObjectStatus,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
    /// When it was made, seconds since 1970.
    pub born: Option<i64>,
    version: u64,
}

/// A kind of ours, for what all have in common.
pub(super) trait Ours: Resource {
    /// The object's status, empty when there is none.
    fn object_status(&self) -> ObjectStatus;
}

macro_rules! ours {
    ($($kind:ident),*) => {
        $(impl Ours for $kind {
            fn object_status(&self) -> ObjectStatus {
                ObjectStatus::$kind(self.status.clone().unwrap_or_default())
            }
        })*
    };
}
ours!(Tenant, Domain, Mailbox, WebSite);

impl Engine {
    pub(super) fn take_tenant(&mut self, seen: Seen<Tenant>, now: Instant) {
        let gone = if let Seen::Gone(key) = &seen { Some(cst_api::tenant_namespace(&key.name)) } else { None };
        match &seen {
            Seen::There(tenant) => {
                let is_terminated = tenant.spec.state == Some(TenantState::Terminated);
                self.terminated.insert(tenant.name_any(), is_terminated);
                self.tenants.insert(tenant.name_any(), (**tenant).clone());
            }
            Seen::Gone(key) => {
                self.tenants.remove(&key.name);
                self.built.remove(&Unit::Tenant(key.name.clone()));
            }
            Seen::Unreadable { .. } | Seen::Listed | Seen::Anew => {}
        }
        self.take_object(Source::Tenants, Kind::Tenant, seen, |key, tenant| Change::Tenant(key.name, tenant), now);
        if let Some(namespace) = gone {
            self.forget_secrets(&namespace, now);
        }
    }

    /// From now on nobody watches the Secrets of a namespace: what is known of them may be gone tomorrow.
    fn forget_secrets(&mut self, namespace: &str, now: Instant) {
        self.secrets_listed.remove(namespace);
        let known: Vec<ObjectKey> = self.index.secrets_in(namespace).collect();
        for key in known {
            self.take_site_secret(&key);
            self.change(Change::Secret(key, None), now);
        }
    }

    /// A tenant's namespace that somebody removed is made again, with its fences, while there is the Tenant.
    pub(super) fn take_namespace(&mut self, seen: Seen<Namespace>, now: Instant) {
        let key = match seen {
            Seen::There(namespace) => {
                self.damage.namespace_ends(&namespace.name_any(), namespace.metadata.deletion_timestamp.is_some());
                return self.object_seen(NAMESPACE, &namespace.metadata, now);
            }
            Seen::Gone(key) => key,
            Seen::Unreadable { .. } | Seen::Listed | Seen::Anew => return,
        };
        self.damage.namespace_ends(&key.name, false);
        let Some(tenant) = cst_api::tenant_of_namespace(&key.name) else { return };
        let unit = Unit::Tenant(tenant.to_owned());
        self.forget_secrets(&key.name, now);
        self.built.remove(&unit);
        self.mark(Work::Unit(unit));
    }

    pub(super) fn take_object<K: Ours>(
        &mut self,
        source: Source,
        kind: Kind,
        seen: Seen<K>,
        change: fn(ObjectKey, Option<Box<K>>) -> Change,
        now: Instant,
    ) {
        match seen {
            Seen::There(object) => {
                let key = key_of(object.meta());
                let object_ref = ObjectRef::new(kind, key.clone());
                let news = self.note(&object_ref, object.meta(), Some(object.object_status()), None);
                self.change(change(key, Some(object)), now);
                if news {
                    self.mark_object(object_ref);
                }
            }
            // The index keeps the last spec that could be read, so what it stands for goes on.
            Seen::Unreadable { metadata, error } => {
                let object_ref = ObjectRef::new(kind, key_of(&metadata));
                tracing::error!(object = %object_ref, error, "an object cannot be read");
                if self.note(&object_ref, &metadata, None, Some(error)) {
                    self.mark_object(object_ref);
                }
            }
            Seen::Gone(key) => {
                let object_ref = ObjectRef::new(kind, key.clone());
                if let Some(known) = self.known.remove(&object_ref).filter(|_| kind != Kind::Tenant) {
                    self.is_missed(object_ref.clone(), known.born);
                    if self.anew.contains(&source) {
                        self.is_lost(&object_ref);
                    }
                }
                self.change(change(key, None), now);
            }
            Seen::Listed => self.listed(source),
            Seen::Anew => {
                self.anew.insert(source);
                let of_kind = self.known.iter_mut().filter(|(object, _)| object.kind == kind);
                of_kind.for_each(|(_, known)| known.version = 0);
            }
        }
    }

    /// Notes an object; whether it must be told its status, be it that it is new or changed or that somebody else wrote it.
    fn note(
        &mut self,
        object: &ObjectRef,
        meta: &ObjectMeta,
        status: Option<ObjectStatus>,
        unreadable: Option<String>,
    ) -> bool {
        let last = self.known.get(object).filter(|last| Some(&last.uid) == meta.uid.as_ref());
        let version = version_number(meta.resource_version.as_deref().unwrap_or_default());
        let older = last.is_some_and(|last| version < last.version);
        let kept = last.map(|last| last.status.clone()).filter(|_| older || status.is_none());
        let status = kept.or(status).unwrap_or_else(|| ObjectStatus::empty(object.kind));
        let next = Known {
            uid: meta.uid.clone().unwrap_or_default(),
            generation: meta.generation,
            words: Words::of(meta),
            status,
            unreadable,
            born: birth(meta),
            version: last.map_or(version, |last| last.version.max(version)),
        };
        let news = last.is_none_or(|last| {
            last.status != next.status || last.words != next.words || last.unreadable != next.unreadable
        }) || next.status.observed_generation() != next.generation;
        self.known.insert(object.clone(), next);
        self.is_back(object);
        news
    }

    /// What the API server answered to a status of ours.
    pub(super) fn reported(&mut self, reported: Reported) {
        if let Some(known) = self.known.get_mut(&reported.object) {
            known.version = known.version.max(version_number(&reported.resource_version));
            known.status = reported.status;
        }
    }

    /// Whether an object is there, readable or not.
    pub(super) fn is_there(&self, kind: Kind, key: &ObjectKey) -> bool {
        self.known.contains_key(&ObjectRef::new(kind, key.clone()))
    }

    /// The unit whose work tells an object's status; `None`: what it asks for cannot be read.
    pub(super) fn unit_of(&self, object: &ObjectRef) -> Option<Unit> {
        if self.known.get(object).is_some_and(|known| known.unreadable.is_some()) {
            return None;
        }
        match object.kind {
            Kind::Tenant => Some(Unit::Tenant(object.key.name.clone())),
            Kind::Domain => Some(Unit::Zone(self.index.domain(&object.key)?.model.as_ref()?.zone.clone())),
            Kind::Mailbox => {
                Some(Unit::Mail(self.index.mailbox(&object.key)?.model.as_ref()?.address.domain().clone()))
            }
            Kind::WebSite => Some(Unit::Site(object.key.clone())),
        }
    }

    fn mark_object(&mut self, object: ObjectRef) {
        self.mark_held(&object);
        if object.kind == Kind::Tenant {
            self.mark_retained(&object.key.name);
        }
        match self.unit_of(&object) {
            Some(unit) => self.mark(Work::Unit(unit)),
            None => self.mark(Work::Object(object)),
        }
    }

    /// What is held may have been approved, on the object that holds it or on its Tenant.
    pub(super) fn mark_held(&mut self, object: &ObjectRef) {
        let namespace = cst_api::tenant_namespace(&object.key.name);
        let concerned = |holder: &ObjectKey| match object.kind {
            Kind::Tenant => holder.namespace == namespace,
            Kind::Domain => *holder == object.key,
            Kind::Mailbox | Kind::WebSite => false,
        };
        let units: Vec<Unit> =
            self.held.iter().filter(|(_, holder)| concerned(holder)).map(|(unit, _)| unit.clone()).collect();
        for unit in units {
            self.mark(Work::Unit(unit));
        }
    }

    /// The beginning of an object's status: empty, as of its newest generation.
    pub(super) fn draft(&self, object: &ObjectRef, now: &Now) -> Option<Draft> {
        let known = self.known.get(object)?;
        Some(Draft {
            object: object.clone(),
            uid: known.uid.clone(),
            generation: known.generation,
            last: known.status.clone(),
            next: ObjectStatus::empty(object.kind),
            facts: cst_compiler::status::Facts::default(),
            time: now.time.clone(),
        })
    }
}

pub(super) fn key_of(meta: &ObjectMeta) -> ObjectKey {
    ObjectKey::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
}
