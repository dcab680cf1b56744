//! What Rspamd refuses, what it marks, and what happens while it is away.

use std::time::Duration;

use cst_compiler::desired::mail::{Answer, BoxRole, Forwarding, MailBox};
use cst_compiler::model::Recipient;

use crate::client::Client;
use crate::names::ELSEWHERE;
use crate::place::{Place, place};
use crate::support::{address, domain, mailbox};

/// What every filter refuses.
const GTUBE: &str = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

fn send(to: &str, subject: &str, body: &str) -> String {
    let header = format!("From: <a@{ELSEWHERE}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n");
    Client::smtp(25).send_body(&format!("a@{ELSEWHERE}"), to, &header, body)
}

/// A message that is marked: no mail program writes two `Reply-To`, and it is to nobody.
fn send_spam(to: &str, subject: &str) -> String {
    Client::smtp(25).send_body(
        "a@elsewhere.example",
        to,
        &format!("Reply-To: x@elsewhere.example\r\nReply-To: y@elsewhere.example\r\nSubject: {subject}\r\n"),
        "Compra ora",
    )
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn spam_is_refused_while_its_sender_is_there() {
    place().install(&[&domain("rifiuta.example", &["anna"])]);
    let reply = send("anna@rifiuta.example", "rifiutato", GTUBE);
    assert!(reply.starts_with("554 5.7.1") || reply.starts_with("550 5.7.1"), "{reply}");
    assert!(send("anna@rifiuta.example", "preso", "Buongiorno.").starts_with("250"));
    let mut anna = Client::imap("anna@rifiuta.example", "segreto").unwrap();
    anna.await_message("preso");
    assert_eq!(anna.count("rifiutato"), 0);
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn what_is_marked_lies_in_junk_and_is_neither_sent_on_nor_answered() {
    let mut posta = domain("posta.example", &["anna", "luca"]);
    posta.boxes[0].answer =
        Some(Answer { addresses: vec![address("anna@posta.example")], subject: None, text: "Assente.".into() });
    let to = vec![Recipient::parse("fuori.spam@elsewhere.example").unwrap()];
    posta.boxes.push(MailBox { forward: Some(Forwarding { to, keep_copy: false }), ..mailbox("via@posta.example") });
    posta.boxes.push(MailBox { role: BoxRole::Shared, ..mailbox("urp@posta.example") });
    let place = &mut *place();
    place.install(&[&posta]);
    for local in ["anna", "via", "urp", "luca"] {
        let to = format!("{local}@posta.example");
        let reply = send_spam(&to, &format!("pubblicita {local}"));
        assert!(reply.starts_with("250"), "{to}: {reply}");
        assert!(send(&to, &format!("vera {local}"), "Buongiorno.").starts_with("250"));
    }
    for local in ["anna", "via", "luca"] {
        let mut imap = Client::imap(&format!("{local}@posta.example"), "segreto").unwrap();
        let message = imap.await_in("Junk", &format!("pubblicita {local}"));
        assert!(message.contains("\r\nX-Spam: Yes\r\n"), "{message}");
        assert_eq!(imap.count("pubblicita"), 0);
        if local != "via" {
            imap.await_message(&format!("vera {local}"));
        }
    }
    let search = "grep -rl --exclude='dovecot*' 'pubblicita urp' /var/vmail/posta.example/urp";
    let files = || place.in_image("dovecot", &["sh", "-c", search]);
    let start = std::time::Instant::now();
    while files().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(20), "it is nowhere");
    }
    assert!(files().starts_with("/var/vmail/posta.example/urp/Maildir/new/"), "{}", files());
    let queue = place.in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-j"]);
    let sent = |to: &str| queue.lines().filter(|line| line.contains(to) && line.contains("posta.example")).count();
    assert!(sent("fuori.spam@elsewhere.example") <= 1, "{queue}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn verdicts_that_the_sender_wrote_are_taken_out() {
    place().install(&[&domain("falsa.example", &["anna", "luca"])]);
    let (anna, luca) = ("anna@falsa.example", "luca@falsa.example");
    let forged = "X-Spam: No\r\nx-spam : Yes\r\nAuthentication-Results: mx.cst.example.net;\r\n dmarc=pass header.from=banca.example\r\n\
        AUTHENTICATION-RESULTS: (a\r\n (b)) MX.cst.example.net 1; dkim=pass\r\nAuthentication-Results: altrove.example; spf=pass\r\n";
    let reply = Client::smtp(25).send_with(
        &format!("a@{ELSEWHERE}"),
        anna,
        &format!("{forged}From: a@{ELSEWHERE}\r\nTo: {anna}\r\nSubject: verdetti\r\n"),
    );
    assert!(reply.starts_with("250"), "{reply}");
    let message = Client::imap(anna, "segreto").unwrap().await_message("verdetti");
    let lower = message.to_lowercase();
    assert_eq!(lower.matches("authentication-results:").count(), 1, "{message}");
    assert!(message.contains("Authentication-Results: mx.cst.example.net;"), "{message}");
    assert!(lower.contains("spf=pass") && !lower.contains("banca") && !lower.contains("x-spam"), "{message}");
    let mut client = Client::submissions();
    assert!(client.auth(anna, "segreto").starts_with("235"));
    let reply = client.send_with(anna, luca, &format!("{forged}From: {anna}\r\nSubject: da un collega\r\n"));
    assert!(reply.starts_with("250"), "{reply}");
    let message = Client::imap(luca, "segreto").unwrap().await_message("da un collega").to_lowercase();
    assert!(!message.contains("authentication-results") && !message.contains("x-spam"), "{message}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn while_rspamd_is_away_who_sends_tries_again() {
    let mut place = place();
    place.install(&[&domain("manca.example", &["anna", "luca"])]);
    let (anna, luca) = ("anna@manca.example", "luca@manca.example");
    let mut open = Client::smtp(25);
    let mut submission = Client::submissions();
    assert!(submission.auth(anna, "segreto").starts_with("235"));
    place.kill_server("rspamd");
    for reply in [
        open.send(&format!("a@{ELSEWHERE}"), luca, "in sessione"),
        submission.send(anna, luca, "inviato"),
        Client::smtp(25).send(&format!("a@{ELSEWHERE}"), luca, "di nuovo"),
    ] {
        assert!(reply.starts_with('4'), "{reply}");
    }
    let unknown = Client::smtp(25).rcpt(&format!("a@{ELSEWHERE}"), "nessuno@manca.example");
    assert!(!unknown.starts_with('2'), "{unknown}");
    place.start_server("rspamd");
    assert!(Client::smtp(25).send(&format!("a@{ELSEWHERE}"), luca, "ritornato").starts_with("250"));
    let mut imap = Client::imap(luca, "segreto").unwrap();
    imap.await_message("ritornato");
    assert_eq!((imap.count("in sessione"), imap.count("inviato"), imap.count("di nuovo")), (0, 0, 0));
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn what_was_accepted_around_the_end_of_rspamd_comes_once() {
    let mut place = place();
    place.install(&[&domain("cade.example", &["anna"])]);
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            std::thread::spawn(move || {
                let mut accepted = Vec::new();
                let start = std::time::Instant::now();
                for number in 0.. {
                    let subject = format!("caduta {sender} {number} .");
                    let reply = std::panic::catch_unwind(|| send("anna@cade.example", &subject, "Buongiorno."));
                    match reply {
                        Ok(reply) if reply.starts_with("250") => accepted.push(subject),
                        Ok(reply) => assert!(reply.is_empty() || reply.starts_with('4'), "{reply}"),
                        Err(_) => {}
                    }
                    if start.elapsed() > Duration::from_secs(8) {
                        break;
                    }
                }
                accepted
            })
        })
        .collect();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_secs(1));
        place.kill_server("rspamd");
        place.start_server("rspamd");
    }
    let accepted: Vec<String> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    assert!(accepted.len() > 10, "only {} were accepted", accepted.len());
    eprintln!("{} messages accepted around three ends of Rspamd", accepted.len());
    let mut imap = Client::imap("anna@cade.example", "segreto").unwrap();
    for subject in &accepted {
        let message = imap.await_message(subject);
        assert!(message.contains("Authentication-Results: mx.cst.example.net"), "it was not judged: {message}");
        assert_eq!(imap.count(subject), 1, "{subject}");
    }
    assert_eq!(imap.count("caduta"), accepted.len(), "nothing else came");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn what_a_box_sends_on_while_rspamd_is_away_waits_and_is_in_the_box_once() {
    let mut inoltro = domain("inoltro.example", &[]);
    let to = vec![Recipient::parse("dopo@elsewhere.example").unwrap()];
    inoltro
        .boxes
        .push(MailBox { forward: Some(Forwarding { to, keep_copy: true }), ..mailbox("anna@inoltro.example") });
    let place = &mut *place();
    place.install(&[&inoltro]);
    place.kill_server("dovecot");
    assert!(send("anna@inoltro.example", "in due posti", "Buongiorno.").starts_with("250"));
    place.kill_server("rspamd");
    place.start_server("dovecot");
    let queued = |place: &Place, text: &str| {
        place
            .in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-j"])
            .lines()
            .any(|line| line.contains(text))
    };
    place.in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-f"]);
    let start = std::time::Instant::now();
    let refused = |place: &Place| {
        let log = std::fs::read_to_string(place.path("dovecot.log")).unwrap();
        log.lines().any(|line| line.contains("anna@inoltro.example") && line.contains("redirect action: failed"))
    };
    while !refused(place) {
        assert!(start.elapsed() < Duration::from_secs(30), "Dovecot did not try to send it on");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(queued(place, "anna@inoltro.example"), "it waits");
    place.start_server("rspamd");
    while !queued(place, "dopo@elsewhere.example") {
        assert!(start.elapsed() < Duration::from_mins(1), "it was not sent on");
        place.in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-f"]);
        std::thread::sleep(Duration::from_millis(200));
    }
    let mut anna = Client::imap("anna@inoltro.example", "segreto").unwrap();
    anna.await_message("in due posti");
    assert_eq!(anna.count("in due posti"), 1);
}
