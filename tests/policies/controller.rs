//! What the controller may do: its work in the tenants' namespaces, and nothing beyond.

use cst_compiler::desired::web;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::settings::web::Web;
use cst_tests::api_server::namespace;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::json;

use super::rules::rules;
use super::*;

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
async fn makes_a_site_whose_pod_keeps_to_the_restricted_standard() {
    let client = admin().await;
    tenancy(&client, "hosting").await;
    let (controller, site) = (controller().await, portale("hosting"));
    let credentials = web::Credentials::new(&site.key, "mariadb".into(), web::Password::new("x".into()));
    let secrets: Api<Secret> = Api::namespaced(controller.clone(), "t-hosting");
    let secret = credentials.to_secret(&site);
    secrets.patch(&secret.name_any(), &PatchParams::apply("cst"), &Patch::Apply(&secret)).await.unwrap();
    let objects = web::objects(&site, &centre(), Some(&credentials));
    for object in &objects {
        apply(&controller, object).await.unwrap_or_else(|error| panic!("{}: {error}", object.name_any()));
    }
    let labels = Api::<k8s_openapi::api::core::v1::Namespace>::all(client.clone()).get("t-hosting").await.unwrap();
    namespace(&client, "t-hosting", labels.metadata.labels.unwrap_or_default()).await;
    let deployment = objects.iter().find(|object| chart::kind_of(object) == "Deployment").unwrap();
    let mut pod = deployment.data["spec"]["template"].clone();
    pod["metadata"]["name"] = "portale".into();
    let pods: Api<Pod> = Api::namespaced(client, "t-hosting");
    pods.create(&PostParams::default(), &serde_json::from_value(pod.clone()).unwrap()).await.unwrap();
    pod["metadata"]["name"] = "careless".into();
    pod["spec"]["securityContext"] = json!({});
    let message = refusal(pods.create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await);
    assert!(message.contains("violates PodSecurity \"restricted"), "{message}");
}

#[tokio::test]
async fn writes_nothing_outside_the_tenants_namespaces() {
    let client = admin().await;
    tenancy(&client, "fenced").await;
    let controller = controller().await;
    let tenant = Api::<Tenant>::all(client.clone()).get("fenced").await.unwrap();
    let site = web::objects(&portale("fenced"), &centre(), None);
    let tenancy = tenancy::objects(&tenant, &tenancy::Installation::default());
    let within: Vec<_> = site.into_iter().chain(tenancy).filter(|object| object.namespace().is_some()).collect();
    for mut object in within {
        object.metadata.namespace = Some("kube-system".into());
        let message = refusal(apply(&controller, &object).await);
        assert!(message.contains("tenants’ namespaces (t-…), not in kube-system"), "{object:?}: {message}");
    }
}

#[tokio::test]
async fn hands_out_the_roles_of_the_chart_and_no_other() {
    let client = admin().await;
    tenancy(&client, "bound").await;
    let controller = controller().await;
    for (role, hint) in [
        ("cluster-admin", "attempting to grant RBAC permissions not currently held"),
        ("cst-tenant-administrator", ""),
        ("cst-tenant-controller", ""),
        ("cst-tenant-helpdesk", ""),
    ] {
        let binding = manifest(json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "more", "namespace": "t-bound"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": "cst", "namespace": "cst-system"}]}));
        let tried = try_apply(&controller, &binding).await;
        assert_eq!(tried.is_ok(), hint.is_empty(), "{role}: {tried:?}");
        assert!(refusal(tried).contains(hint), "{role}");
    }
}

/// RBAC alone: what no policy has to fence.
#[tokio::test]
async fn reads_no_secret_but_its_own_and_those_of_tenants_and_deletes_no_namespace() {
    let client = admin().await;
    tenancy(&client, "read").await;
    let controller = controller().await;
    for elsewhere in ["kube-system", "cst-dns", "cst-web", "t-nobody"] {
        let rules = rules(&controller, elsewhere).await;
        let forbidden =
            ["* ", "secrets", "configmaps", " pods", "roles.", "escalate", "impersonate", " serviceaccounts"];
        for rule in &rules {
            let bind = rule.starts_with("bind clusterroles.");
            assert!(bind || !forbidden.iter().any(|word| rule.contains(word)), "{elsewhere}: {rule}");
        }
        assert!(rules.contains("create namespaces"), "{rules:?}");
        let of_kinds: Vec<&String> = rules.iter().filter(|rule| rule.contains("customresourcedefinitions")).collect();
        let get =
            |kind: &str| format!("get customresourcedefinitions.apiextensions.k8s.io/{kind}.territorial.services");
        assert_eq!(of_kinds, ["domains", "mailboxes", "websites"].map(get).iter().collect::<Vec<_>>());
        assert!(
            !rules.iter().any(|rule| rule.starts_with("delete namespaces") || rule.starts_with("update ")),
            "{rules:?}"
        );
    }
    for own in [chart::NAMESPACE, "cst-mail", "t-read"] {
        assert!(rules(&controller, own).await.contains("list secrets"), "{own}");
    }
}
