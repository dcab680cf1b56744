//! What goes out is signed, and whoever gets it finds the keys at the public name servers.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::ask::{dig, message, submit};
use crate::cluster::eventually;
use crate::member::Member;

/// Judges each signature of the message on its standard input, with keys from the name server that is its argument.
const VERIFY: &str = r#"
import dkim, subprocess, sys
def txt(name, timeout=5):
    asked = subprocess.run(["dig", "@" + sys.argv[1], "+short", "+norecurse", "TXT", name.decode()], capture_output=True)
    return b"".join(asked.stdout.strip().strip(b'"').split(b'" "')) or None
message = sys.stdin.buffer.read()
count = sum(1 for name, _ in dkim.DKIM(message).headers if name.lower() == b"dkim-signature")
for index in range(count):
    judge = dkim.DKIM(message)
    good = judge.verify(idx=index, dnsfunc=txt)
    print(good, judge.signature_fields[b"a"].decode(), judge.signature_fields[b"d"].decode(), judge.signature_fields[b"s"].decode())
"#;

/// What an independent implementation says of a message's signatures, sorted.
fn verdicts(server: &str, message: &[u8]) -> Vec<String> {
    let mut python = Command::new("/usr/bin/python3")
        .args(["-c", VERIFY, server])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(message).unwrap();
    let output = python.wait_with_output().unwrap();
    let mut lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect();
    lines.sort();
    lines
}

/// The selectors of the keys that a Domain's status says mail is signed with.
fn selectors(domain: &Value) -> Vec<String> {
    let keys = domain["status"]["mail"]["dkim"].as_array().cloned().unwrap_or_default();
    let signing = keys.iter().filter(|key| key["phase"] == "Signing");
    signing.map(|key| key["selector"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_goes_out_is_signed_once_every_cache_may_find_the_keys() {
    let member = Member::join().await;
    let cluster = &member.cluster;
    member.domain(json!([])).await;
    member.mailbox("anna", &[], json!({})).await;
    member.ready("Mailbox", "anna").await;
    let (anna, password) = (member.address("anna"), member.password("anna").await);
    let arrives = async |subject: &str| {
        assert_eq!(submit(cluster, (&anna, &password), &anna, &anna, subject), 250);
        eventually(async || message(cluster, &anna, &password, subject)).await.expect("it arrives")
    };

    let early = arrives("prima").await;
    let domain = member.get("Domain", &member.zone).await;
    assert!(selectors(&domain).is_empty(), "for five minutes a cache may hold that there are no keys: {domain:#}");
    assert_eq!(verdicts(&cluster.name_servers[0], &early), [""; 0]);

    let mut signing = Vec::new();
    // Longer than these tests wait for anything else.
    for _ in 0..2 {
        let found = eventually(async || {
            signing = selectors(&member.get("Domain", &member.zone).await);
            (!signing.is_empty()).then_some(())
        });
        if found.await.is_some() {
            break;
        }
    }
    assert_eq!(signing.len(), 2, "{signing:?}");
    for server in &cluster.name_servers {
        for selector in &signing {
            let name = format!("{selector}._domainkey.{}", member.zone);
            assert_eq!(dig(server, &name, "TXT").len(), 1, "{server} has {name}");
        }
    }
    // The mail server has the keys a moment later.
    let mut number = 0;
    let signed = eventually(async || {
        number += 1;
        let said = verdicts(&cluster.name_servers[1], &arrives(&format!("dopo {number}")).await);
        (!said.is_empty()).then_some(said)
    });
    let mut expected: Vec<String> = signing
        .iter()
        .map(|selector| {
            let algorithm = if selector.starts_with('r') { "rsa-sha256" } else { "ed25519-sha256" };
            format!("True {algorithm} {} {selector}", member.zone)
        })
        .collect();
    expected.sort();
    assert_eq!(signed.await.expect("it is signed"), expected);
    member.leave().await;
}
