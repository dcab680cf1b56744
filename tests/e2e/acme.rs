//! Challenges of certificates: written with a key of the chart into its servers' dynamic zone, where the aliases of the hosts lead.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::ask::dig;
use crate::cluster::Cluster;
use crate::member::{Member, until};

/// The dynamic zone of the example's settings.
const ZONE: &str = "acme.cst.example.net";

/// Whether a server takes an update with a client's key, as the chart's Secret has it for `nsupdate`.
async fn updates(cluster: &Cluster, client: &str, line: &str) -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    let key = cluster.secret("cst-dns", &format!("acme-{client}"), "nsupdate.key").await;
    std::fs::write(file.path(), key).unwrap();
    let mut nsupdate = Command::new("nsupdate")
        .arg("-k")
        .arg(file.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let script = format!("server {}\nzone {ZONE}\n{line}\nsend\n", cluster.name_servers[0]);
    nsupdate.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = nsupdate.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || told.contains("REFUSED"), "{told}");
    output.status.success()
}

#[tokio::test]
async fn a_challenge_is_answered_by_every_server_and_outlives_the_one_that_took_it() {
    let member = Member::join().await;
    let (zone, servers) = (member.zone.clone(), member.cluster.name_servers.clone());
    member.apply("Domain", &zone, json!({})).await;
    member.apply("WebSite", "portale", json!({"application": "Static", "host": zone})).await;
    let (alias, place) = (format!("_acme-challenge.{zone}"), format!("{zone}.{ZONE}"));
    let leads = || servers.iter().all(|server| dig(server, &alias, "CNAME") == [format!("{place}.")]);
    until("the host's challenge leads into the dynamic zone", leads).await;
    let before = member.ready("Domain", &zone).await["status"]["zone"]["serial"].clone();

    let add = |token: &str| format!("update add {place} 60 TXT {token}");
    let answers = |token: &str| servers.iter().all(|server| dig(server, &place, "TXT") == [format!("\"{token}\"")]);
    assert!(updates(&member.cluster, "cert-manager", &add("one")).await);
    until("both servers answer the token", || answers("one")).await;
    assert!(!updates(&member.cluster, "urbino-vpn", &add("other")).await, "that key is another name's");

    member.cluster.replace_pods("cst-dns", "app.kubernetes.io/component=ns1").await;
    until("both servers answer it after a restart of the first", || answers("one")).await;
    assert!(updates(&member.cluster, "cert-manager", &format!("update delete {place} TXT")).await);
    until("it is gone from both", || servers.iter().all(|server| dig(server, &place, "TXT").is_empty())).await;
    assert_eq!(
        member.ready("Domain", &zone).await["status"]["zone"]["serial"],
        before,
        "the member's zone is as it was"
    );
    member.leave().await;
}
