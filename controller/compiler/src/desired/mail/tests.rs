//! The whole way from domains to tables, and every way to break it.

mod acks;
mod delivery;
mod fleet;
mod sender;
mod shards;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;

use cst_api::MailboxState;

use super::{DkimSigner, DomainContent, MailBox, MailDomain, PasswordHash, Shard, ShardContent};
use crate::model::{Address, DomainName, ObjectKey, Quantity};

const HASH: &str =
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$F065s3INV7ie8kEO1yVswQ$QqbP49NEJ3vOUKGmig3XpYYfL3T4rZ6NkzKVuUJrqMU";

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn domain(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn centre() -> Address {
    address("postmaster@cst.example.net")
}

fn mailbox(text: &str, state: MailboxState) -> MailBox {
    let address = address(text);
    let owner = ObjectKey::new("t-urbino", address.local().replace('.', "-"));
    let password = Some(PasswordHash::parse(HASH).unwrap());
    MailBox { state, password, ..MailBox::new(owner, address, Quantity(5 << 30)) }
}

fn aliases(pairs: &[(&str, &str)]) -> BTreeMap<Address, Address> {
    pairs.iter().map(|(alias, to)| (address(alias), address(to))).collect()
}

/// A domain with a box of every state, and aliases of every fate.
fn urbino() -> MailDomain {
    let d = "comune.urbino.pu.it";
    let at = |local: &str| format!("{local}@{d}");
    let mut boxes = vec![
        mailbox(&at("protocollo"), MailboxState::Active),
        mailbox(&at("anna.rossi"), MailboxState::Suspended),
        mailbox(&at("archivio"), MailboxState::Archived),
        mailbox(&at("chiuso"), MailboxState::Closed),
        mailbox(&at("senza.password"), MailboxState::Active),
        mailbox(&at("trasloco"), MailboxState::Active),
    ];
    boxes[4].password = None;
    boxes[4].quota = Quantity(0);
    boxes[5].store = address("trasloco@comune.fano.pu.it");
    let aliases = aliases(&[
        ("urp@comune.urbino.pu.it", "protocollo@comune.urbino.pu.it"),
        ("sindaco@comune.urbino.pu.it", "sindaco@comune.fano.pu.it"),
        ("rossi@comune.urbino.pu.it", "anna.rossi@comune.urbino.pu.it"),
        ("vecchio@comune.urbino.pu.it", "archivio@comune.urbino.pu.it"),
        ("ex@comune.urbino.pu.it", "chiuso@comune.urbino.pu.it"),
        ("nessuno@comune.urbino.pu.it", "nessuno@comune.fano.pu.it"),
        ("esterno@comune.urbino.pu.it", "a@elsewhere.example"),
        ("trasloco@comune.urbino.pu.it", "protocollo@comune.urbino.pu.it"),
    ]);
    MailDomain { boxes, aliases, ..MailDomain::empty(domain(d)) }
}

fn fano() -> MailDomain {
    let boxes = vec![
        mailbox("sindaco@comune.fano.pu.it", MailboxState::Active),
        mailbox("postmaster@comune.fano.pu.it", MailboxState::Active),
    ];
    MailDomain { boxes, ..MailDomain::empty(domain("comune.fano.pu.it")) }
}

fn read(shards: &[Shard]) -> BTreeMap<u32, Arc<ShardContent>> {
    shards.iter().map(|shard| (shard.bucket, Arc::new(ShardContent::decode(&shard.bytes).unwrap()))).collect()
}

fn content(domain: &MailDomain) -> DomainContent {
    DomainContent::assemble(&read(&domain.shards(&centre(), 0))).unwrap()
}

fn fleet(domains: &[MailDomain]) -> BTreeMap<DomainName, DomainContent> {
    domains.iter().map(|domain| (domain.domain.clone(), content(domain))).collect()
}
