//! The keys of a zone, led from one state that every validator believes to the next (RFC 6781 §4, RFC 7583, RFC 8078). Whoever validates
//! may have kept anything for as long as its time to live says: a step is taken when whatever could contradict it is out of all caches.

mod arrival;
mod begin;
mod caches;
mod choose;
mod leave;
mod roll;
mod trust;
mod wait;

use cst_api::{Date, Denial, DnssecAlgorithm, DnssecMode};
use serde::{Deserialize, Serialize};

use super::guard::Held;
use super::parent::Parent;
use crate::model::DomainName;
use crate::model::record::Ds;
use crate::parse::DomainModel;
use crate::settings::DnssecSettings;
pub use arrival::Arrival;
pub use begin::StoredKey;
pub use caches::Caches;
pub use trust::Trust;
pub use wait::Wait;
pub(super) use wait::{is_long, until};

/// How a zone is signed, from the first version on that is signed so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Signing {
    /// Its keys, the oldest first. One that does nothing waits to be used again.
    pub keys: Vec<ZoneKey>,
    /// How it proves what does not exist.
    pub denial: Denial,
    /// The parent is asked to take its DS out (RFC 8078 §4).
    pub leaving: bool,
    /// Since when every public server serves it so, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everywhere: Option<u32>,
    /// What the parent was seen to have.
    #[serde(default, skip_serializing_if = "Trust::is_empty")]
    pub parent: Trust,
    /// Where the parent delegates to, if that was seen to be others and not waited for since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
}

/// One of a zone's keys, and what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneKey {
    /// Which of the zone's stored keys it is.
    pub id: u16,
    /// Its algorithm.
    pub algorithm: DnssecAlgorithm,
    /// The day it was made.
    pub made: Date,
    /// Its DS; `None` until it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ds: Option<Ds>,
    /// It stands in the DNSKEY set, and signs that.
    pub listed: bool,
    /// It signs what the zone holds.
    pub signs: bool,
    /// The parent shall trust it: CDS and CDNSKEY name it.
    pub trusted: bool,
}

/// How a zone shall be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whether it is signed at all.
    pub signed: bool,
    /// With which algorithm.
    pub algorithm: DnssecAlgorithm,
    /// How it proves what does not exist.
    pub denial: Denial,
    /// A key made before this day is replaced, from this day on.
    pub rollover: Option<Date>,
    /// A key is replaced when it is so many days old.
    pub lifetime: Option<u16>,
}

/// What is known when a step is judged.
pub struct Facts<'a> {
    /// The zone.
    pub zone: &'a DomainName,
    /// Seconds since 1970.
    pub now: u32,
    /// The day.
    pub today: Date,
    /// The servers that do not answer a version that is signed as the zone is now.
    pub behind: &'a [String],
    /// For how long the zone's records may be kept, in seconds, those of versions that may still be kept too.
    pub ttl: u32,
    /// What the zone above says; `None`: nobody asks it.
    pub parent: Option<&'a Parent>,
    /// When that was asked for, seconds since 1970.
    pub asked: u32,
    /// Our name servers, to which it is to delegate.
    pub servers: &'a [DomainName],
    /// Of the zone's approvals ([`Held::in_epoch`]).
    pub epoch: u32,
    /// Whether the coordinator approved a step.
    pub approves: &'a dyn Fn(&Held) -> bool,
}

/// What is to be published, and what the step after it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The next state; the last one, when nothing changes.
    pub signing: Signing,
    /// `None`: all is as wanted, or this step comes first.
    pub wait: Option<Wait>,
}

impl Wanted {
    /// What a Domain wants, and the settings where it says nothing.
    pub fn of(domain: &DomainModel, settings: &DnssecSettings) -> Self {
        let written = &domain.dnssec;
        Self {
            signed: written.mode.unwrap_or_default() == DnssecMode::Signed,
            algorithm: written.algorithm.unwrap_or(settings.algorithm),
            denial: written.denial.unwrap_or(settings.denial),
            rollover: written.rollover,
            lifetime: settings.key_lifetime_days,
        }
    }
}

impl Signing {
    /// A zone that nobody has seen yet begins as it is wanted.
    fn first(wanted: &Wanted, today: Date) -> Self {
        let mut signing = Self { denial: wanted.denial, ..Self::default() };
        if wanted.signed {
            let id = signing.add_key(wanted.algorithm, today);
            signing.set(id, |key| (key.listed, key.signs, key.trusted) = (true, true, true));
        }
        signing
    }

    /// Whether the zone is signed.
    pub fn is_signed(&self) -> bool {
        self.keys.iter().any(|key| key.listed)
    }

    /// The DS that the parent shall have.
    pub fn ds(&self) -> impl Iterator<Item = &Ds> {
        let trusted = self.keys.iter().filter(|key| key.trusted && !self.leaving);
        trusted.filter_map(|key| key.ds.as_ref())
    }

    /// Whether both sign the same content with the same octets.
    pub fn signs_like(&self, other: &Self) -> bool {
        let of = |signing: &Self| (signing.denial, signing.leaving, signing.active().cloned().collect::<Vec<_>>());
        of(self) == of(other)
    }

    /// Notes what the parent says, seconds since 1970: also of a zone whose keys are not led anywhere now, as nobody declares it.
    pub fn hear(&mut self, parent: &Parent, now: u32) {
        self.parent.hear(parent, now);
    }

    fn active(&self) -> impl Iterator<Item = &ZoneKey> {
        self.keys.iter().filter(|key| key.is_active())
    }

    fn add_key(&mut self, algorithm: DnssecAlgorithm, made: Date) -> u16 {
        let id = self.keys.iter().map(|key| key.id).max().unwrap_or_default() + 1;
        self.keys.push(ZoneKey { id, algorithm, made, ds: None, listed: false, signs: false, trusted: false });
        id
    }

    /// Changes what a key does, which every server must serve before anything else changes.
    fn set(&mut self, id: u16, change: impl FnOnce(&mut ZoneKey)) {
        if let Some(key) = self.keys.iter_mut().find(|key| key.id == id) {
            change(key);
        }
        self.begin();
    }

    /// Another state begins: nobody serves it yet.
    fn begin(&mut self) {
        self.everywhere = None;
    }
}

impl ZoneKey {
    /// Whether it does anything.
    pub fn is_active(&self) -> bool {
        self.listed || self.signs
    }
}

/// The next state of a zone's keys. At most two do something at once, and only one thing is changed in a step.
pub fn step(last: &Signing, wanted: &Wanted, facts: &Facts<'_>) -> Judged {
    let mut signing = Signing { denial: wanted.denial, ..last.clone() };
    if let Some(parent) = facts.parent {
        signing.hear(parent, facts.now);
        signing.hear_delegation(parent, facts);
    }
    let result = match (wanted.signed, signing.leaving) {
        (false, _) => signing.leave(facts),
        (true, true) => {
            signing.stay();
            Ok(())
        }
        (true, false) => {
            let target = signing.choose(wanted, facts.today);
            signing.roll(target, facts)
        }
    };
    Judged { signing, wait: result.err() }
}

#[cfg(test)]
mod tests;
