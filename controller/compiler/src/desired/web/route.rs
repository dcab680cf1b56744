//! How the gateway leads visitors to a site (Gateway API, `HTTPRoute`).

use kube::core::DynamicObject;
use serde_json::{Value, json};

use super::{Site, service, site_object};
use crate::model::DomainName;
use crate::settings::web::Gateway;

/// The host's route, and one more that sends the aliases' visitors on (301).
pub(super) fn routes(site: &Site, gateway: &Gateway) -> Vec<DynamicObject> {
    let backend = json!({"backendRefs": [{"name": service::name(site), "port": service::PORT}]});
    let mut routes = vec![route(site, &site.key.name, std::slice::from_ref(&site.host), gateway, &backend)];
    if !site.aliases.is_empty() {
        let redirect = json!({"hostname": site.host.as_str(), "statusCode": 301});
        let rule = json!({"filters": [{"type": "RequestRedirect", "requestRedirect": redirect}]});
        routes.push(route(site, &alias_name(site), &site.aliases, gateway, &rule));
    }
    routes
}

/// With a dot, which no site's name has: never the name of another site's route.
fn alias_name(site: &Site) -> String {
    format!("{}.aliases", site.key.name)
}

fn route(site: &Site, name: &str, hosts: &[DomainName], gateway: &Gateway, rule: &Value) -> DynamicObject {
    let hosts: Vec<_> = hosts.iter().map(DomainName::as_str).collect();
    let parent = json!({"name": gateway.name, "namespace": gateway.namespace});
    let spec = json!({"parentRefs": [parent], "hostnames": hosts, "rules": [rule]});
    site_object(site, "gateway.networking.k8s.io/v1", "HTTPRoute", name, json!({"spec": spec}))
}
