//! How much a login may send.

use std::time::{Duration, Instant};

use cst_compiler::desired::mail::{Limits, MailDomain};

use crate::client::Client;
use crate::place::place;
use crate::support::domain;

const ANNA: &str = "anna@comune.limiti.example";
const LUCA: &str = "luca@comune.limiti.example";

fn limited(recipients: u32) -> MailDomain {
    let limits = Limits { recipients_per_hour: Some(recipients) };
    MailDomain { limits, ..domain("comune.limiti.example", &["anna", "luca", "sara"]) }
}

fn login(user: &str) -> Client {
    let mut client = Client::submissions();
    assert!(client.auth(user, "segreto").starts_with("235"));
    client
}

/// The reply to DATA, or at the end of the message, of a message to so many.
fn send_to(client: &mut Client, from: &str, recipients: usize) -> String {
    assert!(client.rcpt(from, "a0@elsewhere.example").starts_with("250"));
    for number in 1..recipients {
        let reply = client.say(&format!("RCPT TO:<a{number}@elsewhere.example>"));
        assert!(reply.starts_with("250"), "{reply}");
    }
    let data = client.say("DATA");
    if data.starts_with("354") {
        client.say(&format!("From: <{from}>\r\nSubject: molti\r\n\r\nCiao.\r\n."))
    } else {
        data
    }
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn who_sends_to_too_many_waits_and_nobody_else_does() {
    place().install(&[&limited(5)]);
    let mut anna = login(ANNA);
    let reply = send_to(&mut anna, ANNA, 6);
    assert!(reply.starts_with("550 5.7.1 ") && reply.contains("limit is 5 an hour"), "more than ever: {reply}");
    assert!(send_to(&mut anna, ANNA, 3).starts_with("250"));
    let reply = send_to(&mut anna, ANNA, 3);
    assert!(reply.starts_with("450 4.7.1 ") && reply.contains("try again in 12 min"), "one too many: {reply}");
    assert!(send_to(&mut anna, ANNA, 2).starts_with("250"), "a message that is refused takes nothing");
    // Whatever she comes by, and as.
    let reply = send_to(&mut login(&ANNA.to_uppercase()), ANNA, 1);
    assert!(reply.starts_with("450 4.7.1 "), "in another session: {reply}");
    let mut other = Client::submission();
    assert!(other.auth(ANNA, "segreto").starts_with("235"));
    assert!(send_to(&mut other, ANNA, 1).starts_with("450 4.7.1 "), "by the other service");
    assert!(send_to(&mut login(LUCA), LUCA, 5).starts_with("250"), "another login");
    // What is received is not counted.
    assert!(Client::smtp(25).send("a@elsewhere.example", ANNA, "ricevuto").starts_with("250"));
    place().install(&[&limited(5000)]);
    // What was used comes back by the limit that was raised, one recipient in 720 ms, within the session.
    let start = Instant::now();
    while !send_to(&mut anna, ANNA, 1).starts_with("250") {
        assert!(start.elapsed() < Duration::from_secs(20), "the old limit holds");
        std::thread::sleep(Duration::from_millis(50));
    }
}
