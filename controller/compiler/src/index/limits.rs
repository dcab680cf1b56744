//! How much a tenant may have: incumbents keep what they have, then the order of names decides.

use std::collections::BTreeSet;

use super::entry::Entry;
use super::{Index, in_namespace};
use crate::model::ObjectKey;
use crate::parse::{TenantModel, WebSiteModel};

/// Which objects of a tenant are within its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// All of them.
    All,
    /// These.
    Only(BTreeSet<ObjectKey>),
}

impl Admitted {
    /// Whether an object is within the limits.
    pub fn contains(&self, key: &ObjectKey) -> bool {
        match self {
            Self::All => true,
            Self::Only(keys) => keys.contains(key),
        }
    }
}

impl Index {
    pub(super) fn limits_mailboxes(&self, tenant: &str) -> bool {
        self.limits(tenant).is_some_and(|m| m.mailboxes.is_some() || m.mail_storage.is_some())
    }

    pub(super) fn limits_sites(&self, tenant: &str) -> bool {
        self.limits(tenant).is_some_and(|m| m.web_sites.is_some() || m.web_storage.is_some())
    }

    /// The tenant's Mailboxes within its limits.
    pub fn admitted_mailboxes(&self, tenant: &str) -> Admitted {
        let Some(limits) = self.limits(tenant).filter(|_| self.limits_mailboxes(tenant)) else { return Admitted::All };
        let default = self.settings.mail.as_ref().map_or(0, |mail| mail.default_quota.0);
        let namespace = cst_api::tenant_namespace(tenant);
        let boxes = in_namespace(&self.mailboxes, &namespace).map(|(key, entry)| {
            let quota = entry.model.as_ref().and_then(|m| m.quota).map_or(default, |q| q.0);
            (key, incumbent(entry), quota)
        });
        admit(boxes, limits.mailboxes, limits.mail_storage.map(|q| q.0))
    }

    /// The tenant's WebSites within its limits.
    pub fn admitted_sites(&self, tenant: &str) -> Admitted {
        let Some(limits) = self.limits(tenant).filter(|_| self.limits_sites(tenant)) else { return Admitted::All };
        let namespace = cst_api::tenant_namespace(tenant);
        let sites = in_namespace(&self.sites, &namespace)
            .map(|(key, entry)| (key, incumbent(entry), entry.model.as_ref().map_or(0, |model| self.storage(model))));
        admit(sites, limits.web_sites, limits.web_storage.map(|q| q.0))
    }

    /// How much a site's files may take: what it says, else what its application takes.
    fn storage(&self, site: &WebSiteModel) -> u64 {
        let application = self.settings.web.as_ref().and_then(|web| web.applications.get(&site.application));
        let default = application.and_then(|application| application.storage.as_ref()).map(|storage| storage.size);
        site.storage.or(default).map_or(0, |size| size.0)
    }

    fn limits(&self, tenant: &str) -> Option<&TenantModel> {
        self.tenants.get(tenant)?.model.as_ref()
    }
}

fn incumbent<M>(entry: &Entry<M>) -> bool {
    !entry.held.is_empty()
}

fn admit<'a>(
    objects: impl Iterator<Item = (&'a ObjectKey, bool, u64)>,
    count: Option<u32>,
    bytes: Option<u64>,
) -> Admitted {
    let mut objects: Vec<_> = objects.collect();
    let total = objects.iter().fold(0_u64, |total, (.., size)| total.saturating_add(*size));
    let fits = |n: usize, size: u64| count.is_none_or(|max| n <= max as usize) && bytes.is_none_or(|max| size <= max);
    if fits(objects.len(), total) {
        return Admitted::All;
    }
    objects.sort_by_key(|(key, incumbent, _)| (!incumbent, *key));
    let (mut admitted, mut used) = (BTreeSet::new(), 0);
    for (key, _, size) in objects {
        let with_it = u64::saturating_add(used, size);
        if fits(admitted.len() + 1, with_it) {
            used = with_it;
            admitted.insert(key.clone());
        }
    }
    Admitted::Only(admitted)
}
