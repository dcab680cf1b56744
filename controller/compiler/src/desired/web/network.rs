//! Whom a site's pod may talk to beyond what every pod of the tenant may: the gateway comes in, the database is reached.

use kube::core::DynamicObject;
use serde_json::{Map, Value, json};

use super::{Site, selector, site_object};
use crate::settings::web::Web;

/// `MariaDB`'s port (IANA: mysql).
const DATABASE_PORT: u16 = 3306;

pub(super) fn policy(site: &Site, web: &Web) -> DynamicObject {
    let mut spec = Map::new();
    spec.insert("podSelector".into(), json!({"matchLabels": selector(site)}));
    spec.insert("policyTypes".into(), json!(["Ingress", "Egress"]));
    let gateway = json!({"namespaceSelector": namespace(web.gateway.pod_namespace())});
    spec.insert("ingress".into(), json!([{"from": [gateway], "ports": [tcp(site.application.port)]}]));
    // Written also when it is empty: nobody else's rule stays beside ours.
    let mut egress = Vec::new();
    if site.application.database {
        let server = json!({
            "namespaceSelector": namespace(&web.database.namespace),
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": web.database.name}},
        });
        egress.push(json!({"to": [server], "ports": [tcp(DATABASE_PORT)]}));
    }
    spec.insert("egress".into(), egress.into());
    site_object(site, "networking.k8s.io/v1", "NetworkPolicy", &site.key.name, json!({"spec": spec}))
}

fn namespace(name: &str) -> Value {
    json!({"matchLabels": {"kubernetes.io/metadata.name": name}})
}

fn tcp(port: u16) -> Value {
    json!({"port": port, "protocol": "TCP"})
}
