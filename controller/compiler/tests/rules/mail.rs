//! Boxes: who gets an address, what state it has, and what stays when its Mailbox is gone or wrong.

use crate::support::{TODAY, name, problems, repository};
use cst_api::{Date, MailboxState};
use cst_compiler::compile::{self, Standing};
use cst_compiler::desired::mail::MailDomain;
use cst_compiler::manifest::Repository;
use cst_compiler::model::ObjectKey;

const TENANT: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example]}\n";
const DOMAIN: &str = "Domain t-fano/comune.fano.example {mail: {mode: Hosted}}\n";

fn mailbox(object: &str, spec: &str) -> String {
    format!("Mailbox t-fano/{object} {{address: {object}@comune.fano.example{spec}}}\n")
}

fn compiled(repository: &Repository, published: Option<&MailDomain>, today: Date) -> compile::MailOutcome {
    compile::mail(&repository.index, &name("comune.fano.example"), published, today)
}

fn states(domain: &MailDomain) -> Vec<(String, MailboxState)> {
    domain.boxes.iter().map(|b| (b.address.local().to_owned(), b.state)).collect()
}

#[test]
fn states_and_the_suspended_tenant() {
    let boxes = mailbox("a", "") + &mailbox("b", ", state: Archived") + &mailbox("c", ", state: Suspended");
    let active = compiled(&repository(&format!("{TENANT}{DOMAIN}{boxes}")), None, TODAY);
    let expected = |a, b, c| [("a".to_owned(), a), ("b".to_owned(), b), ("c".to_owned(), c)];
    assert_eq!(states(&active.domain), expected(MailboxState::Active, MailboxState::Archived, MailboxState::Suspended));
    let tenant = TENANT.replace("entityType", "state: Suspended, entityType");
    let suspended = compiled(&repository(&format!("{tenant}{DOMAIN}{boxes}")), None, TODAY);
    assert_eq!(
        states(&suspended.domain),
        expected(MailboxState::Suspended, MailboxState::Closed, MailboxState::Suspended)
    );
}

#[test]
fn addresses_need_a_hosted_domain_and_have_one_holder() {
    let lines = mailbox("a", ", aliases: [urp@comune.fano.example, x@elsewhere.example]")
        + &mailbox("b", ", aliases: [urp@comune.fano.example]");
    let told = problems(&repository(&format!("{TENANT}{DOMAIN}{lines}")));
    assert_eq!(
        told,
        ["error NotGranted Mailbox t-fano/a spec.aliases[1]", "error Conflict Mailbox t-fano/b spec.aliases[0]"]
    );
    let told = problems(&repository(&format!("{TENANT}Domain t-fano/comune.fano.example {{}}\n{}", mailbox("a", ""))));
    assert_eq!(told, ["error DomainMissing Mailbox t-fano/a spec.address"]);
}

#[test]
fn a_missing_or_weak_password_is_told_and_never_opens_the_box() {
    let lines = mailbox("a", ", passwordSecretRef: {name: passwords}");
    let repository = repository(&format!("{TENANT}{DOMAIN}{lines}"));
    assert_eq!(problems(&repository), ["error SecretMissing Mailbox t-fano/a spec.passwordSecretRef"]);
    assert_eq!(compiled(&repository, None, TODAY).domain.boxes[0].password, None);
}

#[test]
fn without_mail_in_the_settings_every_box_is_told() {
    let lines = format!("{TENANT}{DOMAIN}{}", mailbox("a", ""));
    let mut settings = crate::support::settings();
    settings.mail = None;
    let told = problems(&crate::support::repository_with(&lines, settings));
    assert_eq!(
        told,
        [
            "error Invalid Domain t-fano/comune.fano.example spec.mail.mode",
            "error Invalid Mailbox t-fano/a spec.address"
        ]
    );
}

#[test]
fn what_a_box_may_do_and_hold_is_resolved() {
    let boxes = mailbox("a", "") + &mailbox("b", ", quota: 3Gi, state: Archived");
    let tenant = TENANT.replace("entityType", "state: Suspended, entityType");
    for (tenant, states) in [
        (TENANT, [MailboxState::Active, MailboxState::Archived]),
        (&tenant, [MailboxState::Suspended, MailboxState::Closed]),
    ] {
        let repository = repository(&format!("{tenant}{DOMAIN}{boxes}"));
        for (name, state, quota) in [("a", states[0], "1Gi"), ("b", states[1], "3Gi")] {
            let key = ObjectKey::new("t-fano", name);
            let verdict = compile::mailbox(&repository.index, &key);
            let quota_of_box = verdict.quota(repository.index.settings()).unwrap().to_string();
            assert_eq!((verdict.state(), quota_of_box.as_str()), (Some(state), quota));
        }
    }
}

#[test]
fn quotas_beyond_all_counting_are_beyond_the_limit() {
    let tenant = TENANT.replace("entityType", "limits: {mailStorage: 1Gi}, entityType");
    let boxes =
        mailbox("a", ", quota: 8000000Ti") + &mailbox("b", ", quota: 8000000Ti") + &mailbox("c", ", quota: 8000000Ti");
    let told = problems(&repository(&format!("{tenant}{DOMAIN}{boxes}")));
    assert_eq!(told, ["a", "b", "c"].map(|name| format!("error LimitExceeded Mailbox t-fano/{name} spec.address")));
}

#[test]
fn limits_keep_incumbents() {
    let tenant = TENANT.replace("entityType", "limits: {mailboxes: 1}, entityType");
    let held = mailbox("b", "").replace("}\n", "} status {addresses: [b@comune.fano.example]}\n");
    let told = problems(&repository(&format!("{tenant}{DOMAIN}{}{held}", mailbox("a", ""))));
    assert_eq!(told, ["error LimitExceeded Mailbox t-fano/a spec.address"]);
}

#[test]
fn a_deleted_box_is_retained_without_login_then_dropped() {
    let both = repository(&format!(
        "{TENANT}{DOMAIN}{}{}",
        mailbox("a", ", aliases: [urp@comune.fano.example]"),
        mailbox("b", "")
    ));
    let published = compiled(&both, None, TODAY).domain;
    let one = repository(&format!("{TENANT}{DOMAIN}{}", mailbox("b", "")));
    let retained = compiled(&one, Some(&published), TODAY).domain;
    assert_eq!(states(&retained), [("a".into(), MailboxState::Suspended), ("b".into(), MailboxState::Active)]);
    assert_eq!(retained.boxes[0].retained_since, Some(TODAY));
    assert_eq!(retained.aliases.len(), 1, "its alias goes on with it");
    let later = Date { year: 2026, month: 12, day: 23 };
    let dropped = compiled(&one, Some(&retained), later).domain;
    assert_eq!((states(&dropped).len(), dropped.aliases.len()), (1, 0));
    let back = compiled(&both, Some(&retained), TODAY).domain;
    assert_eq!(back, published, "put back it is what it was");
}

#[test]
fn a_domain_that_cannot_be_used_keeps_its_boxes_as_they_were() {
    let right = repository(&format!("{TENANT}{DOMAIN}{}", mailbox("a", "")));
    let published = compiled(&right, None, TODAY).domain;
    let broken = DOMAIN.replace("{mail", "{records: [{name: a, type: A, values: [nonsense]}], mail");
    let outcome = compiled(&repository(&format!("{TENANT}{broken}{}", mailbox("a", ""))), Some(&published), TODAY);
    assert_eq!(outcome.domain, published);
    let gone = compiled(&repository(TENANT), Some(&published), TODAY);
    assert_eq!((gone.standing, states(&gone.domain)), (Standing::Retired, vec![("a".into(), MailboxState::Suspended)]));
}
