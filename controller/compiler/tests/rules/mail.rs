//! Boxes: who gets an address, what state it has, and what stays when its Mailbox is gone or wrong.

use crate::support::{TODAY, name, problems, repository, zone};
use cst_api::{Date, MailboxState, Reason};
use cst_compiler::compile::{self, Standing};
use cst_compiler::desired::mail::MailDomain;
use cst_compiler::index::Change;
use cst_compiler::manifest::Repository;
use cst_compiler::model::ObjectKey;
use cst_compiler::plan::absence::Absence;

const TENANT: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example]}\n";
const DOMAIN: &str = "Domain t-fano/comune.fano.example {mail: {mode: Hosted}}\n";

fn mailbox(object: &str, spec: &str) -> String {
    format!("Mailbox t-fano/{object} {{address: {object}@comune.fano.example{spec}}}\n")
}

fn compiled(repository: &Repository, published: Option<&MailDomain>, today: Date) -> compile::MailOutcome {
    compile::mail(&repository.index, &name("comune.fano.example"), published, today, |_| Absence::Deleted)
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

fn locks(repository: &mut Repository, boxes: &[&str]) {
    for name in boxes {
        let since = [("since".to_owned(), b"2026-11-23T08:15:30Z".to_vec())].into();
        repository.index.apply(Change::Secret(ObjectKey::new("t-fano", format!("{name}-lock")), Some(since)));
    }
}

#[test]
fn a_locked_box_receives_and_nobody_logs_in_whatever_it_is_declared() {
    let boxes = mailbox("a", "")
        + &mailbox("b", ", state: Archived")
        + &mailbox("c", ", state: Closed")
        + &mailbox("d", ", type: Shared")
        + &mailbox("e", ", type: Group, members: [a@comune.fano.example]")
        + &mailbox("f", "");
    let mut repository = repository(&format!("{TENANT}{DOMAIN}{boxes}"));
    locks(&mut repository, &["a", "b", "c", "d", "e"]);
    let expected = [
        ("a", MailboxState::Suspended),
        ("b", MailboxState::Closed),
        ("c", MailboxState::Closed),
        ("d", MailboxState::Suspended),
        ("e", MailboxState::Active),
        ("f", MailboxState::Active),
    ];
    let outcome = compiled(&repository, None, TODAY);
    assert_eq!(states(&outcome.domain), expected.map(|(name, state)| (name.to_owned(), state)));
    repository.index.apply(Change::Secret(ObjectKey::new("t-fano", "a-lock"), None));
    assert_eq!(states(&compiled(&repository, None, TODAY).domain)[0].1, MailboxState::Active);
}

#[test]
fn a_box_that_goes_on_though_its_mailbox_is_refused_can_be_locked() {
    let boxes = mailbox("a", "") + &mailbox("b", ", state: Archived");
    let published = compiled(&repository(&format!("{TENANT}{DOMAIN}{boxes}")), None, TODAY).domain;
    let tenant = TENANT.replace("entityType", "limits: {mailboxes: 0}, entityType");
    let mut refused = repository(&format!("{tenant}{DOMAIN}{boxes}"));
    let expected = |a, b| [("a".to_owned(), a), ("b".to_owned(), b)];
    let (open, shut) = (
        expected(MailboxState::Active, MailboxState::Archived),
        expected(MailboxState::Suspended, MailboxState::Closed),
    );
    assert_eq!(states(&compiled(&refused, Some(&published), TODAY).domain), open);
    locks(&mut refused, &["a", "b"]);
    assert_eq!(states(&compiled(&refused, Some(&published), TODAY).domain), shut);
}

#[test]
fn addresses_need_a_hosted_domain_and_have_one_holder() {
    let lines = mailbox("a", ", aliases: [urp@comune.fano.example, x@elsewhere.example]")
        + &mailbox("b", ", aliases: [urp@comune.fano.example]");
    let told = problems(&repository(&format!("{TENANT}{DOMAIN}{lines}")));
    assert_eq!(
        told,
        [
            "error Conflict Mailbox t-fano/a spec.aliases[0]",
            "error NotGranted Mailbox t-fano/a spec.aliases[1]",
            "error Conflict Mailbox t-fano/b spec.aliases[0]"
        ]
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
fn a_generated_passwords_secret_has_a_name() {
    let named = |length: usize| {
        let line = format!("Mailbox t-fano/{} {{address: a@comune.fano.example}}\n", "x".repeat(length));
        problems(&repository(&format!("{TENANT}{DOMAIN}{line}")))
    };
    assert_eq!(named(244), [""; 0]);
    assert_eq!(named(245), [format!("error Invalid Mailbox t-fano/{} metadata.name", "x".repeat(245))]);
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
            assert_eq!((verdict.state(TODAY), quota_of_box.as_str()), (Some(state), quota));
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
    let broken =
        DOMAIN.replace("Hosted", "Hosted, catchAll: nonsense@comune.fano.example, aliasOf: comune.fano.example");
    let outcome = compiled(&repository(&format!("{TENANT}{broken}{}", mailbox("a", ""))), Some(&published), TODAY);
    assert_eq!((outcome.standing, outcome.domain), (Standing::Retired, published.clone()));
    let gone = compiled(&repository(TENANT), Some(&published), TODAY);
    assert_eq!((gone.standing, states(&gone.domain)), (Standing::Retired, vec![("a".into(), MailboxState::Suspended)]));
}

/// As a controller finds it that starts: it knows no spec that was right.
#[test]
fn a_mistake_in_a_record_keeps_back_the_zone_and_nothing_of_its_mail() {
    let broken = DOMAIN.replace("{mail", "{records: [{name: a, type: A, values: [nonsense]}], mail");
    let repository = repository(&format!("{TENANT}{broken}{}", mailbox("a", "")));
    let outcome = compiled(&repository, None, TODAY);
    assert_eq!((outcome.standing, states(&outcome.domain)), (Standing::Live, vec![("a".into(), MailboxState::Active)]));
    let zone = zone(&repository, "comune.fano.example");
    assert_eq!((zone.standing, zone.zone), (Standing::Kept, None));
    assert_eq!(problems(&repository), ["error Invalid Domain t-fano/comune.fano.example spec.records[0].values[0]"]);
}

/// Only a status tells whose it was; without one each is told of the other, and nobody is said to hold it.
#[test]
fn of_two_with_one_name_the_later_is_blamed_only_where_the_other_is_known_to_have_it() {
    let told = |lines: &str| -> Vec<String> {
        let repository = repository(&format!("{TENANT}{DOMAIN}{lines}"));
        let conflicts =
            compile::problems(&repository.index, TODAY).into_iter().filter(|p| p.reason == Reason::Conflict);
        conflicts.map(|p| format!("{} {}: {}", p.object, p.field, p.message)).collect()
    };
    let alias = ", aliases: [urp@comune.fano.example]";
    let (a, b, urp) = (mailbox("a", alias), mailbox("b", alias), mailbox("urp", ""));
    let says = |object: &str, field: &str, others: &str| {
        format!(
            "Mailbox t-fano/{object} {field}: `urp@comune.fano.example` is asked for by {others} too: leave it to one of them"
        )
    };
    assert_eq!(
        told(&format!("{a}{b}{urp}")),
        [
            says("a", "spec.aliases[0]", "Mailbox t-fano/b and Mailbox t-fano/urp"),
            says("b", "spec.aliases[0]", "Mailbox t-fano/a and Mailbox t-fano/urp"),
            says("urp", "spec.address", "Mailbox t-fano/a and Mailbox t-fano/b"),
        ]
    );
    let many: String = (1..=6).map(|n| mailbox(&format!("m{n}"), alias)).collect();
    let wanted =
        says("m1", "spec.aliases[0]", "Mailbox t-fano/m2 and Mailbox t-fano/m3 and Mailbox t-fano/m4 and 2 more");
    assert_eq!(told(&many)[0], wanted);
    let had = b.replace("}\n", "} status {addresses: [b@comune.fano.example, urp@comune.fano.example]}\n");
    assert_eq!(told(&format!("{a}{had}")), [says("a", "spec.aliases[0]", "Mailbox t-fano/b")]);

    let site = |name: &str, host: &str, status: &str| {
        format!("WebSite t-fano/{name} {{application: Lamp, host: {host}, aliases: [w.comune.fano.example]}}{status}\n")
    };
    let (x, y) = (site("one", "one.comune.fano.example", ""), site("two", "two.comune.fano.example", ""));
    let told_of_both = told(&format!("{x}{y}"));
    assert_eq!(told_of_both.len(), 2, "{told_of_both:?}");
    assert!(
        told_of_both[0].starts_with(
            "WebSite t-fano/one spec.aliases[0]: `w.comune.fano.example` is asked for by WebSite t-fano/two"
        )
    );
    let had = site("two", "two.comune.fano.example", " status {hosts: [w.comune.fano.example]}");
    assert_eq!(told(&format!("{x}{had}")), told_of_both[..1]);

    let zone = |object: &str, status: &str| format!("Domain t-fano/{object} {{zone: z.comune.fano.example}}{status}\n");
    let told_of_both = told(&format!("{}{}", zone("one", ""), zone("two", "")));
    let of = |object: &str, other: &str| {
        format!(
            "Domain t-fano/{object} metadata.name: `z.comune.fano.example` is asked for by Domain t-fano/{other} too: leave it to one of them"
        )
    };
    assert_eq!(told_of_both, [of("one", "two"), of("two", "one")]);
    let had = " status {zone: {name: z.comune.fano.example, serial: 1, records: 1, dnssec: Signed}}";
    assert!(
        told(&format!("{}{}", zone("one", ""), zone("two", had)))[0].starts_with("Domain t-fano/one metadata.name")
    );
}

#[test]
fn how_mail_is_signed_is_said_where_it_is_hosted() {
    let told = |mail: &str| {
        problems(&repository(&format!("{TENANT}Domain t-fano/comune.fano.example {{mail: {{{mail}}}}}\n")))
    };
    assert_eq!(told("mode: Hosted, dkim: {rotation: 2026-12-01}"), Vec::<String>::new());
    let refused = ["error Invalid Domain t-fano/comune.fano.example spec.mail.dkim"];
    assert_eq!(told("mode: None, dkim: {rotation: 2026-12-01}"), refused);
}
