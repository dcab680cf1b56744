//! Who may do what in a tenant's namespace.
//!
//! Bindings of `ClusterRoles` that the chart brings, not Roles: the controller then needs `bind` on these names alone, and cannot
//! grant anything it does not hold.

use cst_api::{Subject, TenantSpec};
use kube::core::DynamicObject;
use serde_json::{Value, json};

use crate::desired::object::object;
use crate::model::ObjectKey;

/// The `ClusterRole` of a tenant's administrators: write Domains, Mailboxes, `WebSites` and Secrets, read events, pods and their logs.
pub const ADMINISTRATOR_ROLE: &str = "cst-tenant-administrator";
/// The `ClusterRole` of a tenant's helpdesk: read Mailboxes, change and lock logins, nothing else.
pub const HELPDESK_ROLE: &str = "cst-tenant-helpdesk";
/// The `ClusterRole` with which the controller reads and writes a tenant's Secrets.
pub const CONTROLLER_ROLE: &str = "cst-tenant-controller";

const API: &str = "rbac.authorization.k8s.io/v1";

/// The bindings; those of people stand even with nobody in them, so that removing the last one takes effect.
pub(super) fn bindings(tenant: &str, spec: &TenantSpec, controller: &ObjectKey) -> [DynamicObject; 3] {
    let controller = json!([{"kind": "ServiceAccount", "namespace": controller.namespace, "name": controller.name}]);
    [
        binding(tenant, ADMINISTRATOR_ROLE, &people(&spec.administrators)),
        binding(tenant, HELPDESK_ROLE, &people(&spec.helpdesk)),
        binding(tenant, CONTROLLER_ROLE, &controller),
    ]
}

fn people(subjects: &[Subject]) -> Value {
    let subject =
        |Subject { kind, name }: &Subject| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    subjects.iter().map(subject).collect()
}

fn binding(tenant: &str, role: &str, subjects: &Value) -> DynamicObject {
    let role_ref = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role});
    object(API, "RoleBinding", role, tenant, json!({"roleRef": role_ref, "subjects": subjects}))
}
