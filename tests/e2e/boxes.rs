//! Mailboxes: an alias comes and goes, a box goes and comes back with its mail.

use serde_json::json;

use crate::ask::{Inbox, deliver, dig, inbox, rcpt};
use crate::member::{Member, until};

#[tokio::test]
async fn an_alias_is_accepted_delivered_and_refused_again() {
    let member = Member::join().await;
    let (mx, alias) = (member.cluster.mx.clone(), member.address("ufficio"));
    member.domain(json!([])).await;
    member.mailbox("rossi", &[], json!({})).await;
    member.ready("Mailbox", "rossi").await;
    member.ready("Domain", &member.zone).await;
    assert_eq!(dig(&member.cluster.name_servers[0], &member.zone, "MX"), ["10 mx.cst.example.net."]);
    assert!(rcpt(&mx, &alias).starts_with("550 5.1.1"), "{}", rcpt(&mx, &alias));

    member.mailbox("rossi", &["ufficio"], json!({})).await;
    until("the alias is accepted", || rcpt(&mx, &alias).starts_with("250")).await;
    assert!(deliver(&mx, &alias, "per alias"));
    let (login, password) = (member.address("rossi"), member.password("rossi").await);
    until("the message is in the box", || inbox(&member.cluster, &login, &password, "per alias") == Inbox::Holds(1))
        .await;
    assert_eq!(inbox(&member.cluster, &login, "wrong", "per alias"), Inbox::Refused);

    member.mailbox("rossi", &[], json!({})).await;
    until("the alias is refused", || rcpt(&mx, &alias).starts_with("550 5.1.1")).await;
    assert!(rcpt(&mx, "somebody@example.com").starts_with("554 5.7.1"), "no relay");
    member.leave().await;
}

#[tokio::test]
async fn a_retained_box_receives_without_a_login_and_comes_back_with_its_mail_and_password() {
    let member = Member::join().await;
    let (mx, address) = (member.cluster.mx.clone(), member.address("bianchi"));
    member.domain(json!([])).await;
    member.mailbox("bianchi", &[], json!({})).await;
    member.ready("Mailbox", "bianchi").await;
    let password = member.password("bianchi").await;
    assert!(deliver(&mx, &address, "prima"));
    until("the message is in the box", || inbox(&member.cluster, &address, &password, "prima") == Inbox::Holds(1))
        .await;

    member.delete("Mailbox", "bianchi").await;
    until("nobody logs in", || inbox(&member.cluster, &address, &password, "prima") == Inbox::Refused).await;
    assert!(deliver(&mx, &address, "durante"), "mail is accepted");

    member.mailbox("bianchi", &[], json!({})).await;
    member.ready("Mailbox", "bianchi").await;
    assert_eq!(member.password("bianchi").await, password);
    for subject in ["prima", "durante"] {
        until(subject, || inbox(&member.cluster, &address, &password, subject) == Inbox::Holds(1)).await;
    }
    member.leave().await;
}

#[tokio::test]
async fn a_box_to_be_deleted_is_refused_and_its_neighbour_is_not() {
    let member = Member::join().await;
    let mx = member.cluster.mx.clone();
    member.domain(json!([])).await;
    member.mailbox("verdi", &[], json!({"deletionPolicy": "Delete"})).await;
    member.mailbox("neri", &[], json!({})).await;
    member.ready("Mailbox", "verdi").await;
    member.ready("Mailbox", "neri").await;
    assert!(rcpt(&mx, &member.address("verdi")).starts_with("250"));
    member.delete("Mailbox", "verdi").await;
    until("the address is refused", || rcpt(&mx, &member.address("verdi")).starts_with("550 5.1.1")).await;
    assert!(rcpt(&mx, &member.address("neri")).starts_with("250"));
    member.leave().await;
}
