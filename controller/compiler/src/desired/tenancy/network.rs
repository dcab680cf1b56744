//! Whom the pods of a tenant may talk to: nobody, but for name resolution and handing in mail. What a single site needs beyond that
//! (its gateway, its database) comes with the site.

use kube::core::DynamicObject;
use serde_json::{Value, json};

use super::Installation;
use crate::desired::object::{SITE, object};

const API: &str = "networking.k8s.io/v1";

pub(super) fn policies(tenant: &str, installation: &Installation) -> [DynamicObject; 3] {
    let policy = |name, spec: Value| object(API, "NetworkPolicy", name, tenant, json!({"spec": spec}));
    [
        policy("default-deny", json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})),
        policy("name-resolution", name_resolution()),
        policy("mail-submission", mail_submission(&installation.mail_namespace)),
    ]
}

/// The cluster's DNS carries the label `k8s-app: kube-dns` whatever its software.
fn name_resolution() -> Value {
    let resolver = json!({
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    });
    let ports = json!([{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]);
    json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [resolver], "ports": ports}]})
}

/// Submission (RFC 6409), never port 25: a site sends as a login.
fn mail_submission(namespace: &str) -> Value {
    let mail = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}});
    let sites = json!({"matchExpressions": [{"key": SITE, "operator": "Exists"}]});
    let ports = json!([{"port": 587, "protocol": "TCP"}]);
    json!({"podSelector": sites, "policyTypes": ["Egress"], "egress": [{"to": [mail], "ports": ports}]})
}
