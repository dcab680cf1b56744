//! What stands in a tenant's namespace, whatever somebody does to it.

use std::collections::BTreeMap;

use cst_api::{Domain, Tenant, TenantState};
use cst_tests::centre::{Centre, condition, eventually};
use k8s_openapi::api::core::v1::{LimitRange, Namespace, ResourceQuota};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};

use super::domain;

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

#[tokio::test]
async fn fences_that_somebody_removed_or_changed_come_back() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("petriano", "[]").await;
    centre.until_reason(&Api::<Tenant>::all(centre.client.clone()), "petriano", "Ready").await;
    let delete = DeleteParams::default();
    let namespaces: Api<Namespace> = Api::all(centre.client.clone());
    let policies: Api<NetworkPolicy> = centre.api("t-petriano");
    let quotas: Api<ResourceQuota> = centre.api("t-petriano");
    policies.delete("cst.default-deny", &delete).await.unwrap();
    // Beside what is ours too: nobody else's rule stays.
    let open = serde_json::json!({"spec": {"egress": [{}], "ingress": [{}]}});
    for policy in ["cst.name-resolution", "cst.mail-submission"] {
        policies.patch(policy, &PatchParams::default(), &Patch::Merge(&open)).await.unwrap();
    }
    quotas.delete("tenant", &delete).await.unwrap();
    let lax = serde_json::json!({"metadata": {"labels": {ENFORCE: "privileged"}}});
    namespaces.patch("t-petriano", &PatchParams::default(), &Patch::Merge(&lax)).await.unwrap();
    let back = async || {
        let resolution = policies.get("cst.name-resolution").await.unwrap().spec.unwrap().egress.unwrap();
        let submission = policies.get("cst.mail-submission").await.unwrap().spec.unwrap();
        let is_closed = submission.ingress.unwrap_or_default().is_empty();
        let deny = policies.get_opt("cst.default-deny").await.unwrap();
        (resolution[0].to.is_some() && is_closed && deny.is_some()).then_some(())
    };
    eventually(back).await.expect("its policies are as they were");
    let open = serde_json::json!({"spec": {"egress": [{}], "ingress": [{}]}});
    policies.patch("cst.default-deny", &PatchParams::default(), &Patch::Merge(&open)).await.unwrap();
    let is_closed = async || {
        let spec = policies.get("cst.default-deny").await.unwrap().spec.unwrap();
        (spec.ingress.unwrap_or_default().is_empty() && spec.egress.unwrap_or_default().is_empty()).then_some(())
    };
    eventually(is_closed).await.expect("nothing is open");
    eventually(async || quotas.get_opt("tenant").await.unwrap()).await.expect("its quota is there");
    centre.until(&namespaces, "t-petriano", |namespace| namespace.labels()[ENFORCE] == "restricted").await;
    controller.stop().await;
}

#[tokio::test]
async fn every_fence_that_somebody_removed_comes_back_and_then_nothing_is_written() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("barchi", "[]").await;
    centre.until_reason(&Api::<Tenant>::all(centre.client.clone()), "barchi", "Ready").await;
    let fences = async || {
        let versions = centre.versions().await;
        versions.into_iter().filter(|(name, _)| name.contains(" t-barchi/")).collect::<BTreeMap<_, _>>()
    };
    let before = fences().await;
    let kinds = ["NetworkPolicy", "ResourceQuota", "LimitRange", "RoleBinding"];
    assert!(kinds.iter().all(|kind| before.keys().any(|name| name.starts_with(kind))), "{before:#?}");
    let (delete, list) = (DeleteParams::default(), ListParams::default());
    centre.api::<NetworkPolicy>("t-barchi").delete_collection(&delete, &list).await.unwrap();
    centre.api::<ResourceQuota>("t-barchi").delete_collection(&delete, &list).await.unwrap();
    centre.api::<LimitRange>("t-barchi").delete_collection(&delete, &list).await.unwrap();
    centre.api::<RoleBinding>("t-barchi").delete_collection(&delete, &list).await.unwrap();
    let back = async || fences().await.keys().eq(before.keys()).then_some(());
    eventually(back).await.expect("all of them are back");

    // A change that is in the same watches tells that they were followed up to there: by then nothing else was written.
    let after = centre.versions().await;
    centre.tenant("monteporzio", "[]").await;
    centre.until_reason(&Api::<Tenant>::all(centre.client.clone()), "monteporzio", "Ready").await;
    let mut later = centre.versions().await;
    later.retain(|name, _| after.contains_key(name));
    assert_eq!(later, after);
    controller.stop().await;
}

#[tokio::test]
async fn nobody_administers_a_tenant_that_left() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("monteciccardo", "[]").await;
    centre.until_reason(&Api::<Tenant>::all(centre.client.clone()), "monteciccardo", "Ready").await;
    centre.delete_tenant("monteciccardo").await;
    let bindings: Api<RoleBinding> = centre.api("t-monteciccardo");
    let gone = async || bindings.get_opt("cst-tenant-administrator").await.unwrap().is_none().then_some(());
    eventually(gone).await.expect("the administrators' binding goes");
    assert!(bindings.get_opt("cst-tenant-controller").await.unwrap().is_some());
    controller.stop().await;
}

#[tokio::test]
async fn a_tenant_that_is_deleted_while_no_controller_runs_has_left_when_the_next_one_begins() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    let tenants: Api<Tenant> = Api::all(centre.client.clone());
    centre.tenant("isoladelpiano", "[]").await;
    centre.until_reason(&tenants, "isoladelpiano", "Ready").await;
    let terminated = serde_json::json!({"spec": {"state": "Terminated"}});
    tenants.patch("isoladelpiano", &PatchParams::default(), &Patch::Merge(&terminated)).await.unwrap();
    let is_seen = |tenant: &Tenant| tenant.status.as_ref().is_some_and(|s| s.state == Some(TenantState::Terminated));
    centre.until(&tenants, "isoladelpiano", is_seen).await;
    controller.stop().await;
    tenants.delete("isoladelpiano", &DeleteParams::default()).await.unwrap();
    let namespaces: Api<Namespace> = Api::all(centre.client.clone());
    // As it would be if the one before had ended in the same moment.
    let active = serde_json::json!({"metadata": {"labels": {"territorial.services/tenant-state": "Active"}}});
    namespaces.patch("t-isoladelpiano", &PatchParams::default(), &Patch::Merge(&active)).await.unwrap();
    let controller = centre.controller("b").await;
    let bindings: Api<RoleBinding> = centre.api("t-isoladelpiano");
    let gone = async || bindings.get_opt("cst-tenant-administrator").await.unwrap().is_none().then_some(());
    eventually(gone).await.expect("the administrators' binding goes");
    let may_go = |namespace: &Namespace| namespace.labels()["territorial.services/tenant-state"] == "Terminated";
    centre.until(&namespaces, "t-isoladelpiano", may_go).await;
    controller.stop().await;
}

#[tokio::test]
async fn a_terminated_tenant_and_what_it_has_say_so() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    let (tenants, domains): (Api<Tenant>, Api<Domain>) = (Api::all(centre.client.clone()), centre.api("t-orciano"));
    centre.tenant("orciano", "[comune.orciano.pu.it]").await;
    centre.apply(&domain("orciano", "comune.orciano.pu.it", "")).await;
    centre.until_reason(&domains, "comune.orciano.pu.it", "Ready").await;
    let terminated = serde_json::json!({"spec": {"state": "Terminated"}});
    tenants.patch("orciano", &PatchParams::default(), &Patch::Merge(&terminated)).await.unwrap();
    let says = |tenant: &Tenant| {
        let state = tenant.status.as_ref().and_then(|status| status.state);
        state == Some(TenantState::Terminated)
            && condition(tenant, "Ready").is_some_and(|ready| ready.message.contains("it is Terminated"))
    };
    centre.until(&tenants, "orciano", says).await;
    let told = centre.until_reason(&domains, "comune.orciano.pu.it", "TenantMissing").await;
    let message = condition(&told, "Ready").unwrap().message;
    assert!(message.contains("Tenant orciano is Terminated"), "{message}");
    controller.stop().await;
}
