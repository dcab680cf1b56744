//! How much a tenant may have: incumbents keep what they have, then the order of names decides.

use super::Index;
use super::entry::Entry;
use super::ranking::{Limit, Rank, Ranking};
use crate::model::ObjectKey;
use crate::parse::{MailboxModel, TenantModel, WebSiteModel};

impl Index {
    /// Whether a Mailbox, of which this is the entry, is within its tenant's limits.
    pub fn admits_mailbox(&self, key: &ObjectKey, entry: &Entry<MailboxModel>) -> bool {
        let admits = |ranking: &Ranking| ranking.admits(&key.name, self.mailbox_rank(entry));
        is_group(entry) || self.mailbox_ranking.get(&key.namespace).is_some_and(admits)
    }

    /// Whether a WebSite is within its tenant's limits.
    pub fn admits_site(&self, key: &ObjectKey) -> bool {
        let rank = self.sites.get(key).map(|entry| self.site_rank(entry));
        let ranking = self.site_ranking.get(&key.namespace);
        rank.is_some_and(|rank| ranking.is_some_and(|ranking| ranking.admits(&key.name, rank)))
    }

    /// Puts a Mailbox into its place; the Mailboxes of its tenant that are admitted or refused because of it.
    pub(super) fn rank_mailbox(&mut self, key: &ObjectKey, last: Option<&Entry<MailboxModel>>) -> Vec<ObjectKey> {
        let rank = |entry: &Entry<MailboxModel>| (!is_group(entry)).then(|| self.mailbox_rank(entry));
        let before = last.and_then(rank);
        let after = self.mailbox(key).and_then(rank);
        let limit = self.mail_limit(key.tenant());
        let ranking = self.mailbox_ranking.entry(key.namespace.clone()).or_insert_with(|| Ranking::new(limit));
        ranking.put(&key.name, before, after).into_iter().map(|name| ObjectKey::new(&key.namespace, name)).collect()
    }

    /// Puts a WebSite into its place; the WebSites of its tenant that are admitted or refused because of it.
    pub(super) fn rank_site(&mut self, key: &ObjectKey, last: Option<&Entry<WebSiteModel>>) -> Vec<ObjectKey> {
        let before = last.map(|entry| self.site_rank(entry));
        let after = self.sites.get(key).map(|entry| self.site_rank(entry));
        let limit = self.web_limit(key.tenant());
        let ranking = self.site_ranking.entry(key.namespace.clone()).or_insert_with(|| Ranking::new(limit));
        ranking.put(&key.name, before, after).into_iter().map(|name| ObjectKey::new(&key.namespace, name)).collect()
    }

    /// Judges all of a tenant by the limits it has now.
    pub(super) fn limit_tenant(&mut self, tenant: &str) {
        let namespace = cst_api::tenant_namespace(tenant);
        let (mail, web) = (self.mail_limit(Some(tenant)), self.web_limit(Some(tenant)));
        if let Some(ranking) = self.mailbox_ranking.get_mut(&namespace) {
            ranking.set_limit(mail);
        }
        if let Some(ranking) = self.site_ranking.get_mut(&namespace) {
            ranking.set_limit(web);
        }
    }

    fn mailbox_rank(&self, entry: &Entry<MailboxModel>) -> Rank {
        let default = self.settings.mail.as_ref().map_or(0, |mail| mail.default_quota.0);
        let quota = entry.model.as_ref().and_then(|model| model.quota);
        Rank { incumbent: !entry.held.is_empty(), size: quota.map_or(default, |quota| quota.0) }
    }

    fn site_rank(&self, entry: &Entry<WebSiteModel>) -> Rank {
        let size = entry.model.as_ref().map_or(0, |model| self.storage(model));
        Rank { incumbent: !entry.held.is_empty(), size }
    }

    /// How much a site's files may take: what it says, else what its application takes.
    fn storage(&self, site: &WebSiteModel) -> u64 {
        let application = self.settings.web.as_ref().and_then(|web| web.applications.get(&site.application));
        let default = application.and_then(|application| application.storage.as_ref()).map(|storage| storage.size);
        site.storage.or(default).map_or(0, |size| size.0)
    }

    fn mail_limit(&self, tenant: Option<&str>) -> Limit {
        let limits = self.limits(tenant).map(|m| (m.mailboxes, m.mail_storage));
        limits.map_or_else(Limit::default, |(count, bytes)| Limit { count, bytes: bytes.map(|bytes| bytes.0) })
    }

    fn web_limit(&self, tenant: Option<&str>) -> Limit {
        let limits = self.limits(tenant).map(|m| (m.web_sites, m.web_storage));
        limits.map_or_else(Limit::default, |(count, bytes)| Limit { count, bytes: bytes.map(|bytes| bytes.0) })
    }

    fn limits(&self, tenant: Option<&str>) -> Option<&TenantModel> {
        self.tenants.get(tenant?)?.model.as_ref()
    }
}

/// A group takes no room, and is not counted.
fn is_group(entry: &Entry<MailboxModel>) -> bool {
    entry.model.as_ref().is_some_and(MailboxModel::is_group)
}
