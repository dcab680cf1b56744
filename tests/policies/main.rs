//! What the chart's roles and admission policies let through: the controller and the mail agent at their work, a tenant in its own
//! namespace, and nothing beyond.

mod agent;
mod controller;
mod rules;
mod tenants;

use cst_api::{Domain, Tenant};
use cst_compiler::desired::tenancy;
use cst_tests::api_server::{apply, client, config_of_account, config_of_user, try_apply};
use cst_tests::centre::eventually;
use cst_tests::chart;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, DynamicObject, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

/// An administrator's client of an API server with the chart's roles and policies, in force.
async fn admin() -> Client {
    static READY: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let client = client().await;
    READY
        .get_or_init(async || {
            chart::install_rights(&client).await;
            in_force(&client).await;
        })
        .await;
    client
}

/// Nothing tells when a policy that was written is in force: what each refuses is tried, without effect, until it is refused.
async fn in_force(client: &Client) {
    apply_tenant(client, "probe", None).await;
    let somebody = tenancy(client, "probe").await;
    let (tenants, controller): (Api<Tenant>, _) = (Api::all(client.clone()), controller().await);
    let typed = secret("x", json!({}), "kubernetes.io/basic-auth");
    let elsewhere = manifest(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}}));
    let domains: Api<Domain> = Api::namespaced(somebody.clone(), "t-probe");
    let approved = approved_domain("probe", Some("0123456789ab"));
    let dry_post = PostParams { dry_run: true, ..PostParams::default() };
    let dry = DeleteParams { dry_run: true, ..DeleteParams::default() };
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let refused = eventually(async || {
        let refusals = [
            refusal(tenants.delete("probe", &dry).await),
            refusal(namespaces.delete("t-probe", &dry).await),
            refusal(try_create(&somebody, "t-probe", &typed).await),
            refusal(try_apply(&controller, &elsewhere).await),
            refusal(domains.create(&dry_post, &approved).await),
        ];
        refusals.iter().all(|refusal| refusal.contains("ValidatingAdmissionPolicy")).then_some(())
    });
    refused.await.expect("the policies come into force");
}

/// The controller, with the rights of its `ServiceAccount` and no others.
async fn controller() -> Client {
    Client::try_from(config_of_account(chart::NAMESPACE, "cst").await).unwrap()
}

/// A user whom a login puts into this group.
async fn member_of(group: &str) -> Client {
    Client::try_from(config_of_user(&format!("sindaco@{group}"), &[group]).await).unwrap()
}

/// Creates a Tenant, administered by the group of its name.
async fn apply_tenant(client: &Client, name: &str, state: Option<&str>) -> Tenant {
    let mut spec = json!({"displayName": name, "entityType": "Comune", "administrators": [{"kind": "Group", "name": name}],
        "helpdesk": [{"kind": "Group", "name": format!("{name}-helpdesk")}],
        "limits": {"webSites": 2, "cpu": "4", "memory": "4Gi", "webStorage": "50Gi"}});
    if let Some(state) = state {
        spec["state"] = state.into();
    }
    let tenant = manifest(
        json!({"apiVersion": cst_api::API_VERSION, "kind": "Tenant", "metadata": {"name": name}, "spec": spec}),
    );
    apply(client, &tenant).await.unwrap().try_parse().unwrap()
}

/// Applies what a Tenant becomes, as the controller, and returns a client of one of its administrators.
async fn tenancy(client: &Client, name: &str) -> Client {
    let tenant = apply_tenant(client, name, None).await;
    let controller = controller().await;
    for object in tenancy::objects(&tenant, &tenancy::Installation::default()) {
        apply(&controller, &object).await.unwrap_or_else(|error| panic!("{}: {error}", object.name_any()));
    }
    member_of(name).await
}

fn manifest(json: Value) -> DynamicObject {
    serde_json::from_value(json).unwrap()
}

fn secret(name: &str, labels: Value, type_: &str) -> Secret {
    let mut data = json!({"username": "eA==", "password": "eA=="});
    if type_ == "kubernetes.io/tls" {
        data = json!({"tls.crt": "", "tls.key": ""});
    }
    serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}, "type": type_, "data": data})).unwrap()
}

/// A Domain that names what is approved of its held changes.
fn approved_domain(tenant: &str, digest: Option<&str>) -> Domain {
    let annotations = digest.map(|digest| json!({"territorial.services/approve": digest}));
    serde_json::from_value(json!({"apiVersion": cst_api::API_VERSION, "kind": "Domain", "spec": {},
        "metadata": {"name": format!("{tenant}.example"), "namespace": format!("t-{tenant}"), "annotations": annotations}}))
    .unwrap()
}

/// Tries to create a Secret, without effect.
async fn try_create(client: &Client, namespace: &str, secret: &Secret) -> kube::Result<Secret> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    Api::namespaced(client.clone(), namespace).create(&dry, secret).await
}

/// What the server said to a request that it forbade; empty when it did not.
fn refusal<T>(result: kube::Result<T>) -> String {
    match result {
        Err(kube::Error::Api(status)) if status.code == 403 => status.message.clone(),
        _ => String::new(),
    }
}
