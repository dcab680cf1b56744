//! A zone from all that contributes to it.

use cst_api::Reason;

use super::ZoneFacts;
use super::written::written_sets;
use crate::desired::dns::{self, Composition, Contributor, Displaced};
use crate::index::Index;
use crate::model::{DomainName, ObjectKey, RecordSet, Zone};
use crate::parse::{DomainModel, MailModel};
use crate::problem::{Kind, ObjectRef, Problem};

/// A zone being put together, with what is wrong on the way.
pub(super) struct Composer<'a> {
    pub(super) index: &'a Index,
    pub(super) model: &'a DomainModel,
    pub(super) facts: &'a ZoneFacts,
    pub(super) object: ObjectRef,
    pub(super) composition: Composition,
    pub(super) problems: &'a mut Vec<Problem>,
}

pub(super) fn compose(index: &Index, model: &DomainModel, facts: &ZoneFacts, problems: &mut Vec<Problem>) -> Zone {
    let object = ObjectRef::new(Kind::Domain, model.key.clone());
    let written = written_sets(index, model, problems);
    let composition =
        Composition::new(dns::bare_zone(&model.zone, &index.settings().dns, model.ttl), written.into_iter());
    let mut composer = Composer { index, model, facts, object, composition, problems };
    composer.contribute_delegations();
    composer.contribute_mail();
    composer.contribute_pec();
    composer.contribute_sites();
    composer.contribute_pointers();
    composer.contribute_issuers();
    composer.contribute_challenges();
    composer.composition.finish()
}

impl<'a> Composer<'a> {
    /// Adds a set that something of this Domain contributes; what is written there counts before it, and the Domain is told.
    pub(super) fn contribute(&mut self, from: Contributor, set: RecordSet, whose: &str) {
        if let Err(displaced) = self.composition.contribute(from, set) {
            let message = told(&displaced, whose);
            self.problems.push(self.object.warning("spec.records", Reason::RecordConflict, message));
        }
    }

    fn contribute_mail(&mut self) {
        let declared = self.model.mail.clone();
        let mail = if self.facts.mail_stays { Some(MailModel::hosted(declared)) } else { declared };
        let Some(mail) = mail else { return };
        let settings = self.index.settings().mail.as_ref();
        let hosts = settings.map(|mail| mail.hosts.as_slice()).unwrap_or_default();
        if mail.is_hosted() && settings.is_none() {
            let message = "the centre's settings have no mail: leave spec.mail out";
            self.problems.push(self.object.error("spec.mail.mode", Reason::Invalid, message));
            return;
        }
        if mail.is_hosted() && !self.facts.mail_acknowledged {
            return;
        }
        for set in dns::mail_sets(&self.model.zone, &mail, hosts, self.model.ttl) {
            self.contribute(Contributor::Mail, set, "spec.mail");
        }
    }

    fn contribute_pec(&mut self) {
        let set = self.model.pec.as_ref().and_then(|pec| dns::pec_sets(pec, self.model.ttl));
        if let Some(set) = set {
            self.contribute(Contributor::Mail, set, "spec.pec");
        }
    }

    fn contribute_sites(&mut self) {
        let Self { index, model, .. } = *self;
        let addresses = index.settings().web.as_ref().map(|web| web.addresses.as_slice()).unwrap_or_default();
        for (host, site) in self.site_hosts() {
            let mut sets = dns::address_sets(host, addresses, model.ttl);
            if let Some(displaced) = sets.find_map(|set| self.composition.contribute(Contributor::Site, set).err()) {
                let message = told(&displaced, &format!("WebSite {}", site.name));
                let site = ObjectRef::new(Kind::WebSite, site.clone());
                self.problems.push(site.warning("spec.host", Reason::RecordConflict, message));
            }
        }
    }

    /// The hosts whose records are in this zone, with the sites that hold them.
    pub(super) fn site_hosts(&self) -> impl Iterator<Item = (&'a DomainName, &'a ObjectKey)> + use<'a> {
        let Self { index, model, .. } = *self;
        let held = index.hosts_within(&model.zone).filter_map(|(host, _)| Some((host, index.host_holder(host)?)));
        held.filter(|(host, site)| {
            site.namespace == model.key.namespace && index.covering_zone(host).as_ref() == Some(&model.zone)
        })
    }

    /// Issuers of its own are the Domain's word.
    fn contribute_issuers(&mut self) {
        if let Some(set) = dns::issuers(&self.model.zone, &self.index.settings().dns, self.model.ttl) {
            self.composition.contribute(Contributor::Settings, set).ok();
        }
    }
}

fn told(displaced: &Displaced, whose: &str) -> String {
    let Displaced { name, contributed, written } = displaced;
    format!(
        "`{name}` has a written {written}, so the {contributed} of {whose} is left out: remove the record to have it published"
    )
}
