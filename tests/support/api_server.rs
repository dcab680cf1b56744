//! A real API server and etcd, one for each test binary, ended with it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, DynamicObject, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, Config, ResourceExt as _};
use tokio::sync::OnceCell;

use crate::chart;

struct Server {
    folder: PathBuf,
}

static SERVER: OnceLock<Server> = OnceLock::new();

/// A client of this binary's API server, as its administrator. Each test makes its own: a client belongs to one runtime.
///
/// # Panics
/// When the server cannot be started; the log of `tests/cluster/control-plane` says why.
pub async fn client() -> Client {
    static CRDS: OnceCell<()> = OnceCell::const_new();
    let client = Client::try_from(config().await).expect("a client can be made");
    CRDS.get_or_init(|| install_crds(&client)).await;
    client
}

/// How this binary's API server is reached as its administrator.
///
/// # Panics
/// When the server cannot be started.
pub async fn config() -> Config {
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(start)).await.expect("the API server starts");
    let kubeconfig = Kubeconfig::read_from(server.folder.join("admin.kubeconfig")).expect("its kubeconfig reads");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    config.expect("its kubeconfig is complete")
}

/// A file with which a program reaches it as a user, with the groups that a login would give; without either as the administrator.
///
/// # Panics
/// When the server does not run.
pub fn kubeconfig(user: &str, groups: &[&str]) -> PathBuf {
    let folder = &SERVER.get().expect("the API server runs").folder;
    let admin = folder.join("admin.kubeconfig");
    if user.is_empty() {
        return admin;
    }
    let text = std::fs::read_to_string(admin).expect("its kubeconfig is there");
    let mut config: serde_yaml::Value = serde_yaml::from_str(&text).expect("its kubeconfig reads");
    let groups: Vec<&str> = groups.iter().chain(&["system:authenticated"]).copied().collect();
    config["users"][0]["user"]["as"] = user.into();
    config["users"][0]["user"]["as-groups"] = serde_yaml::to_value(groups).expect("names are YAML");
    let file = folder.join(format!("{user}.kubeconfig"));
    std::fs::write(&file, serde_yaml::to_string(&config).expect("it is YAML")).expect("its folder can be written");
    file
}

/// Sends a signal to a process of the server, `kube-apiserver` or `etcd`: `STOP`, `CONT`.
///
/// # Panics
/// When the server does not run.
pub fn signal(process: &str, signal: &str) {
    let folder = &SERVER.get().expect("the API server runs").folder;
    let told = std::fs::read_to_string(folder.join(format!("{process}.pid"))).expect("it has an id");
    let id = told.split(' ').next().expect("it has an id");
    let status = std::process::Command::new("kill").args(["-s", signal, id]).status();
    assert!(status.is_ok_and(|status| status.success()), "{signal} to {process}");
}

/// Saves what the server stores, or sets its store back to what was saved: `save`, `restore`. The server is away meanwhile.
///
/// # Panics
/// When the server does not come back.
pub async fn store(what: &'static str) {
    let folder = SERVER.get().expect("the API server runs").folder.clone();
    let command = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/control-plane-store");
    let run = move || std::process::Command::new(&command).arg(&folder).arg(what).status();
    let run = tokio::task::spawn_blocking(run).await.expect("the command runs");
    assert!(run.is_ok_and(|status| status.success()), "{what} of the store failed");
}

/// How it is reached as a user, with the groups that a login would give.
pub async fn config_of_user(user: &str, groups: &[&str]) -> Config {
    let mut config = config().await;
    config.auth_info.impersonate = Some(user.to_owned());
    let groups = groups.iter().chain(&["system:authenticated"]).map(|group| (*group).to_owned());
    config.auth_info.impersonate_groups = Some(groups.collect());
    config
}

/// How it is reached with a `ServiceAccount`'s token, and nothing else.
pub async fn config_of_account(namespace: &str, name: &str) -> Config {
    let mut config = config().await;
    let admin = Client::try_from(config.clone()).expect("a client can be made");
    let accounts: Api<ServiceAccount> = Api::namespaced(admin, namespace);
    let token = accounts.create_token_request(name, &PostParams::default(), &TokenRequest::default()).await;
    let status = token.unwrap_or_else(|error| panic!("{namespace}/{name}: {error}")).status;
    config.auth_info = AuthInfo { token: status.map(|status| status.token.into()), ..AuthInfo::default() };
    config
}

/// The objects of the same kind in the same namespace.
pub fn api_of(client: &Client, object: &DynamicObject) -> Api<DynamicObject> {
    let types = object.types.as_ref().expect("an object has a kind");
    let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types).expect("a kind has a version"));
    match object.namespace() {
        Some(namespace) => Api::namespaced_with(client.clone(), &namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// Applies an object of any kind; a field that its kind has not is an error.
///
/// # Errors
/// What the server says.
pub async fn apply(client: &Client, object: &DynamicObject) -> kube::Result<DynamicObject> {
    let params = PatchParams::apply("user").force().validation_strict();
    api_of(client, object).patch(&object.name_any(), &params, &Patch::Apply(object)).await
}

/// The same without effect.
///
/// # Errors
/// What the server says.
pub async fn try_apply(client: &Client, object: &DynamicObject) -> kube::Result<DynamicObject> {
    let params = PatchParams { dry_run: true, ..PatchParams::apply("user").force() }.validation_strict();
    api_of(client, object).patch(&object.name_any(), &params, &Patch::Apply(object)).await
}

/// A namespace with the `ServiceAccount` that the cluster's controllers would make in it.
pub async fn namespace(client: &Client, name: &str, labels: BTreeMap<String, String>) {
    let metadata = ObjectMeta { name: Some(name.into()), labels: Some(labels), ..ObjectMeta::default() };
    let namespace = Namespace { metadata, ..Namespace::default() };
    let params = PatchParams::apply("user").force();
    let namespaces: Api<Namespace> = Api::all(client.clone());
    namespaces.patch(name, &params, &Patch::Apply(&namespace)).await.expect("a namespace can be made");
    let metadata = ObjectMeta { name: Some("default".into()), ..ObjectMeta::default() };
    let account = ServiceAccount { metadata, ..ServiceAccount::default() };
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), name);
    accounts.patch("default", &params, &Patch::Apply(&account)).await.expect("a ServiceAccount can be made");
}

/// Ends with this process: the command watches its id.
fn start() -> Server {
    let folder = std::env::temp_dir().join(format!("cst-tests-{}", std::process::id()));
    let command = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/control-plane");
    let run = std::process::Command::new(&command).arg(&folder).arg(std::process::id().to_string()).status();
    assert!(run.is_ok_and(|status| status.success()), "{} failed", command.display());
    Server { folder }
}

fn gateway_crd(plural: &str) -> CustomResourceDefinition {
    let file = chart::part("gateway-api").join(format!("gateway.networking.k8s.io_{plural}.yaml"));
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_yaml::from_slice(&text).expect("the Gateway API's CRD reads")
}

/// Deletes kinds, and with them all their objects.
///
/// # Panics
/// When the server refuses it.
pub async fn delete_crds(client: &Client, kinds: &[&str]) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for name in kinds.iter().map(|kind| format!("{kind}.territorial.services")) {
        let uid = api.get(&name).await.ok().and_then(|crd| crd.uid()).expect("the CRD is there");
        api.delete(&name, &DeleteParams::default()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        await_condition(api.clone(), &name, conditions::is_deleted(&uid)).await.expect("the CRD goes");
    }
}

/// Installs the kinds.
///
/// # Panics
/// When the server refuses one.
pub async fn install_crds(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in cst_api::crds().into_iter().chain(["gateways", "httproutes"].map(gateway_crd)) {
        let name = crd.name_any();
        let params = PatchParams::apply("cst-tests").force().validation_strict();
        api.patch(&name, &params, &Patch::Apply(&crd)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        await_condition(api.clone(), &name, conditions::is_crd_established()).await.expect("the CRD is established");
    }
}
