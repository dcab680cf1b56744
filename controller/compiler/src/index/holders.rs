//! Who holds a name among those that ask for it: the incumbent, else the smallest namespace/name of the tenant that may.

use std::collections::BTreeSet;

use super::Index;
use crate::model::{Address, DomainName, ObjectKey};
use crate::parse::DomainModel;

impl Index {
    /// The Domain that holds a zone.
    pub fn zone_holder(&self, zone: &DomainName) -> Option<&ObjectKey> {
        let claims = self.zones.get(zone)?;
        self.holder(claims, zone, |key| self.domains.get(key).is_some_and(|e| e.held.contains(zone.as_str())))
    }

    /// The model of the Domain that holds a zone.
    pub fn held_zone(&self, zone: &DomainName) -> Option<&DomainModel> {
        self.domains.get(self.zone_holder(zone)?)?.model.as_ref()
    }

    /// The Mailbox that holds an address.
    pub fn address_holder(&self, address: &Address) -> Option<&ObjectKey> {
        let claims = self.addresses.get(address)?;
        let text = address.to_string();
        self.holder(claims, address.domain(), |key| self.mailboxes.get(key).is_some_and(|e| e.held.contains(&text)))
    }

    /// The WebSite that holds a host.
    pub fn host_holder(&self, host: &DomainName) -> Option<&ObjectKey> {
        let claims = self.hosts.get(host)?;
        let published = |key: &ObjectKey| self.published_hosts.get(key).is_some_and(|hosts| hosts.contains(host));
        self.holder(claims, host, |key| {
            published(key) || self.sites.get(key).is_some_and(|e| e.held.contains(host.as_str()))
        })
    }

    /// The zone whose records a name belongs to: the longest held one at or above it.
    pub fn covering_zone(&self, name: &DomainName) -> Option<DomainName> {
        name.and_ancestors().find(|zone| self.zone_holder(zone).is_some())
    }

    /// The held zone above a zone, which delegates it.
    pub fn zone_above(&self, zone: &DomainName) -> Option<DomainName> {
        self.covering_zone(&zone.parent()?)
    }

    fn holder<'a>(
        &'a self,
        claims: &'a BTreeSet<ObjectKey>,
        name: &DomainName,
        held: impl Fn(&ObjectKey) -> bool,
    ) -> Option<&'a ObjectKey> {
        let may = |key: &&ObjectKey| {
            key.tenant().is_some_and(|tenant| {
                self.tenant_serves(tenant).is_ok() && self.may_hold(tenant, name, held(key)).is_ok()
            })
        };
        claims.iter().filter(may).min_by_key(|key| (!held(key), *key))
    }
}
