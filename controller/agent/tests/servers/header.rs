//! The header of what is submitted: it may name nobody but who is logged in.

use std::time::{Duration, Instant};

use cst_api::DelegateRights;
use cst_compiler::desired::mail::{BoxRole, Delegation, Forwarding, MailBox, MailDomain};
use cst_compiler::model::Recipient;

use crate::client::Client;
use crate::place::place;
use crate::support::{address, domain, domain_name, mailbox};

const ANNA: &str = "anna@firma.example";
const SARA: &str = "sara@firma.example";

fn office(text: &str, send_as: bool) -> MailBox {
    let delegates = vec![Delegation { user: address(ANNA), rights: DelegateRights::Write, send_as }];
    MailBox { role: BoxRole::Shared, password: None, delegates, ..mailbox(text) }
}

/// Anna, Sara, an office that Anna may send as, one that she only reads, and a domain that is an alias.
fn firma() -> [MailDomain; 2] {
    let mut firma = domain("firma.example", &["anna", "sara"]);
    firma.boxes.extend([office("urp@firma.example", true), office("albo@firma.example", false)]);
    firma.aliases.insert(address("a.rossi@firma.example"), address(ANNA));
    let mut vecchia = domain("vecchiafirma.example", &[]);
    vecchia.alias_of = Some(domain_name("firma.example"));
    [firma, vecchia]
}

fn install() {
    let [firma, vecchia] = firma();
    place().install(&[&firma, &vecchia]);
}

fn as_anna(mut client: Client) -> Client {
    let reply = client.auth(ANNA, "segreto");
    assert!(reply.starts_with("235"), "{reply}");
    client
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_header_with_ones_own_addresses_is_taken() {
    install();
    let mut client = as_anna(Client::submissions());
    for (number, from) in [
        ANNA,
        "Anna Rossi <ANNA@Firma.Example>",
        "\"Rossi, Anna\"\r\n <anna+albo@firma.example>",
        "a.rossi@firma.example",
        "anna@vecchiafirma.example",
        "URP <urp@firma.example>",
        "=?utf-8?q?Niccol=C3=B2?= <anna@firma.example>",
    ]
    .into_iter()
    .enumerate()
    {
        let header = format!("From: {from}\r\nSender: {ANNA}\r\nSubject: proprio {number}\r\n");
        let reply = client.send_with(ANNA, SARA, &header);
        assert!(reply.starts_with("250"), "{from}: {reply}");
        Client::imap(SARA, "segreto").unwrap().await_message(&format!("proprio {number}"));
    }
    let both = format!("From: {ANNA}, urp@firma.example\r\nSender: {ANNA}\r\n");
    assert!(client.send_with("urp@firma.example", SARA, &both).starts_with("250"));
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_header_that_names_another_is_refused_in_every_form() {
    install();
    let long = format!("From: {ANNA},{}\r\n {SARA}\r\n", "\r\n ".repeat(60_000));
    for header in [
        "From: sara@firma.example\r\n",
        "From: albo@firma.example\r\n",
        "From: sara@vecchiafirma.example\r\n",
        "From: a@elsewhere.example\r\n",
        "From: \"anna@firma.example\" <sara@firma.example>\r\n",
        "From: \"Sara <sara@firma.example>\" <anna@firma.example>\r\n",
        "From: =?utf-8?q?sara=40firma=2Eexample?= <anna@firma.example>\r\n",
        "From: anna@firma.example\r\nFrom: sara@firma.example\r\n",
        "From: sara@firma.example\r\nFrom: anna@firma.example\r\n",
        "From: anna@firma.example\r\nfrom : sara@firma.example\r\n",
        "From:\r\n anna@firma.example,\r\n\tsara@firma.example\r\nSender: anna@firma.example\r\n",
        "From: anna@firma.example\r\n \r\n , sara@firma.example\r\nSender: anna@firma.example\r\n",
        "From: anna@firma.example, sara@firma.example\r\nSender: anna@firma.example\r\n",
        "From: anna@firma.example, urp@firma.example\r\n",
        "From: Ufficio: sara@firma.example;\r\n",
        "From: sara@firma.example (anna@firma.example)\r\n",
        "From: \"sara\"@firma.example\r\n",
        "From: anna@firma.example\r\nSender: sara@firma.example\r\n",
        "From: anna@firma.example\r\nResent-From: sara@firma.example\r\n",
        "From: sara@firma.example\r\nResent-From: anna@firma.example\r\n",
        "Resent-From: anna@firma.example\r\n",
        "From: anna@firma.example\rFrom: sara@firma.example\r\n",
        &long,
    ] {
        // Postfix ends a session after some twenty refusals.
        for mut client in [as_anna(Client::submissions()), as_anna(Client::submission())] {
            let reply = client.send_with(ANNA, SARA, &format!("Subject: falso\r\n{header}"));
            assert!(reply.starts_with("550 5.7.1 "), "{header:?}: {reply}");
        }
    }
    let mut client = as_anna(Client::submissions());
    assert!(client.send_with(ANNA, SARA, &format!("From: {SARA}\r\nSubject: falso\r\n")).starts_with("550"));
    assert!(client.send(ANNA, SARA, "dopo il falso").starts_with("250"), "the session goes on");
    let mut imap = Client::imap(SARA, "segreto").unwrap();
    imap.await_message("dopo il falso");
    assert_eq!(imap.count("falso"), 1, "nothing else came");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_header_that_lacks_its_sender_date_or_id_is_completed_by_the_envelope() {
    install();
    let mut client = as_anna(Client::submissions());
    for sender in [ANNA, "urp@firma.example"] {
        let reply = client.send_with(sender, SARA, &format!("Subject: senza {sender}\r\n"));
        assert!(reply.starts_with("250"), "{reply}");
        let message = Client::imap(SARA, "segreto").unwrap().await_message(&format!("senza {sender}"));
        for field in [&*format!("\r\nFrom: {sender}\r\n"), "\r\nDate: ", "\r\nMessage-Id: <"] {
            assert!(message.contains(field), "{field}: {message}");
        }
    }
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn what_stands_behind_the_header_or_a_zero_is_nobodys_sender() {
    install();
    let mut client = as_anna(Client::submissions());
    let reply =
        client.send_with(ANNA, SARA, &format!("From: {ANNA}\r\nSubject: coda\r\nnessun campo\r\nFrom: {SARA}\r\n"));
    assert!(reply.starts_with("250"), "{reply}");
    let message = Client::imap(SARA, "segreto").unwrap().await_message("coda");
    assert!(message.contains("\r\n\r\nnessun campo\r\nFrom: sara@"), "it is in the body: {message}");
    let reply = client.send_with(ANNA, SARA, &format!("Subject: zero\r\nFrom: {ANNA}\0, {SARA}\r\n"));
    assert!(reply.starts_with("250"), "{reply}");
    let message = Client::imap(SARA, "segreto").unwrap().await_message("zero");
    assert!(message.contains("From: anna@firma.example\r\n") && !message.contains(", sara@"), "{message}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_login_that_loses_the_right_loses_it_within_its_session() {
    let mut perde = domain("perde.example", &["anna", "luca"]);
    let delegates =
        vec![Delegation { user: address("anna@perde.example"), rights: DelegateRights::Write, send_as: true }];
    perde.boxes.push(MailBox { role: BoxRole::Shared, password: None, delegates, ..mailbox("urp@perde.example") });
    place().install(&[&perde]);
    let mut client = Client::submissions();
    assert!(client.auth("anna@perde.example", "segreto").starts_with("235"));
    let mut ask = || client.send_with("anna@perde.example", "luca@perde.example", "From: urp@perde.example\r\n");
    assert!(ask().starts_with("250"));
    perde.boxes[2].delegates[0].send_as = false;
    place().install(&[&perde]);
    let reply = ask();
    assert!(reply.starts_with("550 5.7.1 From names urp@perde.example"), "{reply}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn mail_of_others_keeps_its_own_header() {
    let mut altre = domain("altre.example", &["luca"]);
    let to =
        vec![Recipient::parse("x.altre@elsewhere.example").unwrap(), Recipient::parse("luca@altre.example").unwrap()];
    altre.boxes.push(MailBox { forward: Some(Forwarding { to, keep_copy: true }), ..mailbox("via@altre.example") });
    let place = &mut *place();
    place.install(&[&altre]);
    place.stop_milter();
    let header = "From: A <a@elsewhere.example>\r\nSender: B <b@elsewhere.example>\r\nSubject: altrui\r\n";
    let reply = Client::smtp(25).send_with("c@elsewhere.example", "via@altre.example", header);
    assert!(reply.starts_with("250"), "port 25: {reply}");
    let reply = Client::smtp(25).send_with("c@elsewhere.example", "luca@altre.example", "Subject: senza mittente\r\n");
    assert!(reply.starts_with("250"), "port 25: {reply}");
    let reply =
        Client::smtp(10025).send_with("via@altre.example", "luca@altre.example", &header.replace("altrui", "oltre"));
    assert!(reply.starts_with("250"), "what Dovecot sends on: {reply}");
    place.start_milter();
    let mut luca = Client::imap("luca@altre.example", "segreto").unwrap();
    for subject in ["altrui", "senza mittente", "oltre"] {
        luca.await_message(subject);
    }
    let start = Instant::now();
    while !place
        .in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-j"])
        .contains("x.altre@elsewhere.example")
    {
        assert!(start.elapsed() < Duration::from_secs(20), "it was not sent on");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn while_the_milter_is_away_who_submits_tries_again() {
    let assente = domain("assente.example", &["anna", "luca"]);
    let (anna, luca) = ("anna@assente.example", "luca@assente.example");
    let place = &mut *place();
    place.install(&[&assente]);
    let mut open = Client::submissions();
    assert!(open.auth(anna, "segreto").starts_with("235"));
    place.stop_milter();
    let reply = open.send(anna, luca, "in sessione");
    assert!(reply.starts_with("45"), "a session that was open: {reply}");
    let mut fresh = Client::submissions();
    let login = fresh.auth(anna, "segreto");
    let reply = if login.starts_with("235") { fresh.send(anna, luca, "di nuovo") } else { login };
    assert!(reply.starts_with("45"), "a new one: {reply}");
    place.start_milter();
    let mut again = Client::submissions();
    assert!(again.auth(anna, "segreto").starts_with("235"));
    assert!(again.send(anna, luca, "ritentato").starts_with("250"));
    let mut imap = Client::imap(luca, "segreto").unwrap();
    imap.await_message("ritentato");
    assert_eq!((imap.count("in sessione"), imap.count("di nuovo")), (0, 0));
}
