//! What the API server takes and refuses: each rule, pattern and bound of the CRDs, by what a user would write.

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

const TENANT: &str = "displayName: Comune di Urbino, entityType: Comune";

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
    accepts_tenant(&["state: Active", "state: Suspended", "state: Terminated"]).await;
    rejects_tenant(&["state: Gone"], "spec.state: Unsupported value").await;
}

async fn accepts_records(records: &[&str]) {
    for record in records {
        accepts("Domain", "comune.urbino.pu.it", &[&format!("records: [{record}]")]).await;
    }
}

async fn rejects_records(records: &[&str], because: &str) {
    for record in records {
        rejects("Domain", "comune.urbino.pu.it", &[&format!("records: [{record}]")], because).await;
    }
}

#[tokio::test]
async fn a_cname_stands_alone_and_not_at_the_apex() {
    accepts_records(&["{name: www, type: CNAME, values: [a.example]}", "{name: '@', type: A, values: ['192.0.2.1']}"])
        .await;
    rejects_records(&["{name: '@', type: CNAME, values: [a.example]}"], "a CNAME cannot stand at the apex").await;
    rejects_records(&["{name: www, type: CNAME, values: [a.example, b.example]}"], "a CNAME has exactly one value")
        .await;
}

#[tokio::test]
async fn a_record_has_a_name_below_the_zone_a_known_type_and_values() {
    for type_ in [
        "A",
        "AAAA",
        "CAA",
        "CNAME",
        "DS",
        "HTTPS",
        "LOC",
        "MX",
        "NAPTR",
        "NS",
        "PTR",
        "SRV",
        "SSHFP",
        "SVCB",
        "TLSA",
        "TXT",
        "URI",
        "TYPE65280",
    ] {
        accepts_records(&[&format!("{{name: a, type: {type_}, values: [x]}}")]).await;
    }
    accepts_records(&[
        "{name: '*', type: TXT, values: ['']}",
        "{name: '*.a.b', type: TXT, values: [x]}",
        "{name: _dmarc, type: TXT, values: ['v=DMARC1; p=none']}",
        "{name: città, type: TXT, values: [x]}",
        "{name: 1/27, type: NS, values: [a.example]}",
    ])
    .await;
    rejects_records(
        &[
            "{name: '', type: A, values: [x]}",
            "{name: a., type: A, values: [x]}",
            "{name: a..b, type: A, values: [x]}",
            "{name: 'a b', type: A, values: [x]}",
            "{name: a.*, type: A, values: [x]}",
            "{name: 'a;b', type: A, values: [x]}",
            "{name: \"a\\nb\", type: A, values: [x]}",
            "{name: 'a\"b', type: A, values: [x]}",
        ],
        "spec.records[0].name",
    )
    .await;
    rejects_records(
        &[
            "{name: a, type: SPF, values: [x]}",
            "{name: a, type: a, values: [x]}",
            "{name: a, type: TYPE, values: [x]}",
            "{name: a, type: TYPE01, values: [x]}",
            "{name: a, type: TYPE655350, values: [x]}",
        ],
        "spec.records[0].type",
    )
    .await;
    rejects_records(&["{name: a, type: A, values: []}"], "spec.records[0].values").await;
    let long = format!("{{name: a, type: TXT, values: [{}]}}", "x".repeat(4097));
    rejects_records(&[&long], "spec.records[0].values[0]: Too long").await;
    rejects_records(
        &["{name: a, type: A, values: [x], ttl: 29}", "{name: a, type: A, values: [x], ttl: 604801}"],
        "spec.records[0].ttl",
    )
    .await;
}

#[tokio::test]
async fn a_domain_of_ten_thousand_records_is_taken() {
    let client = api_server::client().await;
    let domain = |count: usize| {
        let records: Vec<String> =
            (0..count).map(|n| format!("{{name: host{n}, type: A, values: ['192.0.2.1']}}")).collect();
        object("Domain", "comune.urbino.pu.it", &format!("records: [{}]", records.join(", ")))
    };
    assert_eq!(refusal(&client, &domain(10_000)).await, None);
    assert!(refusal(&client, &domain(10_001)).await.unwrap().contains("spec.records: Too many"));
}

#[tokio::test]
async fn addresses_ask_for_pointers_and_reverse_zones_take_them() {
    accepts_records(&[
        "{name: a, type: A, values: ['192.0.2.1'], ptr: true}",
        "{name: a, type: AAAA, values: ['2001:db8::1'], ptr: true}",
        "{name: a, type: TXT, values: [x], ptr: false}",
    ])
    .await;
    rejects_records(&["{name: a, type: TXT, values: [x], ptr: true}"], "ptr is for A and AAAA").await;
    let name = "2.0.192.in-addr.arpa";
    accepts("Domain", name, &["pointers: Tenant", "pointers: Centre", "pointers: None"]).await;
    rejects("Domain", name, &["pointers: Everybody"], "spec.pointers: Unsupported value").await;
}

#[tokio::test]
async fn a_zone_whose_name_is_no_objects_name_is_given_and_stays() {
    let zone = |first: u8| format!("zone: {first}/27.2.0.192.in-addr.arpa");
    accepts("Domain", "part", &[&zone(0)]).await;
    rejects("Domain", "part", &["zone: ''"], "spec.zone").await;
    assert_eq!(change("Domain", "kept", &zone(0), &format!("{}, ttl: 60", zone(0))).await, None);
    for (name, from, to) in
        [("moved", zone(0), zone(32)), ("left-out", zone(0), "ttl: 60".into()), ("added", "ttl: 60".into(), zone(0))]
    {
        let refusal = change("Domain", name, &from, &to).await.expect("refused");
        assert!(refusal.contains("zone is immutable: create another Domain"), "{refusal}");
    }
}

#[tokio::test]
async fn a_domains_mail_is_hosted_external_or_none() {
    let name = "comune.urbino.pu.it";
    accepts("Domain", name, &["mail: {mode: External, provider: Microsoft365}"]).await;
    accepts(
        "Domain",
        name,
        &["mail: {mode: External, hosts: [{name: mx.example.net, preference: 65535}, {name: mx2.example.net}]}"],
    )
    .await;
    rejects("Domain", name, &["mail: {mode: External, provider: Hotmail}"], "spec.mail.provider: Unsupported value")
        .await;
    rejects("Domain", name, &["mail: {mode: External, hosts: [{name: a.example, preference: 65536}]}"], "preference")
        .await;
    accepts("Domain", name, &["pec: {provider: Aruba}", "pec: {name: posta.cert, hosts: [{name: mx.example.net}]}"])
        .await;
    rejects("Domain", name, &["pec: {provider: Nobody}"], "spec.pec.provider: Unsupported value").await;
    rejects("Domain", name, &["pec: {name: '*', provider: Aruba}"], "spec.pec.name").await;
    accepts("Domain", name, &["", "ttl: 30", "ttl: 604800", "mail: {mode: Hosted}", "mail: {mode: None}"]).await;
    accepts("Domain", name, &["mail: {mode: Hosted, spf: {include: [a.example], all: Fail}, dmarc: {policy: Reject}}"])
        .await;
    rejects("Domain", name, &["ttl: 29", "ttl: 604801"], "spec.ttl").await;
    rejects("Domain", name, &["mail: {mode: Elsewhere}"], "spec.mail.mode: Unsupported value").await;
    rejects("Domain", name, &["mail: {}"], "spec.mail.mode: Required value").await;
    rejects("Domain", name, &["mail: {mode: Hosted, spf: {all: Pass}}"], "spec.mail.spf.all: Unsupported value").await;
    rejects(
        "Domain",
        name,
        &["mail: {mode: Hosted, spf: {include: [a,b,c,d,e,f,g,h,i]}}"],
        "spec.mail.spf.include: Too many",
    )
    .await;
    rejects(
        "Domain",
        name,
        &["mail: {mode: Hosted, dmarc: {policy: Drop}}"],
        "spec.mail.dmarc.policy: Unsupported value",
    )
    .await;
    accepts("Domain", name, &["deletionPolicy: Retain", "deletionPolicy: Delete"]).await;
    rejects("Domain", name, &["deletionPolicy: Orphan"], "spec.deletionPolicy: Unsupported value").await;
}

#[tokio::test]
async fn a_mailbox_has_a_plain_address() {
    let box_of = |address: &str| format!("address: \"{address}\"");
    for right in ["protocollo@comune.urbino.pu.it", "a@b.it", "anna.rossi_1-2@comune.urbino.pu.it"] {
        accepts("Mailbox", "x", &[&box_of(right)]).await;
    }
    for wrong in [
        "x",
        "@b.it",
        "a@",
        "Protocollo@b.it",
        ".a@b.it",
        "a.@b.it",
        "a b@c.it",
        "a@b@c.it",
        "|sh@b.it",
        "a+b@c.it",
        "a\\n@b.it",
    ] {
        rejects("Mailbox", "x", &[&box_of(wrong)], "spec.address").await;
    }
    rejects("Mailbox", "x", &[&box_of(&format!("{}@b.it", "a".repeat(250)))], "spec.address").await;
}

#[tokio::test]
async fn a_mailboxes_name_leaves_room_for_that_of_its_password() {
    accepts("Mailbox", &"x".repeat(244), &["address: a@b.it"]).await;
    rejects("Mailbox", &"x".repeat(245), &["address: a@b.it"], "metadata.name must have at most 244 characters").await;
}

#[tokio::test]
async fn a_mailbox_keeps_its_address() {
    let because = change("Mailbox", "kept", "address: a@b.it", "address: c@b.it").await;
    assert!(because.unwrap().contains("address is immutable"));
    assert_eq!(change("Mailbox", "moved", "address: a@b.it", "address: a@b.it, aliases: [c@b.it]").await, None);
}

#[tokio::test]
async fn a_mailboxes_aliases_are_other_addresses() {
    accepts("Mailbox", "x", &["address: a@b.it, aliases: [c@b.it, a@d.it]"]).await;
    rejects("Mailbox", "x", &["address: a@b.it, aliases: [a@b.it]"], "aliases must not repeat the address").await;
    rejects("Mailbox", "x", &["address: a@b.it, aliases: ['*@b.it']"], "spec.aliases[0]").await;
    let many: Vec<String> = (0..101).map(|n| format!("a{n}@b.it")).collect();
    rejects("Mailbox", "x", &[&format!("address: a@b.it, aliases: [{}]", many.join(", "))], "spec.aliases: Too many")
        .await;
}

#[tokio::test]
async fn a_mailboxes_other_fields_are_bounded() {
    accepts("Mailbox", "x", &["address: a@b.it, quota: 5Gi", "address: a@b.it, quota: '1000000'"]).await;
    rejects("Mailbox", "x", &["address: a@b.it, quota: 5GB", "address: a@b.it, quota: ''"], "spec.quota").await;
    for state in ["Active", "Suspended", "Archived", "Closed"] {
        accepts("Mailbox", "x", &[&format!("address: a@b.it, state: {state}")]).await;
    }
    rejects("Mailbox", "x", &["address: a@b.it, state: Deleted"], "spec.state: Unsupported value").await;
    accepts("Mailbox", "x", &["address: a@b.it, passwordSecretRef: {name: passwords, key: a}"]).await;
    rejects("Mailbox", "x", &["address: a@b.it, passwordSecretRef: {name: ''}"], "spec.passwordSecretRef.name").await;
    rejects("Mailbox", "x", &["address: a@b.it, deletionPolicy: Keep"], "spec.deletionPolicy").await;
    rejects("Mailbox", "x", &[&format!("address: a@b.it, displayName: {}", "x".repeat(201))], "spec.displayName").await;
}

const SITE: &str = "application: Lamp, host: comune.urbino.pu.it";

#[tokio::test]
async fn a_sites_name_is_short() {
    accepts("WebSite", &"x".repeat(40), &[SITE]).await;
    rejects("WebSite", &"x".repeat(41), &[SITE], "metadata.name must be a DNS label of at most 40 characters").await;
    rejects("WebSite", "a.b", &[SITE], "metadata.name must be a DNS label of at most 40 characters").await;
}

#[tokio::test]
async fn a_site_has_an_application_and_hosts() {
    accepts("WebSite", "x", &[SITE, &format!("{SITE}, aliases: [www.comune.urbino.pu.it]")]).await;
    rejects("WebSite", "x", &["host: a.it"], "spec.application: Required value").await;
    rejects("WebSite", "x", &["application: '1x', host: a.it", "application: 'a b', host: a.it"], "spec.application")
        .await;
    for wrong in ["https://a.it", "a.it/x", "*.a.it", "a b.it", "a.it:80", ""] {
        rejects("WebSite", "x", &[&format!("application: Lamp, host: '{wrong}'")], "spec.host").await;
        rejects("WebSite", "x", &[&format!("{SITE}, aliases: ['{wrong}']")], "spec.aliases[0]").await;
    }
    let repeated = format!("{SITE}, aliases: [comune.urbino.pu.it]");
    rejects("WebSite", "x", &[&repeated], "aliases must not repeat the host").await;
}

#[tokio::test]
async fn a_sites_storage_never_shrinks() {
    accepts("WebSite", "x", &[&format!("{SITE}, storage: 20Gi")]).await;
    rejects("WebSite", "x", &[&format!("{SITE}, storage: 20GiB")], "spec.storage").await;
    let of = |storage: &str| format!("{SITE}, storage: {storage}");
    let because = change("WebSite", "shrinks", &of("2Gi"), &of("2047Mi")).await;
    assert!(because.unwrap().contains("storage can grow, never shrink"));
    assert_eq!(change("WebSite", "grows", &of("2Gi"), &of("3Gi")).await, None);
    assert_eq!(change("WebSite", "moves", &of("2Gi"), "application: Lamp, host: b.it, storage: 2Gi").await, None);
}

#[tokio::test]
async fn an_unknown_field_is_told_to_who_asks_for_strictness() {
    let client = api_server::client().await;
    for (kind, name, spec) in [
        ("Tenant", "x", tenant("residenti: 5")),
        ("Domain", "a.it", "record: []".into()),
        ("Mailbox", "x", "address: a@b.it, alias: [c@b.it]".into()),
        ("WebSite", "x", format!("{SITE}, php: '8.4'")),
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
