//! Domains, and Secrets as the API server gives them.

use std::collections::BTreeMap;
use std::path::Path;

use cst_agent::inbox::Event;
use cst_agent::{Agent, Config};
use cst_api::{DeletionPolicy, MailboxState};
use cst_compiler::desired::mail::shard::{APPROVED_ANNOTATION, DATA_KEY, DOMAIN_ANNOTATION, LABEL, domain_key};
use cst_compiler::desired::mail::{MailBox, MailDomain, PasswordHash, Shard};
use cst_compiler::model::{Address, DomainName, ObjectKey, Quantity};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;

/// `segreto` and `nuovo`, in hashes of the same length.
pub const HASHES: [&str; 2] = [
    "{SHA512-CRYPT}$6$QHVnXN//sO.fAdcI$rdZ3Lgq9YfX3qyN/hjGZ7KR41N5DdvBGGuwhXRv7hId0KmZXYAb/4KdG2qAt1jkKa/Brw63OEgwwRCJU4CrSe/",
    "{SHA512-CRYPT}$6$32mW2IrhZXxn7GHM$ikAQCgL6aVFiHrHFoPaJ.E/7nrmGzqIeskHk.ubdAW8eFxYIMS66BFoTOBHFiVsbIwI0LJ7gkX1BUUhMgtHEi.",
];

pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub fn domain_name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

/// An active box with the first password.
pub fn mailbox(text: &str) -> MailBox {
    let address = address(text);
    MailBox {
        owner: ObjectKey::new("t-prova", address.local().replace('.', "-")),
        store: address.clone(),
        address,
        state: MailboxState::Active,
        password: Some(PasswordHash::parse(HASHES[0]).unwrap()),
        quota: Quantity(1 << 30),
        delete_policy: DeletionPolicy::Retain,
        retained_since: None,
    }
}

/// A domain with these boxes.
pub fn domain(name: &str, locals: &[&str]) -> MailDomain {
    let boxes = locals.iter().map(|local| mailbox(&format!("{local}@{name}"))).collect();
    MailDomain { domain: domain_name(name), boxes, aliases: BTreeMap::new() }
}

/// A domain with many boxes, `u0`, `u1` and so on.
pub fn numbered(name: &str, boxes: usize) -> MailDomain {
    let locals: Vec<String> = (0..boxes).map(|n| format!("u{n}")).collect();
    domain(name, &locals.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A shard as its Secret.
pub fn secret(shard: &Shard, version: u64) -> Secret {
    let annotations = BTreeMap::from([(DOMAIN_ANNOTATION.to_owned(), shard.domain.to_string())]);
    Secret {
        metadata: ObjectMeta {
            name: Some(shard.name()),
            resource_version: Some(version.to_string()),
            labels: Some(BTreeMap::from([(LABEL.to_owned(), domain_key(&shard.domain))])),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([(DATA_KEY.to_owned(), ByteString(shard.bytes.clone()))])),
        ..Secret::default()
    }
}

/// The Secrets of domains, each as if it were new.
pub fn secrets(domains: &[&MailDomain], version: u64) -> Vec<Secret> {
    let shards = domains.iter().flat_map(|domain| domain.shards(&address("postmaster@cst.example.net"), 0));
    shards.map(|shard| secret(&shard, version)).collect()
}

/// The same with a number of addresses approved.
pub fn approving(mut secrets: Vec<Secret>, addresses: usize) -> Vec<Secret> {
    for secret in &mut secrets {
        let annotations = secret.metadata.annotations.get_or_insert_default();
        annotations.insert(APPROVED_ANNOTATION.to_owned(), addresses.to_string());
    }
    secrets
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
