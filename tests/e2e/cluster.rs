//! The cluster under test: its parts, and taking them away.

use std::process::Command;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Secret, Service};
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde_json::json;

/// A client, and where the centre is reached.
#[derive(Clone)]
pub struct Cluster {
    pub client: Client,
    /// The public name servers.
    pub name_servers: Vec<String>,
    pub mx: String,
    pub imap: String,
    pub submission: String,
    pub gateway: String,
}

impl Cluster {
    pub async fn connect() -> Self {
        let client = Client::try_default().await.expect("KUBECONFIG names the cluster of the demo");
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "Gateway"));
        let gateways: Api<DynamicObject> = Api::namespaced_with(client.clone(), "cst-web", &resource);
        let gateway = gateways.get("cst").await.unwrap().data["status"]["addresses"][0]["value"].clone();
        let address = async |namespace, name| address(&client, namespace, name).await;
        Self {
            name_servers: vec![address("cst-dns", "ns1").await, address("cst-dns", "ns2").await],
            mx: address("cst-mail", "mx").await,
            imap: address("cst-mail", "imap").await,
            submission: address("cst-mail", "submission").await,
            gateway: gateway.as_str().unwrap().to_owned(),
            client,
        }
    }

    /// The address of a Service.
    pub async fn address(&self, namespace: &str, name: &str) -> String {
        address(&self.client, namespace, name).await
    }

    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// A value of a Secret.
    pub async fn secret(&self, namespace: &str, name: &str, key: &str) -> String {
        let secret: Secret = self.api(namespace).get(name).await.unwrap();
        String::from_utf8(secret.data.unwrap()[key].0.clone()).unwrap()
    }

    /// Replaces a pod, and waits until its successor is ready.
    pub async fn replace_pods(&self, namespace: &str, selector: &str) {
        let pods: Api<Pod> = self.api(namespace);
        let selected = ListParams::default().labels(selector);
        let before: Vec<_> = pods.list(&selected).await.unwrap().items.iter().map(|pod| pod.uid().unwrap()).collect();
        assert!(!before.is_empty(), "no pod of {namespace} has {selector}");
        pods.delete_collection(&DeleteParams::default(), &selected).await.unwrap();
        let ready = eventually(async || {
            let now = pods.list(&selected).await.ok()?.items;
            (now.len() == before.len() && now.iter().all(|pod| is_ready(pod) && !before.contains(&pod.uid().unwrap())))
                .then_some(())
        });
        ready.await.unwrap_or_else(|| panic!("{selector} of {namespace} does not come back"));
    }

    /// Sets how many pods a StatefulSet has, and waits until it has them.
    pub async fn scale(&self, namespace: &str, name: &str, replicas: i32) {
        let sets: Api<StatefulSet> = self.api(namespace);
        let patch = json!({"spec": {"replicas": replicas}});
        sets.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        let done = eventually(async || {
            let status = sets.get(name).await.ok()?.status?;
            (status.replicas == replicas && status.ready_replicas.unwrap_or(0) == replicas).then_some(())
        });
        done.await.unwrap_or_else(|| panic!("{name} does not have {replicas} pods"));
    }

    /// Waits until the controller is available.
    pub async fn controller_is_up(&self) {
        let deployments: Api<Deployment> = self.api("cst-system");
        let up = eventually(async || {
            deployments.get("cst").await.ok()?.status?.available_replicas.filter(|count| *count > 0)
        });
        up.await.expect("the controller comes back");
    }
}

async fn address(client: &Client, namespace: &str, name: &str) -> String {
    let services: Api<Service> = Api::namespaced(client.clone(), namespace);
    services.get(name).await.unwrap().spec.unwrap().cluster_ip.unwrap()
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    pod.metadata.deletion_timestamp.is_none()
        && conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
}

/// Runs a program of the machine; its output.
pub fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asks until there is an answer: pods are slow to come on a small machine, and that is no failure of ours.
pub async fn eventually<T>(ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    cst_tests::centre::within(Duration::from_mins(4), ask).await
}

/// How long a part is away in a test of its absence.
pub const AWAY: Duration = Duration::from_mins(1);
