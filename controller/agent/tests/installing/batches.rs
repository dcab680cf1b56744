//! Many domains at once: what is written together takes its places together, and what cannot be written harms only itself.

use std::fs;

use cst_agent::files::Batch;
use cst_compiler::desired::mail::postfix::Table;
use cst_compiler::desired::mail::{Forwarding, MailDomain};
use cst_compiler::model::Recipient;

use crate::fixtures::*;
use crate::support::*;
use crate::{has, passwd, passwd_of, refusal};

/// More than are synced one by one; anna's mail is sent on by a script.
fn many() -> Vec<MailDomain> {
    let with_script = |number| {
        let mut domain = domain(&format!("comune{number}.pu.it"), &["anna", "luca"]);
        let to = vec![Recipient::parse("a@elsewhere.example").unwrap()];
        domain.boxes[0].forward = Some(Forwarding { to, keep_copy: true });
        domain
    };
    (0..100).map(with_script).collect()
}

#[tokio::test]
async fn many_domains_are_installed_at_once_and_changed_at_once() {
    let (root, mut domains) = (tempfile::tempdir().unwrap(), many());
    let mut agent = agent(root.path());
    list(&mut agent, secrets(&domains.iter().collect::<Vec<_>>(), 5));
    agent.step().await.unwrap();
    for changed in &mut domains {
        changed.boxes.push(mailbox(&format!("vice@{}", changed.domain)));
    }
    apply(&mut agent, secrets(&domains.iter().collect::<Vec<_>>(), 6));
    agent.step().await.unwrap();
    drop(agent);
    let next = crate::fixtures::agent(root.path());
    for installed in &domains {
        let name = installed.domain.as_str();
        assert_eq!(passwd(root.path(), name).unwrap(), passwd_of(installed));
        assert!(has(root.path(), Table::Boxes, &format!("vice@{name}")));
        let script = fs::read_to_string(root.path().join("dovecot/.sieve").join(name).join("anna.sieve")).unwrap();
        assert!(script.contains("a@elsewhere.example"), "{name}: {script}");
        assert_eq!(next.installed().borrow()[&installed.domain].addresses(), 3, "{name}: the last good state");
    }
}

#[tokio::test]
async fn one_that_cannot_be_written_among_many_harms_nobody_else() {
    let (root, domains) = (tempfile::tempdir().unwrap(), many());
    let mut agent = agent(root.path());
    let obstacle = root.path().join("dovecot/comune50.pu.it");
    fs::create_dir(&obstacle).unwrap();
    list(&mut agent, secrets(&domains.iter().collect::<Vec<_>>(), 5));
    agent.step().await.unwrap();
    assert!(refusal(&agent, "comune50.pu.it").contains("cannot read"), "{}", refusal(&agent, "comune50.pu.it"));
    for installed in domains.iter().filter(|installed| installed.domain.as_str() != "comune50.pu.it") {
        assert_eq!(passwd(root.path(), installed.domain.as_str()).unwrap(), passwd_of(installed));
        assert!(has(root.path(), Table::Domains, installed.domain.as_str()));
    }
    assert!(!has(root.path(), Table::Domains, "comune50.pu.it"));
    fs::remove_dir(&obstacle).unwrap();
    agent.step().await.unwrap();
    assert!(has(root.path(), Table::Domains, "comune50.pu.it"));
}

#[test]
fn nothing_takes_its_place_before_all_is_on_the_disk() {
    for count in [1, 64, 65, 200] {
        let root = tempfile::tempdir().unwrap();
        let path = |number: usize| root.path().join(format!("f{number}"));
        fs::write(path(0), "as it was").unwrap();
        let mut batch = Batch::on(root.path()).unwrap();
        for number in 0..count {
            batch.write(path(number), format!("new {number}").as_bytes(), 0o600, None).unwrap();
        }
        assert_eq!(fs::read_to_string(path(0)).unwrap(), "as it was");
        assert!((1..count).all(|number| !path(number).exists()));
        batch.place().unwrap();
        for number in 0..count {
            assert_eq!(fs::read_to_string(path(number)).unwrap(), format!("new {number}"));
        }
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), count, "nothing is left beside them");
    }
}

#[test]
fn where_one_cannot_be_synced_none_takes_its_place() {
    let root = tempfile::tempdir().unwrap();
    let mut batch = Batch::on(root.path()).unwrap();
    for name in ["a", "b"] {
        batch.write(root.path().join(name), b"new", 0o600, None).unwrap();
    }
    fs::remove_file(root.path().join(".b.new")).unwrap();
    batch.place().unwrap_err();
    assert!(!root.path().join("a").exists());
}
