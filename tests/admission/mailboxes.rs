//! What a Mailbox may say.

use crate::{accepts, change, rejects};

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
