//! Who gets what: forwards, groups, delegates, catch-alls, domains that are aliases.

use cst_api::{DelegateRights, Posting};

use super::*;
use crate::desired::mail::dovecot::passwd_file;
use crate::desired::mail::postfix::{Table, Tables};
use crate::desired::mail::posting::{Verdict, judge};
use crate::desired::mail::routes::{Installed, MAX_ENDS, ends};
use crate::desired::mail::sharing::Sharing;
use crate::desired::mail::sieve::scripts;
use crate::desired::mail::{Answer, BoxRole, Delegation, Domains, Forwarding};
use crate::model::{Member, Recipient};

const FANO: &str = "comune.fano.pu.it";

fn at(local: &str) -> String {
    format!("{local}@{FANO}")
}

fn person(local: &str) -> MailBox {
    mailbox(&at(local), MailboxState::Active)
}

fn forwarding(local: &str, to: &[&str], keep_copy: bool) -> MailBox {
    let to = to.iter().map(|text| Recipient::parse(text).unwrap()).collect();
    MailBox { forward: Some(Forwarding { to, keep_copy }), ..person(local) }
}

fn group(local: &str, members: &[&str], posting: Posting) -> MailBox {
    let members = members.iter().map(|text| Member::parse(text).unwrap()).collect();
    MailBox { role: BoxRole::Group { members, posting }, password: None, ..person(local) }
}

fn of_fano(boxes: Vec<MailBox>) -> MailDomain {
    MailDomain { boxes, ..MailDomain::empty(domain(FANO)) }
}

fn value(tables: &Tables, table: Table, key: &str) -> Option<String> {
    tables.entries(table).iter().find(|(k, _)| k == key).map(|(_, value)| value.clone())
}

fn delivered(all: &Domains, local: &str) -> Vec<String> {
    ends(&Installed::new(all), &address(&at(local))).iter().map(|address| address.local().to_owned()).collect()
}

#[test]
fn chains_are_followed_to_their_ends_and_each_gets_it_once() {
    let all = fleet(&[of_fano(vec![
        person("anna"),
        forwarding("bruno", &[&at("anna"), &at("carla+albo")], true),
        forwarding("carla", &[&at("anna")], false),
        forwarding("dario", &["dario@example.org"], false),
        group("tutti", &[&at("bruno"), &at("carla"), &at("ufficio")], Posting::Anyone),
        group("ufficio", &[&at("dario"), &at("tutti"), "a@example.org"], Posting::Anyone),
    ])]);
    assert_eq!(delivered(&all, "bruno"), ["anna", "bruno"]);
    assert_eq!(delivered(&all, "carla"), ["anna"]);
    assert_eq!(delivered(&all, "dario"), ["dario"], "whose script sends on");
    assert_eq!(delivered(&all, "tutti"), ["anna", "bruno", "dario", "ufficio"]);
    let tables = Tables::of(&all);
    let aliases = |local: &str| value(&tables, Table::Aliases, &at(local));
    assert_eq!(aliases("carla"), Some(at("anna")));
    assert_eq!(aliases("tutti"), Some(["anna", "bruno", "dario", "ufficio"].map(at).join(",")));
    let boxes = |local: &str| value(&tables, Table::Boxes, &at(local)).is_some();
    assert_eq!((boxes("carla"), boxes("ufficio"), boxes("tutti")), (true, true, false), "what Dovecot gets mail for");
    assert_eq!(value(&tables, Table::Access, &at("ufficio")).as_deref(), Some("list"));
    assert_eq!(value(&tables, Table::Access, &at("tutti")), None);
}

#[test]
fn circles_end_and_what_reaches_nobody_is_refused() {
    let all = fleet(&[of_fano(vec![
        forwarding("anna", &[&at("bruno")], false),
        forwarding("bruno", &[&at("anna")], false),
        group("uno", &[&at("due")], Posting::Anyone),
        group("due", &[&at("uno"), &at("nobody")], Posting::Anyone),
        forwarding("kept", &[&at("kept2")], true),
        forwarding("kept2", &[&at("kept")], true),
    ])]);
    let tables = Tables::of(&all);
    for local in ["anna", "bruno", "uno", "due"] {
        assert_eq!(delivered(&all, local), [""; 0], "{local}");
        let refused = value(&tables, Table::Access, &at(local)).unwrap();
        assert!(refused.starts_with("550 5.4.6 "), "{refused}");
        assert_eq!(value(&tables, Table::Aliases, &at(local)), None);
    }
    assert_eq!(delivered(&all, "kept"), ["kept", "kept2"]);
}

#[test]
fn patterns_cover_the_boxes_that_receive() {
    let mut boxes: Vec<MailBox> = ["ufficio.urp", "ufficio.ced", "anna"].map(person).into();
    boxes.push(MailBox { role: BoxRole::Shared, ..person("ufficio.shared") });
    boxes.push(MailBox { state: MailboxState::Closed, ..person("ufficio.closed") });
    boxes.push(group("tutti", &[&format!("*@{FANO}")], Posting::Anyone));
    boxes.push(group("uffici", &[&format!("ufficio.*@{FANO}")], Posting::Anyone));
    let all = fleet(&[of_fano(boxes)]);
    assert_eq!(delivered(&all, "tutti"), ["anna", "ufficio.ced", "ufficio.urp"]);
    assert_eq!(delivered(&all, "uffici"), ["ufficio.ced", "ufficio.urp"]);
}

#[test]
fn a_list_of_too_many_is_refused_and_costs_no_more_than_they_are() {
    let mut boxes: Vec<MailBox> = (0..=MAX_ENDS).map(|n| person(&format!("u{n:05}"))).collect();
    boxes.push(group("tutti", &[&format!("*@{FANO}")], Posting::Anyone));
    // Each names the one before twice: unfolded they would be 2^40.
    let names: Vec<String> = (0..40).map(|n| at(&format!("bomb{n}"))).collect();
    boxes.push(group("bomb0", &[&at("u00000")], Posting::Anyone));
    for n in 1..40 {
        boxes.push(group(&format!("bomb{n}"), &[&names[n - 1], &format!("bomb{}+x@{FANO}", n - 1)], Posting::Anyone));
    }
    let all = fleet(&[of_fano(boxes)]);
    let tables = Tables::of(&all);
    assert!(value(&tables, Table::Access, &at("tutti")).unwrap().starts_with("550 5.5.3 "));
    assert_eq!(delivered(&all, "bomb39"), ["u00000"]);
}

#[test]
fn a_closed_address_is_refused_as_such_and_never_caught() {
    let mut fano = of_fano(vec![
        person("anna"),
        MailBox { state: MailboxState::Closed, ..person("closed") },
        MailBox { state: MailboxState::Archived, ..person("old") },
    ]);
    fano.aliases = aliases(&[(&at("was"), &at("closed")), (&at("urp"), &at("anna"))]);
    fano.catch_all = Some(address(&at("anna")));
    let tables = Tables::of(&fleet(&[fano.clone()]));
    assert_eq!(value(&tables, Table::Aliases, &format!("@{FANO}")), Some(at("anna")));
    for local in ["closed", "old", "was"] {
        assert!(value(&tables, Table::Access, &at(local)).unwrap().starts_with("550 5.2.1 "), "{local}");
    }
    for local in ["anna", "urp"] {
        assert_eq!(value(&tables, Table::Aliases, &at(local)), Some(at("anna")), "a real address is its own");
    }
    fano.boxes[0].state = MailboxState::Closed;
    let tables = Tables::of(&fleet(&[fano]));
    assert_eq!(value(&tables, Table::Aliases, &format!("@{FANO}")), None, "nobody catches");
}

#[test]
fn a_domain_that_is_an_alias_has_every_address_of_the_other() {
    let mut urbino = MailDomain {
        boxes: vec![mailbox("own@old.pu.it", MailboxState::Active)],
        ..MailDomain::empty(domain("old.pu.it"))
    };
    urbino.alias_of = Some(domain(FANO));
    let mut fano = of_fano(vec![
        person("anna"),
        person("postmaster"),
        person("own"),
        MailBox { state: MailboxState::Closed, ..person("closed") },
        group("tutti", &[&format!("*@{FANO}")], Posting::Tenant),
    ]);
    fano.aliases = aliases(&[(&at("urp"), &at("anna"))]);
    let all = fleet(&[urbino, fano]);
    let tables = Tables::of(&all);
    let alias = |local: &str| value(&tables, Table::Aliases, &format!("{local}@old.pu.it"));
    assert_eq!((alias("anna"), alias("urp")), (Some(at("anna")), Some(at("anna"))));
    assert_eq!(alias("own").as_deref(), Some("own@old.pu.it"), "what is declared there is its own");
    assert_eq!(alias("postmaster"), Some(at("postmaster")), "not the centre's");
    assert_eq!(alias("abuse"), Some(at("postmaster")));
    assert!(value(&tables, Table::Access, "closed@old.pu.it").unwrap().starts_with("550 5.2.1 "));
    assert_eq!(value(&tables, Table::Access, "tutti@old.pu.it").as_deref(), Some("posting"));
    assert_eq!(value(&tables, Table::Senders, "urp@old.pu.it"), Some(at("anna")));
    for table in Table::ALL {
        let mut keys: Vec<_> = tables.entries(table).iter().map(|(key, _)| key).collect();
        keys.sort();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{table:?}");
    }
}

fn shared(local: &str, delegates: &[(&str, DelegateRights, bool)]) -> MailBox {
    let delegate = |(user, rights, send_as): &(&str, DelegateRights, bool)| Delegation {
        user: address(&at(user)),
        rights: *rights,
        send_as: *send_as,
    };
    MailBox {
        role: BoxRole::Shared,
        password: None,
        delegates: delegates.iter().map(delegate).collect(),
        ..person(local)
    }
}

#[test]
fn delegates_use_the_box_with_their_own_login() {
    let anna = [("anna", DelegateRights::Write, true), ("bruno", DelegateRights::Read, false)];
    let gone = [("carla", DelegateRights::Write, true)];
    let all = fleet(&[of_fano(vec![
        person("anna"),
        person("bruno"),
        MailBox { state: MailboxState::Suspended, ..person("carla") },
        shared("urp", &[&anna[..], &gone[..]].concat()),
        MailBox { state: MailboxState::Suspended, ..shared("dormant", &anna) },
        MailBox { state: MailboxState::Closed, ..shared("closed", &anna) },
    ])]);
    let acl = Sharing::of(&all).acl(&domain(FANO));
    let line = |user: &str, rights: &str| {
        let (of, user) = (at("urp"), at(user));
        format!("shared/{of} user={user} {rights}\nshared/{of}/* user={user} {rights}\n")
    };
    assert_eq!(acl, line("anna", "lrwstipekx") + &line("bruno", "lrs") + &line("carla", "lrwstipekx"));
    assert!(Sharing::of(&all).map().contains(&format!("shared/shared-boxes/user/{}/{}\n1\n", at("bruno"), at("urp"))));
    let tables = Tables::of(&all);
    assert_eq!(value(&tables, Table::Senders, &at("urp")), Some(at("anna")), "who is suspended sends as nobody");
    assert_eq!(value(&tables, Table::Senders, &at("dormant")), None);
    let text = passwd_file(all.get(&domain(FANO)).unwrap());
    assert!(text.contains(&format!("{}:*:", at("urp"))), "nobody logs in as it");
}

#[test]
fn rights_never_reach_a_box_whose_address_begins_alike() {
    let all = fleet(&[of_fano(vec![person("anna"), shared("urp", &[("anna", DelegateRights::Read, false)])])]);
    for line in Sharing::of(&all).acl(&domain(FANO)).lines() {
        let pattern = line.split(' ').next().unwrap();
        assert!(pattern.ends_with(&at("urp")) || pattern.ends_with(&format!("{}/*", at("urp"))), "{pattern}");
    }
}

#[test]
fn scripts_send_on_and_answer() {
    let answer = Answer {
        subject: Some("Via \"Roma\" \\ 1".into()),
        text: "Torno lunedì.\n\"A presto\"\n.\n".into(),
        addresses: vec![address(&at("anna")), address(&at("urp"))],
    };
    let all = fleet(&[of_fano(vec![
        MailBox { answer: Some(answer.clone()), ..forwarding("anna", &["a@example.org", &at("bruno")], true) },
        forwarding("bruno", &["b'c@example.org"], false),
        forwarding("carla", &[&at("anna")], false),
        MailBox { answer: Some(Answer { subject: None, ..answer }), ..person("dario") },
        group("lista", &["l@example.org", &at("anna")], Posting::Anyone),
        MailBox { state: MailboxState::Closed, ..forwarding("closed", &["x@example.org"], true) },
        MailBox { role: BoxRole::Shared, password: None, ..person("ufficio") },
    ])]);
    let scripts = scripts(all.get(&domain(FANO)).unwrap(), Installed::new(&all));
    let text: String = scripts.iter().map(|(address, script)| format!("# {address}\n{script}")).collect();
    assert_eq!(text, include_str!("golden/scripts.sieve"));
}

#[test]
fn who_may_write_to_a_list() {
    let mut elsewhere = MailDomain::empty(domain("altro.pu.it"));
    let other = mailbox("x@altro.pu.it", MailboxState::Active);
    elsewhere.boxes = vec![MailBox { owner: ObjectKey::new("t-altro", "x"), ..other }];
    let mut fano = of_fano(vec![
        person("anna"),
        person("bruno"),
        group("anyone", &[&at("anna")], Posting::Anyone),
        group("outside", &["o@example.org"], Posting::Anyone),
        group("tenant", &[&at("anna")], Posting::Tenant),
        group("members", &[&at("urp"), &at("inner")], Posting::Members),
        group("inner", &[&format!("b*@{FANO}")], Posting::Anyone),
    ]);
    fano.aliases = aliases(&[(&at("urp"), &at("anna")), (&at("staff"), &at("tenant"))]);
    let all = fleet(&[fano, elsewhere]);
    let ask = |to: &str, from: &str, login: &str| judge(&all, &at(to), from, login);
    let (anna, bruno) = (at("anna"), at("bruno"));
    assert_eq!(ask("anyone", "x@example.org", ""), Verdict::Takes);
    assert_eq!((ask("anyone", "", ""), ask("outside", "", "")), (Verdict::Takes, Verdict::NoBounces));
    assert_eq!(ask("outside", "x@example.org", ""), Verdict::Takes);
    for to in ["tenant", "Tenant+x", "staff"] {
        assert_eq!(ask(to, &anna, &anna), Verdict::Takes, "{to}");
        assert_eq!(ask(to, &anna, ""), Verdict::TenantOnly, "{to}: a sender's address shows nothing");
        assert_eq!(ask(to, "x@altro.pu.it", "x@altro.pu.it"), Verdict::TenantOnly, "{to}");
    }
    assert_eq!(ask("members", &anna, &anna), Verdict::Takes, "by its alias");
    assert_eq!(ask("members", &bruno, &bruno), Verdict::Takes, "by a group within");
    assert_eq!(ask("members", "x@altro.pu.it", "x@altro.pu.it"), Verdict::MembersOnly);
    assert_eq!(ask("nobody", &anna, ""), Verdict::Takes, "is no list");
    assert_eq!(judge(&all, "\"a b\"@x", "", ""), Verdict::Takes);
}

#[test]
fn a_stranger_forward_is_no_way_into_a_closed_list() {
    let mut elsewhere = MailDomain::empty(domain("altro.pu.it"));
    let forward = forwarding("x", &[&at("tenant"), &at("anyone")], false).forward;
    let other = mailbox("x@altro.pu.it", MailboxState::Active);
    elsewhere.boxes = vec![MailBox { owner: ObjectKey::new("t-altro", "x"), forward, ..other }];
    let fano = of_fano(vec![
        person("anna"),
        person("bruno"),
        group("tenant", &[&at("anna")], Posting::Tenant),
        group("anyone", &[&at("bruno"), &at("tenant")], Posting::Anyone),
    ]);
    let all = fleet(&[fano, elsewhere]);
    let ends: Vec<String> =
        ends(&Installed::new(&all), &address("x@altro.pu.it")).iter().map(ToString::to_string).collect();
    assert_eq!(ends, [at("anna"), at("bruno")], "only through the list that its own tenant opened");
}
