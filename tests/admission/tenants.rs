//! What a Tenant may say.

use crate::{accepts, rejects};

pub(crate) const TENANT: &str = "displayName: Comune di Urbino, entityType: Comune";

fn tenant(more: &str) -> String {
    format!("{TENANT}, {more}")
}

async fn accepts_tenant(more: &[&str]) {
    let specs: Vec<String> = more.iter().map(|more| tenant(more)).collect();
    accepts("Tenant", "urbino", &specs.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

async fn rejects_tenant(more: &[&str], because: &str) {
    let specs: Vec<String> = more.iter().map(|more| tenant(more)).collect();
    rejects("Tenant", "urbino", &specs.iter().map(String::as_str).collect::<Vec<_>>(), because).await;
}

#[tokio::test]
async fn a_tenants_name_fits_into_its_namespaces() {
    accepts("Tenant", &"x".repeat(61), &[TENANT]).await;
    rejects("Tenant", &"x".repeat(62), &[TENANT], "metadata.name must be a DNS label of at most 61 characters").await;
    rejects("Tenant", "comune.urbino", &[TENANT], "metadata.name must be a DNS label").await;
}

#[tokio::test]
async fn a_tenant_says_who_it_is() {
    for kind in ["Comune", "UnioneMontana", "UnioneDiComuni", "ComunitaMontana", "EnteTerritoriale", "Provincia"] {
        accepts("Tenant", "x", &[&format!("displayName: x, entityType: {kind}")]).await;
    }
    rejects("Tenant", "x", &["displayName: x, entityType: Regione"], "spec.entityType: Unsupported value").await;
    rejects("Tenant", "x", &["displayName: '', entityType: Comune"], "spec.displayName").await;
    rejects("Tenant", "x", &["entityType: Comune"], "spec.displayName: Required value").await;
    rejects(
        "Tenant",
        "x",
        &[&format!("displayName: {}, entityType: Comune", "x".repeat(201))],
        "may not be more than 200",
    )
    .await;
    accepts_tenant(&["ipaCode: c_l500"]).await;
    rejects_tenant(&["ipaCode: 'c l500'", "ipaCode: ''"], "spec.ipaCode").await;
}

#[tokio::test]
async fn an_agreement_ends_after_it_begins() {
    let agreement =
        |from: &str, until: &str| tenant(&format!("agreement: {{reference: x, from: '{from}', until: '{until}'}}"));
    accepts("Tenant", "x", &[&agreement("2021-01-01", "2021-01-01"), &agreement("2021-01-01T00:00:00Z", "2025-12-31")])
        .await;
    rejects("Tenant", "x", &[&agreement("2021-01-02", "2021-01-01")], "until must not be before from").await;
    for wrong in ["2021-1-1", "01-01-2021", "2021-13-01", "2021-01-32", "2021-01-01T12:00:00Z", ""] {
        rejects("Tenant", "x", &[&agreement(wrong, "2025-12-31")], "spec.agreement.from").await;
    }
    accepts_tenant(&["agreement: {reference: x, from: '2021-01-01', until: '2025-12-31', graceDays: 0}"]).await;
    rejects_tenant(
        &[
            "agreement: {reference: x, from: '2021-01-01', until: '2025-12-31', graceDays: -1}",
            "agreement: {reference: x, from: '2021-01-01', until: '2025-12-31', graceDays: 3651}",
        ],
        "spec.agreement.graceDays",
    )
    .await;
}

#[tokio::test]
async fn a_tenants_domains_are_names() {
    accepts_tenant(&[
        "domains: [comune.urbino.pu.it, città.example, 2.0.192.in-addr.arpa, 64/26.2.0.192.in-addr.arpa]",
    ])
    .await;
    rejects_tenant(&["domains: ['comune urbino']", "domains: ['']"], "spec.domains[0]").await;
    let many = vec!["a.example"; 201].join(", ");
    rejects_tenant(&[&format!("domains: [{many}]")], "spec.domains: Too many").await;
}

#[tokio::test]
async fn limits_are_counts_and_sizes() {
    accepts_tenant(&[
        "limits: {mailboxes: 0, mailStorage: 300Gi, webSites: 4, webStorage: 100G, cpu: '8', memory: 16Gi}",
        "limits: {cpu: 500m}",
    ])
    .await;
    rejects_tenant(&["limits: {mailboxes: -1}"], "spec.limits.mailboxes").await;
    rejects_tenant(&["limits: {mailStorage: 300GB}", "limits: {mailStorage: '1.5Gi'}"], "spec.limits.mailStorage")
        .await;
    rejects_tenant(&["limits: {webStorage: lots}"], "spec.limits.webStorage").await;
    rejects_tenant(&["limits: {webSites: 10001}"], "spec.limits.webSites").await;
    rejects_tenant(&["limits: {cpu: '0.5'}"], "spec.limits.cpu").await;
    rejects_tenant(&["limits: {memory: 16gb}"], "spec.limits.memory").await;
}

#[tokio::test]
async fn administrators_are_users_and_groups() {
    accepts_tenant(&[
        "administrators: [{kind: Group, name: urbino-admins}, {kind: User, name: ci@comune.urbino.pu.it}]",
    ])
    .await;
    rejects_tenant(
        &["administrators: [{kind: ServiceAccount, name: x}]"],
        "spec.administrators[0].kind: Unsupported value",
    )
    .await;
    rejects_tenant(&["administrators: [{kind: User, name: ''}]"], "spec.administrators[0].name").await;
    accepts_tenant(&["helpdesk: [{kind: Group, name: centre-helpdesk}]"]).await;
    rejects_tenant(&["helpdesk: [{kind: Robot, name: x}]"], "spec.helpdesk[0].kind: Unsupported value").await;
    accepts_tenant(&["state: Active", "state: Suspended", "state: Terminated"]).await;
    rejects_tenant(&["state: Gone"], "spec.state: Unsupported value").await;
}
