//! The keys that a domain's mail is signed with, led from one to the next so that whoever looks for a signature's key finds it (RFC 6376
//! §3.6, RFC 8463): published, then signing, then kept, then revoked, then gone.
//!
//! ```text
//! Published ── every server has it, no cache holds that it is not there ──▶ Signing ── another signs, or none shall ──▶ Retired
//!                                           gone ◀── a time ── Revoked (`p=`) ◀── days after the last agent signed with it ┘
//! ```

mod begin;
mod end;
mod name;
mod records;
mod wanted;

use cst_api::{Date, DkimPhase};
use serde::{Deserialize, Serialize};

use super::dnssec::{Caches, Wait};
use crate::desired::mail::dkim::{DkimAlgorithm, DkimSelector};
pub use name::SetName;
pub use records::{KeyRecord, key_name};
pub use wanted::Wanted;

/// A domain's keys, from the first version of its zone on that holds one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dkim {
    /// The sets, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<KeySet>,
    /// The newest name that a set ever had: none is given twice, so nobody has kept another key of that name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<SetName>,
    /// For how long anybody may have kept that a name is not in the zone.
    #[serde(default)]
    pub absence: Caches,
}

/// Keys that were made together and do everything together, one of each algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeySet {
    /// What its selectors are made of.
    pub name: SetName,
    /// The day it was made.
    pub made: Date,
    /// Its public keys.
    pub keys: Vec<PublicKey>,
    /// What it does.
    pub phase: DkimPhase,
    /// Since when it does that, seconds since 1970.
    pub since: u32,
    /// Since when only time is waited for, seconds since 1970: of a set that is published since every public server served it, of one that is
    /// retired since no agent signs with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<u32>,
}

/// What the zone holds of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicKey {
    /// Its algorithm.
    pub algorithm: DkimAlgorithm,
    /// The key in base64, as the tag `p=` has it: the `SubjectPublicKeyInfo` of an RSA key, the 32 octets of an Ed25519 key (RFC 8463 §4.2).
    pub key: String,
}

/// A set of keys whose private parts are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSet {
    /// Its name.
    pub name: SetName,
    /// The day it was made.
    pub made: Date,
    /// Its keys, in the order of their algorithms.
    pub keys: Vec<PublicKey>,
}

/// A set of keys that is to be made and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSet {
    /// Its name.
    pub name: SetName,
    /// The day.
    pub made: Date,
    /// Of which algorithms.
    pub algorithms: Vec<DkimAlgorithm>,
}

/// What is known when a step is judged.
pub struct Facts<'a> {
    /// Seconds since 1970.
    pub now: u32,
    /// The day.
    pub today: Date,
    /// The public servers that do not answer the newest version of the zone.
    pub behind: &'a [String],
    /// The stored keys.
    pub stored: &'a [StoredSet],
    /// Whether the newest version of the zone holds a set's records as they shall be, and nothing else at their names.
    pub serves: &'a dyn Fn(&KeySet) -> bool,
    /// Whether something is at a selector's name already.
    pub is_taken: &'a dyn Fn(&DkimSelector) -> bool,
    /// Whether agents sign with a key of this selector.
    pub in_use: &'a dyn Fn(&DkimSelector) -> InUse,
    /// The zone is looked for at our servers, and nobody has it from others.
    pub arrival: Result<(), Wait>,
}

/// Whether agents sign with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum InUse {
    /// None does: all have acknowledged that none shall.
    No,
    /// It is not known of all of them, such as when a controller has just begun, or another change is on its way to them.
    Unknown,
    /// They shall.
    Yes,
}

/// What is to be published, what is to be made for it, and what further steps wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The next state; the last one, when nothing changes.
    pub dkim: Dkim,
    /// Keys to make and store: they are published once they are stored.
    pub make: Option<NewSet>,
    /// What further steps wait for, the most important first.
    pub waits: Vec<Wait>,
}

impl Dkim {
    /// Whether nothing was ever published of it.
    pub fn is_unused(&self) -> bool {
        self.sets.is_empty() && self.newest.is_none()
    }

    /// The sets that sign.
    pub fn signing(&self) -> impl Iterator<Item = &KeySet> {
        self.in_phase(DkimPhase::Signing)
    }

    /// Whether keys of this name may still be needed: those of a state that is lost, those that were made for it and are not published yet, and
    /// those that are not revoked.
    pub fn needs(&self, name: SetName) -> bool {
        let of_set = self.sets.iter().find(|set| set.name == name);
        of_set.map_or(self.newest.is_none_or(|newest| newest < name), |set| set.phase != DkimPhase::Revoked)
    }

    fn in_phase(&self, phase: DkimPhase) -> impl Iterator<Item = &KeySet> {
        self.sets.iter().filter(move |set| set.phase == phase)
    }
}

impl KeySet {
    /// The selector of one of its keys.
    pub fn selector(&self, key: &PublicKey) -> DkimSelector {
        self.name.selector(key.algorithm)
    }

    /// The selectors of its keys.
    pub fn selectors(&self) -> impl Iterator<Item = DkimSelector> {
        self.keys.iter().map(|key| self.selector(key))
    }

    fn enter(&mut self, phase: DkimPhase, now: u32) {
        (self.phase, self.since, self.settled) = (phase, now, None);
    }

    /// Since when what it waits for is there. Where the clock went back behind that the time begins anew.
    fn settle(&mut self, now: u32) -> u32 {
        let since = self.settled.filter(|since| now.wrapping_sub(*since) < 1 << 31).unwrap_or(now);
        self.settled = Some(since);
        since
    }

    /// Whether its private parts are stored.
    fn is_stored(&self, facts: &Facts<'_>) -> bool {
        facts.stored.iter().any(|stored| stored.name == self.name && stored.keys == self.keys)
    }
}

/// The next state of a domain's keys.
pub fn step(last: &Dkim, wanted: &Wanted, facts: &Facts<'_>) -> Judged {
    let mut dkim = last.clone();
    dkim.take_up(wanted, facts);
    dkim.stop(wanted, facts);
    let mut waits: Vec<Wait> = dkim.begin(facts).err().into_iter().collect();
    let make = dkim.missing(wanted, facts);
    waits.extend(make.as_ref().map(|new| Wait::new(format!("the keys {} to be made", new.name))));
    waits.extend(dkim.let_go(wanted, facts));
    waits.extend(dkim.rotation(wanted));
    Judged { dkim, make, waits }
}

#[cfg(test)]
mod tests;
