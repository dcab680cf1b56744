//! What mail is signed with, as Rspamd finds it.

use cst_compiler::desired::mail::DkimSigner;
use cst_compiler::desired::mail::dkim::{DkimAlgorithm, DkimKey, DkimSelector};

use super::*;

fn signers(number: u8) -> Vec<DkimSigner> {
    let signer = |selector: &str, algorithm, key| DkimSigner {
        selector: DkimSelector::parse(selector).unwrap(),
        algorithm,
        key: DkimKey::parse(key).unwrap(),
    };
    let old = signer("r1", DkimAlgorithm::RsaSha256, "MIIE");
    let new = signer("e2", DkimAlgorithm::Ed25519Sha256, "MC4C");
    if number == 1 { vec![old] } else { vec![old, new] }
}

#[tokio::test]
async fn keys_are_written_whole_for_the_agents_group_and_go_with_their_domain() {
    use std::os::unix::fs::PermissionsExt;
    let mut alias = MailDomain { dkim: signers(1), ..domain(FANO, &[]) };
    alias.alias_of = Some(domain_name(URBINO));
    let mut urbino = domain(URBINO, &["anna"]);
    let (root, mut agent) = installed(&[&urbino, &alias]).await;
    let file = |name: &str| root.path().join("rspamd").join(name);
    let text = |name: &str| fs::read_to_string(file(name)).unwrap();
    assert_eq!(text(URBINO), format!("0 {URBINO}\n"), "no file would mean that nothing may be sent");
    assert_eq!(text(FANO), format!("1 {URBINO}\nr1 rsa-sha256 MIIE\n"));
    assert_eq!(fs::metadata(file("")).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(fs::metadata(file(FANO)).unwrap().permissions().mode() & 0o777, 0o640);
    for dkim in [signers(2), signers(1)] {
        urbino.dkim = dkim;
        apply(&mut agent, secrets(&[&urbino], 6));
        agent.step().await.unwrap();
        assert_eq!(text(URBINO).lines().count(), 1 + urbino.dkim.len());
    }
    agent.take(Event::Applied(secret(&shard::withdrawal(&domain_name(FANO)), 7)));
    agent.step().await.unwrap();
    assert!(!file(FANO).exists() && file(URBINO).exists());
}
