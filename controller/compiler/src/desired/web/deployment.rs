//! The pod that serves a site, under the Pod Security Standard `restricted`.

use kube::core::DynamicObject;
use serde_json::{Map, Value, json};

use super::{Credentials, Site, secret_name, selector, site_object};
use crate::desired::object::{MANAGED_BY, MANAGER, TENANT};
use crate::settings::web::{Amounts, Application};

/// The user and group of every site's process, the same for every image: files outlive a change of application.
const USER: u32 = 10001;
/// The pod's annotation that changes with the credentials.
const CREDENTIALS: &str = "territorial.services/database-credentials";

pub(super) fn deployment(site: &Site, credentials: Option<&Credentials>) -> DynamicObject {
    let spec = json!({
        "replicas": 1,
        "revisionHistoryLimit": 2,
        "strategy": strategy(&site.application),
        "selector": {"matchLabels": selector(site)},
        "template": {"metadata": pod_metadata(site, credentials), "spec": pod(site)},
    });
    site_object(site, "apps/v1", "Deployment", &site.key.name, json!({"spec": spec}))
}

/// A `ReadWriteOnce` volume cannot move to the new pod before the old one is gone: a rolling update would wait for ever.
fn strategy(application: &Application) -> Value {
    if application.storage.is_some() {
        json!({"type": "Recreate"})
    } else {
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    }
}

fn pod_metadata(site: &Site, credentials: Option<&Credentials>) -> Value {
    let mut labels = selector(site);
    labels[MANAGED_BY] = MANAGER.into();
    labels[TENANT] = site.tenant.as_str().into();
    match credentials {
        Some(credentials) => json!({"labels": labels, "annotations": {CREDENTIALS: credentials.digest()}}),
        None => json!({"labels": labels}),
    }
}

fn pod(site: &Site) -> Value {
    json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(site)],
        "volumes": volumes(site),
    })
}

fn container(site: &Site) -> Value {
    let application = &site.application;
    json!({
        "name": "site",
        "image": application.image,
        "ports": [{"name": "http", "containerPort": application.port, "protocol": "TCP"}],
        "env": environment(site),
        "resources": {
            "requests": amounts(&application.resources.requests),
            "limits": amounts(&application.resources.limits),
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        },
        // Up to five minutes for a first start that fills the volume.
        "startupProbe": probe(&application.probes.live, 2, 150),
        "livenessProbe": probe(&application.probes.live, 10, 6),
        "readinessProbe": probe(&application.probes.ready, 5, 3),
        "volumeMounts": mounts(application),
    })
}

fn probe(path: &str, period: u32, failures: u32) -> Value {
    let get = json!({"path": path, "port": "http"});
    json!({"httpGet": get, "periodSeconds": period, "failureThreshold": failures, "timeoutSeconds": 5})
}

fn amounts(amounts: &Amounts) -> Value {
    json!({"cpu": amounts.cpu, "memory": amounts.memory.to_string()})
}

fn environment(site: &Site) -> Vec<Value> {
    let mut variables = vec![json!({"name": "SITE_HOST", "value": site.host.as_str()})];
    if site.application.database {
        let secret = secret_name(&site.key.name);
        variables.extend(["host", "database", "username", "password"].map(|key| {
            let variable = if key == "database" { "NAME".to_owned() } else { key.to_uppercase() };
            let from = json!({"secretKeyRef": {"name": secret, "key": key}});
            json!({"name": format!("DATABASE_{variable}"), "valueFrom": from})
        }));
    }
    variables
}

/// The root file system is read-only: scratch space is bounded and gone with the pod.
fn scratch() -> [(&'static str, &'static str, &'static str); 2] {
    [("tmp", "/tmp", "256Mi"), ("run", "/run", "16Mi")]
}

fn mounts(application: &Application) -> Vec<Value> {
    let data = application.storage.iter().map(|storage| json!({"name": "data", "mountPath": storage.mount_path}));
    data.chain(scratch().map(|(name, path, _)| json!({"name": name, "mountPath": path}))).collect()
}

fn volumes(site: &Site) -> Vec<Map<String, Value>> {
    let data =
        site.application.storage.iter().map(|_| ("data", "persistentVolumeClaim", json!({"claimName": site.key.name})));
    let scratch = scratch().map(|(name, _, size)| (name, "emptyDir", json!({"sizeLimit": size})));
    let volume = |(name, source, content): (&str, &str, Value)| {
        Map::from_iter([("name".to_owned(), name.into()), (source.to_owned(), content)])
    };
    data.chain(scratch).map(volume).collect()
}
