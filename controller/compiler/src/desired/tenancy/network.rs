//! Whom the pods of a tenant may talk to: nobody, but for name resolution and handing in mail. What a single site needs beyond that
//! (its gateway, its database) comes with the site.

use kube::core::DynamicObject;
use serde_json::{Value, json};

use super::Installation;
use crate::desired::object::{SITE, object};

// Both directions are always named, be they empty: nobody else's rule stays beside ours.
const API: &str = "networking.k8s.io/v1";

// With a dot, which no site's name has: a site's own policy is called as the site.
const DEFAULT_DENY: &str = "cst.default-deny";
const NAME_RESOLUTION: &str = "cst.name-resolution";
const MAIL_SUBMISSION: &str = "cst.mail-submission";

pub(super) fn policies(tenant: &str, installation: &Installation) -> [DynamicObject; 3] {
    let policy = |name, spec: Value| object(API, "NetworkPolicy", name, tenant, json!({"spec": spec}));
    [
        policy(
            DEFAULT_DENY,
            json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [], "egress": []}),
        ),
        policy(NAME_RESOLUTION, name_resolution()),
        policy(MAIL_SUBMISSION, mail_submission(&installation.mail_namespace)),
    ]
}

/// The cluster's DNS carries the label `k8s-app: kube-dns` whatever its software.
fn name_resolution() -> Value {
    let resolver = json!({
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    });
    let ports = json!([{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]);
    json!({"podSelector": {}, "policyTypes": ["Egress"], "ingress": [], "egress": [{"to": [resolver], "ports": ports}]})
}

/// Submission (RFC 6409), never port 25: a site sends as a login.
fn mail_submission(namespace: &str) -> Value {
    let mail = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}});
    let sites = json!({"matchExpressions": [{"key": SITE, "operator": "Exists"}]});
    let ports = json!([{"port": 587, "protocol": "TCP"}]);
    json!({"podSelector": sites, "policyTypes": ["Egress"], "ingress": [], "egress": [{"to": [mail], "ports": ports}]})
}
