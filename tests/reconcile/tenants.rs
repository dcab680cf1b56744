//! What stands in a tenant's namespace, whatever somebody does to it.

use cst_api::Tenant;
use cst_tests::centre::{Centre, eventually};
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};

#[tokio::test]
async fn fences_that_somebody_removed_or_changed_come_back() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("petriano", "[]").await;
    centre.until_reason(&Api::<Tenant>::all(centre.client.clone()), "petriano", "Ready").await;
    let delete = DeleteParams::default();
    let policies: Api<NetworkPolicy> = centre.api("t-petriano");
    let quotas: Api<ResourceQuota> = centre.api("t-petriano");
    policies.delete("cst.default-deny", &delete).await.unwrap();
    let open = serde_json::json!({"spec": {"egress": [{}]}});
    policies.patch("cst.name-resolution", &PatchParams::default(), &Patch::Merge(&open)).await.unwrap();
    quotas.delete("tenant", &delete).await.unwrap();
    let back = async || {
        let resolution = policies.get("cst.name-resolution").await.unwrap().spec.unwrap().egress.unwrap();
        let deny = policies.get_opt("cst.default-deny").await.unwrap();
        (resolution[0].to.is_some() && deny.is_some()).then_some(())
    };
    eventually(back).await.expect("its policies are as they were");
    eventually(async || quotas.get_opt("tenant").await.unwrap()).await.expect("its quota is there");
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
