//! The keys of a zone change while it is served: at every moment a validator that starts from the zone above believes every server.

use std::time::Instant;

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use serde_json::{Value, json};

use crate::ask::{dig, is_valid_below};
use crate::cluster::eventually;
use crate::member::Member;

/// A member's zone and one below it, with the shortest time to live there may be.
struct Family {
    member: Member,
    below: String,
    anchor: String,
}

impl Family {
    async fn new() -> Self {
        let member = Member::join().await;
        let below = format!("uffici.{}", member.zone);
        member.apply("Domain", &member.zone, json!({"ttl": 30})).await;
        let above = member.ready("Domain", &member.zone).await;
        let anchor = above["status"]["zone"]["ds"][0].as_str().unwrap().to_owned();
        let family = Self { member, below, anchor };
        family.declare(&json!({})).await;
        family.member.ready("Domain", &family.below).await;
        family
    }

    async fn declare(&self, dnssec: &Value) {
        let record = json!({"name": "www", "type": "A", "values": ["192.0.2.80"]});
        self.member.apply("Domain", &self.below, json!({"ttl": 30, "records": [record], "dnssec": dnssec})).await;
    }

    /// Waits until the zone's keys are as they shall be; all the while it is believed.
    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begin = Instant::now();
        let mut last = Value::Null;
        while begin.elapsed().as_secs() < 400 {
            last = self.member.get("Domain", &self.below).await;
            let zone = last["status"]["zone"].clone();
            for server in &self.member.cluster.name_servers {
                assert_eq!(
                    is_valid_below(server, &self.member.zone, &self.anchor, &format!("www.{}", self.below)),
                    Ok(()),
                    "{what}: {zone:#}"
                );
            }
            if holds(&zone) {
                return zone;
            }
        }
        panic!("it does not come to this: {what}: {last:#}");
    }
}

fn algorithms(server: &str, zone: &str) -> Vec<String> {
    dig(server, zone, "DNSKEY").iter().map(|key| key.split(' ').nth(2).unwrap().to_owned()).collect()
}

#[tokio::test]
async fn another_algorithm_then_unsigned_then_signed_again() {
    let family = Family::new().await;
    let server = family.member.cluster.name_servers[0].clone();
    let tag = |zone: &Value| zone["keys"][0]["tag"].as_u64();
    let is_signed = |zone: &Value| zone["dnssec"] == "Signed";
    let first = family.until("signed", is_signed).await;
    let in_parent = |count: usize| {
        let tags = dig(&server, &family.below, "DS");
        tags.len() == count
    };
    family.until("the DS is in the zone above", |_| in_parent(1)).await;

    family.declare(&json!({"algorithm": "ED25519", "denial": "NSEC3"})).await;
    let second = family.until("the new key alone", |zone| is_signed(zone) && tag(zone) != tag(&first)).await;
    assert_eq!(second["keys"][0]["algorithm"], "ED25519");
    assert_eq!(algorithms(&server, &family.below), ["15"]);
    assert_eq!(dig(&server, &family.below, "NSEC3PARAM"), ["1 0 0 -"]);
    let secrets: Api<Secret> = Api::namespaced(family.member.cluster.client.clone(), "cst-system");
    let name = format!("zone-key.{}", family.below);
    let is_key = |entry: &&String| entry.starts_with("key-");
    let stored = async || secrets.get(&name).await.unwrap().data.unwrap().keys().filter(is_key).count();
    eventually(async || (stored().await == 1).then_some(())).await.expect("the key that was replaced is forgotten");

    family.declare(&json!({"mode": "Unsigned"})).await;
    family.until("unsigned", |zone| zone["dnssec"] == "Unsigned").await;
    assert!(in_parent(0) && algorithms(&server, &family.below).is_empty());

    family.declare(&json!({})).await;
    family.until("signed again", |zone| is_signed(zone) && in_parent(1)).await;
    family.member.leave().await;
}
