//! Passwords of devices and programs, and logins by SCRAM beside them.

use std::collections::BTreeMap;
use std::process::Command;

use cst_api::MailboxState;
use cst_compiler::desired::mail::PasswordHash;
use cst_compiler::parse::MAX_APPLICATIONS;

use crate::client::Client;
use crate::place::place;
use crate::states::is_put_out;
use crate::submission::SCRAM_HASH;
use crate::support::{HASHES, domain};

/// Applications that come before `scanner`, with passwords that nobody knows.
fn others(count: usize) -> BTreeMap<String, PasswordHash> {
    let hash = |number: usize| PasswordHash::parse(&HASHES[1].replace("ikA", &format!("ik{number}"))).unwrap();
    (0..count).map(|number| (format!("a{number}"), hash(number))).collect()
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn an_application_logs_in_by_its_own_password_until_it_is_taken_away() {
    let mut domain = domain("comune.scanner.example", &["anna", "luca"]);
    place().install(&[&domain]);
    let user = "anna@comune.scanner.example";
    assert!(Client::imap(user, "nuovo").is_err(), "nobody's yet");
    let hash = PasswordHash::parse(HASHES[1]).unwrap();
    // The last of as many as a box may have: every one is tried.
    let mut all = others(MAX_APPLICATIONS - 1);
    all.insert("scanner".to_owned(), hash);
    domain.boxes[0].applications = all;
    place().install(&[&domain]);
    let [mut owner, mut scanner] = ["segreto", "nuovo"].map(|password| Client::imap(user, password).unwrap());
    let mut submission = Client::submissions();
    assert!(submission.auth(user, "nuovo").starts_with("235"));
    assert!(submission.rcpt(user, "someone@elsewhere.example").starts_with("250"));
    assert!(submission.rcpt("luca@comune.scanner.example", "someone@elsewhere.example").starts_with("553"));
    assert!(Client::imap("luca@comune.scanner.example", "nuovo").is_err(), "nobody else's");
    assert!(owner.imap_command("NOOP").is_ok() && scanner.imap_command("NOOP").is_ok());

    domain.boxes[0].applications = others(1);
    place().install(&[&domain]);
    assert!(Client::imap(user, "nuovo").is_err(), "taken away");
    assert!(is_put_out(&mut scanner));
    assert!(Client::imap(user, "segreto").is_ok(), "the owner's own is as it was");
    domain.boxes[0].applications.clear();
    domain.boxes[0].state = MailboxState::Suspended;
    place().install(&[&domain]);
    assert!(Client::imap(user, "segreto").is_err() && Client::imap("luca@comune.scanner.example", "segreto").is_ok());
}

/// A login by SCRAM (RFC 7677), which Python's IMAP client does not know by itself. Prints what became of it.
const SCRAM: &str = r#"
import base64, hashlib, hmac, imaplib, ssl, sys
user, password = sys.argv[1:]
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
bare = f"n={user},r=fyko"
def keyed(key, text):
    return hmac.digest(key, text.encode(), "sha256")
def answer(challenge):
    text = challenge.decode()
    if not text:
        return ("n,," + bare).encode()
    if text.startswith("v="):
        return b""
    parts = dict(part.split("=", 1) for part in text.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
    final = "c=biws,r=" + parts["r"]
    key = keyed(salted, "Client Key")
    signature = keyed(hashlib.sha256(key).digest(), ",".join([bare, text, final]))
    proof = bytes(a ^ b for a, b in zip(key, signature))
    return (final + ",p=" + base64.b64encode(proof).decode()).encode()
with imaplib.IMAP4_SSL("127.0.0.1", 993, ssl_context=context, timeout=20) as imap:
    try:
        print(imap.authenticate("SCRAM-SHA-256", answer)[0])
    except imaplib.IMAP4.error as error:
        print("NO" if "AUTHENTICATIONFAILED" in str(error) else error)
"#;

fn scram(user: &str, password: &str) -> String {
    let output = Command::new("/usr/bin/python3").args(["-c", SCRAM, user, password]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs the images: run by tests/servers/run"]
fn who_logs_in_by_scram_does_so_beside_applications_too() {
    let mut domain = domain("comune.scram.example", &["anna", "luca"]);
    domain.boxes[0].password = Some(PasswordHash::parse(SCRAM_HASH).unwrap());
    place().install(&[&domain]);
    let user = "anna@comune.scram.example";
    assert_eq!([scram(user, "segreto"), scram(user, "sbagliata")], ["OK", "NO"]);
    assert_eq!(scram("luca@comune.scram.example", "segreto"), "NO", "a hash of another kind gives nothing to prove");
    domain.boxes[0].applications = [("scanner".to_owned(), PasswordHash::parse(HASHES[1]).unwrap())].into();
    place().install(&[&domain]);
    assert!(Client::imap(user, "nuovo").is_ok());
    assert_eq!([scram(user, "segreto"), scram(user, "sbagliata")], ["OK", "NO"]);
}
