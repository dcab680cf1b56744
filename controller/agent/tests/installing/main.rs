//! From Secrets to files, with no server listening: what is written, what goes on as it was, what a killed agent leaves.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod batches;
mod fixtures;
mod signers;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use cst_agent::inbox::Event;
use cst_agent::{Agent, cdb};
use cst_api::DelegateRights;
use cst_compiler::desired::mail::postfix::Table;
use cst_compiler::desired::mail::{Delegation, DomainContent, MailDomain, PasswordHash, dovecot, shard};
use cst_compiler::model::Quantity;
use fixtures::*;
use k8s_openapi::ByteString;
use support::*;
use tempfile::TempDir;

const URBINO: &str = "comune.urbino.pu.it";
const FANO: &str = "comune.fano.pu.it";

/// A volume with an agent that has installed these domains.
async fn installed(domains: &[&MailDomain]) -> (TempDir, Agent) {
    let root = tempfile::tempdir().unwrap();
    let mut agent = agent(root.path());
    list(&mut agent, secrets(domains, 5));
    agent.step().await.unwrap();
    (root, agent)
}

fn table(root: &Path, table: Table) -> Option<Vec<u8>> {
    fs::read(root.join("postfix").join(format!("{}.cdb", table.file_name()))).ok()
}

/// Whether Postfix would find the key.
fn has(root: &Path, of: Table, key: &str) -> bool {
    cdb::find(&table(root, of).unwrap(), key.as_bytes()).is_some()
}

fn passwd(root: &Path, domain: &str) -> Option<String> {
    fs::read_to_string(root.join("dovecot").join(domain)).ok()
}

fn refusal(agent: &Agent, domain: &str) -> String {
    agent.ack().unwrap().refusal(&domain_name(domain)).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn nothing_is_written_before_the_first_complete_list() {
    let root = tempfile::tempdir().unwrap();
    let mut agent = agent(root.path());
    apply(&mut agent, secrets(&[&domain(URBINO, &["a"])], 1));
    agent.step().await.unwrap();
    assert_eq!(agent.ack(), None);
    assert!(Table::ALL.iter().all(|of| table(root.path(), *of).is_none()));
    assert_eq!(passwd(root.path(), URBINO), None);
}

#[tokio::test]
async fn an_empty_first_list_writes_no_empty_tables() {
    let (root, agent) = installed(&[]).await;
    assert!(Table::ALL.iter().all(|of| table(root.path(), *of).is_none()), "missing tables answer 451, empty ones 550");
    assert_eq!(agent.ack().unwrap().watermark, 0);
}

#[tokio::test]
async fn installs_what_was_listed() {
    let (urbino, fano) = (domain(URBINO, &["anna", "luca"]), domain(FANO, &["sindaco"]));
    let (root, agent) = installed(&[&urbino, &fano]).await;
    let root = root.path();
    assert!(has(root, Table::Domains, URBINO) && has(root, Table::Domains, FANO));
    for (of, key) in [
        (Table::Boxes, "anna@comune.urbino.pu.it"),
        (Table::Boxes, "sindaco@comune.fano.pu.it"),
        (Table::Aliases, "luca@comune.urbino.pu.it"),
        (Table::Senders, "luca@comune.urbino.pu.it"),
    ] {
        assert!(has(root, of, key), "{key}");
    }
    assert!(!has(root, Table::Boxes, "nessuno@comune.urbino.pu.it"));
    assert!(passwd(root, URBINO).unwrap().starts_with(&format!("anna@{URBINO}:{}::::/var/vmail/", HASHES[0])));
    let ack = agent.ack().unwrap();
    assert_eq!((ack.watermark, ack.domains), (5, 2));
}

#[tokio::test]
async fn acknowledges_nothing_that_the_servers_have_not_shown() {
    let (_root, agent) = installed(&[&domain(URBINO, &["anna"])]).await;
    assert!(agent.next_step().is_some());
    assert!(refusal(&agent, URBINO).contains("does not answer"), "{}", refusal(&agent, URBINO));
    assert!(!agent.ack().unwrap().serves(&domain_name(URBINO), 5));
}

#[tokio::test]
async fn hashes_are_readable_to_the_agents_group_only() {
    use std::os::unix::fs::PermissionsExt;
    let (root, _agent) = installed(&[&domain(URBINO, &["anna"])]).await;
    let mode = |path: &str| fs::metadata(root.path().join(path)).unwrap().permissions().mode() & 0o777;
    // Through it lead the ways to rights and scripts, which users' own processes read; nobody else lists it.
    assert_eq!(mode("dovecot"), 0o751);
    assert_eq!(mode(&format!("dovecot/.acl/{URBINO}")), 0o644);
    assert_eq!(mode(&format!("dovecot/{URBINO}")), 0o640);
    assert_eq!(mode("state"), 0o700);
    assert_eq!(mode(&format!("state/{URBINO}/0-of-1")), 0o600);
    assert_eq!(mode("postfix/virtual_mailbox_maps.cdb"), 0o644);
}

#[tokio::test]
async fn what_has_not_changed_is_not_written() {
    use std::os::unix::fs::MetadataExt;
    let mut urbino = domain(URBINO, &["anna"]);
    let (root, mut agent) = installed(&[&urbino]).await;
    let inode = |path: &str| fs::metadata(root.path().join(path)).unwrap().ino();
    let files = ["postfix/virtual_mailbox_maps.cdb", "postfix/virtual_alias_maps.cdb", "dovecot/comune.urbino.pu.it"];
    let before = files.map(inode);
    list(&mut agent, secrets(&[&urbino], 6));
    agent.step().await.unwrap();
    assert_eq!(files.map(inode), before);
    assert_eq!(agent.ack().unwrap().watermark, 6);
    urbino.boxes[0].quota = Quantity(7);
    apply(&mut agent, secrets(&[&urbino], 7));
    agent.step().await.unwrap();
    assert_eq!(files.map(inode)[..2], before[..2], "Postfix knows nothing of quotas");
    assert_ne!(inode(files[2]), before[2]);
}

#[tokio::test]
async fn every_change_of_a_passwd_file_has_a_later_second() {
    let mut urbino = domain(URBINO, &["anna"]);
    let (root, mut agent) = installed(&[&urbino]).await;
    let path = root.path().join("dovecot").join(URBINO);
    let second = || {
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        modified.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
    };
    let mut last = second();
    for (version, hash) in [(6, HASHES[1]), (7, HASHES[0]), (8, HASHES[1])] {
        let length = fs::metadata(&path).unwrap().len();
        urbino.boxes[0].password = Some(PasswordHash::parse(hash).unwrap());
        apply(&mut agent, secrets(&[&urbino], version));
        agent.step().await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), length, "of the same length");
        assert!(second() > last);
        last = second();
    }
}

#[tokio::test]
async fn a_domain_whose_secrets_vanish_goes_on() {
    let (urbino, fano) = (domain(URBINO, &["anna"]), domain(FANO, &["sindaco"]));
    let (root, mut agent) = installed(&[&urbino, &fano]).await;
    list(&mut agent, secrets(&[&fano], 6));
    agent.step().await.unwrap();
    assert!(has(root.path(), Table::Boxes, "anna@comune.urbino.pu.it"));
    assert!(refusal(&agent, URBINO).contains("nothing withdrew it"));
    list(&mut agent, vec![]);
    agent.step().await.unwrap();
    assert!(has(root.path(), Table::Domains, FANO) && passwd(root.path(), FANO).is_some());
    for secret in secrets(&[&urbino, &fano], 8) {
        agent.take(Event::Applied(secret.clone()));
        agent.take(Event::Deleted(secret));
    }
    agent.step().await.unwrap();
    assert!(has(root.path(), Table::Domains, FANO) && has(root.path(), Table::Domains, URBINO));
}

#[tokio::test]
async fn a_withdrawn_domain_goes_and_leaves_nothing() {
    let (urbino, fano) = (domain(URBINO, &["anna"]), domain(FANO, &["sindaco"]));
    let (root, mut agent) = installed(&[&urbino, &fano]).await;
    agent.take(Event::Applied(secret(&shard::withdrawal(&domain_name(URBINO)), 9)));
    agent.step().await.unwrap();
    assert!(!has(root.path(), Table::Domains, URBINO) && !has(root.path(), Table::Boxes, "anna@comune.urbino.pu.it"));
    assert!(has(root.path(), Table::Domains, FANO));
    assert_eq!(passwd(root.path(), URBINO), None);
    assert!(!root.path().join("state").join(URBINO).exists());
    assert!(refusal(&agent, URBINO).contains("next look"), "Dovecot may know it for a moment");
    agent.take(Event::Deleted(secret(&shard::withdrawal(&domain_name(URBINO)), 10)));
    while let Some(pause) = agent.next_step().filter(|_| !refusal(&agent, URBINO).is_empty()) {
        tokio::time::sleep(pause).await;
        agent.step().await.unwrap();
    }
    assert!(agent.ack().unwrap().serves(&domain_name(URBINO), 10));
}

/// A domain that went and came back has its logins' rights again, though they never changed.
#[tokio::test]
async fn the_rights_of_a_domain_that_comes_back_are_there() {
    let (urbino, mut fano) = (domain(URBINO, &["anna"]), domain(FANO, &["urp"]));
    let user = urbino.boxes[0].address.clone();
    fano.boxes[0].delegates = vec![Delegation { user, rights: DelegateRights::Read, send_as: false }];
    let (root, mut agent) = installed(&[&urbino, &fano]).await;
    let rights = || fs::read_to_string(root.path().join("dovecot/.acl").join(URBINO)).unwrap_or_default();
    let wanted = rights();
    assert!(wanted.contains(&format!("shared/urp@{FANO} user=anna@{URBINO} lrs")), "{wanted}");
    agent.take(Event::Applied(secret(&shard::withdrawal(&domain_name(URBINO)), 9)));
    agent.step().await.unwrap();
    assert_eq!(rights(), "");
    apply(&mut agent, secrets(&[&urbino], 10));
    agent.step().await.unwrap();
    assert_eq!(rights(), wanted);
}

/// The agent sees several steps as one, and none of those that were made while it was away.
#[tokio::test]
async fn what_the_controller_published_is_installed_however_much_is_gone() {
    let (root, mut agent) = installed(&[&numbered(URBINO, 20)]).await;
    for boxes in (2..20).rev() {
        apply(&mut agent, secrets(&[&numbered(URBINO, boxes)], 26 - boxes as u64));
    }
    agent.step().await.unwrap();
    assert!(!has(root.path(), Table::Boxes, "u2@comune.urbino.pu.it"));
    assert!(has(root.path(), Table::Boxes, "u1@comune.urbino.pu.it"));
    drop(agent);
    let mut next = fixtures::agent(root.path());
    list(&mut next, secrets(&[&numbered(URBINO, 1)], 40));
    next.step().await.unwrap();
    assert!(!has(root.path(), Table::Boxes, "u1@comune.urbino.pu.it"));
    assert!(has(root.path(), Table::Boxes, "u0@comune.urbino.pu.it"));
}

#[tokio::test]
async fn a_secret_that_was_cut_emptied_or_lost_takes_no_address() {
    let urbino = numbered(URBINO, 400);
    let (root, mut agent) = installed(&[&urbino]).await;
    let whole = secrets(&[&urbino], 5);
    assert!(whole.len() > 1);
    for (number, secret) in whole.iter().enumerate() {
        let bytes = secret.data.as_ref().unwrap()[shard::DATA_KEY].0.clone();
        let lines: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at] == b'\n').map(|at| at + 1).collect();
        // After its header, in the middle, before its last line; then it is gone.
        for end in [lines[0], lines[lines.len() / 2], lines[lines.len() - 2]] {
            let mut cut = secret.clone();
            cut.data = Some([(shard::DATA_KEY.to_owned(), ByteString(bytes[..end].to_vec()))].into());
            agent.take(Event::Applied(cut));
            agent.step().await.unwrap();
            assert!(refusal(&agent, URBINO).contains("cut, emptied or edited"), "{}", refusal(&agent, URBINO));
        }
        agent.take(Event::Deleted(secret.clone()));
        agent.step().await.unwrap();
        assert!(refusal(&agent, URBINO).contains("is missing"), "bucket {number}: {}", refusal(&agent, URBINO));
        apply(&mut agent, vec![secret.clone()]);
    }
    assert!((0..400).all(|n| has(root.path(), Table::Boxes, &format!("u{n}@comune.urbino.pu.it"))));
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_harms_nobody_else() {
    let (urbino, mut fano) = (domain(URBINO, &["anna"]), domain(FANO, &["sindaco"]));
    let (root, mut agent) = installed(&[&urbino, &fano]).await;
    let mut broken = secrets(&[&urbino], 6).remove(0);
    for bytes in [b"".to_vec(), b"{}\n".to_vec(), vec![0xff; 100], vec![b'['; 1 << 20]] {
        broken.data = Some(BTreeMap::from([(shard::DATA_KEY.to_owned(), ByteString(bytes))]));
        agent.take(Event::Applied(broken.clone()));
    }
    fano.boxes.push(mailbox("vice@comune.fano.pu.it"));
    apply(&mut agent, secrets(&[&fano], 7));
    agent.step().await.unwrap();
    assert!(has(root.path(), Table::Boxes, "anna@comune.urbino.pu.it"));
    assert!(has(root.path(), Table::Boxes, "vice@comune.fano.pu.it"));
    assert!(refusal(&agent, URBINO).contains("no header"), "{}", refusal(&agent, URBINO));
    broken.metadata.annotations = None;
    agent.take(Event::Applied(broken));
    agent.step().await.unwrap();
    let ack = agent.ack().unwrap();
    assert!(!ack.serves(&domain_name(URBINO), 1), "told by the Secret's name: {ack:?}");
}

#[tokio::test]
async fn a_secret_under_anothers_name_is_refused() {
    let (urbino, fano) = (domain(URBINO, &["anna"]), domain(FANO, &["sindaco"]));
    let (root, mut agent) = installed(&[&urbino]).await;
    let mut foreign = secrets(&[&fano], 6).remove(0);
    foreign.metadata.name = secrets(&[&urbino], 6).remove(0).metadata.name;
    agent.take(Event::Applied(foreign));
    agent.step().await.unwrap();
    assert!(has(root.path(), Table::Boxes, "anna@comune.urbino.pu.it"));
    assert!(!has(root.path(), Table::Domains, FANO));
    assert!(!agent.ack().unwrap().serves(&domain_name(URBINO), 5));
}

#[tokio::test]
async fn a_domain_that_grows_into_more_buckets_loses_nobody_on_the_way() {
    let (root, mut agent) = installed(&[&numbered(URBINO, 100)]).await;
    let grown = secrets(&[&numbered(URBINO, 1_000)], 6);
    assert!(grown.len() > 2);
    for secret in grown.into_iter().rev() {
        apply(&mut agent, vec![secret]);
        agent.step().await.unwrap();
        assert!(has(root.path(), Table::Boxes, "u0@comune.urbino.pu.it"));
        assert!(has(root.path(), Table::Boxes, "u99@comune.urbino.pu.it"));
    }
    assert!(has(root.path(), Table::Boxes, "u999@comune.urbino.pu.it"));
    assert_eq!(passwd(root.path(), URBINO).unwrap().lines().count(), 1_000);
}

#[tokio::test]
async fn the_next_agent_goes_on_from_the_last_good_state_without_the_api() {
    let (urbino, fano) = (numbered(URBINO, 1_000), domain(FANO, &["sindaco"]));
    let (root, agent) = installed(&[&urbino, &fano]).await;
    let tables = Table::ALL.map(|of| table(root.path(), of).unwrap());
    let text = passwd(root.path(), URBINO).unwrap();
    drop(agent);
    fs::remove_dir_all(root.path().join("postfix")).unwrap();
    fs::remove_dir_all(root.path().join("dovecot")).unwrap();
    let mut next = fixtures::agent(root.path());
    next.step().await.unwrap();
    assert_eq!(Table::ALL.map(|of| table(root.path(), of).unwrap()), tables);
    assert_eq!(passwd(root.path(), URBINO).unwrap(), text);
    assert_eq!(next.ack(), None, "what the API says is not known");
    list(&mut next, secrets(&[&fano], 9));
    next.step().await.unwrap();
    assert!(has(root.path(), Table::Domains, URBINO), "gone from the list, not withdrawn");
}

#[tokio::test]
async fn what_a_killed_agent_leaves_is_taken_up() {
    let urbino = domain(URBINO, &["anna"]);
    let (root, agent) = installed(&[&urbino]).await;
    drop(agent);
    let state = root.path().join("state").join(URBINO);
    // Killed between the buckets of a larger layout, and while it wrote beside each file.
    let grown = numbered(URBINO, 1_000).shards(&address("postmaster@cst.example.net"), 0);
    fs::write(state.join(format!("0-of-{}", grown.len())), &grown[0].bytes).unwrap();
    fs::write(state.join(".0-of-1.new"), "half a").unwrap();
    fs::write(root.path().join("postfix/.virtual_mailbox_maps.cdb.new"), [0; 100]).unwrap();
    fs::write(root.path().join("dovecot").join(format!(".{URBINO}.new")), "anna").unwrap();
    // State of a domain that was never whole.
    fs::create_dir(root.path().join("state").join(FANO)).unwrap();
    fs::write(root.path().join("state").join(FANO).join("0-of-1"), "{").unwrap();
    let mut next = fixtures::agent(root.path());
    next.step().await.unwrap();
    assert!(has(root.path(), Table::Boxes, "anna@comune.urbino.pu.it"));
    assert!(!has(root.path(), Table::Domains, FANO));
    list(&mut next, secrets(&[&numbered(URBINO, 1_000)], 9));
    next.step().await.unwrap();
    let mut names: Vec<_> =
        fs::read_dir(&state).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), grown.len(), "{names:?}");
}

#[tokio::test]
async fn a_disk_that_refuses_one_domain_harms_nobody_else() {
    let (root, mut agent) = installed(&[&domain(FANO, &["sindaco"])]).await;
    let obstacle = root.path().join("dovecot").join(URBINO);
    fs::create_dir(&obstacle).unwrap();
    let urbino = domain(URBINO, &["anna"]);
    apply(&mut agent, secrets(&[&urbino, &domain(FANO, &["sindaco", "vice"])], 6));
    agent.step().await.unwrap();
    assert!(has(root.path(), Table::Boxes, "vice@comune.fano.pu.it"));
    assert!(!has(root.path(), Table::Domains, URBINO), "what Dovecot cannot take is not accepted");
    assert!(refusal(&agent, URBINO).contains("cannot read"), "{}", refusal(&agent, URBINO));
    fs::remove_dir(&obstacle).unwrap();
    assert!(agent.next_step().is_some());
    agent.step().await.unwrap();
    assert_eq!(passwd(root.path(), URBINO).unwrap(), passwd_of(&urbino));
    assert!(has(root.path(), Table::Domains, URBINO));
}

fn passwd_of(domain: &MailDomain) -> String {
    let shards = domain.shards(&address("postmaster@cst.example.net"), 0);
    let read = shards.iter().map(|s| (s.bucket, shard::ShardContent::decode(&s.bytes).unwrap().into()));
    dovecot::passwd_file(&DomainContent::assemble(&read.collect()).unwrap())
}
