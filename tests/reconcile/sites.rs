//! Sites that go.

use std::collections::BTreeMap;

use cst_api::WebSite;
use cst_compiler::desired::object::{MANAGED_BY, MANAGER, SITE};
use cst_tests::centre::{Centre, eventually};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::domain;

/// The Secret with the credentials of a site's database, as the controller labels it, or as somebody else made it.
fn credentials(site: &str, is_ours: bool) -> Secret {
    let labels = [(MANAGED_BY.to_owned(), MANAGER.to_owned()), (SITE.to_owned(), site.to_owned())];
    Secret {
        metadata: ObjectMeta {
            name: Some(format!("{site}-database")),
            labels: is_ours.then(|| BTreeMap::from(labels)),
            ..ObjectMeta::default()
        },
        ..Secret::default()
    }
}

/// There is no database here: the record says that the sites have one.
#[tokio::test]
async fn a_site_to_be_deleted_takes_its_credentials_along_and_nobody_elses() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("fratterosa", "[comune.fratterosa.pu.it]").await;
    centre.apply(&domain("fratterosa", "comune.fratterosa.pu.it", "")).await;
    let (sites, secrets): (Api<WebSite>, Api<Secret>) = (centre.api("t-fratterosa"), centre.api("t-fratterosa"));
    for (name, policy) in [("albo", "Delete"), ("storia", "Delete"), ("portale", "Retain")] {
        let site = format!(
            "apiVersion: territorial.services/v1alpha1\nkind: WebSite\nmetadata: {{name: {name}, namespace: t-fratterosa}}\n\
             spec: {{application: Static, host: {name}.comune.fratterosa.pu.it, deletionPolicy: {policy}}}"
        );
        centre.apply(&site).await;
        centre.until_reason(&sites, name, "Waiting").await;
    }
    controller.stop().await;

    let records: Api<ConfigMap> = centre.api(&centre.namespace);
    for (name, is_ours) in [("albo", true), ("storia", false), ("portale", true)] {
        let record = format!("applied.site.t-fratterosa.{name}");
        let map = records.get(&record).await.unwrap();
        let mut applied: Value = serde_json::from_str(&map.data.unwrap()["applied"]).unwrap();
        applied["database"] = format!("fratterosa_{name}").into();
        let with_database = json!({"data": {"applied": applied.to_string()}});
        records.patch(&record, &PatchParams::default(), &Patch::Merge(&with_database)).await.unwrap();
        secrets.create(&PostParams::default(), &credentials(name, is_ours)).await.unwrap();
        sites.delete(name, &DeleteParams::default()).await.unwrap();
    }
    let controller = centre.controller("b").await;
    for name in ["albo", "storia"] {
        let record = format!("applied.site.t-fratterosa.{name}");
        let gone = eventually(async || records.get_opt(&record).await.unwrap().is_none().then_some(()));
        gone.await.unwrap_or_else(|| panic!("{name} is not taken down"));
    }
    let mut left: Vec<String> = Vec::new();
    for name in ["albo", "storia", "portale"] {
        left.extend(
            secrets.get_opt(&format!("{name}-database")).await.unwrap().and_then(|secret| secret.metadata.name),
        );
    }
    assert_eq!(left, ["storia-database", "portale-database"]);
    controller.stop().await;
}
