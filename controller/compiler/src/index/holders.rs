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
        let claims = self.claims(address)?;
        let text = address.to_string();
        self.holder(claims, address.domain(), |key| self.mailbox(key).is_some_and(|e| e.held.contains(&text)))
    }

    /// The Mailboxes that ask for an address.
    pub(super) fn claims(&self, address: &Address) -> Option<&BTreeSet<ObjectKey>> {
        self.mail_domains.get(address.domain())?.of(address)
    }

    /// The zones that several Domains may have, of which none is known to have had it: only the order of their names decides.
    pub fn undecided_zones(&self) -> impl Iterator<Item = (&DomainName, Vec<&ObjectKey>)> {
        let several = self.zones.iter().filter(|(_, claims)| claims.len() > 1);
        several.filter_map(|(zone, claims)| {
            let held = |key: &ObjectKey| self.domains.get(key).is_some_and(|e| e.held.contains(zone.as_str()));
            Some((zone, self.undecided(claims, zone, held)?))
        })
    }

    /// The same of addresses and Mailboxes.
    pub fn undecided_addresses(&self) -> impl Iterator<Item = (Address, Vec<&ObjectKey>)> {
        let all =
            self.mail_domains.iter().flat_map(|(domain, claims)| claims.addresses.iter().map(move |of| (domain, of)));
        let several = all.filter(|(_, (_, claims))| claims.len() > 1);
        several.filter_map(|(domain, (local, claims))| {
            let address = Address::parse(&format!("{local}@{domain}")).ok()?;
            let text = address.to_string();
            let held = |key: &ObjectKey| self.mailbox(key).is_some_and(|e| e.held.contains(&text));
            Some((address, self.undecided(claims, domain, held)?))
        })
    }

    /// The same of hosts and `WebSite`s.
    pub fn undecided_hosts(&self) -> impl Iterator<Item = (&DomainName, Vec<&ObjectKey>)> {
        let several = self.hosts.iter().filter(|(_, claims)| claims.len() > 1);
        several.filter_map(|(host, claims)| Some((host, self.undecided(claims, host, |key| self.has_host(key, host))?)))
    }

    /// The WebSite that holds a host.
    pub fn host_holder(&self, host: &DomainName) -> Option<&ObjectKey> {
        let claims = self.hosts.get(host)?;
        self.holder(claims, host, |key| self.has_host(key, host))
    }

    /// Whether a WebSite is known to have had a host.
    fn has_host(&self, key: &ObjectKey, host: &DomainName) -> bool {
        self.published_hosts.get(key).is_some_and(|hosts| hosts.contains(host))
            || self.sites.get(key).is_some_and(|entry| entry.held.contains(host.as_str()))
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
        claims.iter().filter(|key| self.may(key, name, held(key))).min_by_key(|key| (!held(key), *key))
    }

    /// All that may have a name, when they are several and none had it.
    fn undecided<'a>(
        &'a self,
        claims: &'a BTreeSet<ObjectKey>,
        name: &DomainName,
        held: impl Fn(&ObjectKey) -> bool,
    ) -> Option<Vec<&'a ObjectKey>> {
        let entitled: Vec<&ObjectKey> = claims.iter().filter(|key| self.may(key, name, held(key))).collect();
        (entitled.len() > 1 && !entitled.iter().any(|key| held(key))).then_some(entitled)
    }

    fn may(&self, key: &ObjectKey, name: &DomainName, held: bool) -> bool {
        key.tenant()
            .is_some_and(|tenant| self.tenant_serves(tenant).is_ok() && self.may_hold(tenant, name, held).is_ok())
    }
}
