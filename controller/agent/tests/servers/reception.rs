//! What port 25 takes and refuses, and where it goes.

use cst_api::{MailboxState, Posting};
use cst_compiler::desired::mail::{BoxRole, MailBox};
use cst_compiler::model::{Member, Quantity};

use crate::client::Client;
use crate::place::{CENTRE, place};
use crate::support::{address, domain, mailbox};

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn without_tables_the_sender_tries_again_and_the_first_tables_are_seen() {
    let place = place();
    assert!(place.without_tables.starts_with("451"), "{}", place.without_tables);
    eprintln!("first tables seen after {:?}", place.healed_in);
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_message_comes_in_by_smtp_and_out_by_imap() {
    place().install(&[&domain("comune.uno.example", &["protocollo"])]);
    let reply = Client::smtp(25).send("mittente@elsewhere.example", "Protocollo@Comune.UNO.example", "in e out");
    assert!(reply.starts_with("250"), "{reply}");
    let mut imap = Client::imap("protocollo@comune.uno.example", "segreto").unwrap();
    let message = imap.await_message("in e out");
    assert!(
        message.contains("Buongiorno.") && message.contains("Return-Path: <mittente@elsewhere.example>"),
        "{message}"
    );
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn an_alias_is_delivered_to_its_box_also_in_another_domain() {
    let mut with_alias = domain("comune.due.example", &[]);
    with_alias.aliases.insert(address("urp@comune.due.example"), address("anna@comune.tre.example"));
    place().install(&[&domain("comune.tre.example", &["anna"]), &with_alias]);
    assert!(Client::smtp(25).send("", "urp+tag@comune.due.example", "per alias").starts_with("250"));
    let mut imap = Client::imap("anna@comune.tre.example", "segreto").unwrap();
    imap.await_message("per alias");
    assert!(Client::imap("urp@comune.due.example", "segreto").is_err(), "an alias is no login");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn unknown_addresses_and_relaying_are_refused_at_rcpt() {
    place().install(&[&domain("comune.quattro.example", &["anna"])]);
    let mut smtp = Client::smtp(25);
    let unknown = smtp.rcpt("a@elsewhere.example", "nessuno@comune.quattro.example");
    assert!(unknown.starts_with("550 5.1.1"), "{unknown}");
    for relay in [
        "someone@elsewhere.example",
        "someone%elsewhere.example@comune.quattro.example",
        "elsewhere.example!someone@comune.quattro.example",
        "@comune.quattro.example:someone@elsewhere.example",
        "\"someone@elsewhere.example\"@comune.quattro.example",
        "someone@elsewhere.example@comune.quattro.example",
        "someone@[127.0.0.1]",
        "root@localhost",
        "someone@sub.comune.quattro.example",
    ] {
        let mut smtp = Client::smtp(25);
        let reply = smtp.rcpt("anna@comune.quattro.example", relay);
        assert!(reply.starts_with('5'), "{relay}: {reply}");
    }
    let reply = Client::smtp(25).rcpt("a@elsewhere.example", "someone@elsewhere.example");
    assert!(reply.starts_with("554 5.7.1"), "{reply}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn postmaster_and_abuse_reach_the_centre() {
    place().install(&[&domain("comune.cinque.example", &["anna"])]);
    let mut imap = Client::imap(CENTRE, "segreto").unwrap();
    for (to, subject) in [
        ("postmaster@comune.cinque.example", "al postmaster"),
        ("abuse@comune.cinque.example", "un abuso"),
        ("postmaster@mx.cst.example.net", "al postmaster di questo host"),
        ("postmaster", "al postmaster senza dominio"),
    ] {
        let reply = Client::smtp(25).send("a@elsewhere.example", to, subject);
        assert!(reply.starts_with("250"), "{to}: {reply}");
        imap.await_message(subject);
    }
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_new_domain_is_never_refused_once_it_is_acknowledged() {
    for number in 0..5 {
        let name = format!("nuovo{number}.example");
        place().install(&[&domain(&name, &["anna"])]);
        let reply = Client::smtp(25).rcpt("a@elsewhere.example", &format!("anna@{name}"));
        assert!(reply.starts_with("250"), "{reply}");
    }
    let mut empty = domain("vuoto.example", &["chiusa"]);
    empty.boxes[0].state = MailboxState::Closed;
    place().install(&[&empty]);
    let reply = Client::smtp(25).rcpt("a@elsewhere.example", "nessuno@vuoto.example");
    assert!(reply.starts_with("550"), "a domain without a box that receives: {reply}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_withdrawn_domain_is_refused() {
    place().install(&[&domain("comune.lascia.example", &["anna"])]);
    place().withdraw("comune.lascia.example");
    let start = std::time::Instant::now();
    loop {
        let reply = Client::smtp(25).rcpt("a@elsewhere.example", "anna@comune.lascia.example");
        if reply.starts_with("554") {
            break;
        }
        assert!(start.elapsed().as_secs() < 5, "{reply}");
    }
    assert!(Client::imap("anna@comune.lascia.example", "segreto").is_err());
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_full_box_is_refused_at_rcpt() {
    let mut full = domain("comune.pieno.example", &["anna"]);
    full.boxes[0].quota = Quantity(10_000);
    full.aliases.insert(address("urp@comune.pieno.example"), address("anna@comune.pieno.example"));
    place().install(&[&full]);
    let mut smtp = Client::smtp(25);
    let long = "pieno\r\n".to_owned() + &"X-Riempimento: 0123456789\r\n".repeat(500);
    let reply = smtp.send("a@elsewhere.example", "anna@comune.pieno.example", long.trim_end());
    assert!(reply.starts_with("250"), "the message that fills the box is still taken: {reply}");
    Client::imap("anna@comune.pieno.example", "segreto").unwrap().await_message("pieno");
    let reply = smtp.rcpt("a@elsewhere.example", "anna@comune.pieno.example");
    assert!(reply.starts_with("452 4.2.2"), "{reply}");
    smtp.say("RSET");
    assert!(smtp.say("MAIL FROM:<a@elsewhere.example> SIZE=40000000").starts_with("250"));
    let reply = smtp.say("RCPT TO:<anna@comune.pieno.example>");
    assert!(reply.starts_with("452 4.2.2"), "{reply}");
    let tutti = domain("comune.pieno.example", &["luca"]).boxes.remove(0);
    full.boxes.push(tutti);
    for (to, members) in [("lista", vec!["anna"]), ("tutti", vec!["anna", "luca"])] {
        let members = members.iter().map(|local| Member::parse(&format!("{local}@comune.pieno.example")).unwrap());
        let role = BoxRole::Group { members: members.collect(), posting: Posting::Anyone };
        full.boxes.push(MailBox { role, password: None, ..mailbox(&format!("{to}@comune.pieno.example")) });
    }
    full.catch_all = Some(address("anna@comune.pieno.example"));
    place().install(&[&full]);
    for (to, code) in [
        ("chiunque", "452 4.2.2"),
        ("urp", "452 4.2.2"),
        ("anna+x", "452 4.2.2"),
        ("lista", "452 4.2.2"),
        ("tutti", "250"),
        ("luca", "250"),
    ] {
        let reply = Client::smtp(25).rcpt("a@elsewhere.example", &format!("{to}@comune.pieno.example"));
        assert!(reply.starts_with(code), "{to}: {reply}");
    }
    full.boxes[0].quota = Quantity(100_000);
    place().install(&[&full]);
    let reply = smtp.rcpt("a@elsewhere.example", "anna@comune.pieno.example");
    assert!(reply.starts_with("250"), "a larger quota holds at once: {reply}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_bare_line_feed_ends_no_message() {
    place().install(&[&domain("comune.contrabbando.example", &["anna"])]);
    let mut smtp = Client::smtp(25);
    assert!(smtp.rcpt("a@elsewhere.example", "anna@comune.contrabbando.example").starts_with("250"));
    assert!(smtp.say("DATA").starts_with("354"));
    let smuggled = "MAIL FROM:<a@elsewhere.example>\r\nRCPT TO:<anna@comune.contrabbando.example>\r\nDATA\r\nSubject: nascosto\r\n\r\n";
    let reply = smtp.say(&format!("Subject: fuori\r\n\r\ntesto\n.\n{smuggled}\r\n."));
    let mut imap = Client::imap("anna@comune.contrabbando.example", "segreto").unwrap();
    if reply.starts_with('2') {
        imap.await_message("fuori");
    }
    imap.imap_command("SELECT INBOX").unwrap();
    let found = imap.imap_command("SEARCH SUBJECT nascosto").unwrap();
    assert_eq!(found.lines().next().unwrap().trim(), "* SEARCH");
}
