//! What a tenant's people may do in their namespace, and that it ends there.

use std::collections::BTreeSet;

use cst_api::{Domain, Tenant, TenantState};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::rules::{each, rules};
use super::*;

#[tokio::test]
async fn a_tenant_is_deleted_only_when_terminated() {
    let client = admin().await;
    let tenants: Api<Tenant> = Api::all(client.clone());
    for (name, state) in [("implicit", None), ("active", Some("Active")), ("suspended", Some("Suspended"))] {
        apply_tenant(&client, name, state).await;
        let message = refusal(tenants.delete(name, &DeleteParams::default()).await);
        assert!(message.contains(&format!("Tenant {name} is not Terminated: set spec.state")), "{name}: {message}");
    }
    let terminated = apply_tenant(&client, "terminated", Some("Terminated")).await;
    assert_eq!(terminated.spec.state, Some(TenantState::Terminated));
    let message = refusal(tenants.delete("terminated", &DeleteParams::default()).await);
    assert!(
        message.contains("the controller has not taken note yet that Tenant terminated is Terminated"),
        "{message}"
    );
    let taken_note = Patch::Merge(json!({"status": {"state": "Terminated"}}));
    tenants.patch_status("terminated", &PatchParams::default(), &taken_note).await.unwrap();
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
        try_create(&tenant, "t-secrets", &secret("own", labels, type_)).await.unwrap();
    }
    for (labels, type_, hint) in [
        (json!({"territorial.services/tenant": "secrets"}), "Opaque", "leave them to it"),
        (json!({"territorial.services/anything": ""}), "kubernetes.io/tls", "leave them to it"),
        (json!({"app.kubernetes.io/managed-by": "cst"}), "Opaque", "leave them to it"),
        (json!({}), "kubernetes.io/basic-auth", "Opaque or kubernetes.io/tls"),
        (json!({}), "example.net/own", "Opaque or kubernetes.io/tls"),
    ] {
        let message = refusal(try_create(&tenant, "t-secrets", &secret("forged", labels.clone(), type_)).await);
        assert!(message.contains(hint), "{labels} {type_}: {message}");
        try_create(&client, "t-secrets", &secret("forged", labels, type_)).await.unwrap();
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
    let merge =
        async |name, patch: Value| refusal(tenant.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await);
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

/// As `cst password` writes it.
fn password(tenant: &str, name: &str, hash: &str) -> Secret {
    let labels = json!({"app.kubernetes.io/managed-by": "cst", "territorial.services/tenant": tenant});
    let metadata = json!({"name": name, "namespace": format!("t-{tenant}"), "labels": labels});
    serde_json::from_value(json!({"metadata": metadata, "type": "Opaque", "data": {
        "hash": ByteString(hash.as_bytes().to_vec()), "changed": ByteString(b"2026-11-23T08:15:30Z".to_vec())}}))
    .unwrap()
}

#[tokio::test]
async fn a_tenant_changes_a_boxes_password_and_nothing_else_of_ours() {
    let client = admin().await;
    let tenant: Api<Secret> = Api::namespaced(tenancy(&client, "changing").await, "t-changing");
    let ours: Api<Secret> = Api::namespaced(controller().await, "t-changing");
    let cst = PatchParams::apply("cst").force();
    let apply = async |api: &Api<Secret>, secret: &Secret| {
        refusal(api.patch(&secret.name_any(), &cst, &Patch::Apply(secret)).await)
    };
    let mut generated = password("changing", "anna-password", "generated");
    generated.data.as_mut().unwrap().insert("password".into(), ByteString(b"abcde".to_vec()));
    assert_eq!(apply(&ours, &generated).await, "");
    assert!(apply(&tenant, &generated).await.contains("leave them to it"), "what is generated is ours");

    assert_eq!(apply(&tenant, &password("changing", "anna-password", "new")).await, "");
    let changed = tenant.get("anna-password").await.unwrap().data.unwrap();
    assert_eq!(changed.keys().collect::<Vec<_>>(), ["changed", "hash"], "the generated one went");
    assert_eq!(apply(&tenant, &password("changing", "bruna-password", "first")).await, "");

    let altered = |alter: fn(&mut Secret)| {
        let mut secret = password("changing", "anna-password", "x");
        alter(&mut secret);
        secret
    };
    for wrong in [
        altered(|secret| secret.metadata.name = Some("portale-database".into())),
        altered(|secret| drop(secret.labels_mut().insert("territorial.services/site".into(), "x".into()))),
        altered(|secret| drop(secret.labels_mut().insert("territorial.services/tenant".into(), "other".into()))),
        altered(|secret| drop(secret.data.as_mut().unwrap().remove("hash"))),
        altered(|secret| drop(secret.data.as_mut().unwrap().insert("more".into(), ByteString(Vec::new())))),
        altered(|secret| secret.immutable = Some(true)),
        altered(|secret| secret.finalizers_mut().push("example.net/stays".into())),
        altered(|secret| {
            let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"});
            secret.owner_references_mut().push(serde_json::from_value(owner).unwrap());
        }),
    ] {
        assert!(apply(&tenant, &wrong).await.contains("leave them to it"), "{wrong:?}");
    }
    let own = secret("carla-password", json!({}), "Opaque");
    tenant.create(&PostParams::default(), &own).await.unwrap();
    assert!(
        apply(&tenant, &password("changing", "carla-password", "x")).await.contains("leave them to it"),
        "not taken over"
    );
    assert!(refusal(tenant.delete("anna-password", &DeleteParams::default()).await).contains("leave them to it"));
}

fn lock(tenant: &str, name: &str) -> Secret {
    let mut lock = password(tenant, name, "");
    lock.data = Some([("since".to_owned(), ByteString(b"2026-11-23T08:15:30Z".to_vec()))].into());
    lock
}

#[tokio::test]
async fn a_helpdesk_changes_passwords_and_locks_boxes_and_writes_and_reads_nothing_else() {
    let client = admin().await;
    let tenant: Api<Secret> = Api::namespaced(tenancy(&client, "helped").await, "t-helped");
    let ours: Api<Secret> = Api::namespaced(controller().await, "t-helped");
    let somebody = member_of("helped-helpdesk").await;
    let mut wanted = each(&["get", "list", "watch"], &["mailboxes.territorial.services"]);
    wanted.extend(each(&["create", "patch", "delete"], &["secrets"]));
    assert_eq!(rules(&somebody, "t-helped").await, wanted);
    for elsewhere in ["t-probe", chart::NAMESPACE, "cst-mail"] {
        assert_eq!(rules(&somebody, elsewhere).await, BTreeSet::new(), "{elsewhere}");
    }
    let helpdesk: Api<Secret> = Api::namespaced(somebody, "t-helped");
    let cst = PatchParams::apply("cst").force();
    let apply = async |api: &Api<Secret>, secret: &Secret| {
        refusal(api.patch(&secret.name_any(), &cst, &Patch::Apply(secret)).await)
    };
    let mut generated = password("helped", "anna-password", "generated");
    generated.data.as_mut().unwrap().insert("password".into(), ByteString(b"abcde".to_vec()));
    apply(&ours, &generated).await;
    apply(&ours, &secret("portale-database", json!({"app.kubernetes.io/managed-by": "cst"}), "Opaque")).await;
    tenant.create(&PostParams::default(), &secret("own", json!({}), "Opaque")).await.unwrap();

    // An empty patch answers with the whole object: it is refused, with a generated password as with a user's hash.
    let empty =
        async |name: &str| refusal(helpdesk.patch(name, &PatchParams::default(), &Patch::Merge(json!({}))).await);
    for name in ["anna-password", "own", "portale-database"] {
        assert!(empty(name).await.contains("cst"), "{name}");
        assert!(!refusal(helpdesk.delete(name, &DeleteParams::default()).await).is_empty(), "{name}");
        assert!(!refusal(helpdesk.get(name).await).is_empty(), "{name}");
    }
    assert_eq!(apply(&helpdesk, &password("helped", "anna-password", "new")).await, "");
    assert_eq!(apply(&helpdesk, &password("helped", "bruna-password", "first")).await, "");
    assert!(empty("anna-password").await.contains("leave them to it"));

    for (api, name) in [(&helpdesk, "anna-lock"), (&tenant, "bruna-lock")] {
        assert_eq!(apply(api, &lock("helped", name)).await, "");
        assert_eq!(apply(api, &lock("helped", name)).await, "", "locked already");
        assert_eq!(refusal(api.delete(name, &DeleteParams::default()).await), "");
        assert!(ours.get_opt(name).await.unwrap().is_none());
    }
    for (api, name) in [(&helpdesk, "anna-app-scanner"), (&tenant, "bruna-app-phone")] {
        assert_eq!(apply(api, &password("helped", name, "made")).await, "");
        assert_eq!(apply(api, &password("helped", name, "another")).await, "", "another in its place");
        assert!(!empty(name).await.is_empty(), "{name}");
        assert!(!refusal(helpdesk.get(name).await).is_empty(), "{name}");
        assert_eq!(refusal(api.delete(name, &DeleteParams::default()).await), "");
        assert!(ours.get_opt(name).await.unwrap().is_none());
    }
    for name in ["anna-app-two-words", "anna-app", "anna-app-longer0than0twenty0characters"] {
        assert!(!apply(&helpdesk, &password("helped", name, "made")).await.is_empty(), "{name}");
    }
    let own = secret("mine-lock", json!({}), "Opaque");
    tenant.create(&PostParams::default(), &own).await.unwrap();
    assert!(apply(&helpdesk, &lock("helped", "mine-lock")).await.contains("leave them to it"), "not taken over");
    for wrong in [lock("helped", "portale-database"), lock("helped", "own"), own, secret("more", json!({}), "Opaque")] {
        assert!(!apply(&helpdesk, &wrong).await.is_empty(), "{wrong:?}");
    }
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
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "coordinators"}]});
    for object in [role, binding] {
        apply(&client, &manifest(object)).await.unwrap();
    }
    let coordinator = member_of("coordinators").await;
    try_create(&coordinator, "t-coordinated", &secret("release", json!({}), "helm.sh/release.v1")).await.unwrap();
}

/// Whose change it is approves nothing of it.
#[tokio::test]
async fn a_held_change_is_approved_by_the_coordinator_alone() {
    let client = admin().await;
    let tenant: Api<Domain> = Api::namespaced(tenancy(&client, "holding").await, "t-holding");
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "approver"}, "rules": [
        {"apiGroups": ["territorial.services"], "resources": ["tenants"], "resourceNames": ["holding"], "verbs": ["update"]},
        {"apiGroups": ["territorial.services"], "resources": ["domains"], "verbs": ["*"]},
    ]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "approver"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "approver"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "approvers"}]});
    for object in [role, binding] {
        apply(&client, &manifest(object)).await.unwrap();
    }
    let approver = member_of("approvers").await;
    let (post, merge) = (PostParams::default(), PatchParams::default());
    let (first, second) = (Some("0123456789ab"), Some("ba9876543210"));
    let theirs = "is the coordinator’s, who may update Tenant holding";
    let set = async |api: &Api<Domain>, digest: Option<&str>| {
        let patch = json!({"metadata": {"annotations": {"territorial.services/approve": digest}}});
        refusal(api.patch("holding.example", &merge, &Patch::Merge(patch)).await)
    };

    let message = refusal(tenant.create(&post, &approved_domain("holding", first)).await);
    assert!(message.contains(theirs), "{message}");
    tenant.create(&post, &approved_domain("holding", None)).await.unwrap();
    assert!(set(&tenant, first).await.contains(theirs));

    let coordinator: Api<Domain> = Api::namespaced(approver.clone(), "t-holding");
    assert_eq!(set(&coordinator, first).await, "");
    assert!(set(&tenant, second).await.contains(theirs));
    assert_eq!(set(&tenant, first).await, "", "it is there");
    let other = json!({"spec": {"ttl": 300}});
    tenant.patch("holding.example", &merge, &Patch::Merge(other)).await.expect("the rest is the tenant's own");
    assert_eq!(set(&tenant, None).await, "", "an approval that is not there harms nobody");
    assert!(set(&tenant, first).await.contains(theirs));

    tenancy(&client, "elsewhere").await;
    let elsewhere: Api<Domain> = Api::namespaced(approver, "t-elsewhere");
    let message = refusal(elsewhere.create(&post, &approved_domain("elsewhere", first)).await);
    assert!(
        message.contains("who may update Tenant elsewhere"),
        "one Tenant's coordinator is not another's: {message}"
    );
    for (kind, spec) in [
        ("Mailbox", json!({"address": "a@holding.example"})),
        ("WebSite", json!({"application": "Static", "host": "holding.example"})),
    ] {
        let object = manifest(json!({"apiVersion": cst_api::API_VERSION, "kind": kind, "spec": spec, "metadata": {
            "name": "a", "namespace": "t-holding", "annotations": {"territorial.services/approve": "0123456789ab"}}}));
        let message = refusal(try_apply(&member_of("holding").await, &object).await);
        assert!(message.contains(theirs), "{kind}: {message}");
    }
}

#[tokio::test]
async fn a_tenants_administrators_may_do_this_in_their_namespace_and_nothing_elsewhere() {
    let client = admin().await;
    let tenant = tenancy(&client, "inside").await;
    tenancy(&client, "outside").await;
    let (read, write) = (["get", "list", "watch"], ["create", "update", "patch", "delete"]);
    let theirs = ["domains", "mailboxes", "websites"].map(|kind| format!("{kind}.territorial.services"));
    let theirs: Vec<&str> = theirs.iter().map(String::as_str).chain(["secrets"]).collect();
    let mut wanted = each(&read, &["pods", "pods/log", "events", "events.events.k8s.io"]);
    wanted.extend(each(&[read.as_slice(), &write].concat(), &theirs));
    assert_eq!(rules(&tenant, "t-inside").await, wanted);
    for elsewhere in ["t-outside", chart::NAMESPACE, "cst-mail", "kube-system"] {
        assert_eq!(rules(&tenant, elsewhere).await, BTreeSet::new(), "{elsewhere}");
    }
    try_create(&tenant, "t-inside", &secret("s", json!({}), "Opaque")).await.unwrap();
    let message = refusal(try_create(&tenant, "t-outside", &secret("s", json!({}), "Opaque")).await);
    assert!(message.contains("cannot create resource \"secrets\""), "{message}");
}

#[tokio::test]
async fn a_tenants_namespace_is_not_deleted_before_the_tenant_is_terminated() {
    let client = admin().await;
    tenancy(&client, "lunano").await;
    let (namespaces, dry) =
        (Api::<Namespace>::all(client.clone()), DeleteParams { dry_run: true, ..DeleteParams::default() });
    let message = refusal(namespaces.delete("t-lunano", &dry).await);
    assert!(message.contains("set spec.state of Tenant lunano to Terminated first"), "{message}");
    let terminated = apply_tenant(&client, "lunano", Some("Terminated")).await;
    for object in tenancy::objects(&terminated, &tenancy::Installation::default()) {
        apply(&controller().await, &object).await.unwrap();
    }
    assert_eq!(refusal(namespaces.delete("t-lunano", &dry).await), "");
    // Namespaces of others are none of its business.
    let other = manifest(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "others"}}));
    apply(&client, &other).await.unwrap();
    assert_eq!(refusal(namespaces.delete("others", &dry).await), "");
}
