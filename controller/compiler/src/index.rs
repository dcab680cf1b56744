//! Every object, found by what it asks for. A change gives the units that depend on it, found by keys, never by scanning.

mod authority;
mod claims;
mod dependents;
mod entry;
mod holders;
mod limits;
mod lookup;
mod naming;
mod pointers;
mod ranking;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use cst_api::{Domain, Mailbox, Tenant, WebSite};

pub use authority::{Authority, Refusal};
pub use entry::Entry;
pub use lookup::Lookup;

use self::claims::Claims;
use self::ranking::Ranking;
use crate::model::{self, Address, DomainName, ObjectKey};
use crate::parse::{DomainModel, Lock, MailboxModel, SINCE_KEY, TenantModel, WebSiteModel, application_secret};
use crate::settings::Settings;

/// What happened to one object; `None`: it is gone.
#[derive(Clone, Debug)]
pub enum Change {
    /// A Tenant.
    Tenant(String, Option<Box<Tenant>>),
    /// A Domain.
    Domain(ObjectKey, Option<Box<Domain>>),
    /// A Mailbox.
    Mailbox(ObjectKey, Option<Box<Mailbox>>),
    /// A WebSite.
    WebSite(ObjectKey, Option<Box<WebSite>>),
    /// A Secret of a tenant's namespace: its keys and values.
    Secret(ObjectKey, Option<BTreeMap<String, Vec<u8>>>),
    /// The hosts that a site last published, which stay its own while its object is gone or cannot be read.
    SitePublished(ObjectKey, Option<Vec<DomainName>>),
}

/// What is compiled as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A tenant's namespace and what is in it by itself.
    Tenant(String),
    /// A zone.
    Zone(DomainName),
    /// A mail domain.
    Mail(DomainName),
    /// A web site.
    Site(ObjectKey),
}

impl fmt::Display for Unit {
    /// Its kind and its name: `zone fano.pu.it`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(name) => write!(f, "tenant {name}"),
            Self::Zone(zone) => write!(f, "zone {zone}"),
            Self::Mail(domain) => write!(f, "mail {domain}"),
            Self::Site(key) => write!(f, "site {key}"),
        }
    }
}

/// All objects and the ways to find them.
#[derive(Debug)]
pub struct Index {
    settings: Settings,
    tenants: BTreeMap<String, Entry<TenantModel>>,
    domains: BTreeMap<ObjectKey, Entry<DomainModel>>,
    mailboxes: BTreeMap<ObjectKey, Arc<Entry<MailboxModel>>>,
    sites: BTreeMap<ObjectKey, Entry<WebSiteModel>>,
    /// By namespace and name.
    secrets: BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<u8>>>>,
    published_hosts: BTreeMap<ObjectKey, Vec<DomainName>>,
    grants: BTreeMap<DomainName, BTreeSet<String>>,
    zones: BTreeMap<DomainName, BTreeSet<ObjectKey>>,
    mail_domains: BTreeMap<DomainName, Claims>,
    /// Stores, with the Mailboxes that keep their mail there.
    stores: BTreeMap<Address, BTreeSet<ObjectKey>>,
    /// Mail domains, with the other domains whose boxes name an address of theirs (delegates, members, forwards), and how many do: a domain
    /// of many boxes is one entry.
    named: BTreeMap<DomainName, BTreeMap<DomainName, usize>>,
    /// Mail domains, with the Domains that name them, or an address of theirs.
    named_by_domains: BTreeMap<DomainName, BTreeSet<ObjectKey>>,
    hosts: BTreeMap<DomainName, BTreeSet<ObjectKey>>,
    /// By namespace: who is within the limits.
    mailbox_ranking: BTreeMap<String, Ranking>,
    site_ranking: BTreeMap<String, Ranking>,
    secret_users: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
    /// By the Mailboxes that they are called after, the applications that have a Secret.
    applications: BTreeMap<ObjectKey, BTreeSet<String>>,
    /// Reverse names of addresses that ask for their PTR, with the Domains that write them.
    pointers: BTreeMap<DomainName, BTreeSet<ObjectKey>>,
}

impl Index {
    /// An index without objects.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            tenants: BTreeMap::new(),
            domains: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            sites: BTreeMap::new(),
            secrets: BTreeMap::new(),
            published_hosts: BTreeMap::new(),
            grants: BTreeMap::new(),
            zones: BTreeMap::new(),
            mail_domains: BTreeMap::new(),
            stores: BTreeMap::new(),
            named: BTreeMap::new(),
            named_by_domains: BTreeMap::new(),
            hosts: BTreeMap::new(),
            mailbox_ranking: BTreeMap::new(),
            site_ranking: BTreeMap::new(),
            secret_users: BTreeMap::new(),
            applications: BTreeMap::new(),
            pointers: BTreeMap::new(),
        }
    }

    /// The centre's settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes a change in; the units that may come out differently now. Nothing changed (a status was written): no unit.
    pub fn apply(&mut self, change: Change) -> BTreeSet<Unit> {
        let units = match change {
            Change::Tenant(name, tenant) => self.apply_tenant(name, tenant.as_deref()),
            Change::Domain(key, domain) => self.apply_domain(key, domain.as_deref()),
            Change::Mailbox(key, mailbox) => self.apply_mailbox(key, mailbox.as_deref()),
            Change::WebSite(key, site) => self.apply_site(key, site.as_deref()),
            // A hash or a lock concerns its boxes alone.
            Change::Secret(key, data) => return self.apply_secret(key, data),
            Change::SitePublished(key, hosts) => self.apply_published_hosts(key, hosts),
        };
        self.with_naming(units)
    }

    /// Every unit there is.
    pub fn units(&self) -> BTreeSet<Unit> {
        let tenants = self.tenants.keys().cloned().map(Unit::Tenant);
        let zones = self.zones.keys().cloned().map(Unit::Zone);
        let mail = self.zones.keys().chain(self.mail_domains.keys()).cloned().map(Unit::Mail);
        let sites = self.sites.keys().chain(self.published_hosts.keys()).cloned().map(Unit::Site);
        tenants.chain(zones).chain(mail).chain(sites).collect()
    }

    /// A Tenant's entry.
    pub fn tenant(&self, name: &str) -> Option<&Entry<TenantModel>> {
        self.tenants.get(name)
    }

    /// A Domain's entry.
    pub fn domain(&self, key: &ObjectKey) -> Option<&Entry<DomainModel>> {
        self.domains.get(key)
    }

    /// A Mailbox's entry.
    pub fn mailbox(&self, key: &ObjectKey) -> Option<&Entry<MailboxModel>> {
        self.mailboxes.get(key).map(Arc::as_ref)
    }

    /// Every Mailbox.
    pub fn mailbox_keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.mailboxes.keys()
    }

    /// Every Domain.
    pub fn domain_keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.domains.keys()
    }

    /// A WebSite's entry.
    pub fn site(&self, key: &ObjectKey) -> Option<&Entry<WebSiteModel>> {
        self.sites.get(key)
    }

    /// A value in a Secret of a tenant's namespace.
    pub fn secret_value(&self, secret: &ObjectKey, key: &str) -> Option<&[u8]> {
        self.secret_data(secret)?.get(key).map(Vec::as_slice)
    }

    /// The helpdesk's lock on a Mailbox, if there is one.
    pub fn lock(&self, model: &MailboxModel) -> Option<Lock> {
        let since = self.secret_value(&model.lock()?, SINCE_KEY)?;
        Some(Lock { since: model::micro_time(since) })
    }

    /// The Secrets of a Mailbox's applications, by their names.
    pub fn applications(&self, mailbox: &ObjectKey) -> impl Iterator<Item = (&str, &BTreeMap<String, Vec<u8>>)> {
        let names = self.applications.get(mailbox).into_iter().flatten();
        names.filter_map(|name| Some((name.as_str(), self.secret_data(&application_secret(mailbox, name))?)))
    }

    /// What a Secret of a tenant's namespace holds.
    pub fn secret_data(&self, secret: &ObjectKey) -> Option<&BTreeMap<String, Vec<u8>>> {
        self.secrets.get(&secret.namespace)?.get(&secret.name)
    }

    /// The Secrets known of a namespace.
    pub fn secrets_in(&self, namespace: &str) -> impl Iterator<Item = ObjectKey> {
        self.secrets.get(namespace).into_iter().flatten().map(move |(name, _)| ObjectKey::new(namespace, name))
    }

    /// The Mailboxes that ask for an address in a domain.
    pub fn boxes_in(&self, domain: &DomainName) -> impl Iterator<Item = &ObjectKey> {
        self.mail_domains.get(domain).into_iter().flat_map(|claims| claims.boxes.keys())
    }

    /// The same with their entries.
    pub(crate) fn entries_in(&self, domain: &DomainName) -> impl Iterator<Item = (&ObjectKey, &Entry<MailboxModel>)> {
        let boxes = self.mail_domains.get(domain).into_iter().flat_map(|claims| &claims.boxes);
        boxes.map(|(key, entry)| (key, &**entry))
    }

    /// The Domains that ask for a zone.
    pub fn domains_of_zone(&self, zone: &DomainName) -> impl Iterator<Item = &ObjectKey> {
        self.zones.get(zone).into_iter().flatten()
    }

    /// The hosts at or below a name, with the WebSites that ask for each.
    pub fn hosts_within<'a>(
        &'a self,
        name: &'a DomainName,
    ) -> impl Iterator<Item = (&'a DomainName, &'a BTreeSet<ObjectKey>)> {
        within(&self.hosts, name)
    }

    /// The zones at or below a name that Domains ask for.
    pub fn zones_within<'a>(&'a self, name: &'a DomainName) -> impl Iterator<Item = &'a DomainName> {
        within(&self.zones, name).map(|(zone, _)| zone)
    }

    /// The objects of each kind in a tenant's namespace: Domains, Mailboxes, WebSites.
    pub fn counts(&self, tenant: &str) -> (usize, usize, usize) {
        let namespace = cst_api::tenant_namespace(tenant);
        let (domains, boxes) = (in_namespace(&self.domains, &namespace), in_namespace(&self.mailboxes, &namespace));
        (domains.count(), boxes.count(), in_namespace(&self.sites, &namespace).count())
    }
}

/// The entries of a map of names at or below one: one range, by the names' order.
fn within<'a, V>(
    map: &'a BTreeMap<DomainName, V>,
    name: &'a DomainName,
) -> impl Iterator<Item = (&'a DomainName, &'a V)> {
    map.range(name.clone()..).take_while(|(found, _)| found.is_within(name))
}

/// The entries of one namespace.
fn in_namespace<'a, V>(
    map: &'a BTreeMap<ObjectKey, V>,
    namespace: &'a str,
) -> impl Iterator<Item = (&'a ObjectKey, &'a V)> {
    map.range(ObjectKey::new(namespace, "")..).take_while(move |(key, _)| key.namespace == namespace)
}
