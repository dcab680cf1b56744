//! All installed domains, and which domains' tables a change makes stale: those of the changed domain, and of every other that asked about
//! what changed. Found by keys, never by scanning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::notes::{Asked, Notes, Subject};
use super::postfix::Tables;
use super::routes::Installed;
use super::{DomainContent, Domains, MailBox, ShardContent, sieve};
use crate::model::{Address, DomainName};

/// The installed domains.
#[derive(Debug, Default)]
pub struct Fleet {
    domains: Domains,
    /// By domain, what its tables asked when they were last made.
    asked: BTreeMap<DomainName, Asked>,
    /// The same from the other side: who asked.
    askers: BTreeMap<DomainName, BTreeMap<Subject, BTreeSet<DomainName>>>,
    stale: BTreeSet<DomainName>,
}

/// What follows from the installed domains for one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// Its part of Postfix' tables.
    pub tables: Tables,
    /// The scripts of its boxes.
    pub scripts: BTreeMap<Address, String>,
}

/// What of a domain is another than before.
enum Changed<'a> {
    All,
    Addresses(BTreeSet<&'a Address>),
}

impl Fleet {
    /// These domains, of which nothing was derived yet.
    pub fn new(domains: Domains) -> Self {
        Self { stale: domains.keys().cloned().collect(), domains, ..Self::default() }
    }

    /// The domains.
    pub fn domains(&self) -> &Domains {
        &self.domains
    }

    /// Installs a domain in place of what it was, or takes it away; what it was.
    pub fn put(&mut self, domain: &DomainName, content: Option<DomainContent>) -> Option<DomainContent> {
        let before = self.domains.remove(domain);
        let stale = self.askers_of(domain, &changed(before.as_ref(), content.as_ref()));
        self.stale.extend(stale);
        self.stale.insert(domain.clone());
        self.domains.extend(content.map(|content| (domain.clone(), content)));
        before
    }

    /// The domains whose tables and scripts are to be derived anew, or to be removed.
    pub fn stale(&self) -> &BTreeSet<DomainName> {
        &self.stale
    }

    /// What is served of a domain now; `None`: nothing, it is not there.
    pub fn derive(&self, domain: &DomainName) -> (Option<Derived>, Asked) {
        let notes = Notes::of(domain.clone());
        let book = Installed::noting(&self.domains, &notes);
        let content = self.domains.get(domain).filter(|content| !content.is_withdrawn());
        let derived = content.map(|content| Derived {
            tables: Tables::of_domain(content, book),
            scripts: sieve::scripts(content, book),
        });
        (derived, notes.asked())
    }

    /// What was derived of a domain is in place: it is stale again when something of what was asked changes.
    pub fn settle(&mut self, domain: &DomainName, asked: Asked) {
        self.stale.remove(domain);
        let before = self.asked.remove(domain).unwrap_or_default();
        if before != asked {
            for (of, subject) in &before {
                self.unlink(of, subject, domain);
            }
            for (of, subject) in &asked {
                let askers = self.askers.entry(of.clone()).or_default().entry(subject.clone()).or_default();
                askers.insert(domain.clone());
            }
        }
        self.asked.extend((!asked.is_empty()).then(|| (domain.clone(), asked)));
    }

    fn unlink(&mut self, of: &DomainName, subject: &Subject, asker: &DomainName) {
        let Some(askers) = self.askers.get_mut(of) else { return };
        if let Some(of_subject) = askers.get_mut(subject) {
            of_subject.remove(asker);
            if of_subject.is_empty() {
                askers.remove(subject);
            }
        }
        if askers.is_empty() {
            self.askers.remove(of);
        }
    }

    fn askers_of(&self, domain: &DomainName, changed: &Changed<'_>) -> Vec<DomainName> {
        let Some(askers) = self.askers.get(domain) else { return Vec::new() };
        match changed {
            Changed::All => askers.values().flatten().cloned().collect(),
            Changed::Addresses(addresses) if addresses.is_empty() => Vec::new(),
            Changed::Addresses(addresses) => {
                let subjects = addresses.iter().map(|address| Subject::Address((*address).clone()));
                let of_each = subjects.chain([Subject::Whole]).filter_map(|subject| askers.get(&subject));
                of_each.flatten().cloned().collect()
            }
        }
    }
}

fn changed<'a>(before: Option<&'a DomainContent>, after: Option<&'a DomainContent>) -> Changed<'a> {
    let (Some(before), Some(after)) = (before, after) else { return Changed::All };
    let once =
        |content: &DomainContent| (content.is_withdrawn(), content.alias_of().cloned(), content.catch_all().cloned());
    if once(before) != once(after) {
        return Changed::All;
    }
    let (before, after) = (before.shards(), after.shards());
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    if before.len() == after.len() {
        for (before, after) in before.iter().zip(after).filter(|(before, after)| before.digest != after.digest) {
            old.extend(declared(before));
            new.extend(declared(after));
        }
    } else {
        old.extend(before.iter().flat_map(declared));
        new.extend(after.iter().flat_map(declared));
    }
    let addresses: BTreeSet<&Address> = old.keys().chain(new.keys()).copied().collect();
    Changed::Addresses(addresses.into_iter().filter(|address| old.get(address) != new.get(address)).collect())
}

/// What a shard says of each address: its box, or to which one it leads. A box of the same address takes precedence.
fn declared(shard: &Arc<ShardContent>) -> impl Iterator<Item = (&Address, (Option<&MailBox>, Option<&Address>))> {
    let led = shard.required.iter().chain(&shard.aliases).map(|(alias, to)| (alias, (None, Some(to))));
    led.chain(shard.boxes.iter().map(|mailbox| (&mailbox.address, (Some(mailbox), None))))
}
