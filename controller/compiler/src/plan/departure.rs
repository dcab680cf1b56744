//! What of a tenant may go: zones and sites that nobody declares any more, and whose time is over. Not too many at once, of the tenant and
//! of the catalog. The permission is stored before anything goes, so that what went of late counts after a restart too.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::Date;
use serde::{Deserialize, Serialize};

use super::guard::{self, Held, Watched};

/// What may go of a tenant, or went of late.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departures {
    /// The units in words, each with the day on which it was let go.
    #[serde(default)]
    units: BTreeMap<String, Date>,
    /// What is held. It stays so until it is approved or declared again, also when the rest came back or days went by.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    held: BTreeSet<String>,
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
    /// The zones of other tenants that may go or went of late.
    pub elsewhere: BTreeSet<String>,
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
        self.units().filter(|unit| unit.starts_with("zone ")).map(str::to_owned)
    }

    /// What may go or went of late.
    pub fn units(&self) -> impl Iterator<Item = &str> {
        self.units.keys().map(String::as_str)
    }
}

/// The next departures, and what is held of those that are asked for. All that goes of a tenant is approved by one word.
pub fn step(last: &Departures, facts: &Facts<'_>, approves: impl FnOnce(&Held) -> bool) -> (Departures, Option<Held>) {
    let counts = |(unit, on): &(&String, &Date)| {
        (facts.own.over.contains(*unit) && !facts.returned.contains(*unit))
            || (!facts.own.there.contains(*unit) && guard::counts(**on, facts.today))
    };
    let mut next = Departures {
        units: last.units.iter().filter(counts).map(|(unit, on)| (unit.clone(), *on)).collect(),
        held: BTreeSet::new(),
        epoch: last.epoch,
    };
    let asks: BTreeSet<String> = facts.own.over.iter().filter(|unit| !next.has(unit)).cloned().collect();
    let (named, others): (Vec<_>, Vec<_>) = asks.into_iter().partition(|unit| facts.named.contains(unit));
    next.units.extend(named.into_iter().map(|unit| (unit, facts.today)));
    let refused = match facts.standing {
        Standing::There => too_many(&next, facts).or_else(|| {
            let still = others.iter().any(|unit| last.held.contains(unit));
            still.then(|| "it was to drop too much at once, and some of that is still to go".into())
        }),
        Standing::Left => None,
        Standing::Missing => Some("its Tenant is gone and was not Terminated: apply it again".into()),
    };
    let held = refused.filter(|_| !others.is_empty()).map(|message| {
        let digest = format!("{} departures {others:?} {}", facts.tenant, next.epoch);
        guard::by_hand(&digest, format!("{message}; of this tenant {}", guard::sample(&others)))
    });
    match held {
        Some(held) if !approves(&held) => {
            next.held = others.into_iter().collect();
            return (next, Some(held));
        }
        Some(_) => next.epoch = guard::next_epoch(last.epoch, facts.now),
        None => {}
    }
    next.units.extend(others.into_iter().map(|unit| (unit, facts.today)));
    (next, None)
}

/// Why all that is over may not go now.
fn too_many(departures: &Departures, facts: &Facts<'_>) -> Option<String> {
    let judge = |watched, of: &str, census: &Census, earlier: BTreeSet<String>| {
        let before = census.there.difference(&earlier).cloned().collect();
        let after = census.there.difference(&census.over).cloned().collect();
        Some(guard::names(watched, of, &earlier, &before, &after)?.message)
    };
    let own: BTreeSet<String> = departures.units.keys().cloned().collect();
    let everywhere = departures.zones().chain(facts.elsewhere.iter().cloned()).collect();
    let of_catalog = judge(Watched::Zones, "catalog", &facts.catalog, everywhere);
    let of_tenant = || judge(Watched::Units, facts.tenant, &facts.own, own);
    let told = of_catalog.map(|message| format!("the catalog {message}"));
    told.or_else(|| of_tenant().map(|message| format!("it {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(units: &[&str]) -> BTreeSet<String> {
        units.iter().map(|unit| (*unit).to_owned()).collect()
    }

    /// A tenant of six units, of which these are over, on a day of November.
    fn facts<'a>(over: &[&str], day: u8) -> Facts<'a> {
        let there = set(&["zone a", "zone b", "zone c", "site d", "site e", "site f"]);
        Facts {
            tenant: "fano",
            standing: Standing::There,
            own: Census { there, over: set(over) },
            named: BTreeSet::new(),
            returned: BTreeSet::new(),
            catalog: Census::default(),
            elsewhere: BTreeSet::new(),
            today: Date { year: 2026, month: 11, day },
            now: 1_795_000_000,
        }
    }

    fn without<'a>(facts: Facts<'a>, gone: &[&str]) -> Facts<'a> {
        let there = facts.own.there.difference(&set(gone)).cloned().collect();
        Facts { own: Census { there, ..facts.own }, ..facts }
    }

    fn refuse(_: &Held) -> bool {
        false
    }

    #[test]
    fn zones_and_sites_count_together() {
        let (next, held) = step(&Departures::default(), &facts(&["zone a"], 1), refuse);
        assert!(held.is_none() && next.has("zone a"));
        let (next, held) = step(&Departures::default(), &facts(&["zone a", "site d"], 1), refuse);
        let message = held.unwrap().message;
        assert_eq!(message, "it would drop 2 of 6 units (site d, zone a); of this tenant site d, zone a");
        assert!(!next.has("zone a") && !next.has("site d"));
    }

    #[test]
    fn what_went_counts_for_two_days_as_does_what_may_go_and_is_still_there() {
        let (last, _) = step(&Departures::default(), &facts(&["zone a"], 1), refuse);
        let held = |facts: &Facts<'_>| step(&last, facts, refuse).1.is_some();
        assert!(held(&facts(&["zone a", "site d"], 9)), "it waits for its parent");
        assert!(held(&without(facts(&["site d"], 2), &["zone a"])));
        assert!(!held(&without(facts(&["site d"], 3), &["zone a"])));
        assert!(!held(&facts(&["site d"], 2)), "it came back");
    }

    #[test]
    fn what_is_held_stays_held_when_the_rest_came_back_or_days_went_by() {
        let (last, held) = step(&Departures::default(), &facts(&["zone a", "site d"], 1), refuse);
        assert!(held.is_some());
        for later in [facts(&["zone a"], 1), facts(&["zone a", "site d"], 9), facts(&["zone a"], 9)] {
            let (next, held) = step(&last, &later, refuse);
            assert!(held.is_some() && !next.has("zone a"));
            let (next, held) = step(&last, &later, |_| true);
            assert!(held.is_none() && next.has("zone a") && next.held.is_empty());
        }
        let (back, held) = step(&last, &facts(&[], 1), refuse);
        assert!(held.is_none() && back.is_empty());
        let (next, _) = step(&back, &facts(&["zone a"], 1), refuse);
        assert!(next.has("zone a"), "it was declared again, and is deleted alone");
    }

    #[test]
    fn one_that_came_back_needs_another_permission() {
        let (last, _) = step(&Departures::default(), &facts(&["zone a"], 1), refuse);
        let (next, _) = step(&last, &facts(&[], 1), refuse);
        assert!(next.is_empty());
        let returned = Facts { returned: set(&["zone a"]), ..facts(&["zone a", "site d"], 1) };
        let (next, held) = step(&last, &returned, refuse);
        assert!(held.is_some() && !next.has("zone a"), "and went again before anybody looked");
    }

    #[test]
    fn an_approval_is_good_once() {
        let over = ["zone a", "site d", "site e"];
        let (_, held) = step(&Departures::default(), &facts(&over, 1), refuse);
        let digest = held.unwrap().digest;
        let (next, held) = step(&Departures::default(), &facts(&over, 1), |held| held.digest == digest);
        assert!(held.is_none() && over.iter().all(|unit| next.has(unit)));
        let (back, _) = step(&next, &facts(&[], 1), refuse);
        let (next, held) = step(&back, &facts(&over, 1), |held| held.digest == digest);
        assert!(held.is_some() && !next.has("zone a"));
    }

    #[test]
    fn what_is_let_go_by_name_needs_no_approval_and_counts() {
        let named = |over| Facts { named: set(&["zone a", "zone b", "zone c"]), ..facts(over, 1) };
        let (next, held) = step(&Departures::default(), &named(&["zone a", "zone b", "zone c"]), refuse);
        assert!(held.is_none() && next.has("zone c"));
        let (next, held) = step(&Departures::default(), &named(&["zone a", "site d"]), refuse);
        assert!(held.is_some() && next.has("zone a") && !next.has("site d"));
    }

    #[test]
    fn the_catalog_is_watched_across_tenants() {
        let all: BTreeSet<String> = (0..10).map(|number| format!("zone {number}")).chain(["zone a".into()]).collect();
        let elsewhere = |gone: &[&str]| {
            let catalog = Census { there: all.difference(&set(gone)).cloned().collect(), over: set(&["zone a"]) };
            Facts { elsewhere: set(gone), catalog, ..facts(&["zone a"], 1) }
        };
        assert!(step(&Departures::default(), &elsewhere(&["zone 1", "zone 2"]), refuse).1.is_none());
        let many = || elsewhere(&["zone 1", "zone 2", "zone 3"]);
        let (_, held) = step(&Departures::default(), &many(), refuse);
        assert!(held.unwrap().message.starts_with("the catalog would drop 1 of 8 zones"));
        let left = Facts { standing: Standing::Left, ..many() };
        let (next, held) = step(&Departures::default(), &left, refuse);
        assert!(held.is_none() && next.has("zone a"), "the end of its Tenant is the coordinator's word");
        let missing = Facts { standing: Standing::Missing, ..facts(&["zone a"], 1) };
        let (next, held) = step(&Departures::default(), &missing, refuse);
        assert!(held.is_some() && !next.has("zone a"), "that it is missing is nobody's");
    }
}
