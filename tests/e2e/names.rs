//! Domains: a record changes, a Domain goes and comes back.

use std::time::Instant;

use serde_json::{Value, json};

use crate::ask::{dig, is_valid, rcode};
use crate::member::{Member, until};

fn www(address: &str) -> Value {
    json!([{"name": "www", "type": "A", "values": [address], "ttl": 60}])
}

#[tokio::test]
async fn a_changed_record_is_answered_by_every_server_and_valid() {
    let member = Member::join().await;
    let (zone, servers) = (member.zone.clone(), member.cluster.name_servers.clone());
    let name = format!("www.{zone}");
    member.domain(www("192.0.2.1")).await;
    let domain = member.ready("Domain", &zone).await;
    let ds = domain["status"]["zone"]["ds"][0].as_str().unwrap().to_owned();
    for server in &servers {
        assert_eq!(dig(server, &name, "A"), ["192.0.2.1"]);
        assert!(is_valid(server, &zone, &ds), "{server}");
    }

    member.domain(www("192.0.2.2")).await;
    let begin = Instant::now();
    until("both servers answer the new address", || {
        servers.iter().all(|server| dig(server, &name, "A") == ["192.0.2.2"])
    })
    .await;
    println!("a changed record is answered by both servers after {} ms", begin.elapsed().as_millis());
    member.ready("Domain", &zone).await;
    assert!(servers.iter().all(|server| is_valid(server, &zone, &ds)), "the key stays");
    member.leave().await;
}

#[tokio::test]
async fn a_retained_domain_is_served_on_and_comes_back_as_it_was() {
    let member = Member::join().await;
    let (zone, servers) = (member.zone.clone(), member.cluster.name_servers.clone());
    member.domain(www("192.0.2.1")).await;
    let before = member.ready("Domain", &zone).await["status"]["zone"].clone();
    member.delete("Domain", &zone).await;
    // What would drop it would have done so by the time that a later change is served.
    let other = format!("altro.{zone}");
    member.apply("Domain", &other, json!({"records": [{"name": "@", "type": "A", "values": ["192.0.2.9"]}]})).await;
    member.ready("Domain", &other).await;
    for server in &servers {
        assert_eq!(dig(server, &format!("www.{zone}"), "A"), ["192.0.2.1"], "{server}");
    }
    member.domain(www("192.0.2.2")).await;
    let after = member.ready("Domain", &zone).await["status"]["zone"].clone();
    assert_eq!(after["ds"], before["ds"]);
    assert!(after["serial"].as_u64() > before["serial"].as_u64(), "{before} {after}");

    // The member itself goes: the zone stays as long as any that was deleted.
    member.leave().await;
    let next = Member::join().await;
    next.domain(www("192.0.2.3")).await;
    next.ready("Domain", &next.zone).await;
    assert!(servers.iter().all(|server| dig(server, &format!("www.{zone}"), "A") == ["192.0.2.2"]));
    next.leave().await;
}

#[tokio::test]
async fn a_domain_to_be_deleted_is_gone_from_every_server_when_somebody_looked_at_its_parent() {
    let member = Member::join().await;
    let (zone, servers) = (member.zone.clone(), member.cluster.name_servers.clone());
    member.apply("Domain", &zone, json!({"deletionPolicy": "Delete", "records": www("192.0.2.1")})).await;
    member.ready("Domain", &zone).await;
    assert!(servers.iter().all(|server| rcode(server, &zone) == "NOERROR"));
    member.delete("Domain", &zone).await;
    let told = member.ready_is("Tenant", &member.tenant, "False").await;
    let told = told["status"]["conditions"].to_string();
    assert!(told.contains("nobody asks what the parent has"), "{told}");
    assert!(servers.iter().all(|server| rcode(server, &zone) == "NOERROR"));
    let (_, digest) = told.split_once("territorial.services/approve: ").unwrap();
    member.annotate_tenant("territorial.services/approve", &digest[..12]).await;
    until("no server knows the zone", || servers.iter().all(|server| rcode(server, &zone) == "REFUSED")).await;
    member.leave().await;
}
