//! Who depends on a change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cst_api::{Domain, Mailbox, Tenant, WebSite};

use super::entry::Entry;
use super::{Index, Unit, in_namespace, within};
use crate::model::{Address, DomainName, ObjectKey};
use crate::parse::{DomainModel, MailboxModel, TenantModel, WebSiteModel, application_of};

impl Index {
    pub(super) fn apply_tenant(&mut self, name: String, tenant: Option<&Tenant>) -> BTreeSet<Unit> {
        let last = self.tenants.remove(&name);
        let next = tenant.map(|tenant| Entry::next(TenantModel::parse(tenant), BTreeSet::new(), last.clone()));
        let (before, after) = (model(last.as_ref()), model(next.as_ref()));
        let unchanged = same(last.as_ref(), next.as_ref());
        let touched: BTreeSet<DomainName> =
            before.iter().chain(&after).flat_map(|m| m.grants.iter().cloned()).collect();
        for grant in before.iter().flat_map(|m| m.grants.iter()) {
            unlink(&mut self.grants, grant, &name);
        }
        for grant in after.iter().flat_map(|m| m.grants.iter()) {
            self.grants.entry(grant.clone()).or_default().insert(name.clone());
        }
        self.tenants.extend(next.map(|entry| (name.clone(), entry)));
        self.limit_tenant(&name);
        let mut units = BTreeSet::new();
        if !unchanged {
            units.insert(Unit::Tenant(name.clone()));
            units.extend(self.units_of_namespace(&name));
            units.extend(touched.iter().flat_map(|grant| self.units_within(grant)));
            let sharing = touched.iter().filter_map(|grant| self.grants.get(grant)).flatten();
            units.extend(sharing.cloned().map(Unit::Tenant));
        }
        units
    }

    pub(super) fn apply_domain(&mut self, key: ObjectKey, domain: Option<&Domain>) -> BTreeSet<Unit> {
        let last = self.domains.remove(&key);
        let held =
            domain.and_then(|d| d.status.as_ref()?.zone.as_ref()).map(|zone| zone.name.clone()).into_iter().collect();
        let next = domain.map(|domain| Entry::next(DomainModel::parse(domain), held, last.clone()));
        let (before, after) = (model(last.as_ref()).cloned(), model(next.as_ref()).cloned());
        let unchanged = same(last.as_ref(), next.as_ref());
        if let Some(model) = &before {
            unlink(&mut self.zones, &model.zone, &key);
            model.wanted_pointers().for_each(|reverse| unlink(&mut self.pointers, &reverse, &key));
            model.named_mail_domains().for_each(|named| unlink(&mut self.named_by_domains, named, &key));
        }
        if let Some(model) = &after {
            for named in model.named_mail_domains() {
                self.named_by_domains.entry(named.clone()).or_default().insert(key.clone());
            }
            self.zones.entry(model.zone.clone()).or_default().insert(key.clone());
            for reverse in model.wanted_pointers() {
                self.pointers.entry(reverse).or_default().insert(key.clone());
            }
        }
        self.domains.extend(next.map(|entry| (key.clone(), entry)));
        if unchanged {
            return BTreeSet::new();
        }
        let mut units: BTreeSet<Unit> = key.tenant().map(|t| Unit::Tenant(t.to_owned())).into_iter().collect();
        units.extend(before.iter().flat_map(|model| self.units_of_wishes(model)));
        for model in before.iter().chain(&after) {
            units.extend(self.units_within(&model.zone));
            units.extend(self.zone_units(&model.zone));
            units.extend(self.mail_units(&model.zone));
        }
        if before.is_none() && after.is_none() {
            units.extend(DomainName::parse(&key.name).map(Unit::Zone));
        }
        units
    }

    pub(super) fn apply_mailbox(&mut self, key: ObjectKey, mailbox: Option<&Mailbox>) -> BTreeSet<Unit> {
        let last = self.mailboxes.remove(&key);
        let held =
            mailbox.and_then(|m| m.status.as_ref()).map(|s| s.addresses.iter().cloned().collect()).unwrap_or_default();
        let next =
            mailbox.map(|mailbox| Arc::new(Entry::next(MailboxModel::parse(mailbox), held, last.as_deref().cloned())));
        let (before, after) = (model(last.as_deref()), model(next.as_deref()));
        let unchanged = same(last.as_deref(), next.as_deref());
        if let Some(model) = before {
            model.secrets().for_each(|secret| unlink(&mut self.secret_users, &secret, &key));
            unlink(&mut self.stores, &model.store, &key);
            self.forget_named(model);
            for address in model.addresses() {
                if let Some(claims) = self.mail_domains.get_mut(address.domain()) {
                    claims.remove(address, &key);
                    if claims.boxes.is_empty() {
                        self.mail_domains.remove(address.domain());
                    }
                }
            }
        }
        if let Some((model, entry)) = after.zip(next.as_ref()) {
            for secret in model.secrets() {
                self.secret_users.entry(secret).or_default().insert(key.clone());
            }
            self.stores.entry(model.store.clone()).or_default().insert(key.clone());
            self.note_named(model);
            for address in model.addresses() {
                self.mail_domains.entry(address.domain().clone()).or_default().insert(address, &key, entry);
            }
        }
        self.mailboxes.extend(next.clone().map(|entry| (key.clone(), entry)));
        let admission = self.rank_mailbox(&key, last.as_deref());
        let judged = admission.iter().filter_map(|key| model(self.mailbox(key))).flat_map(MailboxModel::addresses);
        let mut units: BTreeSet<Unit> = judged.map(|address| Unit::Mail(address.domain().clone())).collect();
        if !unchanged {
            units.extend(self.units_of_mailbox(&key, before.into_iter().chain(after)));
        }
        units
    }

    pub(super) fn apply_site(&mut self, key: ObjectKey, site: Option<&WebSite>) -> BTreeSet<Unit> {
        let before_hosts = self.hosts_of(&key);
        let last = self.sites.remove(&key);
        let held = site.and_then(|s| s.status.as_ref()).map(|s| s.hosts.iter().cloned().collect()).unwrap_or_default();
        let next = site.map(|site| Entry::next(WebSiteModel::parse(site), held, last.clone()));
        let unchanged = same(last.as_ref(), next.as_ref());
        self.sites.extend(next.map(|entry| (key.clone(), entry)));
        let admission = self.rank_site(&key, last.as_ref());
        self.relink_hosts(&key, &before_hosts);
        let mut units: BTreeSet<Unit> = admission.into_iter().map(Unit::Site).collect();
        if !unchanged {
            units.extend(self.units_of_site(&key, &before_hosts));
        }
        units
    }

    pub(super) fn apply_published_hosts(&mut self, key: ObjectKey, hosts: Option<Vec<DomainName>>) -> BTreeSet<Unit> {
        let before_hosts = self.hosts_of(&key);
        let last = self.published_hosts.remove(&key);
        let unchanged = last == hosts;
        self.published_hosts.extend(hosts.map(|hosts| (key.clone(), hosts)));
        self.relink_hosts(&key, &before_hosts);
        if unchanged { BTreeSet::new() } else { self.units_of_site(&key, &before_hosts) }
    }

    pub(super) fn apply_secret(&mut self, key: ObjectKey, data: Option<BTreeMap<String, Vec<u8>>>) -> BTreeSet<Unit> {
        if self.secret_data(&key) == data.as_ref() {
            return BTreeSet::new();
        }
        let owner = self.note_application(&key, data.is_some());
        let of_namespace = self.secrets.entry(key.namespace.clone()).or_default();
        of_namespace.remove(&key.name);
        of_namespace.extend(data.map(|data| (key.name.clone(), data)));
        if of_namespace.is_empty() {
            self.secrets.remove(&key.namespace);
        }
        let users = self.secret_users.get(&key).into_iter().flatten().chain(&owner);
        users
            .filter_map(|user| model(self.mailbox(user)))
            .map(|model| Unit::Mail(model.address.domain().clone()))
            .collect()
    }

    /// The Mailbox whose application a Secret is, if it is one's.
    fn note_application(&mut self, secret: &ObjectKey, is_there: bool) -> Option<ObjectKey> {
        let (mailbox, application) = application_of(&secret.name)?;
        let owner = ObjectKey::new(&secret.namespace, mailbox);
        let applications = self.applications.entry(owner.clone()).or_default();
        if is_there {
            applications.insert(application.to_owned());
        } else {
            applications.remove(application);
        }
        if applications.is_empty() {
            self.applications.remove(&owner);
        }
        Some(owner)
    }

    fn units_of_mailbox<'a>(&self, key: &ObjectKey, models: impl Iterator<Item = &'a MailboxModel>) -> BTreeSet<Unit> {
        let mut units = BTreeSet::new();
        let models: Vec<&MailboxModel> = models.collect();
        for model in &models {
            units.extend(self.home_units(self.stores.get(&model.store).into_iter().flatten()));
        }
        for address in models.into_iter().flat_map(MailboxModel::addresses) {
            units.insert(Unit::Mail(address.domain().clone()));
            units.extend(self.home_units(self.claims(address).into_iter().flatten()));
        }
        units.extend(key.tenant().map(|tenant| Unit::Tenant(tenant.to_owned())));
        units
    }

    fn units_of_site(&self, key: &ObjectKey, before: &[DomainName]) -> BTreeSet<Unit> {
        let mut units = BTreeSet::from([Unit::Site(key.clone())]);
        for host in before.iter().chain(&self.hosts_of(key)) {
            units.extend(self.covering_zone(host).map(Unit::Zone));
            units.extend(self.hosts.get(host).into_iter().flatten().cloned().map(Unit::Site));
        }
        units.extend(key.tenant().map(|tenant| Unit::Tenant(tenant.to_owned())));
        units
    }

    /// Everything in a tenant's namespace.
    fn units_of_namespace(&self, tenant: &str) -> BTreeSet<Unit> {
        let namespace = cst_api::tenant_namespace(tenant);
        let mut units = BTreeSet::new();
        for (_, entry) in in_namespace(&self.domains, &namespace) {
            units.extend(entry.model.iter().flat_map(|m| self.zone_units(&m.zone)));
            units.extend(entry.model.iter().flat_map(|m| self.mail_units(&m.zone)));
        }
        for (_, entry) in in_namespace(&self.mailboxes, &namespace) {
            units.extend(entry.model.iter().flat_map(MailboxModel::addresses).map(|a| Unit::Mail(a.domain().clone())));
        }
        for (key, entry) in in_namespace(&self.sites, &namespace) {
            units.insert(Unit::Site(key.clone()));
            units.extend(
                entry.model.iter().flat_map(WebSiteModel::hosts).filter_map(|h| self.covering_zone(h)).map(Unit::Zone),
            );
        }
        units
    }

    /// Everything at or below a name, and the zone that covers it.
    fn units_within(&self, name: &DomainName) -> BTreeSet<Unit> {
        let mut units: BTreeSet<Unit> = self.covering_zone(name).map(Unit::Zone).into_iter().collect();
        units.extend(within(&self.zones, name).flat_map(|(zone, _)| self.zone_units(zone)));
        units.extend(within(&self.mail_domains, name).flat_map(|(domain, _)| self.mail_units(domain)));
        units.extend(within(&self.hosts, name).flat_map(|(_, keys)| keys.iter().cloned().map(Unit::Site)));
        units
    }

    /// A zone with its mail, the zone above, which delegates it, those that give or take its PTRs, and where it holds the addresses of name
    /// servers every zone above.
    fn zone_units(&self, zone: &DomainName) -> impl Iterator<Item = Unit> {
        let own = [Unit::Zone(zone.clone()), Unit::Mail(zone.clone())];
        let has_servers = self.settings.dns.name_servers.iter().any(|server| server.is_within(zone));
        let above =
            std::iter::successors(self.zone_above(zone), move |above| self.zone_above(above).filter(|_| has_servers));
        own.into_iter().chain(above.map(Unit::Zone)).chain(self.pointer_units(zone))
    }

    /// A mail domain, and the others of the boxes with an address in it: a box is judged with the domain of its own address, and its
    /// aliases stand in theirs.
    fn mail_units(&self, domain: &DomainName) -> BTreeSet<Unit> {
        let boxes = self.entries_in(domain).filter_map(|(_, entry)| entry.model.as_ref());
        let addresses = boxes.flat_map(MailboxModel::addresses);
        addresses.map(Address::domain).chain([domain]).cloned().map(Unit::Mail).collect()
    }

    /// The mail domains of Mailboxes' own addresses.
    fn home_units<'a>(&'a self, boxes: impl Iterator<Item = &'a ObjectKey>) -> impl Iterator<Item = Unit> {
        boxes.filter_map(|key| model(self.mailbox(key))).map(|model| Unit::Mail(model.address.domain().clone()))
    }

    /// The hosts that a site asks for: of its model, else the last published ones.
    pub(super) fn hosts_of(&self, key: &ObjectKey) -> Vec<DomainName> {
        match self.sites.get(key).and_then(|entry| entry.model.as_ref()) {
            Some(model) => model.hosts().cloned().collect(),
            None => self.published_hosts.get(key).cloned().unwrap_or_default(),
        }
    }

    fn relink_hosts(&mut self, key: &ObjectKey, before: &[DomainName]) {
        for host in before {
            unlink(&mut self.hosts, host, key);
        }
        for host in self.hosts_of(key) {
            self.hosts.entry(host).or_default().insert(key.clone());
        }
    }
}

fn model<M>(entry: Option<&Entry<M>>) -> Option<&M> {
    entry.and_then(|entry| entry.model.as_ref())
}

/// Whether nothing changed but the names a status lists, which only repeats what was decided here.
fn same<M: PartialEq>(last: Option<&Entry<M>>, next: Option<&Entry<M>>) -> bool {
    match (last, next) {
        (Some(last), Some(next)) => last.model == next.model && last.problems == next.problems,
        (None, None) => true,
        _ => false,
    }
}

fn unlink<K: Ord, V: Ord>(map: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(values) = map.get_mut(key) {
        values.remove(value);
        if values.is_empty() {
            map.remove(key);
        }
    }
}
