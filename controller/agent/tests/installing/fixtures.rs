//! An agent on a volume with no server listening, and what is handed to it.

use std::path::Path;

use cst_agent::inbox::Event;
use cst_agent::{Agent, Config};
use cst_compiler::desired::mail::MailDomain;
use k8s_openapi::api::core::v1::Secret;

use crate::support::{address, domain, secret};

/// A domain with many boxes, `u0`, `u1` and so on.
pub fn numbered(name: &str, boxes: usize) -> MailDomain {
    let locals: Vec<String> = (0..boxes).map(|n| format!("u{n}")).collect();
    domain(name, &locals.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The Secrets of domains, each as if it were new.
pub fn secrets(domains: &[&MailDomain], version: u64) -> Vec<Secret> {
    let shards = domains.iter().flat_map(|domain| domain.shards(&address("postmaster@cst.example.net"), 0));
    shards.map(|shard| secret(&shard, version)).collect()
}

/// An agent on a volume, with no server listening.
pub fn agent(root: &Path) -> Agent {
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let config = Config {
        root: root.to_owned(),
        master_pid: root.join("master.pid"),
        smtp: nowhere,
        lmtp: nowhere,
        ..Config::in_pod("cst-mail", "mail-0")
    };
    Agent::open(config).unwrap()
}

/// Hands every Secret over as changed.
pub fn apply(agent: &mut Agent, secrets: Vec<Secret>) {
    for secret in secrets {
        agent.take(Event::Applied(secret));
    }
}

/// Hands over the list of all Secrets there are.
pub fn list(agent: &mut Agent, secrets: Vec<Secret>) {
    agent.take(Event::Listing);
    for secret in secrets {
        assert!(!agent.take(Event::Found(secret)), "it waits for the end of the list");
    }
    assert!(agent.take(Event::Listed));
}
