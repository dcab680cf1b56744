//! What Mailboxes ask for in one mail domain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::Entry;
use crate::model::{Address, ObjectKey};
use crate::parse::MailboxModel;

/// The Mailboxes that ask for an address in a domain, and for which.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The Mailboxes, with their entries.
    pub boxes: BTreeMap<ObjectKey, Arc<Entry<MailboxModel>>>,
    /// By local part, who asks for it.
    pub addresses: BTreeMap<String, BTreeSet<ObjectKey>>,
}

impl Claims {
    pub fn insert(&mut self, address: &Address, key: &ObjectKey, entry: &Arc<Entry<MailboxModel>>) {
        self.boxes.insert(key.clone(), entry.clone());
        self.addresses.entry(address.local().to_owned()).or_default().insert(key.clone());
    }

    pub fn remove(&mut self, address: &Address, key: &ObjectKey) {
        self.boxes.remove(key);
        if let Some(claims) = self.addresses.get_mut(address.local()) {
            claims.remove(key);
            if claims.is_empty() {
                self.addresses.remove(address.local());
            }
        }
    }

    /// Who asks for an address of this domain.
    pub fn of(&self, address: &Address) -> Option<&BTreeSet<ObjectKey>> {
        self.addresses.get(address.local())
    }
}
