//! The first state of a zone's keys.

use cst_api::{Date, DnssecAlgorithm};

use super::{Facts, Signing, Wanted, ZoneKey};
use crate::model::record::Ds;
use crate::plan::guard::{self, Held};

/// A key that is stored, of a zone whose state is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Which of the zone's keys.
    pub id: u16,
    /// Its algorithm.
    pub algorithm: DnssecAlgorithm,
    /// Its DS.
    pub ds: Ds,
    /// The day it was made, where that is stored.
    pub made: Option<Date>,
}

impl Signing {
    /// A zone that has no state begins as it is wanted, or, when there are keys of it, signed with all of them: whichever of them the
    /// parent trusts, it is believed.
    pub fn begin_with(stored: &[StoredKey], wanted: &Wanted, today: Date) -> Self {
        if stored.is_empty() {
            return Self::first(wanted, today);
        }
        let key = |(at, stored): (usize, &StoredKey)| ZoneKey {
            id: stored.id,
            algorithm: stored.algorithm,
            made: stored.made.unwrap_or(today),
            ds: Some(stored.ds.clone()),
            listed: true,
            signs: true,
            trusted: at == 0,
        };
        Self { keys: stored.iter().enumerate().map(key).collect(), denial: wanted.denial, ..Self::default() }
    }

    /// A zone is not begun with new keys, or none, while nobody says whether its parent trusts others.
    pub fn is_blind(&self, facts: &Facts<'_>) -> Option<Held> {
        let is_told = facts.parent.is_none_or(|parent| parent.answers().next().is_some());
        if is_told || self.keys.iter().any(|key| key.ds.is_some()) {
            return None;
        }
        let message = "no server of the parent says whether it has a DS, and there is no key here: nobody would believe the zone if it has one; \
                       the zone begins as soon as one answers (see to the settings' `dns.resolvers`), or when its key Secret is restored, or approve";
        let held = guard::by_hand(&format!("{} parent unknown", facts.zone), message.into());
        (!(facts.approves)(&held)).then_some(held)
    }

    /// A zone is not begun with keys that its parent does not trust while it trusts others: nobody would believe it.
    pub fn is_foreign(&self, facts: &Facts<'_>) -> Option<Held> {
        let parent = facts.parent?;
        let (theirs, ours) = (parent.ds(), self.keys.iter().filter_map(|key| key.ds.as_ref()));
        if theirs.is_empty() || ours.clone().any(|ds| parent.answers().any(|(_, answer)| answer.trusts(ds))) {
            return None;
        }
        let list = |ds: Vec<String>| if ds.is_empty() { "no key".into() } else { ds.join(" and ") };
        let theirs = list(theirs.iter().map(|ds| ds.key_tag.to_string()).collect());
        let ours = list(ours.map(|ds| ds.key_tag.to_string()).collect());
        let message = format!(
            "the parent has the DS of key {theirs}, and there is {ours} here: nobody would believe the zone; restore its key Secret from a \
             backup, or have the DS taken out, or approve"
        );
        let held = guard::by_hand(&format!("{} keys {theirs} {ours}", facts.zone), message);
        (!(facts.approves)(&held)).then_some(held)
    }
}
