//! What a Tenant becomes: its namespace, who may do what there, how much it may use, and whom its pods may talk to.

mod access;
mod agreement;
mod limits;
mod network;

use cst_api::{Tenant, TenantState};
use kube::ResourceExt;
use kube::core::DynamicObject;
use serde_json::json;

pub use access::{ADMINISTRATOR_ROLE, CONTROLLER_ROLE, HELPDESK_ROLE};
pub use agreement::agreement_phase;

use super::object::object;
use crate::model::ObjectKey;

/// The label of a tenant's Namespace with the state of the Tenant, `Terminated` also when that is gone.
pub const TENANT_STATE: &str = "territorial.services/tenant-state";

/// Where the centre's own parts run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The controller's `ServiceAccount`.
    pub controller: ObjectKey,
    /// The namespace of the mail system.
    pub mail_namespace: String,
}

impl Default for Installation {
    /// As the chart installs it.
    fn default() -> Self {
        Self { controller: ObjectKey::new("cst-system", "cst"), mail_namespace: "cst-mail".into() }
    }
}

/// The tenant's objects in the order to apply them: the Namespace first, and nothing may run in it before its fences stand. The
/// Namespace is never deleted by us.
pub fn objects(tenant: &Tenant, installation: &Installation) -> Vec<DynamicObject> {
    let name = tenant.name_any();
    let limits = tenant.spec.limits.clone().unwrap_or_default();
    let within = network::policies(&name, installation)
        .into_iter()
        .chain(limits::objects(&name, &limits))
        .chain(access::bindings(&name, &tenant.spec, &installation.controller))
        .map(|object| object.within(&cst_api::tenant_namespace(&name)));
    std::iter::once(namespace(&name, tenant.spec.state.unwrap_or_default())).chain(within).collect()
}

/// Pod Security Standards: `restricted` (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>). The tenant's state is
/// what an admission policy goes by, which can see nothing but the Namespace.
fn namespace(tenant: &str, state: TenantState) -> DynamicObject {
    let mut namespace = object("v1", "Namespace", &cst_api::tenant_namespace(tenant), tenant, json!({}));
    for mode in ["enforce", "warn", "audit"] {
        namespace.labels_mut().insert(format!("pod-security.kubernetes.io/{mode}"), "restricted".into());
    }
    namespace.labels_mut().insert(TENANT_STATE.into(), format!("{state:?}"));
    namespace
}

#[cfg(test)]
mod tests;
