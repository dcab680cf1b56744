//! Offices: a box that several people read and answer as, a list of all, and a box that the helpdesk locks.

use std::time::Instant;

use cst_compiler::model::Address;
use cst_kubernetes::helpdesk;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

use crate::ask::{Inbox, deliver, folder, inbox, rcpt, submit};
use crate::member::{Member, until};

/// A member with these people's boxes.
async fn with(people: &[&str]) -> Member {
    let member = Member::join().await;
    member.domain(json!([])).await;
    for person in people {
        member.mailbox(person, &[], json!({})).await;
    }
    for person in people {
        member.ready("Mailbox", person).await;
    }
    member.ready("Domain", &member.zone).await;
    member
}

#[tokio::test]
async fn who_is_named_by_an_office_reads_its_mail_and_answers_as_it() {
    let member = with(&["anna", "carlo"]).await;
    let (cluster, mx, office) = (&member.cluster, member.cluster.mx.clone(), member.address("urp"));
    let (anna, carlo) = (member.address("anna"), member.address("carlo"));
    let delegates = json!([{"user": anna, "rights": "Write", "sendAs": true}]);
    member.mailbox("urp", &[], json!({"type": "Shared", "delegates": delegates})).await;
    member.ready("Mailbox", "urp").await;
    assert!(deliver(&mx, &office, "domanda"));

    let (of_anna, of_carlo) = (member.password("anna").await, member.password("carlo").await);
    let shared = format!("shared/{office}");
    until("the delegate reads it", || folder(cluster, &shared, &anna, &of_anna, "domanda") == Inbox::Holds(1)).await;
    assert_eq!(folder(cluster, &shared, &carlo, &of_carlo, "domanda"), Inbox::Holds(0), "nobody else does");
    assert_eq!(submit(cluster, (&anna, &of_anna), &office, &carlo, "risposta"), 250);
    until("the answer comes", || inbox(cluster, &carlo, &of_carlo, "risposta") == Inbox::Holds(1)).await;
    assert_eq!(submit(cluster, (&carlo, &of_carlo), &office, &anna, "falso"), 553);

    member.mailbox("urp", &[], json!({"type": "Shared"})).await;
    until("the delegation ends", || folder(cluster, &shared, &anna, &of_anna, "domanda") == Inbox::Holds(0)).await;
    until("nor does she send as it", || submit(cluster, (&anna, &of_anna), &office, &carlo, "ancora") == 553).await;
    member.leave().await;
}

#[tokio::test]
async fn a_list_of_all_takes_mail_of_its_tenant_only_and_gives_it_to_each() {
    let member = with(&["anna", "carlo"]).await;
    let (cluster, mx, list) = (&member.cluster, member.cluster.mx.clone(), member.address("tutti"));
    let members = json!([format!("*@{}", member.zone)]);
    member.mailbox("tutti", &[], json!({"type": "Group", "members": members, "posting": "Tenant"})).await;
    member.ready("Mailbox", "tutti").await;
    assert!(rcpt(&mx, &list).starts_with("550"), "{}", rcpt(&mx, &list));

    let (anna, of_anna) = (member.address("anna"), member.password("anna").await);
    assert_eq!(submit(cluster, (&anna, &of_anna), &anna, &list, "avviso"), 250);
    // Who comes to the body later is on the list.
    member.mailbox("dario", &[], json!({})).await;
    member.ready("Mailbox", "dario").await;
    assert_eq!(submit(cluster, (&anna, &of_anna), &anna, &list, "secondo"), 250);
    for (person, subject) in [("anna", "avviso"), ("carlo", "avviso"), ("carlo", "secondo"), ("dario", "secondo")] {
        let (address, password) = (member.address(person), member.password(person).await);
        until(person, || inbox(cluster, &address, &password, subject) == Inbox::Holds(1)).await;
    }
    let (dario, of_dario) = (member.address("dario"), member.password("dario").await);
    assert_eq!(inbox(cluster, &dario, &of_dario, "avviso"), Inbox::Holds(0), "that was before him");
    member.leave().await;
}

#[tokio::test]
async fn a_locked_box_takes_mail_and_lets_nobody_in_until_it_is_unlocked() {
    let member = with(&["anna", "carlo"]).await;
    let (cluster, mx) = (&member.cluster, member.cluster.mx.clone());
    let (anna, carlo, of_anna) = (member.address("anna"), member.address("carlo"), member.password("anna").await);
    assert_eq!(inbox(cluster, &anna, &of_anna, "prima"), Inbox::Holds(0));
    let address = Address::parse(&anna).unwrap();
    let model = helpdesk::find(&cluster.client, Some(&member.namespace()), &address).await.unwrap();

    let begin = Instant::now();
    helpdesk::lock(&cluster.client, &model, &MicroTime(Timestamp::now())).await.unwrap();
    until("nobody logs in", || inbox(cluster, &anna, &of_anna, "prima") == Inbox::Refused).await;
    println!("locked after {} ms, a login included", begin.elapsed().as_millis());
    assert_eq!(submit(cluster, (&anna, &of_anna), &anna, &carlo, "no"), 535);
    assert!(deliver(&mx, &anna, "durante"), "mail is accepted");
    // Git does not unlock it.
    member.mailbox("anna", &["a.rossi"], json!({})).await;
    member.ready("Mailbox", "anna").await;
    assert_eq!(inbox(cluster, &anna, &of_anna, "durante"), Inbox::Refused);

    assert!(helpdesk::unlock(&cluster.client, &model).await.unwrap());
    until("she reads what came", || inbox(cluster, &anna, &of_anna, "durante") == Inbox::Holds(1)).await;
    member.leave().await;
}
