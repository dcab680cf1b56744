//! What of a tenant may go: zones and sites that nobody declares any more, and whose time is over. Not too many at once, of the tenant and
//! of the catalog. The permission is stored before anything goes, so that what went of late counts after a restart too.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::Date;
use serde::{Deserialize, Serialize};

use super::guard::{self, Held, Watched};

/// What a zone's name begins with.
const ZONE: &str = "zone ";
/// How many digests of what is held are remembered: the newest.
const TOLD: usize = 32;

/// What may go of a tenant, or went of late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Departures {
    /// The units in words, each with the day on which it was let go.
    #[serde(default)]
    units: BTreeMap<String, Date>,
    /// What of them the coordinator let go, by whatever word: it counts against nothing else.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    by_word: BTreeSet<String>,
    /// What is held. It stays so until it is approved or declared again, also when the rest came back or days went by. Each with the number of the
    /// digest that named it first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    held_by: BTreeMap<String, u32>,
    /// The digests that were told, each with its number: it named what is held with that number or a lower one. So a word that was given stays
    /// good for what it named when more comes to be held.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    told: BTreeMap<u32, String>,
    /// Goes into the digests that departures are held by: when an approval was last used, seconds since 1970.
    #[serde(default)]
    epoch: u32,
}

/// Units of one tenant, or all zones: in words, such as `zone fano.pu.it`.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// All that is there.
    pub there: BTreeSet<String>,
    /// What of it nobody declares any more, and whose time is over.
    pub over: BTreeSet<String>,
}

impl Census {
    /// Notes a unit that is there.
    pub fn note(&mut self, unit: String, is_over: bool) {
        self.over.extend(is_over.then(|| unit.clone()));
        self.there.insert(unit);
    }
}

/// What is known of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its Tenant is there.
    There,
    /// Its Tenant was Terminated when it was last seen, and is gone: that is the coordinator's word for all it had.
    Left,
    /// Its Tenant is gone, and that is all: it may be missing from a list, or have gone with its kind. Nothing follows from that.
    Missing,
}

/// Who asks for departures.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// What is known of it.
    pub standing: Standing,
    /// Its units.
    pub own: Census,
    /// What of them the coordinator let go by name.
    pub named: BTreeSet<String>,
    /// What of them was declared again after it was let go.
    pub returned: BTreeSet<String>,
    /// All zones of all tenants.
    pub catalog: Census,
    /// The zones of other tenants that may go or went of late, but for those that the coordinator let go.
    pub elsewhere: BTreeSet<String>,
    /// The zones of all tenants that the coordinator let go, those whose Tenant left among them: they are there for nobody's share.
    pub by_word: BTreeSet<String>,
    /// The day.
    pub today: Date,
    /// Seconds since 1970.
    pub now: u32,
}

impl Departures {
    /// Nothing went, and no approval was used.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a unit may go.
    pub fn has(&self, unit: &str) -> bool {
        self.units.contains_key(unit)
    }

    /// The zones of them that still count against others'.
    pub fn zones(&self) -> impl Iterator<Item = String> {
        self.counting().filter(|unit| unit.starts_with(ZONE)).map(str::to_owned)
    }

    /// The zones of them that the coordinator let go.
    pub fn zones_by_word(&self) -> impl Iterator<Item = String> {
        self.by_word.iter().filter(|unit| unit.starts_with(ZONE)).cloned()
    }

    fn counting(&self) -> impl Iterator<Item = &str> {
        self.units().filter(|unit| !self.by_word.contains(*unit))
    }

    /// Lets units go by the coordinator's word.
    fn let_go(&mut self, units: impl IntoIterator<Item = String>, today: Date) {
        for unit in units {
            self.held_by.remove(&unit);
            self.by_word.insert(unit.clone());
            self.units.insert(unit, today);
        }
    }

    /// Holds these. What newly is held makes another digest, which names all of them.
    fn hold(&mut self, units: BTreeSet<String>, tenant: &str) {
        let is_new = self.told.is_empty() || units.iter().any(|unit| !self.held_by.contains_key(unit));
        let newest = self.told.last_key_value().map_or(0, |(number, _)| *number);
        let number = newest.wrapping_add(u32::from(is_new));
        if is_new {
            let digest =
                guard::by_hand(&format!("{tenant} departures {number} {units:?} {}", self.epoch), String::new());
            self.told.insert(number, digest.digest);
        }
        while self.told.len() > TOLD {
            self.told.pop_first();
        }
        for unit in units {
            self.held_by.entry(unit).or_insert(number);
        }
    }

    /// What is held of what a digest named: all with its number or a lower one.
    fn named_by(&self, number: u32) -> Vec<String> {
        self.held_by.iter().filter(|(_, by)| **by <= number).map(|(unit, _)| unit.clone()).collect()
    }

    /// The digest that names all that is held.
    fn digest(&self) -> String {
        self.told.last_key_value().map(|(_, digest)| digest.clone()).unwrap_or_default()
    }

    /// What may go or went of late.
    pub fn units(&self) -> impl Iterator<Item = &str> {
        self.units.keys().map(String::as_str)
    }
}

/// The next departures, and what is held of those that are asked for. One word approves all that goes of a tenant; one that was given before more
/// came to be held approves what was held then.
pub fn step(last: &Departures, facts: &Facts<'_>, approves: impl Fn(&str) -> bool) -> (Departures, Option<Held>) {
    let mut next = still_counting(last, facts);
    let asks: BTreeSet<String> = facts.own.over.iter().filter(|unit| !next.has(unit)).cloned().collect();
    let (named, others): (BTreeSet<_>, BTreeSet<_>) = asks.into_iter().partition(|unit| facts.named.contains(unit));
    next.let_go(named, facts.today);
    if facts.standing == Standing::Left {
        next.let_go(others, facts.today);
    } else if let Some(message) = refused(&mut next, facts, &others) {
        next.hold(others, facts.tenant);
        use_words(&mut next, facts, approves);
        let held: Vec<&String> = next.held_by.keys().collect();
        if !held.is_empty() {
            let message = format!("{message}; of this tenant {}", guard::sample(&held));
            let held = Held { digest: next.digest(), message };
            return (next, Some(held));
        }
    } else {
        next.units.extend(others.into_iter().map(|unit| (unit, facts.today)));
    }
    next.held_by.clear();
    next.told.clear();
    (next, None)
}

/// Why these may not go now; `None`: they may.
fn refused(next: &mut Departures, facts: &Facts<'_>, others: &BTreeSet<String>) -> Option<String> {
    next.held_by.retain(|unit, _| others.contains(unit));
    if others.is_empty() {
        return None;
    }
    if facts.standing == Standing::Missing {
        return Some("its Tenant is gone and was not Terminated: apply it again".into());
    }
    let still = !next.held_by.is_empty();
    let still = still.then(|| "it was to drop too much at once, and some of that is still to go".into());
    too_many(next, facts).or(still)
}

/// What of the last departures still counts: what is on its way, and what went of late.
fn still_counting(last: &Departures, facts: &Facts<'_>) -> Departures {
    let counts = |(unit, on): &(&String, &Date)| {
        (facts.own.over.contains(*unit) && !facts.returned.contains(*unit))
            || (!facts.own.there.contains(*unit) && guard::counts(**on, facts.today))
    };
    let units: BTreeMap<String, Date> =
        last.units.iter().filter(counts).map(|(unit, on)| (unit.clone(), *on)).collect();
    let by_word = last.by_word.iter().filter(|unit| units.contains_key(*unit)).cloned().collect();
    let (held_by, told) = (last.held_by.clone(), last.told.clone());
    Departures { units, by_word, held_by, told, epoch: last.epoch }
}

/// Lets go what the coordinator approved. A word is good once: its digest is told no more, and those after it are made anew.
fn use_words(next: &mut Departures, facts: &Facts<'_>, approves: impl Fn(&str) -> bool) {
    let given = next.told.iter().rev().find(|(_, digest)| approves(digest)).map(|(number, _)| *number);
    let Some(number) = given else { return };
    let units = next.named_by(number);
    next.let_go(units, facts.today);
    next.told.retain(|other, _| *other > number);
    next.epoch = guard::next_epoch(next.epoch, facts.now);
}

/// Why all that is over may not go now.
fn too_many(departures: &Departures, facts: &Facts<'_>) -> Option<String> {
    let judge = |watched, of: &str, census: &Census, earlier: BTreeSet<String>| {
        let counts = |unit: &&String| !departures.by_word.contains(*unit) && !facts.by_word.contains(*unit);
        let there: BTreeSet<String> = census.there.iter().filter(counts).cloned().collect();
        let before = there.difference(&earlier).cloned().collect();
        let after = there.difference(&census.over).cloned().collect();
        Some(guard::names(watched, of, &earlier, &before, &after)?.message)
    };
    let own: BTreeSet<String> = departures.counting().map(str::to_owned).collect();
    let everywhere = departures.zones().chain(facts.elsewhere.iter().cloned()).collect();
    let of_catalog = judge(Watched::Zones, "catalog", &facts.catalog, everywhere);
    let of_tenant = || judge(Watched::Units, facts.tenant, &facts.own, own);
    let told = of_catalog.map(|message| format!("the catalog {message}"));
    told.or_else(|| of_tenant().map(|message| format!("it {message}")))
}

#[cfg(test)]
mod tests;
