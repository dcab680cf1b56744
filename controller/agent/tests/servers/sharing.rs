//! Boxes that several use, each with his own login, and their owners' own Sieve.

use cst_api::DelegateRights;
use cst_compiler::desired::mail::{BoxRole, Delegation, MailBox, MailDomain};

use crate::client::Client;
use crate::place::place;
use crate::support::{address, domain, mailbox};

fn office(text: &str, delegates: &[(&str, DelegateRights, bool)]) -> MailBox {
    let delegate = |(user, rights, send_as): &(&str, DelegateRights, bool)| Delegation {
        user: address(user),
        rights: *rights,
        send_as: *send_as,
    };
    MailBox {
        role: BoxRole::Shared,
        password: None,
        delegates: delegates.iter().map(delegate).collect(),
        ..mailbox(text)
    }
}

fn ufficio() -> MailDomain {
    let mut ufficio = domain("ufficio.example", &["anna", "luca", "sara"]);
    ufficio.boxes.push(office(
        "urp@ufficio.example",
        &[("anna@ufficio.example", DelegateRights::Write, true), ("luca@ufficio.example", DelegateRights::Read, false)],
    ));
    ufficio
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn delegates_read_and_write_what_they_may_and_others_see_nothing() {
    place().install(&[&ufficio()]);
    assert!(Client::smtp(25).send("a@elsewhere.example", "urp@ufficio.example", "allo sportello").starts_with("250"));
    let mut anna = Client::imap("anna@ufficio.example", "segreto").unwrap();
    let start = std::time::Instant::now();
    let status = "STATUS \"shared/urp@ufficio.example\" (MESSAGES)";
    while !anna.imap_command(status).is_ok_and(|answer| answer.contains("MESSAGES 1")) {
        assert!(start.elapsed().as_secs() < 20, "it does not come");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(anna.imap_command("LIST \"\" *").unwrap().contains("shared/urp@ufficio.example"));
    anna.imap_command("SELECT \"shared/urp@ufficio.example\"").unwrap();
    assert!(anna.imap_command("FETCH 1 BODY[]").unwrap().contains("allo sportello"));
    anna.imap_command("STORE 1 +FLAGS (\\Flagged)").unwrap();
    anna.imap_command("CREATE \"shared/urp@ufficio.example/Pratiche\"").unwrap();
    let mut luca = Client::imap("luca@ufficio.example", "segreto").unwrap();
    luca.imap_command("SELECT \"shared/urp@ufficio.example\"").unwrap();
    assert!(luca.imap_command("FETCH 1 (FLAGS)").unwrap().contains("\\Flagged"));
    assert!(luca.imap_command("COPY 1 \"shared/urp@ufficio.example/Pratiche\"").unwrap_err().contains("NOPERM"));
    assert!(luca.imap_command("CREATE \"shared/urp@ufficio.example/Altro\"").unwrap_err().contains("NOPERM"));
    let mut sara = Client::imap("sara@ufficio.example", "segreto").unwrap();
    assert!(!sara.imap_command("LIST \"\" *").unwrap().contains("urp@"));
    assert!(sara.imap_command("SELECT \"shared/urp@ufficio.example\"").is_err());
    assert!(Client::imap("urp@ufficio.example", "segreto").is_err(), "nobody logs in as the office");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_right_that_is_taken_away_is_gone_in_open_sessions_too() {
    let mut revoca = domain("revoca.example", &["anna"]);
    let delegate = [("anna@revoca.example", DelegateRights::Write, true)];
    revoca.boxes.push(office("urp@revoca.example", &delegate));
    place().install(&[&revoca]);
    assert!(Client::smtp(25).send("a@elsewhere.example", "urp@revoca.example", "il primo").starts_with("250"));
    let mut session = Client::imap("anna@revoca.example", "segreto").unwrap();
    let start = std::time::Instant::now();
    while session.imap_command("SELECT \"shared/urp@revoca.example\"").is_err() {
        assert!(start.elapsed().as_secs() < 20, "it does not come");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    session.imap_command("SELECT INBOX").unwrap();
    revoca.boxes[1].delegates.clear();
    place().install(&[&revoca]);
    let start = std::time::Instant::now();
    while session.imap_command("SELECT \"shared/urp@revoca.example\"").is_ok() {
        assert!(start.elapsed().as_secs() < 20, "the right stays");
        session.imap_command("SELECT INBOX").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let mut submission = Client::submissions();
    submission.auth("anna@revoca.example", "segreto");
    assert!(submission.rcpt("urp@revoca.example", "anna@revoca.example").starts_with("553"));
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn only_who_may_sends_as_the_office() {
    place().install(&[&ufficio()]);
    let as_login = |user: &str| {
        let mut client = Client::submissions();
        assert!(client.auth(user, "segreto").starts_with("235"));
        client.rcpt("urp@ufficio.example", "sara@ufficio.example")
    };
    assert!(as_login("anna@ufficio.example").starts_with("250"));
    assert!(as_login("luca@ufficio.example").starts_with("553"));
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn an_owner_files_his_mail_by_a_script_of_his_own() {
    place().install(&[&domain("regole.example", &["anna"])]);
    let mut sieve = Client::managesieve("anna@regole.example", "segreto");
    let script = "require [\"fileinto\",\"mailbox\",\"subaddress\",\"envelope\"];\r\nif envelope :detail \"to\" \"albo\" { fileinto :create \"Albo\"; }\r\n";
    assert!(sieve.sieve_command(&format!("PUTSCRIPT \"mio\" {{{}+}}\r\n{script}", script.len())).starts_with("OK"));
    assert!(sieve.sieve_command("SETACTIVE \"mio\"").starts_with("OK"));
    assert!(Client::smtp(25).send("a@elsewhere.example", "anna+albo@regole.example", "per l'albo").starts_with("250"));
    let mut imap = Client::imap("anna@regole.example", "segreto").unwrap();
    let start = std::time::Instant::now();
    while !imap.imap_command("STATUS Albo (MESSAGES)").is_ok_and(|answer| answer.contains("MESSAGES 1")) {
        assert!(start.elapsed().as_secs() < 20, "it is not filed");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(imap.count("albo"), 0);
    let refused =
        sieve.sieve_command("PUTSCRIPT \"shell\" {46+}\r\nrequire \"vnd.dovecot.execute\"; execute \"sh\";\r\n\r\n");
    assert!(refused.starts_with("NO"), "{refused}");
}
