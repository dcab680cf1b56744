//! Boxes and groups that name each other: delegates, forwards, members, stores, catch-alls, domains that are aliases.

use crate::support::{TODAY, name, problems, repository, repository_with};
use cst_api::{Date, MailboxState};
use cst_compiler::compile;
use cst_compiler::desired::mail::{BoxRole, MailBox, MailDomain};
use cst_compiler::manifest::Repository;
use cst_compiler::plan::absence::Absence;

const FANO: &str =
    "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example, old.fano.example]}
    Domain t-fano/comune.fano.example {mail: {mode: Hosted}}\n";
const URBINO: &str = "Tenant /urbino {displayName: Urbino, entityType: Comune, domains: [comune.urbino.example]}
    Domain t-urbino/comune.urbino.example {mail: {mode: Hosted}}
    Mailbox t-urbino/eva {address: eva@comune.urbino.example}
    Mailbox t-urbino/chiusa {type: Group, address: chiusa@comune.urbino.example, members: [eva@comune.urbino.example], posting: Tenant}\n";

fn mailbox(object: &str, spec: &str) -> String {
    format!("Mailbox t-fano/{object} {{address: {object}@comune.fano.example{spec}}}\n")
}

fn fano(lines: &str) -> Repository {
    repository(&format!("{FANO}{URBINO}{lines}"))
}

fn compiled(repository: &Repository, published: Option<&MailDomain>, today: Date) -> MailDomain {
    compile::mail(&repository.index, &name("comune.fano.example"), published, today, |_| Absence::Deleted).domain
}

fn find<'a>(domain: &'a MailDomain, local: &str) -> &'a MailBox {
    domain.boxes.iter().find(|mailbox| mailbox.address.local() == local).unwrap()
}

#[test]
fn a_delegate_is_a_person_of_the_same_tenant() {
    let lines = mailbox("anna", ", aliases: [urp@comune.fano.example]")
        + &mailbox(
            "ufficio",
            ", type: Shared, delegates: [{user: anna@comune.fano.example}, {user: urp@comune.fano.example}, \
             {user: eva@comune.urbino.example}, {user: nobody@comune.fano.example}, {user: altro@comune.fano.example}]",
        )
        + &mailbox("altro", ", type: Shared");
    let repository = fano(&lines);
    let wanted =
        [1, 2, 3, 4].map(|at| format!("error AddressMissing Mailbox t-fano/ufficio spec.delegates[{at}].user"));
    assert_eq!(problems(&repository), wanted);
    let domain = compiled(&repository, None, TODAY);
    let ufficio = find(&domain, "ufficio");
    assert_eq!((ufficio.delegates.len(), &ufficio.role, &ufficio.password), (1, &BoxRole::Shared, &None));
}

#[test]
fn mail_goes_on_to_who_is_there() {
    let lines = mailbox(
        "anna",
        ", forward: {to: [eva@comune.urbino.example, a@elsewhere.example, nobody@comune.fano.example, chiusa@comune.urbino.example]}",
    ) + &mailbox("giro", ", forward: {to: [giro2@comune.fano.example], keepCopy: false}")
        + &mailbox("giro2", ", forward: {to: [giro+x@comune.fano.example], keepCopy: false}");
    let repository = fano(&lines);
    assert_eq!(
        problems(&repository),
        [
            "error AddressMissing Mailbox t-fano/anna spec.forward.to[2]",
            "error Invalid Mailbox t-fano/anna spec.forward.to[3]",
            "error Invalid Mailbox t-fano/giro spec.forward.to",
            "error Invalid Mailbox t-fano/giro2 spec.forward.to",
        ]
    );
    let domain = compiled(&repository, None, TODAY);
    assert_eq!(find(&domain, "anna").forward.as_ref().unwrap().to.len(), 2);
    let mut settings = crate::support::settings();
    settings.mail.as_mut().unwrap().forward_elsewhere = false;
    let lines = format!("{FANO}{}", mailbox("anna", ", forward: {to: [a@elsewhere.example], keepCopy: false}"));
    let repository = repository_with(&lines, settings);
    assert_eq!(problems(&repository), ["error Invalid Mailbox t-fano/anna spec.forward.to[0]"]);
    assert_eq!(find(&compiled(&repository, None, TODAY), "anna").forward, None, "and its mail is kept");
}

#[test]
fn a_group_names_who_is_there_and_its_own_domains() {
    let lines = mailbox("anna", "")
        + &mailbox(
            "tutti",
            ", type: Group, members: ['*@comune.fano.example', '*@comune.urbino.example', a@elsewhere.example, nobody@comune.fano.example]",
        )
        + &mailbox("vuoto", ", type: Group, members: [vuoto2@comune.fano.example]")
        + &mailbox("vuoto2", ", type: Group, members: [vuoto@comune.fano.example]");
    assert_eq!(
        problems(&fano(&lines)),
        [
            "error DomainMissing Mailbox t-fano/tutti spec.members[1]",
            "error AddressMissing Mailbox t-fano/tutti spec.members[3]",
            "error Invalid Mailbox t-fano/vuoto spec.members",
            "error Invalid Mailbox t-fano/vuoto2 spec.members",
        ]
    );
}

#[test]
fn what_belongs_to_another_type_is_refused_at_its_field() {
    let refused = |spec: &str| -> Vec<String> {
        let told = problems(&fano(&mailbox("x", spec)));
        told.iter().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect()
    };
    assert_eq!(refused(", members: [eva@comune.urbino.example]"), ["spec.members"]);
    assert_eq!(refused(", posting: Anyone"), ["spec.posting"]);
    assert_eq!(refused(", type: Shared, passwordSecretRef: {name: x}"), ["spec.passwordSecretRef"]);
    let group = ", type: Group, members: [eva@comune.urbino.example]";
    for (field, value) in [
        ("quota", "1Gi"),
        ("delegates", "[{user: eva@comune.urbino.example}]"),
        ("forward", "{to: [eva@comune.urbino.example]}"),
        ("vacation", "{text: via}"),
        ("store", "y@comune.fano.example"),
        ("state", "Archived"),
        ("passwordSecretRef", "{name: x}"),
    ] {
        assert_eq!(refused(&format!("{group}, {field}: {value}")), [format!("spec.{field}")], "{field}");
    }
    assert_eq!(refused(", type: Group"), ["spec.members"]);
    assert_eq!(
        refused(", type: Group, members: [x@comune.fano.example, eva@comune.urbino.example]"),
        ["spec.members[0]"]
    );
    assert_eq!(refused(", vacation: {from: 2026-02-01, until: 2026-01-31, text: via}"), ["spec.vacation.until"]);
    assert_eq!(refused(", vacation: {text: '  '}"), ["spec.vacation.text"]);
    assert_eq!(refused(", forward: {to: [x+y@comune.fano.example]}"), ["spec.forward.to[0]"]);
}

#[test]
fn forwards_answers_and_closing_have_their_days() {
    let spec = ", forward: {to: [a@elsewhere.example], until: 2026-11-24}, vacation: {from: 2026-11-24, until: 2026-11-25, text: via}, closeOn: 2026-11-26";
    let repository = fano(&mailbox("anna", spec));
    let on = |day: u8| {
        let domain = compiled(&repository, None, Date { year: 2026, month: 11, day });
        let anna = find(&domain, "anna");
        (anna.forward.is_some(), anna.answer.is_some(), anna.state)
    };
    assert_eq!(on(23), (true, false, MailboxState::Active));
    assert_eq!(on(24), (true, true, MailboxState::Active));
    assert_eq!(on(25), (false, true, MailboxState::Active));
    assert_eq!(on(26), (false, false, MailboxState::Closed));
}

#[test]
fn a_renamed_box_takes_its_mail_and_its_old_name_along() {
    let before = fano(&mailbox("anna.bianchi", ""));
    let published = compiled(&before, None, TODAY);
    let renamed = ", store: anna.bianchi@comune.fano.example, aliases: [anna.bianchi@comune.fano.example]";
    let after = fano(&mailbox("anna.rossi", renamed));
    assert_eq!(problems(&after), [""; 0]);
    let domain = compiled(&after, Some(&published), TODAY);
    assert_eq!(domain.boxes.len(), 1, "the old one is not retained beside it");
    assert_eq!(find(&domain, "anna.rossi").store.to_string(), "anna.bianchi@comune.fano.example");
    let both =
        fano(&(mailbox("anna.bianchi", "") + &mailbox("anna.rossi", ", store: anna.bianchi@comune.fano.example")));
    assert_eq!(problems(&both), ["error Conflict Mailbox t-fano/anna.rossi spec.store"]);
    let strange = fano(&mailbox("ladro", ", store: eva@comune.urbino.example"));
    assert_eq!(problems(&strange), ["error NotGranted Mailbox t-fano/ladro spec.store"]);
    let two = fano(&(mailbox("a", ", store: z@comune.fano.example") + &mailbox("b", ", store: z@comune.fano.example")));
    assert_eq!(problems(&two), ["error Conflict Mailbox t-fano/b spec.store"]);
}

#[test]
fn a_domain_names_its_catch_all_and_what_it_is_an_alias_of() {
    let with = |mail: &str, more: &str| {
        let domain = format!("Domain t-fano/old.fano.example {{mail: {{mode: {mail}}}}}\n");
        problems(&fano(&format!("{domain}{}{more}", mailbox("anna", ""))))
    };
    let told =
        |field: &str, reason: &str| vec![format!("error {reason} Domain t-fano/old.fano.example spec.mail.{field}")];
    assert_eq!(with("Hosted, catchAll: anna@comune.fano.example, aliasOf: comune.fano.example", ""), [""; 0]);
    assert_eq!(with("Hosted, catchAll: eva@comune.urbino.example", ""), told("catchAll", "AddressMissing"));
    assert_eq!(with("Hosted, catchAll: nobody@comune.fano.example", ""), told("catchAll", "AddressMissing"));
    assert_eq!(with("Hosted, aliasOf: comune.urbino.example", ""), told("aliasOf", "AddressMissing"));
    assert_eq!(with("Hosted, aliasOf: old.fano.example", ""), told("aliasOf", "Invalid"));
    assert_eq!(with("None, catchAll: anna@comune.fano.example", ""), told("catchAll", "Invalid"));
    let chain = "Domain t-fano/older.old.fano.example {mail: {mode: Hosted, aliasOf: old.fano.example}}\n";
    let wanted = "error AddressMissing Domain t-fano/older.old.fano.example spec.mail.aliasOf";
    assert_eq!(with("Hosted, aliasOf: comune.fano.example", chain), [wanted]);
    let delegate = mailbox("ufficio", ", type: Shared, forward: {to: [anna@old.fano.example]}");
    assert_eq!(with("Hosted, aliasOf: comune.fano.example", &delegate), [""; 0], "its addresses are there");
}

#[test]
fn a_group_takes_no_room_and_outlives_a_suspended_tenant() {
    let limited = FANO.replace("entityType", "limits: {mailboxes: 1}, state: Suspended, entityType");
    let group = mailbox("tutti", ", type: Group, members: ['*@comune.fano.example']");
    let repository = repository(&format!("{limited}{}{group}", mailbox("anna", "")));
    assert_eq!(problems(&repository), [""; 0]);
    let domain = compiled(&repository, None, TODAY);
    assert_eq!(find(&domain, "tutti").state, MailboxState::Active);
    assert_eq!(find(&domain, "anna").state, MailboxState::Suspended);
}
