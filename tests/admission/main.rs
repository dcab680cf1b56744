//! What the API server takes and refuses: each rule, pattern and bound of the CRDs, by what a user would write.

mod domains;
mod mailboxes;
mod sites;
mod tenants;

use cst_tests::api_server;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, ResourceExt};

/// An object of a kind: `name` and the inside of its `spec`.
fn object(kind: &str, name: &str, spec: &str) -> DynamicObject {
    serde_yaml::from_str(&format!(
        "{{apiVersion: territorial.services/v1alpha1, kind: {kind}, metadata: {{name: \"{name}\"}}, spec: {{{spec}}}}}"
    ))
    .unwrap_or_else(|error| panic!("{spec}: {error}"))
}

fn api(client: &Client, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("territorial.services", "v1alpha1", kind));
    if kind == "Tenant" {
        Api::all_with(client.clone(), &resource)
    } else {
        Api::namespaced_with(client.clone(), "default", &resource)
    }
}

/// What the server says to an object that it is asked to create, without creating it.
async fn refusal(client: &Client, object: &DynamicObject) -> Option<String> {
    let kind = object.types.as_ref().unwrap().kind.clone();
    let params = PostParams { dry_run: true, ..PostParams::default() };
    api(client, &kind).create(&params, object).await.err().map(|error| error.to_string())
}

async fn accepts(kind: &str, name: &str, specs: &[&str]) {
    let client = api_server::client().await;
    for spec in specs {
        let refusal = refusal(&client, &object(kind, name, spec)).await;
        assert_eq!(refusal, None, "{kind} {name} {{{spec}}}");
    }
}

/// Every spec is refused with a message that has this in it.
async fn rejects(kind: &str, name: &str, specs: &[&str], because: &str) {
    let client = api_server::client().await;
    for spec in specs {
        let refusal = refusal(&client, &object(kind, name, spec)).await;
        let refusal = refusal.unwrap_or_else(|| panic!("{kind} {name} {{{spec}}} was taken"));
        assert!(refusal.contains(because), "{kind} {name} {{{spec}}}: {refusal}");
    }
}

/// A change of an object's spec: what the server says.
async fn change(kind: &str, name: &str, from: &str, to: &str) -> Option<String> {
    let client = api_server::client().await;
    let (api, params) = (api(&client, kind), PatchParams::apply("user").force());
    let before = object(kind, name, from);
    api.patch(name, &params, &Patch::Apply(&before)).await.unwrap();
    let after = object(kind, name, to);
    let changed = api.patch(&after.name_any(), &params, &Patch::Apply(&after)).await;
    api.delete(name, &kube::api::DeleteParams::default()).await.unwrap();
    changed.err().map(|error| error.to_string())
}

#[tokio::test]
async fn an_unknown_field_is_told_to_who_asks_for_strictness() {
    let client = api_server::client().await;
    for (kind, name, spec) in [
        ("Tenant", "x", format!("{}, residenti: 5", tenants::TENANT)),
        ("Domain", "a.it", "record: []".into()),
        ("Mailbox", "x", "address: a@b.it, alias: [c@b.it]".into()),
        ("WebSite", "x", format!("{}, php: '8.4'", sites::SITE)),
    ] {
        let params = PatchParams { dry_run: true, ..PatchParams::apply("user") }.validation_strict();
        let patched = api(&client, kind).patch(name, &params, &Patch::Apply(&object(kind, name, &spec))).await;
        let refusal = patched.err().unwrap_or_else(|| panic!("{kind} {spec} was taken")).to_string();
        assert!(refusal.contains("field not declared in schema") || refusal.contains("unknown field"), "{refusal}");
    }
}

#[tokio::test]
async fn an_object_nobody_has_looked_at_is_not_current() {
    let client = api_server::client().await;
    let api = api(&client, "Mailbox");
    let made = api.create(&PostParams::default(), &object("Mailbox", "unseen", "address: a@b.it")).await.unwrap();
    assert_eq!(made.data["status"]["observedGeneration"], -1);
    api.delete("unseen", &kube::api::DeleteParams::default()).await.unwrap();
}
