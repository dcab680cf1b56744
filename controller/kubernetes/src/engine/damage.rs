//! What somebody else does to the objects that units have: one that is gone, or lost a field of ours, is applied again at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cst_compiler::desired::object::MANAGER;
use cst_compiler::index::Unit;
use cst_compiler::model::ObjectKey;
use cst_compiler::problem::Kind;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ObjectMeta};
use kube::core::{ApiResource, PartialObjectMeta};

use super::known::key_of;
use super::{Engine, Work};
use crate::apply::{self, ObjectId};
use crate::names;
use crate::watch::Seen;

/// Who changes an object of ours again and again has it changed back so often, and no oftener.
const AGAIN: Duration = Duration::from_secs(5);

/// A kind of objects that units have.
#[derive(Clone, Copy, Debug)]
pub struct BuiltKind {
    api_version: &'static str,
    kind: &'static str,
}

/// Whoever adds a rule to a policy opens it, with every field of ours as it was.
const POLICY: &str = "NetworkPolicy";

const fn kind(api_version: &'static str, kind: &'static str) -> BuiltKind {
    BuiltKind { api_version, kind }
}

pub(super) const NAMESPACE: BuiltKind = kind("v1", "Namespace");
pub(super) const DEPLOYMENT: BuiltKind = kind("apps/v1", "Deployment");
pub(super) const ROUTE: BuiltKind = kind("gateway.networking.k8s.io/v1", "HTTPRoute");

/// The kinds that are watched for nothing but this, by their metadata.
pub const WATCHED: [BuiltKind; 6] = [
    kind("networking.k8s.io/v1", POLICY),
    kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
    kind("v1", "ResourceQuota"),
    kind("v1", "LimitRange"),
    kind("v1", "Service"),
    kind("v1", "PersistentVolumeClaim"),
];

impl BuiltKind {
    /// Where its objects are found.
    pub fn resource(self) -> ApiResource {
        apply::resource(self.api_version, self.kind)
    }

    /// One of its objects.
    pub(super) fn named(self, key: ObjectKey) -> ObjectId {
        let ObjectKey { namespace, name } = key;
        ObjectId { api_version: self.api_version.into(), kind: self.kind.into(), namespace, name }
    }
}

/// What is known of the objects that units have.
#[derive(Default)]
pub(super) struct Damage {
    /// What was lost or changed since the work that applies it last began.
    objects: BTreeMap<Unit, BTreeSet<ObjectId>>,
    /// The fields of ours in each object, by digest, as they were last seen; of a policy its generation too.
    fields: BTreeMap<ObjectId, String>,
    /// When a unit last was to be applied again at once.
    mended: BTreeMap<Unit, Instant>,
    /// The namespaces that are being removed.
    ending: BTreeSet<String>,
}

impl Damage {
    /// Whether a unit lost something since its work began: then what that work applied is not all there.
    pub(super) fn is_of(&self, unit: &Unit) -> bool {
        self.objects.contains_key(unit)
    }

    /// What a unit lost, for the work that makes it good. It is told once: a further attempt goes on from there.
    pub(super) fn hand_out(&mut self, unit: &Unit) -> BTreeSet<ObjectId> {
        self.objects.remove(unit).unwrap_or_default()
    }

    /// The unit has nothing any more.
    pub(super) fn forget(&mut self, unit: &Unit) {
        self.objects.remove(unit);
        self.mended.remove(unit);
    }

    /// Nothing can be put into a namespace that is being removed.
    pub(super) fn namespace_ends(&mut self, namespace: &str, ends: bool) {
        if ends {
            self.ending.insert(namespace.to_owned());
        } else {
            self.ending.remove(namespace);
        }
    }
}

impl Engine {
    pub(super) fn take_built(&mut self, kind: BuiltKind, seen: Seen<PartialObjectMeta>, now: Instant) {
        match seen {
            Seen::There(object) => self.object_seen(kind, &object.metadata, now),
            Seen::Gone(key) => self.object_gone(kind.named(key), now),
            Seen::Unreadable { .. } | Seen::Listed | Seen::Anew => {}
        }
    }

    /// An object is there: whether every field of it that was ours still is. Whoever changes one takes it over ("field management" of
    /// server-side apply), and applying takes it back; what others add is theirs, but for the rules of a policy.
    pub(super) fn object_seen(&mut self, kind: BuiltKind, metadata: &ObjectMeta, now: Instant) {
        let id = kind.named(key_of(metadata));
        let generation = metadata.generation.filter(|_| id.kind == POLICY);
        let fields = names::hash(serde_json::to_vec(&(fields_of_ours(metadata), generation)).unwrap_or_default());
        if self.damage.fields.insert(id.clone(), fields.clone()).is_some_and(|last| last != fields) {
            self.object_damaged(id, now);
        }
    }

    /// An object is gone, or no longer carries our label: where it was not us, it is applied again.
    pub(super) fn object_gone(&mut self, id: ObjectId, now: Instant) {
        self.damage.fields.remove(&id);
        self.object_damaged(id, now);
    }

    fn object_damaged(&mut self, id: ObjectId, now: Instant) {
        if let Some(unit) = self.unit_with(&id) {
            self.unit_damaged(unit, id, now);
        }
    }

    fn unit_damaged(&mut self, unit: Unit, id: ObjectId, now: Instant) {
        let is_ending = self.damage.ending.contains(&id.namespace);
        // While it is in work it may be that work which removes what is no longer wanted.
        if self.built.remove(&unit).is_some() {
            tracing::info!(%unit, object = %id, "removed or changed by somebody else: it is applied again");
        }
        self.damage.objects.entry(unit.clone()).or_default().insert(id);
        if is_ending {
            return;
        }
        if let Some(due) = self.damage.mended.get(&unit).map(|last| *last + AGAIN).filter(|due| *due > now) {
            self.mark_later(Work::Unit(unit), due);
        } else {
            self.damage.mended.insert(unit.clone(), now);
            self.mark(Work::Unit(unit));
        }
    }

    /// The unit that has an object and would apply it: nobody mends what a tenant has that left.
    fn unit_with(&self, id: &ObjectId) -> Option<Unit> {
        let namespace = if id.kind == "Namespace" { &id.name } else { &id.namespace };
        let tenant = cst_api::tenant_of_namespace(namespace)?;
        let is_member = self.is_there(Kind::Tenant, &ObjectKey::new("", tenant));
        let has = |unit: &Unit| self.applied.get(unit).is_some_and(|applied| applied.objects.contains(id));
        let tenancy = Unit::Tenant(tenant.to_owned());
        if has(&tenancy) {
            return is_member.then_some(tenancy);
        }
        let first = Unit::Site(ObjectKey::new(namespace, ""));
        let of_namespace = |unit: &&Unit| matches!(unit, Unit::Site(key) if key.namespace == *namespace);
        let mut sites = self.applied.range(first..).map(|(unit, _)| unit).take_while(of_namespace);
        if let Some(site) = sites.find(|unit| has(unit)) {
            return Some(site.clone());
        }
        // What a unit has is known when its work is done: before, it may be of any that is in work.
        let name = if id.kind == "Service" { id.name.strip_prefix("site-") } else { id.name.split('.').next() };
        let site = ObjectKey::new(namespace, name.unwrap_or_default());
        let site = self.index.site(&site).map(|_| Unit::Site(site));
        site.into_iter().chain(is_member.then_some(tenancy)).find(|unit| !self.built.contains_key(unit))
    }
}

fn fields_of_ours(metadata: &ObjectMeta) -> Vec<&Option<FieldsV1>> {
    let entries = metadata.managed_fields.iter().flatten();
    let ours = entries.filter(|entry| {
        entry.manager.as_deref() == Some(MANAGER)
            && entry.operation.as_deref() == Some("Apply")
            && entry.subresource.is_none()
    });
    ours.map(|entry| &entry.fields_v1).collect()
}
