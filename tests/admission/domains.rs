//! What a Domain may say.

use cst_tests::api_server;

use crate::{accepts, change, object, refusal, rejects};

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
    let set = |count: usize| {
        let values: Vec<String> = (0..count).map(|number| format!("x{number}")).collect();
        format!("{{name: a, type: TXT, values: [{}]}}", values.join(", "))
    };
    accepts_records(&[&set(100)]).await;
    rejects_records(&[&set(101)], "spec.records[0].values: Too many: 101: must have at most 100 items").await;
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
