//! What goes on when a part is away.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::place::{next_second, place};
use crate::support::{domain, mailbox};

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn mail_is_taken_while_dovecot_is_away_and_delivered_when_it_is_back() {
    let mut place = place();
    place.install(&[&domain("comune.attesa.example", &["anna"])]);
    place.kill_server("dovecot");
    let reply = Client::smtp(25).send("a@elsewhere.example", "anna@comune.attesa.example", "in attesa");
    assert!(reply.starts_with("250"), "{reply}");
    assert!(Client::smtp(25).rcpt("a@elsewhere.example", "nessuno@comune.attesa.example").starts_with("550"));
    place.start_server("dovecot");
    let mut imap = Client::imap("anna@comune.attesa.example", "segreto").unwrap();
    place.in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-f"]);
    imap.await_message("in attesa");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn what_was_accepted_outlives_a_killed_postfix() {
    let mut place = place();
    place.install(&[&domain("comune.coda.example", &["anna"])]);
    place.kill_server("dovecot");
    assert!(Client::smtp(25).send("a@elsewhere.example", "anna@comune.coda.example", "in coda").starts_with("250"));
    place.kill_server("postfix");
    place.start_server("dovecot");
    place.start_server("postfix");
    place.in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-f"]);
    Client::imap("anna@comune.coda.example", "segreto").unwrap().await_message("in coda");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_new_box_is_acknowledged_only_when_both_servers_know_it() {
    let mut place = place();
    let mut domain = domain("comune.prova.example", &["anna"]);
    place.install(&[&domain]);
    domain.boxes.push(mailbox("luca@comune.prova.example"));
    place.kill_server("dovecot");
    place.offer(&[&domain]);
    assert!(!place.serves("comune.prova.example"));
    place.start_server("dovecot");
    place.step();
    assert!(place.serves("comune.prova.example"));
    domain.boxes.push(mailbox("vera@comune.prova.example"));
    place.kill_server("postfix");
    place.offer(&[&domain]);
    assert!(!place.serves("comune.prova.example"));
    place.start_server("postfix");
    place.step();
    assert!(place.serves("comune.prova.example"));
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn lost_passwd_files_bounce_nothing() {
    let mut place = place();
    place.install(&[&domain("comune.perso.example", &["anna"])]);
    let file = place.path("tables/dovecot/comune.perso.example");
    let text = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    next_second();
    let reply = Client::smtp(25).send("", "anna@comune.perso.example", "ritrovato");
    assert!(reply.starts_with("250"), "{reply}");
    let start = Instant::now();
    while !place
        .in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-p"])
        .contains("anna@comune.perso.example")
        || !std::fs::read_to_string(place.path("postfix.log")).unwrap().contains("4.1.1")
    {
        assert!(start.elapsed() < Duration::from_secs(20), "the message was not deferred");
    }
    std::fs::write(&file, text).unwrap();
    // As the agent does: a later second.
    let later = std::time::SystemTime::now() + Duration::from_secs(2);
    std::fs::File::options().append(true).open(&file).unwrap().set_modified(later).unwrap();
    place.in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-f"]);
    Client::imap("anna@comune.perso.example", "segreto").unwrap().await_message("ritrovato");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn postfix_reads_the_tables_as_they_were_meant() {
    let mut place = place();
    place.install(&[&domain("comune.chiavi.example", &["anna", "luca"])]);
    let ask = |table: &str, key: &str| {
        let map = format!("cdb:/var/lib/cst/postfix/{table}");
        place.in_image("postfix", &["postmap", "-c", "/etc/postfix/run", "-q", key, &map]).trim().to_owned()
    };
    assert_eq!(ask("virtual_mailbox_domains", "comune.chiavi.example"), "hosted");
    assert_eq!(ask("virtual_mailbox_maps", "luca@comune.chiavi.example"), "box");
    assert_eq!(ask("virtual_alias_maps", "abuse@comune.chiavi.example"), "postmaster@cst.example.net");
    assert_eq!(ask("virtual_mailbox_maps", "nessuno@comune.chiavi.example"), "");
}
