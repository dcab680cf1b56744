//! Comparing whole outputs with the files beside the tests.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{LimitRange, Namespace, PersistentVolumeClaim, ResourceQuota, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::core::DynamicObject;
use serde::{Serialize, de::DeserializeOwned};

/// The objects as one YAML stream equal the file `desired/<path>`; with `UPDATE_GOLDEN` set the file is written instead.
#[expect(clippy::disallowed_methods, reason = "a test reads the file it compares with")]
pub(super) fn assert_golden(path: &str, objects: &[DynamicObject]) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/desired").join(path);
    let yaml: Vec<_> = objects.iter().map(|object| serde_yaml::to_string(object).unwrap()).collect();
    let yaml = yaml.join("---\n");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&file, &yaml).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    assert!(yaml == golden, "{} differs; look at it with UPDATE_GOLDEN=1 and git diff. Now:\n{yaml}", file.display());
    objects.iter().for_each(assert_known);
}

/// Every field is one the API has: read into the API's type and written again, nothing is lost.
fn assert_known(object: &DynamicObject) {
    let kind = object.types.as_ref().unwrap().kind.as_str();
    match kind {
        "Deployment" => assert_round_trip::<Deployment>(object),
        "LimitRange" => assert_round_trip::<LimitRange>(object),
        "Namespace" => assert_round_trip::<Namespace>(object),
        "NetworkPolicy" => assert_round_trip::<NetworkPolicy>(object),
        "PersistentVolumeClaim" => assert_round_trip::<PersistentVolumeClaim>(object),
        "ResourceQuota" => assert_round_trip::<ResourceQuota>(object),
        "RoleBinding" => assert_round_trip::<RoleBinding>(object),
        "Service" => assert_round_trip::<Service>(object),
        // Not of k8s-openapi: its schema is checked by an API server with the Gateway API's CRDs.
        "HTTPRoute" => {}
        _ => panic!("{kind}: say here which type of the API it is"),
    }
}

fn assert_round_trip<K: DeserializeOwned + Serialize>(object: &DynamicObject) {
    let written = serde_json::to_value(object).unwrap();
    let read: K = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written);
}
