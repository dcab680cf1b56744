use super::*;
use crate::desired::mail::dovecot::{application_files, passwd_file};
use crate::desired::mail::postfix::{Table, Tables};

fn text(tables: &Tables, table: Table) -> String {
    tables.entries(table).iter().map(|(key, value)| format!("{key} {value}\n")).collect()
}

#[test]
fn passwd_file_of_every_state() {
    assert_eq!(passwd_file(&content(&urbino())), include_str!("golden/urbino.passwd"));
}

#[test]
fn applications_log_in_where_their_owner_does() {
    let mut urbino = urbino();
    let hash = |whose: &str| PasswordHash::parse(&format!("{{SHA512-CRYPT}}$6${whose}${}", "a".repeat(86))).unwrap();
    for (at, names) in [(0, &["scanner", "phone"][..]), (1, &["phone"]), (2, &["phone"]), (4, &["phone"])] {
        urbino.boxes[at].applications = names.iter().map(|name| ((*name).to_owned(), hash(name))).collect();
    }
    let files = application_files(&content(&urbino));
    let line = |local: &str, whose: &str| format!("{local}@comune.urbino.pu.it:{}\n", hash(whose).expose());
    assert_eq!(files, [line("archivio", "phone") + &line("protocollo", "phone"), line("protocollo", "scanner")]);
    assert_eq!(passwd_file(&content(&urbino)), include_str!("golden/urbino.passwd"), "the owner's own is as it was");
}

#[test]
fn tables_of_every_state() {
    let tables = Tables::of(&fleet(&[urbino(), fano()]));
    assert_eq!(text(&tables, Table::Domains), include_str!("golden/virtual_mailbox_domains"));
    assert_eq!(text(&tables, Table::Boxes), include_str!("golden/virtual_mailbox_maps"));
    assert_eq!(text(&tables, Table::Aliases), include_str!("golden/virtual_alias_maps"));
    assert_eq!(text(&tables, Table::Senders), include_str!("golden/smtpd_sender_login_maps"));
}

#[test]
fn no_key_is_there_twice() {
    let tables = Tables::of(&fleet(&[urbino(), fano()]));
    for table in Table::ALL {
        let mut keys: Vec<_> = tables.entries(table).iter().map(|(key, _)| key).collect();
        keys.sort();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{table:?}");
    }
}

#[test]
fn the_centres_postmaster_is_found_by_its_alias_and_refused_while_it_has_no_box() {
    let alias_of = |tables: &Tables, key: &str| {
        tables.entries(Table::Aliases).iter().find(|(k, _)| k == key).map(|(_, value)| value.clone())
    };
    let mut own = MailDomain::empty(domain("cst.example.net"));
    let tables = Tables::of(&fleet(&[urbino(), own.clone()]));
    assert_eq!(alias_of(&tables, "abuse@comune.urbino.pu.it"), None);
    own.boxes = vec![mailbox("staff@cst.example.net", MailboxState::Active)];
    own.aliases = aliases(&[("postmaster@cst.example.net", "staff@cst.example.net")]);
    let tables = Tables::of(&fleet(&[urbino(), own]));
    for key in ["abuse@comune.urbino.pu.it", "abuse@cst.example.net", "postmaster@cst.example.net"] {
        assert_eq!(alias_of(&tables, key).as_deref(), Some("staff@cst.example.net"), "{key}");
    }
}

#[test]
fn a_withdrawn_domain_is_in_no_table() {
    let withdrawn = read(&[crate::desired::mail::shard::withdrawal(&domain("comune.urbino.pu.it"))]);
    let mut all = fleet(&[fano()]);
    let before = Tables::of(&all);
    all.insert(domain("comune.urbino.pu.it"), DomainContent::assemble(&withdrawn).unwrap());
    assert_eq!(Tables::of(&all), before);
}
