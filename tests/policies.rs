//! What the chart's roles and admission policies let through: the controller at its work, a tenant in its own namespace, and nothing
//! beyond.
use cst_api::{Tenant, TenantState};
use cst_compiler::desired::{object, tenancy, web};
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::settings::web::Web;
use cst_tests::api_server::{apply, client, client_as};
use cst_tests::chart;
use k8s_openapi::api::core::v1::{Pod, Secret, ServiceAccount};
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

const CONTROLLER: &str = "system:serviceaccount:cst-system:cst";

/// An API server with the chart's roles and policies, in force.
async fn admin() -> Client {
    static READY: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let client = client().await;
    READY.get_or_init(|| install(&client)).await;
    client
}

async fn install(client: &Client) {
    for object in chart::render("cst-system", &["settings.mail.postmaster=postmaster@cst.example.net"]) {
        let kind = object.types.as_ref().unwrap().kind.as_str();
        if kind.starts_with("ClusterRole") || kind.starts_with("ValidatingAdmissionPolicy") {
            apply(client, &object).await.unwrap_or_else(|error| panic!("{}: {error}", object.name_any()));
        }
    }
    in_force(client).await;
}

/// Nothing tells when a policy that was written is in force: what each refuses is tried (without effect) until it is refused.
async fn in_force(client: &Client) {
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let probe = tenant(client, "probe", None).await;
    let tenants: Api<Tenant> = Api::all(client.clone());
    let somebody = somebody(client, "t-probe").await;
    let dry = DeleteParams { dry_run: true, ..DeleteParams::default() };
    let controller = controller().await;
    loop {
        let deletion = tenants.delete(&probe, &dry).await.is_err();
        let secret = write(&somebody, "t-probe", &secret("x", json!({}), "kubernetes.io/basic-auth")).await.is_err();
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}});
        let namespace: DynamicObject = serde_json::from_value(namespace).unwrap();
        let fence = refusal(apply(&controller, &namespace).await).contains("tenants’ namespaces");
        if deletion && secret && fence {
            return;
        }
        assert!(std::time::Instant::now() < until, "deletion {deletion}, secret {secret}, fence {fence}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn controller() -> Client {
    client_as(CONTROLLER, &["system:serviceaccounts", "system:serviceaccounts:cst-system"]).await
}

/// Creates a Tenant.
async fn tenant(client: &Client, name: &str, state: Option<&str>) -> String {
    let mut spec = json!({"displayName": name, "entityType": "Comune", "administrators": [{"kind": "Group", "name": name}],
        "limits": {"webSites": 2, "cpu": "4", "memory": "4Gi", "webStorage": "50Gi"}});
    if let Some(state) = state {
        spec["state"] = state.into();
    }
    let tenant =
        json!({"apiVersion": cst_api::API_VERSION, "kind": "Tenant", "metadata": {"name": name}, "spec": spec});
    let tenants: Api<Tenant> = Api::all(client.clone());
    tenants.patch(name, &PatchParams::apply("cst-tests").force(), &Patch::Apply(&tenant)).await.unwrap();
    name.to_owned()
}

/// Applies what a Tenant becomes, as the controller, and returns a client of one of its administrators.
async fn tenancy(client: &Client, name: &str) -> Client {
    tenant(client, name, None).await;
    let tenant = Api::<Tenant>::all(client.clone()).get(name).await.unwrap();
    let controller = controller().await;
    for object in tenancy::objects(&tenant, &tenancy::Installation::default()) {
        apply(&controller, &object).await.unwrap_or_else(|error| panic!("{}: {error}", object.name_any()));
    }
    client_as(&format!("sindaco@{name}"), &[name]).await
}

/// Who may write Secrets in one namespace, and no Tenants.
async fn somebody(client: &Client, namespace: &str) -> Client {
    let name = namespace.strip_prefix("t-").unwrap();
    for (kind, content) in [
        ("Namespace", json!({})),
        (
            "RoleBinding",
            json!({
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cst-tenant-administrator"},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name}],
            }),
        ),
    ] {
        let made = match kind {
            "Namespace" => object::object("v1", kind, namespace, name, content),
            _ => object::object("rbac.authorization.k8s.io/v1", kind, name, name, content).within(namespace),
        };
        apply(client, &made).await.unwrap();
    }
    client_as(&format!("sindaco@{name}"), &[name]).await
}

fn secret(name: &str, labels: Value, type_: &str) -> Secret {
    let mut data = json!({"username": "eA==", "password": "eA=="});
    if type_ == "kubernetes.io/tls" {
        data = json!({"tls.crt": "", "tls.key": ""});
    }
    serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}, "type": type_, "data": data})).unwrap()
}

/// Tries to create a Secret, without effect.
async fn write(client: &Client, namespace: &str, secret: &Secret) -> kube::Result<Secret> {
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    Api::namespaced(client.clone(), namespace).create(&dry, secret).await
}

/// What the server said to a request that it forbade; empty when it did not.
fn refusal<T: std::fmt::Debug>(result: kube::Result<T>) -> String {
    match result {
        Err(kube::Error::Api(status)) if status.code == 403 => status.message.clone(),
        _ => String::new(),
    }
}

#[tokio::test]
async fn a_tenant_is_deleted_only_when_terminated() {
    let client = admin().await;
    let tenants: Api<Tenant> = Api::all(client.clone());
    for (name, state) in [("implicit", None), ("active", Some("Active")), ("suspended", Some("Suspended"))] {
        tenant(&client, name, state).await;
        let message = refusal(tenants.delete(name, &DeleteParams::default()).await);
        assert!(message.contains(&format!("Tenant {name} is not Terminated: set spec.state")), "{name}: {message}");
    }
    tenant(&client, "terminated", Some("Terminated")).await;
    assert_eq!(tenants.get("terminated").await.unwrap().spec.state, Some(TenantState::Terminated));
    tenants.delete("terminated", &DeleteParams::default()).await.unwrap();
    assert!(tenants.get_opt("terminated").await.unwrap().is_none());
}

#[tokio::test]
async fn a_tenant_writes_its_own_secrets_and_none_of_ours() {
    let client = admin().await;
    let tenant = tenancy(&client, "secrets").await;
    let own = [
        (json!({}), "Opaque"),
        (json!({"app.kubernetes.io/managed-by": "Helm"}), "Opaque"),
        (json!({}), "kubernetes.io/tls"),
    ];
    for (labels, type_) in own {
        write(&tenant, "t-secrets", &secret("own", labels, type_)).await.unwrap();
    }
    for (labels, type_, hint) in [
        (json!({"territorial.services/tenant": "secrets"}), "Opaque", "leave them to it"),
        (json!({"territorial.services/anything": ""}), "kubernetes.io/tls", "leave them to it"),
        (json!({"app.kubernetes.io/managed-by": "cst"}), "Opaque", "leave them to it"),
        (json!({}), "kubernetes.io/basic-auth", "Opaque or kubernetes.io/tls"),
        (json!({}), "example.net/own", "Opaque or kubernetes.io/tls"),
    ] {
        let message = refusal(write(&tenant, "t-secrets", &secret("forged", labels.clone(), type_)).await);
        assert!(message.contains(hint), "{labels} {type_}: {message}");
        write(&client, "t-secrets", &secret("forged", labels, type_)).await.unwrap();
    }
}

#[tokio::test]
async fn a_secret_of_ours_is_neither_changed_nor_taken_over_nor_removed() {
    let client = admin().await;
    let tenant: Api<Secret> = Api::namespaced(tenancy(&client, "taking").await, "t-taking");
    let ours: Api<Secret> = Api::namespaced(controller().await, "t-taking");
    let labels = json!({"app.kubernetes.io/managed-by": "cst", "territorial.services/tenant": "taking"});
    let made = secret("portale-database", labels.clone(), "Opaque");
    ours.patch("portale-database", &PatchParams::apply("cst"), &Patch::Apply(&made)).await.unwrap();
    let own = secret("own", json!({}), "Opaque");
    tenant.create(&PostParams::default(), &own).await.unwrap();
    let merge = |name: &'static str, patch: Value| {
        let tenant = tenant.clone();
        async move { refusal(tenant.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await) }
    };
    let without =
        json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null, "territorial.services/tenant": null}}});
    for message in [
        merge("portale-database", json!({"data": {"password": "eQ=="}})).await,
        merge("portale-database", without).await,
        merge("own", json!({"metadata": {"labels": labels}})).await,
        refusal(tenant.delete("portale-database", &DeleteParams::default()).await),
    ] {
        assert!(message.contains("leave them to it"), "{message}");
    }
    assert_eq!(merge("own", json!({"data": {"password": "eQ=="}})).await, "");
    tenant.delete("own", &DeleteParams::default()).await.unwrap();
    ours.delete("portale-database", &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn a_coordinator_is_no_tenant() {
    let client = admin().await;
    tenancy(&client, "coordinated").await;
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "coordinator"}, "rules": [
        {"apiGroups": ["territorial.services"], "resources": ["tenants"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["*"]},
    ]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "coordinator"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "coordinator"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "provincia"}]});
    for object in [role, binding] {
        apply(&client, &serde_json::from_value(object).unwrap()).await.unwrap();
    }
    let coordinator = client_as("provincia", &[]).await;
    write(&coordinator, "t-coordinated", &secret("release", json!({}), "helm.sh/release.v1")).await.unwrap();
}

#[tokio::test]
async fn a_tenants_administrator_has_no_way_out_of_its_namespace() {
    let client = admin().await;
    let tenant = tenancy(&client, "inside").await;
    tenancy(&client, "outside").await;
    let denied = [
        object::object("v1", "Namespace", "t-inside", "inside", json!({})),
        object::object("v1", "Pod", "p", "inside", json!({"spec": {"containers": [{"name": "c", "image": "i"}]}})).within("t-inside"),
        object::object("gateway.networking.k8s.io/v1", "HTTPRoute", "r", "inside", json!({"spec": {}})).within("t-inside"),
        object::object("rbac.authorization.k8s.io/v1", "RoleBinding", "b", "inside", json!({
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cst-tenant-administrator"}}))
        .within("t-inside"),
        object::object("v1", "Secret", "s", "inside", json!({})).within("t-outside"),
    ];
    for object in denied {
        let message = refusal(apply(&tenant, &object).await);
        assert!(message.contains("sindaco@inside\" cannot patch resource"), "{object:?}: {message}");
    }
    let pods: Api<Pod> = Api::namespaced(tenant, "t-inside");
    assert!(pods.list(&ListParams::default()).await.is_ok());
}

fn centre() -> Web {
    serde_yaml::from_str(
        "{addresses: ['192.0.2.80'], applications: {Lamp: {image: 'cst.local/lamp:dev', storage: {size: 1Gi}, database: true}}}",
    )
    .unwrap()
}

fn portale(tenant: &str) -> web::Site {
    web::Site {
        key: ObjectKey::new(cst_api::tenant_namespace(tenant), "portale"),
        tenant: tenant.into(),
        application: centre().applications["Lamp"].clone(),
        host: DomainName::parse("comune.urbino.pu.it").unwrap(),
        aliases: vec![DomainName::parse("www.comune.urbino.pu.it").unwrap()],
        storage: None,
        deletion_policy: cst_api::DeletionPolicy::Retain,
    }
}

#[tokio::test]
async fn the_controller_may_make_a_site_and_its_pod_keeps_to_the_restricted_standard() {
    let client = admin().await;
    tenancy(&client, "hosting").await;
    let (controller, site) = (controller().await, portale("hosting"));
    let credentials = web::Credentials::new(&site.key, "mariadb".into(), web::Password::new("x".into()));
    let secrets: Api<Secret> = Api::namespaced(controller.clone(), "t-hosting");
    let secret = credentials.to_secret(&site);
    secrets.patch(&secret.name_any(), &PatchParams::apply("cst"), &Patch::Apply(&secret)).await.unwrap();
    for object in web::objects(&site, &centre(), Some(&credentials)) {
        apply(&controller, &object).await.unwrap_or_else(|error| panic!("{}: {error}", object.name_any()));
        let kind = object.types.as_ref().unwrap().kind.as_str();
        if kind == "Deployment" {
            let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "t-hosting");
            let account = serde_json::from_value(json!({"metadata": {"name": "default"}})).unwrap();
            accounts.create(&PostParams::default(), &account).await.unwrap();
            let pods: Api<Pod> = Api::namespaced(client.clone(), "t-hosting");
            let template = &object.data["spec"]["template"];
            let mut pod = json!({"metadata": template["metadata"], "spec": template["spec"]});
            pod["metadata"]["name"] = "portale".into();
            pods.create(&PostParams::default(), &serde_json::from_value(pod.clone()).unwrap()).await.unwrap();
            pod["metadata"]["name"] = "careless".into();
            pod["spec"]["securityContext"] = json!({});
            let careless = pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await;
            let message = refusal(careless);
            assert!(message.contains("restricted"), "{message}");
        }
    }
}

#[tokio::test]
async fn the_controllers_rights_end_at_the_tenants_namespaces() {
    let client = admin().await;
    tenancy(&client, "fenced").await;
    let controller = controller().await;
    let site = web::objects(&portale("fenced"), &centre(), None);
    let binding = tenancy::objects(
        &Api::<Tenant>::all(client.clone()).get("fenced").await.unwrap(),
        &tenancy::Installation::default(),
    );
    for mut object in site.into_iter().chain(binding).filter(|object| object.namespace().is_some()) {
        object.metadata.namespace = Some("kube-system".into());
        let message = refusal(apply(&controller, &object).await);
        assert!(message.contains("tenants’ namespaces (t-…), not in kube-system"), "{object:?}: {message}");
    }
    let cluster_admin = object::object(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "b",
        "fenced",
        json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "cst", "namespace": "cst-system"}]}),
    )
    .within("t-fenced");
    let message = refusal(apply(&controller, &cluster_admin).await);
    assert!(message.contains("attempting to grant RBAC permissions not currently held"), "{message}");
}
