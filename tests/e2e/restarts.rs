//! Each part is replaced by a new pod, and nothing is lost.

use serde_json::json;

use crate::ask::{Inbox, deliver, dig, inbox, is_valid, rcpt};
use crate::member::{Member, until};
use crate::sites::{portal, visits};

#[tokio::test]
async fn nothing_is_lost_when_each_part_restarts() {
    let member = Member::join().await;
    let cluster = member.cluster.clone();
    let (zone, address) = (member.zone.clone(), member.address("rossi"));
    member.domain(json!([{"name": "host", "type": "A", "values": ["192.0.2.1"]}])).await;
    member.mailbox("rossi", &[], json!({})).await;
    let host = portal(&member, json!({})).await;
    for (kind, name) in [("Mailbox", "rossi"), ("WebSite", "portale"), ("Domain", zone.as_str())] {
        member.ready(kind, name).await;
    }
    let password = member.password("rossi").await;
    assert!(deliver(&cluster.mx, &address, "prima"));
    until("the message is in the box", || inbox(&cluster, &address, &password, "prima") == Inbox::Holds(1)).await;
    let published = member.ready("Domain", &zone).await["status"]["zone"].clone();
    let serial = published["serial"].to_string();
    let mut count = visits(&member, &host).unwrap();

    for (namespace, selector) in [
        ("cst-system", "app.kubernetes.io/component=controller"),
        ("cst-dns", "app.kubernetes.io/component=ns1"),
        ("cst-mail", "app.kubernetes.io/component=mail"),
        ("cst-web", "app.kubernetes.io/component=database"),
        ("cst-gateway", "app=traefik"),
        (&*member.namespace(), "territorial.services/site=portale"),
    ] {
        cluster.replace_pods(namespace, selector).await;
        until(&format!("{selector}: the zone is answered"), || {
            cluster.name_servers.iter().all(|server| dig(server, &format!("host.{zone}"), "A") == ["192.0.2.1"])
        })
        .await;
        for server in &cluster.name_servers {
            assert!(dig(server, &zone, "SOA")[0].split(' ').nth(2) == Some(&serial), "{selector}: the serial stays");
            assert!(is_valid(server, &zone, published["ds"][0].as_str().unwrap()), "{selector}");
        }
        until(&format!("{selector}: mail is accepted"), || rcpt(&cluster.mx, &address).starts_with("250")).await;
        assert!(rcpt(&cluster.mx, &member.address("nobody")).starts_with("550"), "{selector}");
        until(&format!("{selector}: the mail is there"), || {
            inbox(&cluster, &address, &password, "prima") == Inbox::Holds(1)
        })
        .await;
        until(&format!("{selector}: the page goes on counting"), || visits(&member, &host) > Some(count)).await;
        count = visits(&member, &host).unwrap();
    }
    cluster.controller_is_up().await;
    assert_eq!(member.ready("Domain", &zone).await["status"]["zone"], published);
    member.leave().await;
}
