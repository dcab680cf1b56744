//! What ACME needs of a zone (RFC 8555 §8.4): the challenges of its hosts as aliases into the dynamic zone, and that zone's delegation. So a
//! certificate is proved without a change of this zone, by a key that can do nothing else.

use cst_api::{Reason, RecordType};

use super::compose::Composer;
use crate::desired::dns::{self, Contributor};
use crate::model::{DomainName, RecordData, RecordSet};
use crate::settings::acme::Acme;

/// Who contributes.
const WHOSE: &str = "dns.acme of the settings";

impl Composer<'_> {
    pub(super) fn contribute_challenges(&mut self) {
        let Some(acme) = &self.index.settings().dns.acme else { return };
        self.delegate_dynamic_zone(acme);
        let mail = self.index.settings().mail.iter().flat_map(|mail| &mail.hosts).map(|host| &host.name);
        let mail = mail.filter(|host| self.index.covering_zone(host).as_ref() == Some(&self.model.zone));
        let hosts: Vec<DomainName> = self.site_hosts().map(|(host, _)| host).chain(mail).cloned().collect();
        for host in hosts {
            self.contribute_challenge(acme, &host);
        }
    }

    /// Unsigned: no DS (decision 70).
    fn delegate_dynamic_zone(&mut self, acme: &Acme) {
        let is_above = self.index.covering_zone(&acme.zone).as_ref() == Some(&self.model.zone);
        if !is_above || self.composition.is_delegated(&acme.zone) {
            return;
        }
        if let Some(set) = dns::delegation(&acme.zone, self.index.settings().acme_servers(), self.ttl) {
            self.contribute(Contributor::Delegation, set, WHOSE);
        }
    }

    fn contribute_challenge(&mut self, acme: &Acme, host: &DomainName) {
        let alias = host.child("_acme-challenge").and_then(|name| Ok((name, acme.place(host)?)));
        let (name, place) = match alias {
            Ok(alias) => alias,
            Err(why) => {
                let message = format!("`{host}` has no name for its challenge below `{}`: {why}", acme.zone);
                return self.problems.push(self.object.warning("metadata.name", Reason::Invalid, message));
            }
        };
        let alias = RecordSet::new(name, self.ttl, vec![RecordData::Cname(place)]);
        if let Some(alias) = alias.filter(|alias| self.is_answered_here(host, alias)) {
            self.contribute(Contributor::Settings, alias, WHOSE);
        }
    }

    /// Whether the alias says something in this zone. A host without records of its own may be a wildcard's, which a name below it would
    /// hide (RFC 4592 §2.2.1); one below a delegation is answered elsewhere; and who wrote the same alias need not be told of it.
    fn is_answered_here(&self, host: &DomainName, alias: &RecordSet) -> bool {
        let written = self.composition.at(&alias.name).find(|set| set.type_() == RecordType::CNAME);
        let is_of_another = self.index.covering_zone(&alias.name).as_ref() != Some(&self.model.zone)
            || self.facts.below.contains_key(&alias.name);
        self.composition.at(host).next().is_some()
            && !self.composition.is_delegated(host)
            && !is_of_another
            && written.is_none_or(|written| written.values() != alias.values())
    }
}
