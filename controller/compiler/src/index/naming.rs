//! Who names whom in mail: a box its delegates and whom it forwards to, a group its members, a Domain its catch-all.

use std::collections::{BTreeMap, BTreeSet};

use super::{Index, Unit};
use crate::model::{DomainName, ObjectKey};
use crate::parse::MailboxModel;

impl Index {
    /// Units, and those that name a mail domain among them, directly or through others: what a box is told depends on whom it names.
    pub(super) fn with_naming(&self, mut units: BTreeSet<Unit>) -> BTreeSet<Unit> {
        let mail = |unit: &Unit| if let Unit::Mail(domain) = unit { Some(domain.clone()) } else { None };
        let mut due: Vec<DomainName> = units.iter().filter_map(mail).collect();
        let mut seen: BTreeSet<DomainName> = due.iter().cloned().collect();
        while let Some(domain) = due.pop() {
            let homes = self.named.get(&domain).into_iter().flat_map(BTreeMap::keys);
            let domains = self.named_by_domains.get(&domain).into_iter().flatten().filter_map(|key| self.zone_of(key));
            for zone in domains.clone() {
                units.insert(Unit::Zone(zone.clone()));
            }
            for naming in homes.chain(domains) {
                units.insert(Unit::Mail(naming.clone()));
                if seen.insert(naming.clone()) {
                    due.push(naming.clone());
                }
            }
        }
        units
    }

    pub(super) fn note_named(&mut self, model: &MailboxModel) {
        for named in others_named(model) {
            *self.named.entry(named.clone()).or_default().entry(model.address.domain().clone()).or_default() += 1;
        }
    }

    pub(super) fn forget_named(&mut self, model: &MailboxModel) {
        for named in others_named(model) {
            let Some(homes) = self.named.get_mut(named) else { continue };
            let home = model.address.domain();
            if homes.get(home).is_none_or(|count| *count <= 1) {
                homes.remove(home);
            } else if let Some(count) = homes.get_mut(home) {
                *count -= 1;
            }
            if homes.is_empty() {
                self.named.remove(named);
            }
        }
    }

    pub(crate) fn model_of(&self, key: &ObjectKey) -> Option<&MailboxModel> {
        self.mailbox(key)?.model.as_ref()
    }

    fn zone_of(&self, key: &ObjectKey) -> Option<&DomainName> {
        Some(&self.domains.get(key)?.model.as_ref()?.zone)
    }
}

/// The domains beside its own that a box names: its own is compiled with it.
fn others_named(model: &MailboxModel) -> impl Iterator<Item = &DomainName> {
    model.named_domains().filter(|named| *named != model.address.domain())
}
