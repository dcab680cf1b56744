//! What goes out is signed, and whoever gets it finds the keys at the public name servers.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cst_api::{DkimPhase, Domain};
use kube::Api;

use crate::ask::{dig, message, submit};
use crate::cluster::{Cluster, eventually};

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

#[tokio::test]
async fn what_goes_out_is_signed_by_keys_that_every_public_server_has() {
    // A member of the example: its domain has been there for longer than the five minutes that its keys wait for.
    let (zone, namespace, login) = ("comune.urbino.pu.it", "t-urbino", "marta.neri@comune.urbino.pu.it");
    let cluster = Cluster::connect().await;
    let password = cluster.secret(namespace, "marta-neri-password", "password").await;
    let domains: Api<Domain> = cluster.api(namespace);
    let signing = eventually(async || {
        let status = domains.get(zone).await.ok()?.status?;
        let signing = status.mail?.dkim.into_iter().filter(|key| key.phase == DkimPhase::Signing);
        Some(signing.map(|key| key.selector).collect::<Vec<_>>()).filter(|selectors| !selectors.is_empty())
    });
    let signing = signing.await.expect("it signs");
    assert_eq!(signing.len(), 2, "{signing:?}");
    for server in &cluster.name_servers {
        for selector in &signing {
            let name = format!("{selector}._domainkey.{zone}");
            assert_eq!(dig(server, &name, "TXT").len(), 1, "{server} has {name}");
        }
    }
    let subject = format!("firmata {}", std::process::id());
    assert_eq!(submit(&cluster, (login, &password), login, login, &subject), 250);
    let arrived = eventually(async || message(&cluster, login, &password, &subject)).await.expect("it arrives");
    let mut expected: Vec<String> = signing
        .iter()
        .map(|selector| {
            let algorithm = if selector.starts_with('r') { "rsa-sha256" } else { "ed25519-sha256" };
            format!("True {algorithm} {zone} {selector}")
        })
        .collect();
    expected.sort();
    for server in &cluster.name_servers {
        assert_eq!(verdicts(server, &arrived), expected, "{server}");
    }
}
