//! Sending with a login.

use crate::client::Client;
use crate::place::place;
use crate::support::{address, domain};
use cst_compiler::desired::mail::PasswordHash;

/// That of `segreto` for SCRAM.
pub const SCRAM_HASH: &str = "{SCRAM-SHA-256}4096,02MYxYSi3guac9M34/vxdw==,xMVBm/UuCYet75O0YYvssnLrOADflewrd7wf+PRUKHg=,l4WsCXxsFAkaOYBDStRoBg1QSBlzbOAebT8k1AV8U/Y=";

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_login_sends_as_its_addresses_and_no_other() {
    let mut sender = domain("comune.invia.example", &["anna", "luca"]);
    sender.aliases.insert(address("urp@comune.invia.example"), address("anna@comune.invia.example"));
    place().install(&[&sender]);
    for mut client in [Client::submission(), Client::submissions()] {
        let reply = client.auth("anna@comune.invia.example", "segreto");
        assert!(reply.starts_with("235"), "{reply}");
        for own in ["anna@comune.invia.example", "ANNA@comune.invia.example", "urp@comune.invia.example"] {
            let reply = client.rcpt(own, "luca@comune.invia.example");
            assert!(reply.starts_with("250"), "{own}: {reply}");
        }
        let reply = client.rcpt("anna@comune.invia.example", "someone@elsewhere.example");
        assert!(reply.starts_with("250"), "outwards: {reply}");
        for other in ["luca@comune.invia.example", "postmaster@cst.example.net", "a@elsewhere.example", ""] {
            let reply = client.rcpt(other, "luca@comune.invia.example");
            assert!(reply.starts_with("553"), "{other}: {reply}");
        }
        let reply = client.rcpt("anna@comune.invia.example", "nessuno@comune.invia.example");
        assert!(reply.starts_with("550"), "{reply}");
    }
    let mut client = Client::submissions();
    client.auth("anna@comune.invia.example", "segreto");
    assert!(client.send("anna@comune.invia.example", "luca@comune.invia.example", "con login").starts_with("250"));
    let message = Client::imap("luca@comune.invia.example", "segreto").unwrap().await_message("con login");
    assert!(message.contains("Buongiorno."));
    assert!(!message.contains("client.example"), "where the sender was is hidden: {message}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn without_a_login_or_without_tls_nothing_is_submitted() {
    place().install(&[&domain("comune.senza.example", &["anna"])]);
    for mut client in [Client::submission(), Client::submissions()] {
        let reply = client.auth("anna@comune.senza.example", "sbagliata");
        assert!(reply.starts_with("535"), "{reply}");
        let reply = client.rcpt("anna@comune.senza.example", "anna@comune.senza.example");
        assert!(reply.starts_with("554"), "{reply}");
    }
    let mut plain = Client::smtp(587);
    assert!(plain.auth("anna@comune.senza.example", "segreto").starts_with("530"));
    assert!(plain.say("MAIL FROM:<anna@comune.senza.example>").starts_with("530"));
    let mut reception = Client::smtp(25);
    assert!(!reception.say("EHLO client.example").contains("AUTH"));
    assert!(reception.auth("anna@comune.senza.example", "segreto").starts_with("503"));
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn every_accepted_scheme_logs_in() {
    let mut schemes = domain("comune.schemi.example", &["a", "b", "c", "d"]);
    for (mailbox, hash) in schemes.boxes.iter_mut().zip([
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$F065s3INV7ie8kEO1yVswQ$QqbP49NEJ3vOUKGmig3XpYYfL3T4rZ6NkzKVuUJrqMU",
        "$2y$10$TbYWZ6JOsfN2uapnWUbc6OAvW8XVyRD28qQn4aDLu4Hc7kOc.aC5C",
        "$6$rounds=10000$.2kXRytuxKVtqiw1$leejPOaIjof.CtVnExBubqkmYFw0v1q/t0fmyNhDbIdL6D.I/Co2xcBrgeIqeKDvEEblYmQpmGOJJqJ89xmxp1",
        SCRAM_HASH,
    ]) {
        mailbox.password = Some(PasswordHash::parse(hash).unwrap());
    }
    place().install(&[&schemes]);
    for mailbox in &schemes.boxes {
        let user = mailbox.address.to_string();
        assert!(Client::imap(&user, "segreto").is_ok(), "{user}");
        assert!(Client::imap(&user, "sbagliata").is_err(), "{user}");
        let reply = Client::submissions().auth(&user, "segreto");
        assert!(reply.starts_with("235"), "{user}: {reply}");
    }
}
