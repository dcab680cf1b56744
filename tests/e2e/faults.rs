//! A part is away for a minute: what was serving goes on serving, what needs the part says so and comes about afterwards.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::json;

use crate::ask::{Inbox, deliver, dig, inbox, page, rcpt};
use crate::cluster::AWAY;
use crate::member::{Member, until};
use crate::sites::{portal, visits};

fn message(object: &serde_json::Value) -> String {
    let conditions = object["status"]["conditions"].as_array().unwrap();
    conditions.iter().find(|condition| condition["type"] == "Ready").unwrap()["message"].as_str().unwrap().to_owned()
}

/// Looks again and again for as long as a part is away, and once at least.
async fn meanwhile(since: Instant, mut serves: impl FnMut()) {
    loop {
        serves();
        if since.elapsed() >= AWAY {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
}

#[tokio::test]
async fn a_public_server_away() {
    let member = Member::join().await;
    let zone = member.zone.clone();
    let www = |address: &str| json!([{"name": "www", "type": "A", "values": [address]}]);
    member.domain(www("192.0.2.1")).await;
    member.ready("Domain", &zone).await;
    let [first, second]: [String; 2] = member.cluster.name_servers.clone().try_into().unwrap();
    member.cluster.scale("cst-dns", "ns2", 0).await;
    let since = Instant::now();
    member.domain(www("192.0.2.2")).await;
    let waiting = member.ready_is("Domain", &zone, "False").await;
    assert!(message(&waiting).contains("ns2"), "{}", message(&waiting));
    let name = format!("www.{zone}");
    until("the other server answers the change", || dig(&first, &name, "A") == ["192.0.2.2"]).await;
    meanwhile(since, || assert_eq!(dig(&first, &name, "A"), ["192.0.2.2"])).await;
    member.cluster.scale("cst-dns", "ns2", 1).await;
    until("it catches up", || dig(&second, &name, "A") == ["192.0.2.2"]).await;
    member.ready("Domain", &zone).await;
    member.leave().await;
}

#[tokio::test]
async fn the_mail_pod_away() {
    let member = Member::join().await;
    let (cluster, zone) = (member.cluster.clone(), member.zone.clone());
    member.domain(json!([])).await;
    member.mailbox("prima", &[], json!({})).await;
    member.ready("Mailbox", "prima").await;
    // The pod ends amid their delivery.
    for _ in 0..20 {
        assert!(deliver(&cluster.mx, &member.address("prima"), "conservato"));
    }
    cluster.scale("cst-mail", "mail", 0).await;
    let since = Instant::now();
    member.mailbox("durante", &[], json!({})).await;
    member.ready_is("Mailbox", "durante", "False").await;
    meanwhile(since, || assert_eq!(dig(&cluster.name_servers[0], &zone, "MX"), ["10 mx.cst.example.net."])).await;
    cluster.scale("cst-mail", "mail", 1).await;
    member.ready("Mailbox", "durante").await;
    until("the new box is accepted", || rcpt(&cluster.mx, &member.address("durante")).starts_with("250")).await;
    let (login, password) = (member.address("prima"), member.password("prima").await);
    until("what was accepted is there, once", || inbox(&cluster, &login, &password, "conservato") == Inbox::Holds(20))
        .await;
    member.leave().await;
}

#[tokio::test]
async fn the_database_server_away() {
    let member = Member::join().await;
    let cluster = member.cluster.clone();
    member.domain(json!([])).await;
    let host = portal(&member, json!({})).await;
    member.ready("WebSite", "portale").await;
    let before = visits(&member, &host).unwrap();
    cluster.scale("cst-web", "mariadb", 0).await;
    let since = Instant::now();
    let second = format!("secondo.{}", member.zone);
    member.apply("WebSite", "secondo", json!({"application": "Lamp", "host": second})).await;
    member.ready_is("WebSite", "secondo", "False").await;
    member.ready_is("WebSite", "portale", "False").await;
    meanwhile(since, || assert_ne!(page(&cluster, &host, "/").0, 200, "a page without its database")).await;
    cluster.scale("cst-web", "mariadb", 1).await;
    member.ready("WebSite", "portale").await;
    member.ready("WebSite", "secondo").await;
    until("it goes on counting", || visits(&member, &host) > Some(before)).await;
    member.leave().await;
}

/// The API server's process, of the harness's own cluster: it is stopped by its pid file and started again by `up`. `tests/run` leaves it out on
/// another cluster.
#[tokio::test]
async fn the_api_server_away() {
    assert!(
        harness("! foreign"),
        "the API server of the cluster of KUBECONFIG is not the harness's to take away: run the others with `--skip the_api_server_away`"
    );
    let member = Member::join().await;
    let (cluster, zone) = (member.cluster.clone(), member.zone.clone());
    member.domain(json!([{"name": "www", "type": "A", "values": ["192.0.2.1"]}])).await;
    member.mailbox("rossi", &[], json!({})).await;
    let host = portal(&member, json!({})).await;
    for (kind, name) in [("Mailbox", "rossi"), ("WebSite", "portale"), ("Domain", zone.as_str())] {
        member.ready(kind, name).await;
    }
    let (login, password) = (member.address("rossi"), member.password("rossi").await);
    assert!(harness("source ./processes.sh; stop kube-apiserver"));
    let mut sent = 0;
    meanwhile(Instant::now(), || {
        assert_eq!(dig(&cluster.name_servers[0], &format!("www.{zone}"), "A"), ["192.0.2.1"]);
        sent += usize::from(deliver(&cluster.mx, &login, "senza API"));
        assert!(visits(&member, &host).is_some());
    })
    .await;
    assert!(harness("./up"));
    assert!(sent > 0, "no message was taken");
    until("every message is in the box", || inbox(&cluster, &login, &password, "senza API") == Inbox::Holds(sent))
        .await;
    member.domain(json!([{"name": "www", "type": "A", "values": ["192.0.2.2"]}])).await;
    member.ready("Domain", &zone).await;
    assert_eq!(dig(&cluster.name_servers[0], &format!("www.{zone}"), "A"), ["192.0.2.2"]);
    member.leave().await;
}

/// Runs a line of shell in the harness's folder, with its functions; whether it succeeded.
fn harness(line: &str) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster");
    let line = format!("set -e; source ./lib.sh; source ./cluster.sh; {line}");
    Command::new("bash").args(["-c", &line]).current_dir(folder).status().unwrap().success()
}
