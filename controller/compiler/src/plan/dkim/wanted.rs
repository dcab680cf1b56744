//! How a domain's mail shall be signed, and which keys that asks for.

use std::collections::BTreeSet;

use cst_api::{Date, DkimPhase};

use super::{Dkim, Facts, KeySet, NewSet, SetName};
use crate::desired::mail::dkim::DkimAlgorithm;
use crate::parse::DomainModel;
use crate::plan::dnssec::Wait;
use crate::settings::{DkimSettings, Settings};

/// How a domain's mail shall be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// By a key of each of these; none: it is not signed.
    pub algorithms: BTreeSet<DkimAlgorithm>,
    /// Keys made before this day are replaced, from this day on.
    pub rotation: Option<Date>,
    /// Keys are replaced when they are so many days old.
    pub lifetime: Option<u16>,
    /// How long keys stay published when nobody signs with them any more, in days.
    pub keep_days: u16,
}

impl Wanted {
    /// What a Domain wants, and the settings. `mail_stays`: its mail is hosted whatever it says.
    pub fn of(domain: &DomainModel, settings: &Settings, mail_stays: bool) -> Self {
        let is_hosted = settings.mail.is_some() && (domain.hosts_mail() || mail_stays);
        let dkim = settings.mail.as_ref().map(|mail| mail.dkim.clone()).unwrap_or_default();
        let lifetime = dkim.lifetime();
        let DkimSettings { algorithms, keep_days, .. } = dkim;
        Self {
            algorithms: if is_hosted { algorithms.into_iter().map(Into::into).collect() } else { BTreeSet::new() },
            rotation: domain.mail.as_ref().and_then(|mail| mail.dkim_rotation),
            lifetime,
            keep_days,
        }
    }

    /// Whether mail shall be signed.
    pub(super) fn signs(&self) -> bool {
        !self.algorithms.is_empty()
    }

    fn replaces(&self, set: &KeySet, today: Date) -> bool {
        let asked = self.rotation.is_some_and(|day| set.made < day && day <= today);
        let is_old = self.lifetime.is_some_and(|days| today.days() - set.made.days() >= i64::from(days));
        let algorithms: BTreeSet<DkimAlgorithm> = set.keys.iter().map(|key| key.algorithm).collect();
        asked || is_old || algorithms != self.algorithms
    }
}

impl Dkim {
    /// The keys to make. What was begun is ended before anything new is.
    pub(super) fn missing(&self, wanted: &Wanted, facts: &Facts<'_>) -> Option<NewSet> {
        let is_begun = self.in_phase(DkimPhase::Published).next().is_some();
        let is_well = self.signing().any(|set| !wanted.replaces(set, facts.today));
        if !wanted.signs() || is_begun || is_well {
            return None;
        }
        let algorithms: Vec<DkimAlgorithm> = wanted.algorithms.iter().copied().collect();
        let is_free = |name: &SetName| !algorithms.iter().any(|algorithm| (facts.is_taken)(&name.selector(*algorithm)));
        let stored = facts.stored.iter().map(|set| set.name);
        let newest = self.newest.into_iter().chain(stored).max();
        let mut names = std::iter::successors(Some(SetName::after(newest, facts.today)), |name| Some(name.next()));
        let name = names.find(is_free)?;
        Some(NewSet { name, made: facts.today, algorithms })
    }

    /// When new keys are due by themselves.
    pub(super) fn rotation(&self, wanted: &Wanted) -> Option<Wait> {
        let set = self.signing().last()?;
        let by_age = wanted.lifetime.map(|days| set.made.plus(days));
        let asked = wanted.rotation.filter(|day| set.made < *day);
        let day = by_age.into_iter().chain(asked).min()?;
        Some(Wait::new(format!("{day}, when new keys are due")))
    }
}
