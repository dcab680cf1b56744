//! One centre: its own system namespaces, a controller in this process, a recording primary, mail agents played by the test.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use cst_api::{Domain, Mailbox, Tenant, TenantState, WebSite};
use cst_compiler::desired::mail::ack::{self, Ack};
use cst_compiler::desired::tenancy::TENANT_STATE;
use cst_compiler::settings::Settings;
use cst_kubernetes::run::{Options, Servers, run};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{DeleteParams, DynamicObject, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::client::ClientBuilder;
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, MutexGuard, OnceCell, oneshot};
use tokio::task::JoinHandle;

use crate::faults::Faults;
use crate::zone_server::Recorder;
use crate::{api_server, chart};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_mins(2);
/// The mail pod whose agent the tests play.
const MAIL_POD: &str = "mail-0";

/// A centre with nobody in it. One at a time: a controller takes every Tenant of the cluster for its own.
pub struct Centre {
    /// The administrator's client.
    pub client: Client,
    /// The controller's namespace.
    pub namespace: String,
    /// The mail system's namespace.
    pub mail_namespace: String,
    /// What the controllers of this process served.
    served: std::sync::Mutex<Vec<Arc<Recorder>>>,
    _alone: MutexGuard<'static, ()>,
}

impl Drop for Centre {
    /// A test is at its end: what was served in it is judged by others.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.served.lock().unwrap().iter().for_each(|server| server.is_right());
        }
    }
}

/// A controller in this process.
pub struct Controller {
    /// Its hidden primary.
    pub server: Arc<Recorder>,
    /// What goes wrong between it and the API server.
    pub faults: Faults,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Controller {
    /// Ends it as a signal does.
    pub async fn stop(self) {
        self.stop.send(()).ok();
        self.task.await.expect("the controller ends in order");
    }

    /// Ends it as the loss of its machine does.
    pub fn kill(self) {
        self.task.abort();
    }
}

impl Centre {
    /// An empty centre.
    pub async fn new() -> Self {
        static ALONE: Mutex<()> = Mutex::const_new(());
        static INSTALLED: OnceCell<()> = OnceCell::const_new();
        let alone = ALONE.lock().await;
        tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).try_init().ok();
        let centre = Self {
            namespace: chart::NAMESPACE.into(),
            mail_namespace: "cst-mail".into(),
            served: std::sync::Mutex::default(),
            client: api_server::client().await,
            _alone: alone,
        };
        INSTALLED.get_or_init(|| chart::install_rights(&centre.client)).await;
        centre.clear().await;
        centre
    }

    /// A client with the rights of the controller's ServiceAccount, and no others.
    async fn controllers_client(&self, faults: &Faults) -> Client {
        let config = api_server::config_of_account(&self.namespace, "cst").await;
        ClientBuilder::try_from(config).expect("a client can be made").with_layer(faults).build()
    }

    /// Nothing is left from the test before.
    async fn clear(&self) {
        let (delete, list) = (DeleteParams::default(), ListParams::default());
        for namespace in [&self.namespace, &self.mail_namespace] {
            self.api::<ConfigMap>(namespace).delete_collection(&delete, &list).await.unwrap();
            self.api::<Secret>(namespace).delete_collection(&delete, &list).await.unwrap();
            self.api::<Lease>(namespace).delete_collection(&delete, &list).await.unwrap();
        }
        let tenants: Api<Tenant> = Api::all(self.client.clone());
        for tenant in tenants.list(&list).await.unwrap() {
            self.force_tenant_away(&tenant.name_any()).await;
        }
        for domain in Api::<Domain>::all(self.client.clone()).list(&list).await.unwrap() {
            self.api::<Domain>(&domain.namespace().unwrap()).delete(&domain.name_any(), &delete).await.unwrap();
        }
        for mailbox in Api::<Mailbox>::all(self.client.clone()).list(&list).await.unwrap() {
            self.api::<Mailbox>(&mailbox.namespace().unwrap()).delete(&mailbox.name_any(), &delete).await.unwrap();
        }
        for site in Api::<WebSite>::all(self.client.clone()).list(&list).await.unwrap() {
            self.api::<WebSite>(&site.namespace().unwrap()).delete(&site.name_any(), &delete).await.unwrap();
        }
    }

    /// A controller that runs from now on.
    pub async fn controller(&self, name: &str) -> Controller {
        self.controller_with(name, settings()).await
    }

    /// A controller that runs with these settings.
    pub async fn controller_with(&self, name: &str, settings: Settings) -> Controller {
        let faults = Faults::default();
        let client = self.controllers_client(&faults).await;
        let (server, observations) = Recorder::new();
        let server = Arc::new(server);
        self.served.lock().unwrap().push(Arc::clone(&server));
        let options = Options {
            namespace: self.namespace.clone(),
            service_account: "cst".into(),
            mail_namespace: self.mail_namespace.clone(),
            mail_pods: vec![MAIL_POD.into()],
            identity: name.into(),
        };
        let servers = Servers { zones: server.clone(), observations, databases: None, tally: Arc::default() };
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let task = async { run(client, settings, options, servers, stopped).await.expect("the settings are right") };
        Controller { server, faults, stop, task: tokio::spawn(task) }
    }

    /// The objects of a kind in a namespace.
    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Applies manifests as a user does.
    pub async fn apply(&self, manifests: &str) {
        for document in manifests.split("\n---\n") {
            let object: DynamicObject = serde_yaml::from_str(document).expect("the test's manifest reads");
            let applied = api_server::apply(&self.client, &object).await;
            applied.unwrap_or_else(|error| panic!("{}: {error}", object.name_any()));
        }
    }

    /// A tenant and its namespace, as the coordinator commits them.
    pub async fn tenant(&self, name: &str, domains: &str) {
        self.apply(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: t-{name}}}\n---\napiVersion: territorial.services/v1alpha1\n\
             kind: Tenant\nmetadata: {{name: {name}}}\nspec: {{displayName: Comune, entityType: Comune, domains: {domains}}}"
        ))
        .await;
    }

    /// The coordinator terminates a tenant and, when its status says so, deletes it: nobody can delete it before.
    pub async fn delete_tenant(&self, name: &str) {
        let tenants: Api<Tenant> = Api::all(self.client.clone());
        let terminated = serde_json::json!({"spec": {"state": "Terminated"}});
        tenants.patch(name, &PatchParams::default(), &Patch::Merge(&terminated)).await.unwrap();
        let is_seen =
            |tenant: &Tenant| tenant.status.as_ref().is_some_and(|s| s.state == Some(TenantState::Terminated));
        self.until(&tenants, name, is_seen).await;
        tenants.delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Removes a tenant where no controller takes note that it is terminated.
    async fn force_tenant_away(&self, name: &str) {
        let tenants: Api<Tenant> = Api::all(self.client.clone());
        let (terminated, params) = (serde_json::json!({"state": "Terminated"}), PatchParams::default());
        let spec = Patch::Merge(serde_json::json!({"spec": terminated}));
        tenants.patch(name, &params, &spec).await.unwrap();
        let status = Patch::Merge(serde_json::json!({"status": terminated}));
        tenants.patch_status(name, &params, &status).await.unwrap();
        tenants.delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Removes a namespace with all that is declared in it and that the controller put into it; without a controller of namespaces nobody else does.
    pub async fn remove_namespace(&self, name: &str) {
        let (delete, list) = (DeleteParams::default(), ListParams::default());
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        // As the coordinator has to force it.
        let forced = serde_json::json!({"metadata": {"labels": {TENANT_STATE: "Terminated"}}});
        // The controller sets its label right again, but not at once for a second time.
        let deleted = eventually(async || {
            namespaces.patch(name, &PatchParams::default(), &Patch::Merge(&forced)).await.unwrap();
            namespaces.delete(name, &delete).await.ok()
        });
        deleted.await.expect("the namespace can be deleted");
        self.api::<Domain>(name).delete_collection(&delete, &list).await.unwrap();
        self.api::<Mailbox>(name).delete_collection(&delete, &list).await.unwrap();
        self.api::<WebSite>(name).delete_collection(&delete, &list).await.unwrap();
        self.api::<RoleBinding>(name).delete_collection(&delete, &list).await.unwrap();
        self.api::<Secret>(name).delete_collection(&delete, &list).await.unwrap();
        self.api::<NetworkPolicy>(name).delete_collection(&delete, &list).await.unwrap();
        let mut namespace = namespaces.get(name).await.unwrap();
        namespace.spec = None;
        namespaces.replace_subresource("finalize", name, &PostParams::default(), &namespace).await.unwrap();
    }

    /// The mail agent installed everything there is.
    pub async fn agent_installs_all(&self) {
        let shards: Api<Secret> = self.api(&self.mail_namespace);
        let list = shards.list(&ListParams::default()).await.unwrap();
        let watermark = list.metadata.resource_version.unwrap().parse().unwrap();
        let ack = Ack { watermark, ..Ack::default() };
        let map = ConfigMap {
            metadata: ObjectMeta {
                name: Some(ack::config_map_name(MAIL_POD)),
                labels: Some([(ack::LABEL.to_owned(), MAIL_POD.to_owned())].into()),
                ..ObjectMeta::default()
            },
            data: Some(ack.to_data()),
            ..ConfigMap::default()
        };
        let api: Api<ConfigMap> = self.api(&self.mail_namespace);
        let params = PatchParams::apply("cst-agent").force();
        api.patch(&map.name_any(), &params, &Patch::Apply(&map)).await.unwrap();
    }

    /// The mail agent goes on installing what there is, until a box is ready.
    pub async fn until_installed(&self, namespace: &str, name: &str) -> Mailbox {
        let boxes: Api<Mailbox> = self.api(namespace);
        let installed = eventually(async || {
            self.agent_installs_all().await;
            let found = boxes.get_opt(name).await.unwrap()?;
            condition(&found, "Ready").is_some_and(|ready| ready.reason == "Ready").then_some(found)
        });
        installed.await.unwrap_or_else(|| panic!("{namespace}/{name} is not installed"))
    }

    /// The kubelet runs a site's pods, and the gateway takes its routes.
    pub async fn site_runs(&self, namespace: &str, site: &str, routes: &[&str]) {
        let deployments: Api<Deployment> = self.api(namespace);
        let deployment = self.until(&deployments, site, |_| true).await;
        let status = serde_json::json!({"status": {
            "observedGeneration": deployment.metadata.generation, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1,
        }});
        deployments.patch_status(site, &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
        let api = self.routes(namespace);
        for name in routes {
            let route = self.until(&api, name, |_| true).await;
            let condition = |type_: &str| {
                serde_json::json!({"type": type_, "status": "True", "reason": type_, "message": "",
                    "observedGeneration": route.metadata.generation, "lastTransitionTime": "2026-11-23T00:00:00Z"})
            };
            let status = serde_json::json!({"status": {"parents": [{
                "parentRef": {"name": "web", "namespace": "cst-web"},
                "controllerName": "example.net/gateway",
                "conditions": [condition("Accepted"), condition("ResolvedRefs")],
            }]}});
            api.patch_status(name, &PatchParams::default(), &Patch::Merge(&status)).await.unwrap();
        }
    }

    /// The routes in a namespace.
    pub fn routes(&self, namespace: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute"));
        Api::namespaced_with(self.client.clone(), namespace, &resource)
    }

    /// Waits for an object that is as wanted.
    pub async fn until<K>(&self, api: &Api<K>, name: &str, wanted: impl Fn(&K) -> bool) -> K
    where
        K: Clone + DeserializeOwned + Debug,
    {
        let mut last = None;
        let found = eventually(async || {
            last = api.get_opt(name).await.unwrap();
            last.clone().filter(&wanted)
        });
        match found.await {
            Some(found) => found,
            None => panic!("{name} is not as wanted: {last:#?}"),
        }
    }

    /// Waits for a Domain, Mailbox, Tenant or WebSite that is ready, or not ready for this reason.
    pub async fn until_reason<K>(&self, api: &Api<K>, name: &str, reason: &str) -> K
    where
        K: Clone + DeserializeOwned + Serialize + Debug,
    {
        self.until(api, name, |object| condition(object, "Ready").is_some_and(|ready| ready.reason == reason)).await
    }

    /// The version of every object that the controller may write, by kind and name; leases and events aside.
    pub async fn versions(&self) -> BTreeMap<String, String> {
        let mut versions = BTreeMap::new();
        for (group, version, kind) in [
            ("", "v1", "Namespace"),
            ("", "v1", "ConfigMap"),
            ("", "v1", "Secret"),
            ("", "v1", "ResourceQuota"),
            ("", "v1", "LimitRange"),
            ("networking.k8s.io", "v1", "NetworkPolicy"),
            ("", "v1", "Service"),
            ("", "v1", "PersistentVolumeClaim"),
            ("apps", "v1", "Deployment"),
            ("gateway.networking.k8s.io", "v1", "HTTPRoute"),
            ("territorial.services", "v1alpha1", "WebSite"),
            ("rbac.authorization.k8s.io", "v1", "RoleBinding"),
            ("territorial.services", "v1alpha1", "Tenant"),
            ("territorial.services", "v1alpha1", "Domain"),
            ("territorial.services", "v1alpha1", "Mailbox"),
        ] {
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
            let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource);
            for object in api.list(&ListParams::default()).await.unwrap() {
                let name = format!("{kind} {}/{}", object.namespace().unwrap_or_default(), object.name_any());
                versions.insert(name, object.resource_version().unwrap());
            }
        }
        versions
    }
}

/// The condition of a type in an object's status.
pub fn condition<K: Serialize>(object: &K, type_: &str) -> Option<Condition> {
    let object = serde_json::to_value(object).unwrap();
    let conditions: Vec<Condition> = serde_json::from_value(object["status"]["conditions"].clone()).ok()?;
    conditions.into_iter().find(|condition| condition.type_ == type_)
}

/// Asks until there is an answer, for as long as anything may take.
pub async fn eventually<T>(ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    within(PATIENCE, ask).await
}

/// Asks until there is an answer, for so long.
pub async fn within<T>(patience: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let begin = std::time::Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if begin.elapsed() > patience {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The settings of the centre.
pub fn settings() -> Settings {
    serde_yaml::from_str(
        "
apiVersion: territorial.services/v1alpha1
kind: Settings
dns:
  nameServers: [ns1.cst.example.net, ns2.cst.example.net]
  hostmaster: hostmaster@cst.example.net
  secondaries:
    - {name: ns1, address: \"127.0.0.1:1053\"}
    - {name: ns2, address: \"127.0.0.1:2053\"}
mail:
  hosts: [{name: mx.cst.example.net, preference: 10}]
  postmaster: postmaster@cst.example.net
web:
  addresses: [\"192.0.2.80\"]
  applications:
    Static: {image: \"cst.local/static:dev\", storage: {size: 256Mi}}
    Lamp: {image: \"cst.local/lamp:dev\", storage: {size: 1Gi}, database: true}
",
    )
    .expect("the settings read")
}
