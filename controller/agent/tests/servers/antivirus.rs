//! Viruses: a real clamd, which knows one signature, that of the test file that every scanner finds.

use crate::client::Client;
use crate::names::ELSEWHERE;
use crate::place::place;
use crate::support::domain;

/// The EICAR test file by its MD5 and length.
const SIGNATURE: &str = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n";
/// The same in base64.
const EICAR: &str = "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=";

fn header(from: &str, subject: &str) -> String {
    format!(
        "From: {from}\r\nTo: anna@virus.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    )
}

fn body(attachment: &str) -> String {
    format!(
        "--b\r\nContent-Type: text/plain\r\n\r\nIn allegato.\r\n--b\r\nContent-Type: application/octet-stream; name=a.bin\r\n\
        Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.bin\r\n\r\n{attachment}\r\n--b--"
    )
}

fn receive(subject: &str, attachment: &str) -> String {
    let from = format!("a@{ELSEWHERE}");
    Client::smtp(25).send_body(&from, "anna@virus.example", &header(&from, subject), &body(attachment))
}

fn submit(subject: &str, attachment: &str) -> String {
    let luca = "luca@virus.example";
    let mut client = Client::submissions();
    assert!(client.auth(luca, "segreto").starts_with("235"));
    client.send_body(luca, "anna@virus.example", &header(luca, subject), &body(attachment))
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_virus_is_refused_and_without_its_scanner_mail_waits() {
    let mut place = place();
    place.install(&[&domain("virus.example", &["anna", "luca"])]);
    std::fs::write(place.path("clamav/var/lib/clamav/prova.hdb"), SIGNATURE).unwrap();
    place.start_server("clamav");
    place.kill_server("rspamd");
    place.antivirus = Some("127.0.0.1:3310");
    place.start_server("rspamd");
    for send in [receive, submit] {
        let reply = send("infetto", EICAR);
        assert!(reply.starts_with('5') && reply.contains("Eicar-Test-Signature"), "{reply}");
        assert!(send("sano", "QnVvbmdpb3Jubw==").starts_with("250"));
    }
    place.kill_server("clamav");
    for send in [receive, submit] {
        for attachment in [EICAR, "QnVvbmdpb3Jubw=="] {
            let reply = send("non visto", attachment);
            assert!(reply.starts_with("451"), "{reply}");
        }
    }
    place.start_server("clamav");
    assert!(receive("visto poi", "QnVvbmdpb3Jubw==").starts_with("250"));
    let mut anna = Client::imap("anna@virus.example", "segreto").unwrap();
    anna.await_message("visto poi");
    assert_eq!((anna.count("infetto"), anna.count("non visto"), anna.count("sano")), (0, 0, 2));
    place.kill_server("rspamd");
    place.antivirus = None;
    place.start_server("rspamd");
    place.kill_server("clamav");
}
