//! Who may do what in a tenant's namespace.
//!
//! Bindings of `ClusterRoles` that the chart brings, not Roles: the controller then needs `bind` on these two names alone, and cannot
//! grant anything it does not hold.

use cst_api::Subject;
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::desired::object::object;
use crate::model::ObjectKey;

/// The `ClusterRole` of a tenant's administrators: write Domains, Mailboxes, `WebSites` and Secrets, read events, pods and their logs.
pub const ADMINISTRATOR_ROLE: &str = "cst-tenant-administrator";
/// The `ClusterRole` with which the controller reads and writes a tenant's Secrets.
pub const CONTROLLER_ROLE: &str = "cst-tenant-controller";

const API: &str = "rbac.authorization.k8s.io/v1";

/// The two bindings; the administrators' one stands even with nobody in it, so that removing the last one takes effect.
pub(super) fn bindings(tenant: &str, administrators: &[Subject], controller: &ObjectKey) -> [DynamicObject; 2] {
    let administrators = administrators
        .iter()
        .map(|Subject { kind, name }| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}))
        .collect();
    let controller = json!([{"kind": "ServiceAccount", "namespace": controller.namespace, "name": controller.name}]);
    [binding(tenant, ADMINISTRATOR_ROLE, &administrators), binding(tenant, CONTROLLER_ROLE, &controller)]
}

fn binding(tenant: &str, role: &str, subjects: &Value) -> DynamicObject {
    let role_ref = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role});
    object(API, "RoleBinding", role, tenant, json!({"roleRef": role_ref, "subjects": subjects}))
}
