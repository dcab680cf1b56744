//! Server-side apply of what a unit wants, and removal of what it no longer wants.

use std::collections::BTreeMap;

use cst_compiler::desired::object::SITE;
use cst_compiler::model::ObjectKey;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, Preconditions, TypeMeta};
use kube::core::GroupVersionKind;
use kube::{Api, Client, ResourceExt as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure;
use crate::names::{MANAGED_BY, MANAGER};

/// Names one object of any kind, as the record of applied objects keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// `group/version`, or `version` of the core group.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; empty for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// Why an object could not be applied or removed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The manifest has no `apiVersion`, `kind` or name: a fault of ours.
    #[error("a compiled manifest names no object: {0}")]
    Nameless(String),
    /// A Secret of that name is there, and somebody else's.
    #[error("there is a Secret {0} that is not the controller's: it stays as it is; remove or rename it")]
    Foreign(ObjectKey),
    /// A Secret was refused. What it holds is not told.
    #[error("writing Secret {key} failed; it is tried again")]
    Secret {
        /// Which.
        key: ObjectKey,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The API server refused or was away.
    #[error("{verb} {object} failed; it is tried again")]
    Request {
        /// What was tried.
        verb: &'static str,
        /// On what.
        object: ObjectId,
        /// Why.
        source: Box<kube::Error>,
    },
}

impl ApplyError {
    /// Whether the API server answered, and does not want the object as it is.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Foreign(_)) || failure::refusal(self).is_some()
    }
}

impl ObjectId {
    /// What a manifest names.
    pub fn of(object: &DynamicObject) -> Result<Self, ApplyError> {
        let types =
            object.types.clone().unwrap_or_else(|| TypeMeta { api_version: String::new(), kind: String::new() });
        let name = object.metadata.name.clone().unwrap_or_default();
        if types.api_version.is_empty() || types.kind.is_empty() || name.is_empty() {
            return Err(ApplyError::Nameless(format!("{} {} {name}", types.api_version, types.kind)));
        }
        let namespace = object.metadata.namespace.clone().unwrap_or_default();
        Ok(Self { api_version: types.api_version, kind: types.kind, namespace, name })
    }

    /// A namespace.
    pub fn of_namespace(name: &str) -> Self {
        Self { api_version: "v1".into(), kind: "Namespace".into(), namespace: String::new(), name: name.into() }
    }

    /// Its namespace and name.
    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(&self.namespace, &self.name)
    }

    fn api(&self, client: Client) -> Api<DynamicObject> {
        let resource = resource(&self.api_version, &self.kind);
        if self.namespace.is_empty() {
            Api::all_with(client, &resource)
        } else {
            Api::namespaced_with(client, &self.namespace, &resource)
        }
    }

    fn failed(&self, verb: &'static str) -> impl FnOnce(kube::Error) -> ApplyError + '_ {
        move |source| ApplyError::Request { verb, object: self.clone(), source: Box::new(source) }
    }
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.namespace.is_empty() { "" } else { "/" };
        write!(f, "{} {}{separator}{}", self.kind, self.namespace, self.name)
    }
}

/// Where a kind is found; `api_version` is `group/version`, or `version` of the core group.
pub fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// Applies one object as ours, taking over fields that another manager wrote; a field the server does not know is an error. An object
/// that already is as wanted is not written.
///
/// An empty list says that nobody's entry stays in it. The API server stores an empty list as none, and would count each such apply as
/// a change: the list is written only where there is something in it.
pub async fn apply(client: &Client, object: &DynamicObject) -> Result<DynamicObject, ApplyError> {
    let id = ObjectId::of(object)?;
    let api = id.api(client.clone());
    let params = PatchParams::apply(MANAGER).force().validation_strict();
    let mut lean = object.clone();
    let emptied = take_empty_lists(&mut lean.data);
    let applied = api.patch(&id.name, &params, &Patch::Apply(&lean)).await.map_err(id.failed("applying"))?;
    if emptied.iter().all(|path| is_empty(&applied.data, path)) {
        return Ok(applied);
    }
    api.patch(&id.name, &params, &Patch::Apply(object)).await.map_err(id.failed("applying"))
}

/// Takes the empty lists out of a manifest; returns where they were, as JSON pointers (RFC 6901).
fn take_empty_lists(manifest: &mut Value) -> Vec<String> {
    let Value::Object(fields) = manifest else { return Vec::new() };
    let is_empty_list = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let mut taken: Vec<String> =
        fields.iter().filter(|(_, value)| is_empty_list(value)).map(|(name, _)| format!("/{name}")).collect();
    fields.retain(|_, value| !is_empty_list(value));
    for (name, value) in fields.iter_mut() {
        taken.extend(take_empty_lists(value).into_iter().map(|path| format!("/{name}{path}")));
    }
    taken
}

fn is_empty(object: &Value, path: &str) -> bool {
    object.pointer(path).and_then(Value::as_array).is_none_or(Vec::is_empty)
}

/// Applies a Secret as ours, unless one of that name is somebody else's: a member's own is not to be overwritten, nor to be removed later.
pub async fn apply_secret(client: &Client, secret: &Secret) -> Result<Secret, ApplyError> {
    let key = ObjectKey::new(secret.namespace().unwrap_or_default(), secret.name_any());
    let api: Api<Secret> = Api::namespaced(client.clone(), &key.namespace);
    let params = PatchParams::apply(MANAGER).force().validation_strict();
    let applied = async {
        let there = match api.get_metadata_opt(&key.name).await {
            // Who may write and not read is the helpdesk: of its writing the admission policy says the same.
            Err(kube::Error::Api(status)) if status.code == 403 => None,
            result => result?,
        };
        let is_ours = |labels: &BTreeMap<String, String>| labels.get(MANAGED_BY).is_some_and(|by| by == MANAGER);
        if there.is_some_and(|there| !is_ours(there.labels())) {
            return Ok(None);
        }
        api.patch(&key.name, &params, &Patch::Apply(secret)).await.map(Some)
    };
    match applied.await {
        Ok(Some(applied)) => Ok(applied),
        Ok(None) => Err(ApplyError::Foreign(key)),
        Err(source) => Err(ApplyError::Secret { key, source: Box::new(source) }),
    }
}

/// Sets a label of an object, if it is there.
pub async fn label(client: &Client, id: &ObjectId, label: &str, value: &str) -> Result<(), ApplyError> {
    let patch = Patch::Merge(serde_json::json!({"metadata": {"labels": {label: value}}}));
    match id.api(client.clone()).patch_metadata(&id.name, &PatchParams::default(), &patch).await {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        result => result.map(drop).map_err(id.failed("labelling")),
    }
}

/// What the API server says of an object beside its content; `None`: there is none, or no such kind.
pub async fn metadata(client: &Client, id: &ObjectId) -> Result<Option<kube::api::ObjectMeta>, ApplyError> {
    match id.api(client.clone()).get_metadata(&id.name).await {
        Ok(found) => Ok(Some(found.metadata)),
        // Of a kind that there is not that is no Status, but a plain 404.
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(id.failed("reading")(error)),
    }
}

/// Whether a namespace is there and nobody removes it. In one that goes nothing is left to remove, and no Secret can be read.
pub async fn namespace_stays(client: &Client, name: &str) -> Result<bool, ApplyError> {
    let id = ObjectId::of_namespace(name);
    let found = id.api(client.clone()).get_metadata_opt(name).await.map_err(id.failed("reading"))?;
    Ok(found.is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_none()))
}

/// Removes an object, if it is there, ours and of this site (`None`: of no site): what somebody else made under the same name stays.
pub async fn remove(client: &Client, id: &ObjectId, site: Option<&str>) -> Result<(), ApplyError> {
    let api = id.api(client.clone());
    let Some(found) = api.get_metadata_opt(&id.name).await.map_err(id.failed("reading"))? else { return Ok(()) };
    let label = |name| found.labels().get(name).map(String::as_str);
    if label(MANAGED_BY) != Some(MANAGER) || label(SITE) != site {
        tracing::warn!(object = %id, "not removed: it is another's");
        return Ok(());
    }
    let params = DeleteParams::background()
        .preconditions(Preconditions { uid: found.uid(), resource_version: found.resource_version() });
    match api.delete(&id.name, &params).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(id.failed("removing")(error)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn empty_lists_are_taken_out_with_their_places() {
        let mut manifest = json!({"spec": {"ingress": [], "egress": [{"to": []}], "podSelector": {}}, "rules": []});
        assert_eq!(take_empty_lists(&mut manifest), ["/rules", "/spec/ingress"]);
        assert_eq!(manifest, json!({"spec": {"egress": [{"to": []}], "podSelector": {}}}));
        assert!(is_empty(&manifest, "/spec/ingress") && !is_empty(&manifest, "/spec/egress"));
    }
}
