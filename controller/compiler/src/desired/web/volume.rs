//! The volume with a site's files.

use kube::ResourceExt;
use kube::core::DynamicObject;
use serde_json::json;

use super::{Site, site_object};
use crate::desired::object::DELETION_POLICY;

/// `None` for an application that keeps no files. The policy is written on the claim, because the claim outlives the `WebSite`.
pub(super) fn claim(site: &Site) -> Option<DynamicObject> {
    let default = site.application.storage.as_ref()?.size;
    let storage = site.storage.unwrap_or(default).to_string();
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}});
    let mut claim = site_object(site, "v1", "PersistentVolumeClaim", &site.key.name, json!({"spec": spec}));
    claim.annotations_mut().insert(DELETION_POLICY.into(), format!("{:?}", site.deletion_policy));
    Some(claim)
}
