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
            by_word: BTreeSet::new(),
            today: Date { year: 2026, month: 11, day },
            now: 1_795_000_000,
        }
    }

    fn without<'a>(facts: Facts<'a>, gone: &[&str]) -> Facts<'a> {
        let there = facts.own.there.difference(&set(gone)).cloned().collect();
        Facts { own: Census { there, ..facts.own }, ..facts }
    }

    fn refuse(_: &str) -> bool {
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
            assert!(held.is_none() && next.has("zone a") && next.held_by.is_empty());
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
        let (next, held) = step(&Departures::default(), &facts(&over, 1), |given| given == digest);
        assert!(held.is_none() && over.iter().all(|unit| next.has(unit)));
        let (back, _) = step(&next, &facts(&[], 1), refuse);
        let (next, held) = step(&back, &facts(&over, 1), |given| given == digest);
        assert!(held.is_some() && !next.has("zone a"));
    }

    #[test]
    fn what_the_coordinator_let_go_needs_no_approval_and_counts_against_nothing() {
        let named = |over| Facts { named: set(&["zone a", "zone b", "zone c"]), ..facts(over, 1) };
        let (next, held) = step(&Departures::default(), &named(&["zone a", "zone b", "zone c"]), refuse);
        assert!(held.is_none() && next.has("zone c"));
        let (next, held) = step(&Departures::default(), &named(&["zone a", "site d"]), refuse);
        assert!(held.is_none() && next.has("zone a") && next.has("site d"), "one of five");
        let (next, held) = step(&next, &without(facts(&["site e"], 1), &["zone a", "site d"]), refuse);
        assert!(held.is_some() && !next.has("site e"), "two of five");
        let left = Facts { standing: Standing::Left, ..facts(&["zone a", "zone b"], 1) };
        let (left, _) = step(&Departures::default(), &left, refuse);
        let (approved, _) = step(&Departures::default(), &facts(&["zone a", "zone b"], 1), |_| true);
        for by_word in [left, approved] {
            assert_eq!(by_word.zones().count(), 0, "against others");
            assert_eq!(by_word.zones_by_word().collect::<BTreeSet<_>>(), set(&["zone a", "zone b"]));
        }
    }

    #[test]
    fn a_word_stays_good_for_what_it_named_when_more_comes_to_be_held() {
        let (first, held) = step(&Departures::default(), &facts(&["zone a", "site d"], 1), refuse);
        let digest = held.unwrap().digest;
        let more = || facts(&["zone a", "site d", "site e"], 1);
        let (second, held) = step(&first, &more(), refuse);
        let newer = held.unwrap();
        assert_ne!(newer.digest, digest);
        assert!(newer.message.ends_with("of this tenant site d, site e, zone a"), "{}", newer.message);
        let (third, held) = step(&second, &more(), |given| given == digest);
        assert!(third.has("zone a") && third.has("site d") && !third.has("site e"));
        let left = held.unwrap();
        assert!(left.message.ends_with("of this tenant site e") && left.digest == newer.digest, "{left:?}");
        let (fourth, held) = step(&third, &without(more(), &["zone a", "site d"]), |given| given == newer.digest);
        assert!(held.is_none() && fourth.has("site e"));

        // It names what it named, also when a part of that came back and went again.
        let (back, _) = step(&second, &facts(&["site d", "site e"], 1), refuse);
        let (again, _) = step(&back, &more(), refuse);
        let (next, _) = step(&again, &more(), |given| given == digest);
        assert!(next.has("site d") && !next.has("zone a") && !next.has("site e"));
    }

    #[test]
    fn so_many_digests_are_remembered_and_no_more() {
        let mut last = Departures::default();
        let units: Vec<String> = (0..100).map(|number| format!("zone {number:03}")).collect();
        for count in 2..units.len() {
            let own = Census { there: units.iter().cloned().collect(), over: units[..count].iter().cloned().collect() };
            last = step(&last, &Facts { standing: Standing::Missing, own, ..facts(&[], 1) }, refuse).0;
        }
        assert_eq!((last.told.len(), last.held_by.len()), (TOLD, 99));
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
        let by_word = Facts { by_word: set(&["zone 1", "zone 2", "zone 3"]), ..elsewhere(&[]) };
        assert!(step(&Departures::default(), &by_word, refuse).1.is_none(), "the coordinator let them go");
        let left = Facts { standing: Standing::Left, ..many() };
        let (next, held) = step(&Departures::default(), &left, refuse);
        assert!(held.is_none() && next.has("zone a"), "the end of its Tenant is the coordinator's word");
        let missing = Facts { standing: Standing::Missing, ..facts(&["zone a"], 1) };
        let (next, held) = step(&Departures::default(), &missing, refuse);
        assert!(held.is_some() && !next.has("zone a"), "that it is missing is nobody's");
    }
}
