//! What a box may do in each state, and how soon a change holds.

use std::time::{Duration, Instant};

use cst_api::MailboxState;
use cst_compiler::desired::mail::PasswordHash;

use crate::client::Client;
use crate::place::{next_second, place};
use crate::support::{HASHES, domain};

/// What a box may do: receive, log in by IMAP, log in for submission, send.
fn abilities(user: &str) -> [bool; 4] {
    let receives = Client::smtp(25).rcpt("a@elsewhere.example", user);
    assert!(receives.starts_with("250") || receives.starts_with("550"), "{receives}");
    let mut submission = Client::submissions();
    let auth = submission.auth(user, "segreto").starts_with("235");
    let sends = auth && submission.rcpt(user, "someone@elsewhere.example").starts_with("250");
    [receives.starts_with("250"), Client::imap(user, "segreto").is_ok(), auth, sends]
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn each_state_allows_what_it_says() {
    let mut states = domain("comune.stati.example", &["attiva", "sospesa", "archiviata", "chiusa", "muta"]);
    for (mailbox, state) in states.boxes.iter_mut().zip([
        MailboxState::Active,
        MailboxState::Suspended,
        MailboxState::Archived,
        MailboxState::Closed,
        MailboxState::Active,
    ]) {
        mailbox.state = state;
    }
    states.boxes[4].password = None;
    place().install(&[&states]);
    let of = |local: &str| abilities(&format!("{local}@comune.stati.example"));
    assert_eq!(of("attiva"), [true, true, true, true]);
    assert_eq!(of("sospesa"), [true, false, false, false]);
    assert_eq!(of("archiviata"), [false, true, true, false]);
    assert_eq!(of("chiusa"), [false, false, false, false]);
    assert_eq!(of("muta"), [true, false, false, false]);
    assert!(Client::imap("muta@comune.stati.example", "\"\"").is_err());
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn mail_of_a_suspended_box_is_there_when_it_comes_back() {
    let mut domain = domain("comune.torna.example", &["anna"]);
    domain.boxes[0].state = MailboxState::Suspended;
    place().install(&[&domain]);
    assert!(Client::smtp(25).send("a@elsewhere.example", "anna@comune.torna.example", "intanto").starts_with("250"));
    domain.boxes[0].state = MailboxState::Active;
    place().install(&[&domain]);
    Client::imap("anna@comune.torna.example", "segreto").unwrap().await_message("intanto");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn only_the_newest_of_passwords_changed_within_a_second_is_valid() {
    let mut domain = domain("comune.parola.example", &["anna"]);
    place().install(&[&domain]);
    let user = "anna@comune.parola.example";
    assert!(Client::imap(user, "segreto").is_ok());
    for round in 0..4 {
        let (hash, valid, other) =
            if round % 2 == 0 { (HASHES[1], "nuovo", "segreto") } else { (HASHES[0], "segreto", "nuovo") };
        next_second();
        for changed in [HASHES[1], HASHES[0], hash] {
            domain.boxes[0].password = Some(PasswordHash::parse(changed).unwrap());
            place().offer(&[&domain]);
        }
        place().install(&[]);
        assert!(Client::imap(user, valid).is_ok(), "round {round}: the new one");
        assert!(Client::imap(user, other).is_err(), "round {round}: the old one");
    }
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_box_that_takes_over_anothers_store_reads_its_mail() {
    let old = domain("comune.vecchio.example", &["anna"]);
    place().install(&[&old]);
    assert!(Client::smtp(25).send("", "anna@comune.vecchio.example", "dal vecchio").starts_with("250"));
    Client::imap("anna@comune.vecchio.example", "segreto").unwrap().await_message("dal vecchio");
    let mut new = domain("comune.fuso.example", &["anna"]);
    new.boxes[0].store = old.boxes[0].address.clone();
    place().install(&[&new, &domain("comune.vecchio.example", &[])]);
    Client::imap("anna@comune.fuso.example", "segreto").unwrap().await_message("dal vecchio");
}

/// Whether the session ends. Dovecot has answered the agent by then, and its processes end a moment later.
pub fn is_put_out(session: &mut Client) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if session.imap_command("NOOP").is_err() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn who_may_no_longer_log_in_is_put_out_of_open_sessions_and_nobody_else() {
    let mut domain = domain("comune.fuori.example", &["anna", "luca", "sara"]);
    place().install(&[&domain]);
    let [mut anna, mut luca, mut sara] = ["anna", "luca", "sara"]
        .map(|local| Client::imap(&format!("{local}@comune.fuori.example"), "segreto").unwrap());
    domain.boxes[0].state = MailboxState::Suspended;
    domain.boxes[1].password = Some(PasswordHash::parse(HASHES[1]).unwrap());
    place().install(&[&domain]);
    assert!(is_put_out(&mut anna), "suspended");
    assert!(is_put_out(&mut luca), "another password");
    assert!(sara.imap_command("NOOP").is_ok(), "nothing changed");
    assert!(Client::imap("luca@comune.fuori.example", "nuovo").is_ok());
    domain.boxes[0].state = MailboxState::Active;
    place().install(&[&domain]);
    assert!(Client::imap("anna@comune.fuori.example", "segreto").is_ok());
    place().withdraw("comune.fuori.example");
    assert!(is_put_out(&mut sara), "the domain is given up");
}
