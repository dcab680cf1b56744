//! A real API server and etcd, one for each test binary, ended with it.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::discovery::ApiResource;
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, Config, ResourceExt as _};

use crate::chart;

struct Server {
    kubeconfig: PathBuf,
}

/// A client of this binary's API server, as its administrator. Each test makes its own: a client belongs to one runtime.
///
/// # Panics
/// When the server cannot be started; the log of `tests/cluster/control-plane` says why.
pub async fn client() -> Client {
    let client = Client::try_from(config().await).expect("a client can be made");
    install_crds(&client).await;
    client
}

/// How this binary's API server is reached as its administrator.
///
/// # Panics
/// When the server cannot be started.
pub async fn config() -> Config {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = tokio::task::spawn_blocking(|| SERVER.get_or_init(start)).await.expect("the API server starts");
    let kubeconfig = Kubeconfig::read_from(&server.kubeconfig).expect("its kubeconfig reads");
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    config.expect("its kubeconfig is complete")
}

/// A client of this binary's API server as somebody else, with the groups that a login would give.
pub async fn client_as(user: &str, groups: &[&str]) -> Client {
    let mut config = config().await;
    config.auth_info.impersonate = Some(user.to_owned());
    let groups = groups.iter().chain(&["system:authenticated"]).map(|group| (*group).to_owned());
    config.auth_info.impersonate_groups = Some(groups.collect());
    Client::try_from(config).expect("a client can be made")
}

/// Applies an object of any kind; a field that its kind has not is an error.
///
/// # Errors
/// What the server says.
pub async fn apply(client: &Client, object: &DynamicObject) -> kube::Result<DynamicObject> {
    let types = object.types.as_ref().expect("an object has a kind");
    let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types).expect("a kind has a version"));
    let api: Api<DynamicObject> = match object.namespace() {
        Some(namespace) => Api::namespaced_with(client.clone(), &namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let params = PatchParams::apply("cst-tests").force().validation_strict();
    api.patch(&object.name_any(), &params, &Patch::Apply(object)).await
}

/// Ends with this process: the command watches its id.
fn start() -> Server {
    let folder = std::env::temp_dir().join(format!("cst-tests-{}", std::process::id()));
    let command = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/control-plane");
    let run = std::process::Command::new(&command).arg(&folder).arg(std::process::id().to_string()).status();
    assert!(run.is_ok_and(|status| status.success()), "{} failed", command.display());
    Server { kubeconfig: folder.join("admin.kubeconfig") }
}

fn gateway_crd(plural: &str) -> CustomResourceDefinition {
    let file = chart::part("gateway-api").join(format!("gateway.networking.k8s.io_{plural}.yaml"));
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_yaml::from_slice(&text).expect("the Gateway API's CRD reads")
}

async fn install_crds(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for crd in cst_api::crds().into_iter().chain(["gateways", "httproutes"].map(gateway_crd)) {
        let name = crd.name_any();
        let params = PatchParams::apply("cst-tests").force().validation_strict();
        api.patch(&name, &params, &Patch::Apply(&crd)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        await_condition(api.clone(), &name, conditions::is_crd_established()).await.expect("the CRD is established");
    }
}
