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
    let named = |name: &str| format!("address: a@b.it, passwordOwner: User, passwordSecretRef: {{name: {name}}}");
    let git = "address: a@b.it, passwordOwner: Git";
    let with = format!("{git}, passwordSecretRef: {{name: x-password}}");
    accepts("Mailbox", "x", &["address: a@b.it, passwordOwner: User", &named("passwords"), &with]).await;
    rejects("Mailbox", "x", &[git], "passwordOwner Git needs passwordSecretRef").await;
    rejects("Mailbox", "x", &[&named("x-password")], "is for changes outside of git").await;
    rejects("Mailbox", "x", &["address: a@b.it, passwordOwner: Nobody"], "spec.passwordOwner: Unsupported value").await;
    let shared = "address: a@b.it, type: Shared, passwordOwner: User";
    rejects("Mailbox", "x", &[shared], "passwordOwner: only a Personal box has a login").await;
    rejects("Mailbox", "x", &["address: a@b.it, deletionPolicy: Keep"], "spec.deletionPolicy").await;
    rejects("Mailbox", "x", &[&format!("address: a@b.it, displayName: {}", "x".repeat(201))], "spec.displayName").await;
}

#[tokio::test]
async fn a_mailbox_keeps_its_type_and_its_store() {
    let shared = "type: Shared, address: a@b.it";
    let because = change("Mailbox", "kept-type", "address: a@b.it", shared).await;
    assert!(because.unwrap().contains("type is immutable"));
    assert_eq!(change("Mailbox", "said-type", "address: a@b.it", "type: Personal, address: a@b.it").await, None);
    let because = change("Mailbox", "kept-store", "address: a@b.it", "address: a@b.it, store: c@b.it").await;
    assert!(because.unwrap().contains("store is immutable"));
    assert_eq!(change("Mailbox", "said-store", "address: a@b.it", "address: a@b.it, store: a@b.it").await, None);
}

#[tokio::test]
async fn a_group_has_members_and_nothing_that_keeps_mail() {
    let group = "type: Group, address: a@b.it, members: ['*@b.it', x@c.it]";
    accepts("Mailbox", "x", &[group, &format!("{group}, posting: Members, state: Closed, aliases: [c@b.it]")]).await;
    rejects(
        "Mailbox",
        "x",
        &["type: Group, address: a@b.it", "address: a@b.it, members: [x@c.it]"],
        "a Group needs them",
    )
    .await;
    rejects("Mailbox", "x", &["address: a@b.it, posting: Anyone"], "posting is who may write to a Group").await;
    for more in [
        "quota: 1Gi",
        "delegates: [{user: a@c.it}]",
        "forward: {to: [a@c.it]}",
        "vacation: {text: via}",
        "store: c@b.it",
    ] {
        rejects("Mailbox", "x", &[&format!("{group}, {more}")], "a Group keeps no mail").await;
    }
    rejects("Mailbox", "x", &[&format!("{group}, state: Archived")], "a Group is Active or Closed").await;
    let login = "passwordSecretRef: {name: x}";
    let shared = format!("type: Shared, address: a@b.it, {login}");
    rejects("Mailbox", "x", &[&format!("{group}, {login}"), &shared], "only a Personal box has a login").await;
    rejects("Mailbox", "x", &["type: List, address: a@b.it"], "spec.type: Unsupported value").await;
}

#[tokio::test]
async fn what_becomes_of_a_mailboxes_mail_is_bounded() {
    let with = |more: &str| format!("address: a@b.it, {more}");
    accepts(
        "Mailbox",
        "x",
        &[
            &with("delegates: [{user: c@b.it, rights: Read, sendAs: true}], closeOn: 2027-02-21"),
            &with("forward: {to: [c@b.it], keepCopy: false, until: 2027-02-20}"),
            &with("vacation: {from: 2026-08-10, until: 2026-08-10, subject: Via, text: \"a\\nb\"}"),
        ],
    )
    .await;
    rejects("Mailbox", "x", &[&with("forward: {to: []}"), &with("forward: {to: [c]}")], "spec.forward.to").await;
    rejects("Mailbox", "x", &[&with("delegates: [{user: 'c d@b.it'}]")], "spec.delegates[0].user").await;
    rejects("Mailbox", "x", &[&with("delegates: [{user: c@b.it, rights: All}]")], "spec.delegates[0].rights").await;
    let backwards = with("vacation: {from: 2026-08-10, until: 2026-08-09, text: via}");
    rejects("Mailbox", "x", &[&backwards], "until must not be before from").await;
    rejects("Mailbox", "x", &[&with("vacation: {text: via, subject: \"a\\nb\"}")], "spec.vacation.subject").await;
    rejects("Mailbox", "x", &[&with("vacation: {text: \"a\\0b\"}")], "spec.vacation.text").await;
    rejects("Mailbox", "x", &[&with("closeOn: tomorrow")], "spec.closeOn").await;
}
