//! A member of the centre that a test makes for itself: a Tenant with one name, and what the test declares in it.

use std::sync::atomic::{AtomicU32, Ordering};

use cst_tests::centre::condition;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use crate::cluster::{Cluster, eventually};

pub struct Member {
    pub cluster: Cluster,
    /// The Tenant's name.
    pub tenant: String,
    /// The name it may hold, with all below it.
    pub zone: String,
}

impl Member {
    /// A new one: no run of the tests meets what another left.
    pub async fn join() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let cluster = Cluster::connect().await;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let tenant = format!("collaudo-{}-{number}", std::process::id());
        let member = Self { cluster, zone: format!("{tenant}.example"), tenant };
        let spec =
            json!({"displayName": "Ente di collaudo", "entityType": "EnteTerritoriale", "domains": [member.zone]});
        member.apply("Tenant", &member.tenant, spec).await;
        member.ready("Tenant", &member.tenant).await;
        member
    }

    pub fn namespace(&self) -> String {
        cst_api::tenant_namespace(&self.tenant)
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("territorial.services", "v1alpha1", kind));
        match kind {
            "Tenant" => Api::all_with(self.cluster.client.clone(), &resource),
            _ => Api::namespaced_with(self.cluster.client.clone(), &self.namespace(), &resource),
        }
    }

    /// Declares one of the four kinds, as `kubectl apply --server-side` does.
    pub async fn apply(&self, kind: &str, name: &str, spec: Value) {
        let object =
            json!({"apiVersion": cst_api::API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec});
        let params = PatchParams::apply("collaudo").force();
        self.api(kind)
            .patch(name, &params, &Patch::Apply(object))
            .await
            .unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
    }

    /// The member's Domain, with mail hosted here, and these records.
    pub async fn domain(&self, records: Value) {
        let spec = json!({"mail": {"mode": "Hosted"}, "records": records});
        self.apply("Domain", &self.zone, spec).await;
    }

    /// A box with these aliases, by their local parts.
    pub async fn mailbox(&self, local: &str, aliases: &[&str], more: Value) {
        let address = |local: &&str| format!("{local}@{}", self.zone);
        let mut spec = json!({"address": address(&local), "aliases": aliases.iter().map(address).collect::<Vec<_>>()});
        spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.apply("Mailbox", local, spec).await;
    }

    pub fn address(&self, local: &str) -> String {
        format!("{local}@{}", self.zone)
    }

    /// The password that was generated for a box.
    pub async fn password(&self, local: &str) -> String {
        self.cluster.secret(&self.namespace(), &format!("{local}-password"), "password").await
    }

    /// The coordinator's word on the member.
    pub async fn annotate_tenant(&self, annotation: &str, value: &str) {
        let patch = json!({"metadata": {"annotations": {annotation: value}}});
        self.api("Tenant").patch(&self.tenant, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    }

    pub async fn delete(&self, kind: &str, name: &str) {
        self.api(kind).delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// An object as it is now.
    pub async fn get(&self, kind: &str, name: &str) -> Value {
        serde_json::to_value(self.api(kind).get(name).await.unwrap()).unwrap()
    }

    /// Waits until what was declared last is Ready.
    pub async fn ready(&self, kind: &str, name: &str) -> Value {
        self.ready_is(kind, name, "True").await
    }

    /// Waits until the condition Ready says so of what was declared last.
    pub async fn ready_is(&self, kind: &str, name: &str, status: &str) -> Value {
        let mut last = None;
        let found = eventually(async || {
            let object = self.api(kind).get(name).await.ok()?;
            let ready = condition(&object, "Ready");
            last = Some(object.clone());
            let current = ready.as_ref().is_some_and(|ready| ready.observed_generation == object.metadata.generation);
            (current && ready?.status == status).then_some(object)
        });
        let found = found.await.unwrap_or_else(|| panic!("{kind} {name} does not get Ready={status}: {last:#?}"));
        serde_json::to_value(&found).unwrap()
    }

    /// The member leaves: everything of it goes.
    pub async fn leave(self) {
        let patch = json!({"spec": {"state": "Terminated"}});
        self.api("Tenant").patch(&self.tenant, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
        // Its Tenant may go when its status says so.
        let tenants = self.api("Tenant");
        let goes = async || tenants.delete(&self.tenant, &DeleteParams::default()).await.ok().map(drop);
        eventually(goes).await.expect("a Tenant that is Terminated may go");
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.cluster.client.clone());
        // Its namespace may go when the controller has seen that it left.
        let goes = async || namespaces.delete(&self.namespace(), &DeleteParams::default()).await.ok().map(drop);
        eventually(goes).await.expect("the Namespace of a tenant that left may go");
    }
}

/// Waits until it holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let ask = async || holds().then_some(());
    eventually(ask).await.unwrap_or_else(|| panic!("it does not come to this: {what}"));
}
