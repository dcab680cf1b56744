//! Domains, and Secrets as the API server gives them.

use std::collections::BTreeMap;

use cst_compiler::desired::mail::shard::{DATA_KEY, DOMAIN_ANNOTATION, LABEL, domain_key};
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
    let owner = ObjectKey::new("t-prova", address.local().replace('.', "-"));
    let password = Some(PasswordHash::parse(HASHES[0]).unwrap());
    MailBox { password, ..MailBox::new(owner, address, Quantity(1 << 30)) }
}

/// A domain with these boxes.
pub fn domain(name: &str, locals: &[&str]) -> MailDomain {
    let boxes = locals.iter().map(|local| mailbox(&format!("{local}@{name}"))).collect();
    MailDomain { boxes, ..MailDomain::empty(domain_name(name)) }
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
