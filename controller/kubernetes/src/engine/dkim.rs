//! The keys that sign mail: what is known of them, who signs with them, and what is to be made, restored and forgotten.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::DkimPhase;
use cst_compiler::desired::mail::dkim::DkimSelector;
use cst_compiler::desired::mail::{DkimSigner, MailDomain};
use cst_compiler::index::Unit;
use cst_compiler::model::DomainName;
use cst_compiler::plan::dkim::{Dkim, InUse, NewSet, StoredSet};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;

use super::{Effect, Engine, Shell, Source, Work, WorkError, version_number};
use crate::dkim::{self, DkimKeys};
use crate::watch::Seen;

/// The keys of all domains.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    known: BTreeMap<DomainName, Known>,
    /// The domain whose keys are being made. One at a time: an RSA key costs a processor a tenth of a second, and ten thousand domains may
    /// come at once.
    making: Option<DomainName>,
    /// The domains whose keys are to be made after that.
    waiting: BTreeSet<DomainName>,
}

#[derive(Debug, Default)]
struct Known {
    keys: DkimKeys,
    /// The Secret lacks some of them.
    is_lost: bool,
}

/// The work on a domain's keys, ready to be carried out.
pub struct DkimJob {
    domain: DomainName,
    known: DkimKeys,
    make: Option<NewSet>,
    /// The stored state of the keys; `None`: there is none, and none is forgotten.
    dkim: Option<Dkim>,
    /// Nothing is done now.
    waits: bool,
}

impl Engine {
    pub(super) fn take_dkim_keys(&mut self, seen: Seen<Secret>) {
        match seen {
            Seen::There(secret) => {
                let Some(domain) = dkim::domain_of(&secret.metadata) else { return };
                let version = secret.resource_version().map(|version| version_number(&version)).unwrap_or_default();
                let known = self.dkim.known.get(&domain);
                let last = known.and_then(|known| known.keys.resource_version()).map(version_number);
                if last.is_none_or(|last| version > last) {
                    self.dkim_keys_seen(domain, DkimKeys::from(*secret));
                }
            }
            Seen::Unreadable { metadata, error } => {
                tracing::error!(secret = metadata.name, error, "keys that sign mail cannot be read");
            }
            Seen::Gone(key) => {
                let is_it = |(domain, _): &(&DomainName, &mut Known)| dkim::secret_name(domain) == key.name;
                let Some((domain, known)) = self.dkim.known.iter_mut().find(is_it) else { return };
                tracing::warn!(%domain, "the Secret with the keys of its mail is gone, and is stored again");
                known.keys.without_secret();
                known.is_lost = true;
                let domain = domain.clone();
                self.mark(Work::Dkim(domain));
            }
            Seen::Listed => self.listed(Source::DkimKeys),
            Seen::Anew => {
                self.anew.insert(Source::DkimKeys);
                self.dkim.known.values_mut().for_each(|known| known.keys.without_secret());
            }
        }
    }

    /// A Secret as it is. Keys that are known, that it lacks and that are still needed are lost, and are stored again.
    fn dkim_keys_seen(&mut self, domain: DomainName, seen: DkimKeys) {
        let mut keys = seen.clone();
        if let Some(known) = self.dkim.known.get(&domain) {
            let mut needed = known.keys.clone();
            let dkim = self.stored_dkim(&domain);
            needed.forget(|name| dkim.is_none_or(|dkim| dkim.needs(name)));
            keys.put_back(&needed);
        }
        let is_lost = !keys.holds_like(&seen);
        self.note_dkim_keys(domain, Known { keys, is_lost });
    }

    pub(super) fn dkim_keys_stored(&mut self, domain: DomainName, keys: DkimKeys) {
        self.note_dkim_keys(domain, Known { keys, is_lost: false });
    }

    fn note_dkim_keys(&mut self, domain: DomainName, next: Known) {
        let is_lost = next.is_lost;
        let last = self.dkim.known.insert(domain.clone(), next);
        let is_news = !last.is_some_and(|last| last.keys.holds_like(&self.dkim.known[&domain].keys));
        if is_lost {
            self.mark(Work::Dkim(domain.clone()));
        }
        if is_news {
            self.mark(Work::Unit(Unit::Zone(domain.clone())));
            self.mark(Work::Unit(Unit::Mail(domain)));
        }
    }

    /// What is known of a domain's keys without their secrets; `None`: they have not been listed.
    pub(super) fn stored_dkim_keys(&self, domain: &DomainName) -> Option<Vec<StoredSet>> {
        let listed = !self.missing.contains(&Source::DkimKeys);
        listed.then(|| self.dkim.known.get(domain).map(|known| known.keys.stored()).unwrap_or_default())
    }

    fn stored_dkim(&self, domain: &DomainName) -> Option<&Dkim> {
        self.zones.get(domain)?.published.as_ref().map(|published| &published.dkim)
    }

    /// What a domain's mail is signed with. While that is not known it stays as it was.
    pub(super) fn signers(&self, domain: &DomainName, published: Option<&MailDomain>) -> Vec<DkimSigner> {
        let is_listed = !self.missing.contains(&Source::DkimKeys);
        match self.stored_dkim(domain).filter(|_| is_listed) {
            Some(dkim) => self.dkim.known.get(domain).map(|known| known.keys.signers(dkim)).unwrap_or_default(),
            None => published.map(|published| published.dkim.clone()).unwrap_or_default(),
        }
    }

    /// Whether agents sign with a key of this selector.
    pub(super) fn in_use(&self, domain: &DomainName, selector: &DkimSelector) -> InUse {
        let unknown_if = |is_unknown| if is_unknown { InUse::Unknown } else { InUse::No };
        if [Source::Shards, Source::Acks].iter().any(|source| self.missing.contains(source)) {
            return InUse::Unknown;
        }
        let Some(state) = self.mail.get(domain) else { return InUse::No };
        if state.shards.is_empty() {
            return unknown_if(self.is_refused(domain));
        }
        let mut contents = state.shards.values().map(|shard| shard.content.as_ref());
        let has_it = |signers: &[DkimSigner]| signers.iter().any(|signer| signer.selector == *selector);
        if contents.clone().flatten().any(|content| has_it(&content.dkim)) {
            return InUse::Yes;
        }
        unknown_if(!state.acknowledged || contents.any(|content| content.is_none()))
    }

    /// Whether keys wait for the agents to sign with them no more.
    pub(super) fn has_retired_keys(&self, domain: &DomainName) -> bool {
        let is_retired =
            |dkim: &Dkim| dkim.sets.iter().any(|set| set.phase == DkimPhase::Retired && set.settled.is_none());
        self.stored_dkim(domain).is_some_and(is_retired)
    }

    /// Whether keys of a domain are to be restored or forgotten.
    pub(super) fn is_to_mend(&self, domain: &DomainName) -> bool {
        let Some(known) = self.dkim.known.get(domain) else { return false };
        let is_idle = |dkim: &Dkim| known.keys.names().into_iter().any(|name| !dkim.needs(name));
        known.is_lost || self.stored_dkim(domain).is_some_and(is_idle)
    }

    pub(super) fn dkim_job(&mut self, domain: &DomainName) -> DkimJob {
        let is_made =
            |new: &NewSet| self.dkim.known.get(domain).is_some_and(|known| known.keys.names().contains(&new.name));
        let make = self.zones.get(domain).and_then(|state| state.dkim_make.clone()).filter(|new| !is_made(new));
        let is_free = self.dkim.making.as_ref().is_none_or(|making| making == domain);
        let waits = make.is_some() && !is_free;
        if waits {
            self.dkim.waiting.insert(domain.clone());
        } else if make.is_some() {
            self.dkim.making = Some(domain.clone());
        }
        let known = self.dkim.known.get(domain).map(|known| known.keys.clone()).unwrap_or_default();
        DkimJob { domain: domain.clone(), known, make, dkim: self.stored_dkim(domain).cloned(), waits }
    }

    /// The next domain's keys may be made.
    pub(super) fn note_made(&mut self, work: &Work) {
        let Work::Dkim(domain) = work else { return };
        if self.dkim.making.as_ref() == Some(domain) {
            self.dkim.making = None;
        }
        if self.dkim.making.is_none()
            && let Some(next) = self.dkim.waiting.pop_first()
        {
            self.mark(Work::Dkim(next));
        }
    }
}

impl DkimJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Self { domain, known, make, dkim, waits: false } = self else { return Ok(()) };
        let needs = |name| dkim.as_ref().is_none_or(|dkim| dkim.needs(name));
        let keys = dkim::bring_about(&shell.secrets(), &domain, &known, make.as_ref(), needs).await?;
        effects.push(Effect::DkimKeys(domain, keys));
        Ok(())
    }

    /// Whether it makes keys.
    #[cfg(test)]
    pub(super) fn makes(&self) -> bool {
        self.make.is_some() && !self.waits
    }

    /// What comes of it when every write succeeds and gets this version.
    #[cfg(test)]
    pub(super) fn pretend(self, version: u64) -> Vec<Effect> {
        let Self { domain, known: mut keys, make, dkim, waits: false } = self else { return Vec::new() };
        if let Some(new) = make {
            keys.pretend(&new, version);
        }
        keys.forget(|name| dkim.as_ref().is_none_or(|dkim| dkim.needs(name)));
        vec![Effect::DkimKeys(domain, keys)]
    }
}
