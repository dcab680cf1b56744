use cst_api::DkimPhase;
use cst_compiler::plan::dkim::KeySet;

use super::*;

fn new(name: &str) -> NewSet {
    let name = SetName::parse(name).unwrap();
    NewSet { name, made: Date::parse("2026-12-02").unwrap(), algorithms: vec![DkimAlgorithm::Ed25519Sha256] }
}

async fn made(names: &[&str]) -> DkimKeys {
    let mut keys = DkimKeys::default();
    for name in names {
        keys.make(&new(name), DkimAlgorithm::Ed25519Sha256).await.unwrap();
    }
    keys
}

fn domain() -> DomainName {
    DomainName::parse("comune.fano.pu.it").unwrap()
}

#[tokio::test]
async fn keys_are_stored_by_their_selectors_and_read_back() {
    let keys = made(&["20261201", "20261201-2"]).await;
    let secret = keys.to_secret(&domain());
    assert_eq!(secret.metadata.name.as_deref(), Some("dkim-key.comune.fano.pu.it"));
    assert_eq!(domain_of(&secret.metadata), Some(domain()));
    let names: Vec<&String> = secret.data.as_ref().unwrap().keys().collect();
    assert_eq!(names, ["e20261201", "e20261201-2", "made-20261201", "made-20261201-2"]);
    assert_eq!(DkimKeys::from(secret.clone()), keys);
    let stored = keys.stored();
    assert_eq!((stored.len(), stored[0].made.to_string().as_str()), (2, "2026-12-02"));
    // What is damaged is not there, and harms nothing else.
    let mut damaged = secret;
    damaged.data.as_mut().unwrap().insert("e20261201".into(), ByteString(b"no key".to_vec()));
    damaged.data.as_mut().unwrap().insert("made-20261201-2".into(), ByteString(b"some day".to_vec()));
    let read = DkimKeys::from(damaged).stored();
    assert_eq!((read.len(), read[0].made.to_string().as_str()), (1, "2026-12-01"));
}

#[tokio::test]
async fn only_keys_that_the_zone_has_sign() {
    let keys = made(&["20261201", "20261201-2"]).await;
    let set = |(at, stored): (usize, StoredSet)| KeySet {
        name: stored.name,
        made: stored.made,
        keys: stored.keys,
        phase: [DkimPhase::Signing, DkimPhase::Published][at],
        since: 0,
        settled: None,
    };
    let mut dkim = Dkim { sets: keys.stored().into_iter().enumerate().map(set).collect(), ..Dkim::default() };
    let signers = keys.signers(&dkim);
    assert_eq!(signers.iter().map(|signer| signer.selector.as_str()).collect::<Vec<_>>(), ["e20261201"]);
    assert!(!format!("{keys:?}").contains(signers[0].key.expose()));
    dkim.sets[0].keys[0].key = dkim.sets[1].keys[0].key.clone();
    assert_eq!(keys.signers(&dkim), []);
}

#[tokio::test]
async fn keys_that_are_put_back_are_the_known_ones_and_others_stay() {
    let known = made(&["20261201"]).await;
    let mut stored = made(&["20261201", "20261201-2"]).await;
    let second = stored.stored()[1].clone();
    stored.put_back(&known);
    assert_eq!(stored.stored(), [known.stored()[0].clone(), second]);
    stored.forget(|name| name.number == 1);
    assert!(stored.holds_like(&known));
}
