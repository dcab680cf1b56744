//! What is submitted is signed by its domain's keys, and what boxes send on is sealed: judged by an implementation that is not Rspamd's
//! (python3-dkim), with the keys that BIND answers.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cst_api::DelegateRights;
use cst_compiler::desired::mail::{Answer, Delegation, Forwarding, MailBox, MailDomain};
use cst_compiler::model::Recipient;

use crate::client::Client;
use crate::names::{ELSEWHERE, ODD_SIGNERS, signers};
use crate::place::{Place, next_second, place};
use crate::support::{address, domain, domain_name, mailbox};

/// For each signature whether it verifies, its domain and selector; then ARC's verdict.
const VERIFY: &str = r#"
import dkim, sys
message = sys.stdin.buffer.read()
judge = dkim.DKIM(message, minkey=1024)
count = sum(1 for name, _ in judge.headers if name.lower() == b"dkim-signature")
for index in range(count):
    judge = dkim.DKIM(message, minkey=1024)
    try:
        good = judge.verify(idx=index)
    except dkim.ValidationError:
        good = False
    print("dkim", good, judge.signature_fields[b"a"].decode(), judge.signature_fields[b"d"].decode(), judge.signature_fields[b"s"].decode(),
          " ".join(sorted(tag.decode() for tag in judge.signature_fields if tag in (b"l", b"x"))), sep=" ", end="\n")
cv, results, reason = dkim.arc_verify(message)
print("arc", (cv or b"none").decode(), " ".join(str(result.get("as-domain", b"").decode()) for result in results or []))
"#;

/// What python3-dkim says of a message.
fn verdict(message: &str) -> Vec<String> {
    let mut python = Command::new("/usr/bin/python3");
    let mut child = python.args(["-c", VERIFY]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{message}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The verdicts on its signatures, sorted.
fn signatures(message: &str) -> Vec<String> {
    let mut lines: Vec<_> = verdict(message).into_iter().filter(|line| line.starts_with("dkim")).collect();
    lines.sort();
    lines
}

fn both(domain: &str, number: u8) -> Vec<String> {
    ["ed25519-sha256 {} e", "rsa-sha256 {} r"]
        .map(|form| format!("dkim True {}{number}", form.replace("{}", domain)))
        .to_vec()
}

fn signed(name: &str, locals: &[&str]) -> MailDomain {
    MailDomain { dkim: signers(0), ..domain(name, locals) }
}

/// Submits a message as the first box and returns what came to the second.
fn submitted(from: &str, login: &str, to: &str, subject: &str) -> String {
    let mut client = Client::submissions();
    assert!(client.auth(login, "segreto").starts_with("235"));
    let reply = client.send(from, to, subject);
    assert!(reply.starts_with("250"), "{reply}");
    Client::imap(to, "segreto").unwrap().await_bytes(subject)
}

/// A message that waits for somebody elsewhere, as it will be sent.
fn queued(place: &Place, recipient: &str) -> String {
    let start = Instant::now();
    loop {
        let queue = place.in_image("postfix", &["postqueue", "-c", "/etc/postfix/run", "-j"]);
        let messages = queue.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let is_for = |message: &serde_json::Value| {
            message["recipients"].as_array().unwrap().iter().any(|one| one["address"] == recipient)
        };
        if let Some(message) = messages.into_iter().find(is_for) {
            let id = message["queue_id"].as_str().unwrap();
            let text = place.in_image("postfix", &["postcat", "-c", "/etc/postfix/run", "-q", "-h", "-b", id]);
            return text.replace('\n', "\r\n");
        }
        assert!(start.elapsed() < Duration::from_secs(20), "nothing for {recipient}: {queue}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_key_of_any_octets_signs() {
    let domain = MailDomain { dkim: ODD_SIGNERS.clone(), ..domain("ottetti.example", &["anna"]) };
    place().install(&[&domain]);
    let anna = "anna@ottetti.example";
    let message = submitted(anna, anna, anna, "ottetti");
    let expected: Vec<String> =
        (0..ODD_SIGNERS.len()).map(|number| format!("dkim True ed25519-sha256 ottetti.example odd{number}")).collect();
    assert_eq!(signatures(&message), expected);
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn what_is_submitted_gets_every_signature_of_its_own_domain() {
    let firmata = signed("firmata.example", &["anna", "luca"]);
    let ufficio = signed("ufficio.firmata.example", &["anna"]);
    let mut alias = signed("alias.firmata.example", &[]);
    alias.alias_of = Some(domain_name("firmata.example"));
    place().install(&[&firmata, &ufficio, &alias]);
    for (from, login, of) in [
        ("anna@firmata.example", "anna@firmata.example", "firmata.example"),
        ("anna@ufficio.firmata.example", "anna@ufficio.firmata.example", "ufficio.firmata.example"),
        ("anna@alias.firmata.example", "anna@firmata.example", "alias.firmata.example"),
    ] {
        let message = submitted(from, login, "luca@firmata.example", &format!("firmato {of}"));
        assert_eq!(signatures(&message), both(of, 1), "{message}");
        assert!(message.contains("c=relaxed/relaxed") && message.to_lowercase().contains("h=from:from:"), "{message}");
    }
    let message = submitted("anna@firmata.example", "anna@firmata.example", "luca@firmata.example", "alterato");
    for altered in [
        message.replace("Buongiorno.", "Buongiorno!"),
        message.replace("Subject: alterato", "Subject: alterata"),
        format!("From: x@elsewhere.example\r\n{message}"),
    ] {
        assert!(signatures(&altered).iter().all(|line| line.starts_with("dkim False")), "{altered}");
    }
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_domain_without_keys_sends_unsigned() {
    place().install(&[&domain("senzachiavi.example", &["anna", "luca"])]);
    let (anna, luca) = ("anna@senzachiavi.example", "luca@senzachiavi.example");
    let message = submitted(anna, anna, luca, "non firmato");
    assert!(signatures(&message).is_empty(), "{message}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn after_the_acknowledgement_nothing_is_signed_by_a_key_that_went() {
    let mut ruota = signed("ruota.example", &["anna", "luca"]);
    let (anna, luca) = ("anna@ruota.example", "luca@ruota.example");
    place().install(&[&ruota]);
    assert_eq!(signatures(&submitted(anna, anna, luca, "chiave 0")), both("ruota.example", 1));
    for (turn, pair) in [(1, 1), (2, 0), (3, 1)] {
        ruota.dkim = signers(pair);
        next_second();
        let start = Instant::now();
        place().offer(&[&ruota]);
        assert!(!place().serves("ruota.example"), "a message may be on its way with the old key");
        place().install(&[&ruota]);
        eprintln!("new keys acknowledged after {:?}", start.elapsed());
        let mut client = Client::submissions();
        assert!(client.auth(anna, "segreto").starts_with("235"));
        // Each of Rspamd's processes gets some.
        for number in 0..8 {
            let subject = format!("giro {turn} {number}");
            assert!(client.send(anna, luca, &subject).starts_with("250"));
            let message = Client::imap(luca, "segreto").unwrap().await_bytes(&subject);
            assert_eq!(signatures(&message), both("ruota.example", u8::try_from(pair).unwrap() + 1), "{message}");
        }
    }
    ruota.dkim.clear();
    place().install(&[&ruota]);
    assert!(signatures(&submitted(anna, anna, luca, "senza più chiavi")).is_empty());
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn what_should_be_signed_and_cannot_waits() {
    let attende = signed("attende.example", &["anna", "luca"]);
    let (anna, luca) = ("anna@attende.example", "luca@attende.example");
    let place = &mut *place();
    place.install(&[&attende]);
    let file = place.path("tables/rspamd/attende.example");
    let text = std::fs::read_to_string(&file).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o640);
    let cut = text.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
    let no_key = text.replace("rsa-sha256 MII", "rsa-sha256 AAA");
    let no_seed = text.replace("ed25519-sha256 M", "ed25519-sha256 A");
    let mut client = Client::submissions();
    assert!(client.auth(anna, "segreto").starts_with("235"));
    for damaged in [None, Some(String::new()), Some(cut), Some(no_key), Some(no_seed)] {
        match &damaged {
            None => std::fs::remove_file(&file).unwrap(),
            Some(text) => std::fs::write(&file, text).unwrap(),
        }
        let reply = client.send(anna, luca, "rovinato");
        assert!(reply.starts_with("451 4.7."), "{damaged:?}: {reply}");
    }
    std::fs::write(&file, text).unwrap();
    assert!(client.send(anna, luca, "riparato").starts_with("250"));
    let mut imap = Client::imap(luca, "segreto").unwrap();
    imap.await_message("riparato");
    assert_eq!(imap.count("rovinato"), 0);
    place.withdraw("attende.example");
    assert!(!file.exists(), "with the domain its keys go");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn what_a_box_sends_on_is_sealed_with_what_was_seen_of_its_sender() {
    let mut sigillata = signed("sigillata.example", &["anna"]);
    let to = vec![Recipient::parse("oltre@elsewhere.example").unwrap()];
    sigillata
        .boxes
        .push(MailBox { forward: Some(Forwarding { to, keep_copy: true }), ..mailbox("via@sigillata.example") });
    let place = &mut *place();
    place.install(&[&sigillata]);
    let sender = format!("mittente@{ELSEWHERE}");
    let reply = Client::smtp(25).send(&sender, "via@sigillata.example", "sigillo");
    assert!(reply.starts_with("250"), "{reply}");
    let message = queued(place, "oltre@elsewhere.example");
    let lines = verdict(&message);
    assert_eq!(lines, ["arc pass sigillata.example"], "{message}");
    let seal = message.replace("\r\n\t", " ").replace("\r\n ", " ");
    let results =
        seal.lines().find(|line| line.starts_with("ARC-Authentication-Results: i=1; mx.cst.example.net")).unwrap();
    assert!(results.contains("spf=pass") && results.contains("dmarc=pass"), "{results}");
    assert!(!message.contains("DKIM-Signature"), "nobody's mail is signed as ours: {message}");
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn a_boxs_own_answer_is_signed_by_its_domain_and_by_no_other() {
    let mut risponde = signed("risponde.example", &["anna"]);
    let answer = |subject: &str| Answer {
        addresses: vec![address("anna@risponde.example")],
        subject: Some(subject.into()),
        text: "Torno lunedì.".into(),
    };
    risponde.boxes[0].answer = Some(answer("assente"));
    let mut altra = signed("firmata.example", &["anna", "luca"]);
    altra.boxes[0].delegates =
        vec![Delegation { user: address("luca@firmata.example"), rights: DelegateRights::Read, send_as: false }];
    let place = &mut *place();
    place.install(&[&risponde, &altra]);
    let reply = Client::smtp(25).send_with(
        &format!("chiede@{ELSEWHERE}"),
        "anna@risponde.example",
        &format!("From: chiede@{ELSEWHERE}\r\nTo: anna@risponde.example\r\nSubject: domanda\r\n"),
    );
    assert!(reply.starts_with("250"), "{reply}");
    let message = queued(place, &format!("chiede@{ELSEWHERE}"));
    assert_eq!(signatures(&message), both("risponde.example", 1), "{message}");

    let script = "require \"vacation\";\r\nvacation :addresses \"luca@firmata.example\" :from \"anna@risponde.example\" \"falso\";\r\n";
    let mut sieve = Client::managesieve("luca@firmata.example", "segreto");
    assert!(sieve.sieve_command(&format!("PUTSCRIPT \"falso\" {{{}+}}\r\n{script}", script.len())).starts_with("OK"));
    assert!(sieve.sieve_command("SETACTIVE \"falso\"").starts_with("OK"));
    let reply = Client::smtp(25).send_with(
        &format!("altra@{ELSEWHERE}"),
        "luca@firmata.example",
        &format!("From: altra@{ELSEWHERE}\r\nTo: luca@firmata.example\r\nSubject: domanda\r\n"),
    );
    assert!(reply.starts_with("250"), "{reply}");
    let message = queued(place, &format!("altra@{ELSEWHERE}"));
    assert!(
        message.contains("From: anna@risponde.example") || message.contains("From: <anna@risponde.example>"),
        "{message}"
    );
    assert!(signatures(&message).is_empty(), "{message}");
}
