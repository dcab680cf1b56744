//! The index as it is read for many boxes in a row: what they have in common is looked up once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Index;
use super::claims::Claims;
use crate::model::{Address, DomainName, ObjectKey};
use crate::parse::{DomainModel, MailboxModel};

/// An index that does not change meanwhile, with what was found out about mail domains.
#[derive(Debug)]
pub struct Lookup<'a> {
    index: &'a Index,
    /// Who may hold a name, by name and namespace.
    entitled: RefCell<BTreeMap<DomainName, BTreeMap<String, bool>>>,
    /// Which Domain holds a zone.
    zones: RefCell<BTreeMap<DomainName, Option<&'a DomainModel>>>,
    /// What Mailboxes ask for in a domain.
    claims: RefCell<BTreeMap<DomainName, Option<&'a Claims>>>,
}

impl<'a> Lookup<'a> {
    /// Nothing was asked yet.
    pub fn new(index: &'a Index) -> Self {
        Self { index, entitled: RefCell::default(), zones: RefCell::default(), claims: RefCell::default() }
    }

    /// The index itself.
    pub fn index(&self) -> &'a Index {
        self.index
    }

    /// Whether who is in a namespace may hold a name that he did not have before.
    pub fn is_entitled(&self, namespace: &str, name: &DomainName) -> bool {
        let known = self.entitled.borrow().get(name).and_then(|of_name| of_name.get(namespace).copied());
        known.unwrap_or_else(|| {
            let entitled = cst_api::tenant_of_namespace(namespace).is_some_and(|tenant| {
                self.index.tenant_serves(tenant).is_ok() && self.index.may_hold(tenant, name, false).is_ok()
            });
            self.entitled.borrow_mut().entry(name.clone()).or_default().insert(namespace.to_owned(), entitled);
            entitled
        })
    }

    /// The model of the Domain that holds a zone.
    pub fn held_zone(&self, zone: &DomainName) -> Option<&'a DomainModel> {
        once(&self.zones, zone, || self.index.held_zone(zone))
    }

    /// Whether the centre receives mail for a domain.
    pub fn receives_for(&self, domain: &DomainName) -> bool {
        self.held_zone(domain).is_some_and(DomainModel::hosts_mail)
    }

    /// The Mailbox that holds an address.
    pub fn address_holder(&self, address: &Address) -> Option<&'a ObjectKey> {
        let claims = self.claims_in(address.domain())?.of(address)?;
        // Who may have it, and is alone, has it.
        let alone =
            claims.first().filter(|key| claims.len() == 1 && self.is_entitled(&key.namespace, address.domain()));
        alone.or_else(|| self.index.address_holder(address))
    }

    /// The Mailbox whose mail a store holds: that whose own address it is, else one that takes it over.
    pub fn store_holder(&self, store: &Address) -> Option<&'a ObjectKey> {
        let keeps_there = |key: &&ObjectKey| self.index.model_of(key).is_some_and(|model| model.store == *store);
        self.address_holder(store).filter(keeps_there).or_else(|| {
            let claims = self.index.stores.get(store).into_iter().flatten();
            let served = |key: &ObjectKey| self.index.mailbox(key).is_some_and(|entry| !entry.held.is_empty());
            let may = |key: &&ObjectKey| self.is_entitled(&key.namespace, store.domain());
            claims.filter(may).min_by_key(|key| (!served(key), *key))
        })
    }

    /// The Mailbox that mail for an address comes to: who holds it, here or in the domain that its own is an alias of.
    pub fn mail_holder(&self, address: &Address) -> Option<&'a MailboxModel> {
        let holder = |address: &Address| {
            let key = self.address_holder(address)?;
            self.claims_in(address.domain())?.boxes.get(key)?.model.as_ref()
        };
        holder(address).or_else(|| {
            let other = self.held_zone(address.domain())?.mail.as_ref()?.alias_of.as_ref()?;
            holder(&address.at(other))
        })
    }

    fn claims_in(&self, domain: &DomainName) -> Option<&'a Claims> {
        once(&self.claims, domain, || self.index.mail_domains.get(domain))
    }
}

/// What is known of a name, or else is found out.
fn once<T: Copy>(known: &RefCell<BTreeMap<DomainName, T>>, name: &DomainName, find: impl FnOnce() -> T) -> T {
    let found = known.borrow().get(name).copied();
    found.unwrap_or_else(|| {
        let found = find();
        known.borrow_mut().insert(name.clone(), found);
        found
    })
}
