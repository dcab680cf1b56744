//! A zone from all that contributes to it.

use cst_api::Reason;

use super::ZoneFacts;
use super::written::written_sets;
use crate::desired::dns::{self, Composition, Contributor, Displaced, Obstacle};
use crate::index::Index;
use crate::model::{Address, DomainName, ObjectKey, RecordSet, Zone};
use crate::parse::{DomainModel, MailModel};
use crate::problem::{Kind, ObjectRef, Problem};

/// A zone being put together, with what is wrong on the way.
pub(super) struct Composer<'a> {
    pub(super) index: &'a Index,
    pub(super) model: &'a DomainModel,
    pub(super) facts: &'a ZoneFacts,
    pub(super) object: ObjectRef,
    /// How long what is not written lives, in seconds, within the settings' bounds.
    pub(super) ttl: u32,
    pub(super) composition: Composition,
    pub(super) problems: &'a mut Vec<Problem>,
}

/// Who comes first has a name: the order is that of [`Composition`].
pub(super) fn compose(index: &Index, model: &DomainModel, facts: &ZoneFacts, problems: &mut Vec<Problem>) -> Zone {
    let object = ObjectRef::new(Kind::Domain, model.key.clone());
    let settings = &index.settings().dns;
    let ttl = settings.ttl.bounded(model.ttl);
    let written = written_sets(index, model, facts, problems);
    let composition = Composition::new(dns::bare_zone(&model.zone, settings, ttl), written.into_iter());
    let mut composer = Composer { index, model, facts, object, ttl, composition, problems };
    composer.contribute_delegations();
    composer.contribute_pointers();
    composer.contribute_mail();
    composer.contribute_reports();
    composer.contribute_dkim();
    composer.contribute_pec();
    composer.contribute_sites();
    composer.contribute_issuers();
    composer.contribute_autodiscovery();
    composer.contribute_challenges();
    composer.composition.finish()
}

impl<'a> Composer<'a> {
    /// Adds a set that something of this Domain contributes; who comes first counts before it, and the Domain is told.
    pub(super) fn contribute(&mut self, from: Contributor, set: RecordSet, whose: &str) {
        if let Err(displaced) = self.composition.contribute(from, set) {
            let field = match (&displaced.by, from) {
                (Obstacle::Written(_) | Obstacle::Size, _) => "spec.records",
                (_, Contributor::Mail) => "spec.mail",
                (_, Contributor::Pec) => "spec.pec",
                _ => "metadata.name",
            };
            let message = self.told(&displaced, whose);
            self.problems.push(self.object.warning(field, Reason::RecordConflict, message));
        }
    }

    /// The mail that the zone shall speak of.
    fn mail(&self) -> Option<MailModel> {
        let declared = self.model.mail.clone();
        if self.facts.mail_stays { Some(MailModel::hosted(declared)) } else { declared }
    }

    fn contribute_mail(&mut self) {
        let Some(mail) = self.mail() else { return };
        let settings = self.index.settings().mail.as_ref();
        if mail.is_hosted() && settings.is_none() {
            let message = "the centre's settings have no mail: leave spec.mail out";
            self.problems.push(self.object.error("spec.mail.mode", Reason::Invalid, message));
            return;
        }
        if mail.is_hosted() && !self.facts.mail_acknowledged {
            return;
        }
        for set in dns::mail_sets(&self.model.zone, &mail, settings, self.facts.today, self.ttl) {
            self.contribute(Contributor::Mail, set, "spec.mail");
        }
    }

    /// That the centre wants reports, where the zone is the one that its address for them lies in.
    fn contribute_reports(&mut self) {
        let Self { index, model, ttl, .. } = *self;
        let settings = index.settings().mail.as_ref();
        let wants = settings.and_then(|settings| settings.dmarc_reports.as_ref()).map(Address::domain);
        let is_below = |wants: &DomainName| {
            index.zones_within(&model.zone).any(|zone| *zone != model.zone && wants.is_within(zone))
        };
        if wants.is_some_and(|wants| !is_below(wants))
            && let Some(set) = dns::wanted_reports(&model.zone, settings, ttl)
        {
            self.contribute(Contributor::Mail, set, "metadata.name");
        }
    }

    /// Keys are there before the mail is, and stay when it goes: what they signed is verified.
    fn contribute_dkim(&mut self) {
        let Self { facts, model, ttl, .. } = *self;
        for set in facts.dkim.iter().filter_map(|key| key.to_set(&model.zone, ttl)) {
            self.contribute(Contributor::Mail, set, "spec.mail");
        }
    }

    fn contribute_autodiscovery(&mut self) {
        let alias = self.mail().and_then(|mail| dns::autodiscover(&self.model.zone, &mail, self.ttl));
        if let Some(alias) = alias {
            self.contribute(Contributor::Mail, alias, "spec.mail");
        }
    }

    fn contribute_pec(&mut self) {
        let Some(pec) = &self.model.pec else { return };
        let tenant = self.model.key.tenant().unwrap_or_default();
        if let Err(refusal) = self.index.may_hold(tenant, &pec.name, true) {
            return self.problems.push(self.object.refused("spec.pec.name", refusal));
        }
        if let Some(set) = dns::pec_sets(pec, self.ttl) {
            self.contribute(Contributor::Pec, set, "spec.pec");
        }
    }

    fn contribute_sites(&mut self) {
        let Self { index, .. } = *self;
        let addresses = index.settings().web.as_ref().map(|web| web.addresses.as_slice()).unwrap_or_default();
        for (host, site) in self.site_hosts() {
            let mut sets = dns::address_sets(host, addresses, self.ttl);
            if let Some(displaced) = sets.find_map(|set| self.composition.contribute(Contributor::Site, set).err()) {
                let message = self.told(&displaced, &format!("WebSite {}", site.name));
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
        if let Some(set) = dns::issuers(&self.model.zone, &self.index.settings().dns, self.ttl) {
            self.composition.contribute(Contributor::Settings, set).ok();
        }
    }

    /// What is said of a set that is left out: who has the name, and what would be right.
    fn told(&self, displaced: &Displaced, whose: &str) -> String {
        let Displaced { name, contributed, by } = displaced;
        match by {
            Obstacle::Written(written) => format!(
                "`{name}` has a written {written}, so the {contributed} of {whose} is left out: remove the record to have it published"
            ),
            Obstacle::Contributed(present, from) => format!(
                "`{name}` has the {present} of {}, so the {contributed} of {whose} is left out: nothing stands beside a CNAME (RFC 1034 §3.6.2)",
                self.named(name, *from)
            ),
            Obstacle::Delegated(cut) => format!(
                "`{cut}` is delegated, so the {contributed} of {whose} at `{name}` is left out: what stands there is written in the zone \
                 {cut}"
            ),
            Obstacle::Size => format!(
                "{contributed} {name} would be larger than name servers take, so the {contributed} of {whose} is left out: remove other \
                 values there to have it published"
            ),
        }
    }

    /// Who contributed what stands at a name.
    fn named(&self, name: &DomainName, from: Contributor) -> String {
        match from {
            Contributor::Delegation => "a part of the network".into(),
            Contributor::Pointers => "an address with ptr".into(),
            Contributor::Mail => "spec.mail".into(),
            Contributor::Pec => "spec.pec".into(),
            Contributor::Settings => "the centre's settings".into(),
            Contributor::Site => {
                self.index.host_holder(name).map_or("a WebSite".into(), |site| format!("WebSite {}", site.name))
            }
        }
    }
}
