//! The address at which the gateway finds a site's pod.

use kube::core::DynamicObject;
use serde_json::json;

use super::{Site, selector, site_object};

/// The Service's port.
pub(super) const PORT: u16 = 80;

/// A Service's name begins with a letter (RFC 1035 §2.3.1), a site's may begin with a digit.
pub(super) fn name(site: &Site) -> String {
    format!("site-{}", site.key.name)
}

pub(super) fn service(site: &Site) -> DynamicObject {
    let port = json!({"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"});
    let spec = json!({"selector": selector(site), "ports": [port]});
    site_object(site, "v1", "Service", &name(site), json!({"spec": spec}))
}
