//! One object of the cluster in the form that server-side apply takes, and the labels that all of ours carry.

use kube::core::{DynamicObject, ObjectMeta, TypeMeta};
use serde_json::Value;

/// Who made an object (a label of the Kubernetes project).
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY`] on everything we make.
pub const MANAGER: &str = "cst";
/// The label with the tenant's name.
pub const TENANT: &str = "territorial.services/tenant";
/// The label with the site's name.
pub const SITE: &str = "territorial.services/site";
/// The annotation with what deleting the resource means for what was made for it.
pub const DELETION_POLICY: &str = "territorial.services/deletion-policy";

/// An object with the labels of a tenant's objects; `content` is all but `apiVersion`, `kind` and `metadata`.
pub fn object(api_version: &str, kind: &str, name: &str, tenant: &str, content: Value) -> DynamicObject {
    let types = TypeMeta { api_version: api_version.into(), kind: kind.into() };
    let labels = [(MANAGED_BY, MANAGER), (TENANT, tenant)].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let metadata = ObjectMeta { name: Some(name.into()), labels: Some(labels.into()), ..ObjectMeta::default() };
    DynamicObject { types: Some(types), metadata, data: content }
}
