//! How much the pods and volumes of a tenant may use together, and how much one that does not say.

use cst_api::Limits;
use kube::core::DynamicObject;
use serde_json::{Map, Value, json};

use crate::desired::object::object;

/// What pods of one site there can be at once: the running one, and one that goes as the next comes.
const PODS_PER_SITE: u32 = 2;

/// Always both objects: a quota that loses its last limit is emptied, not left behind.
pub(super) fn objects(tenant: &str, limits: &Limits) -> [DynamicObject; 2] {
    let quota = json!({"spec": {"hard": hard(limits)}});
    [object("v1", "ResourceQuota", "tenant", tenant, quota), object("v1", "LimitRange", "tenant", tenant, range())]
}

/// A tenant's limit bounds what its pods can use, so it is the sum of their limits, not of their requests.
fn hard(limits: &Limits) -> Map<String, Value> {
    let pods = limits.web_sites.map(|sites| sites.saturating_mul(PODS_PER_SITE).to_string());
    let given = [
        ("pods", pods),
        ("limits.cpu", limits.cpu.clone()),
        ("limits.memory", limits.memory.clone()),
        ("requests.storage", limits.web_storage.clone()),
        // Only the gateway faces the public.
        ("services.loadbalancers", Some("0".into())),
        ("services.nodeports", Some("0".into())),
    ];
    given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::String(value?)))).collect()
}

/// For containers that name no resources of their own: what the quota asks of every pod.
fn range() -> Value {
    json!({"spec": {"limits": [{
        "type": "Container",
        "default": {"cpu": "500m", "memory": "256Mi"},
        "defaultRequest": {"cpu": "25m", "memory": "64Mi"},
    }]}})
}
