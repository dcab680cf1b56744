//! A tenant's objects of one kind in the order in which they are admitted, and which of them are within its limits.
//!
//! Incumbents come first, then names in their order; each is admitted if it fits beside those admitted before it. The order is kept in
//! chunks with their sums: a chunk that fits as a whole, or of which not even the smallest fits, is passed over, so a change costs a step
//! per chunk and one per object whose admission changes, not one per object.

/// A chunk is split when it has more objects than this.
const CHUNK: usize = if cfg!(test) { 4 } else { 256 };

/// How much a tenant may have of a kind; `None`: as much as it wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limit {
    pub count: Option<u32>,
    pub bytes: Option<u64>,
}

/// What the place of an object follows from, beside its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rank {
    pub incumbent: bool,
    /// How much it may take, in bytes.
    pub size: u64,
}

/// The objects of one kind of one tenant.
#[derive(Debug, Default)]
pub(super) struct Ranking {
    limit: Limit,
    chunks: Vec<Chunk>,
}

#[derive(Debug)]
struct Chunk {
    items: Vec<Item>,
    /// How many of them are admitted.
    admitted: usize,
    sum: u128,
    smallest: u64,
}

#[derive(Debug)]
struct Item {
    newcomer: bool,
    name: String,
    size: u64,
    admitted: bool,
}

#[derive(Clone, Copy, Default)]
struct Used {
    count: usize,
    bytes: u128,
}

impl Ranking {
    /// Nothing yet, under a limit.
    pub fn new(limit: Limit) -> Self {
        Self { limit, chunks: Vec::new() }
    }

    /// Whether an object is there and within the limits.
    pub fn admits(&self, name: &str, rank: Rank) -> bool {
        let (chunk, at) = self.find(!rank.incumbent, name);
        let found = at.ok().and_then(|at| self.chunks.get(chunk)?.items.get(at));
        found.is_some_and(|item| item.admitted)
    }

    /// Other limits hold from now on.
    pub fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
        self.judge();
    }

    /// An object comes, changes or goes: as it was and as it is. The names of all that were admitted and no longer are, or the reverse.
    pub fn put(&mut self, name: &str, before: Option<Rank>, after: Option<Rank>) -> Vec<String> {
        if before == after {
            return Vec::new();
        }
        let admitted = before.and_then(|rank| self.remove(!rank.incumbent, name)).is_some_and(|item| item.admitted);
        if let Some(rank) = after {
            self.insert(Item { newcomer: !rank.incumbent, name: name.to_owned(), size: rank.size, admitted });
        }
        self.judge()
    }

    /// The chunk of a place, and the place in it or where it would be.
    fn find(&self, newcomer: bool, name: &str) -> (usize, Result<usize, usize>) {
        let place = (newcomer, name);
        let chunk = self.chunks.partition_point(|chunk| chunk.items.last().is_some_and(|last| last.place() < place));
        let Some(items) = self.chunks.get(chunk).map(|chunk| &chunk.items) else { return (chunk, Err(0)) };
        (chunk, items.binary_search_by(|item| item.place().cmp(&place)))
    }

    fn remove(&mut self, newcomer: bool, name: &str) -> Option<Item> {
        let (at, place) = self.find(newcomer, name);
        let chunk = self.chunks.get_mut(at)?;
        let item = chunk.items.remove(place.ok()?);
        chunk.sum_up();
        if chunk.items.is_empty() {
            self.chunks.remove(at);
        }
        Some(item)
    }

    fn insert(&mut self, item: Item) {
        let (at, place) = self.find(item.newcomer, &item.name);
        // What comes after everything goes into the last chunk.
        let (at, place) = match self.chunks.last() {
            Some(last) if at == self.chunks.len() => (at - 1, Err(last.items.len())),
            _ => (at, place),
        };
        let Err(place) = place else { return };
        if self.chunks.is_empty() {
            self.chunks.push(Chunk::of(Vec::new()));
        }
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        chunk.items.insert(place, item);
        let rest = (chunk.items.len() > CHUNK).then(|| chunk.items.split_off(CHUNK / 2));
        chunk.sum_up();
        if let Some(rest) = rest {
            self.chunks.insert(at + 1, Chunk::of(rest));
        }
    }

    /// Admits what fits, in order.
    fn judge(&mut self) -> Vec<String> {
        let (limit, mut used, mut changed) = (self.limit, Used::default(), Vec::new());
        for chunk in &mut self.chunks {
            let all = Used { count: used.count + chunk.items.len(), bytes: used.bytes + chunk.sum };
            if limit.fits(all) {
                used = all;
                chunk.admit_all(true, &mut changed);
            } else if limit.fits(used.and(chunk.smallest)) {
                for item in &mut chunk.items {
                    let with_it = used.and(item.size);
                    let fits = limit.fits(with_it);
                    used = if fits { with_it } else { used };
                    item.admit(fits, &mut changed);
                }
                chunk.admitted = chunk.items.iter().filter(|item| item.admitted).count();
            } else {
                chunk.admit_all(false, &mut changed);
            }
        }
        changed
    }
}

impl Chunk {
    fn of(items: Vec<Item>) -> Self {
        let mut chunk = Self { items, admitted: 0, sum: 0, smallest: 0 };
        chunk.sum_up();
        chunk
    }

    fn sum_up(&mut self) {
        self.admitted = self.items.iter().filter(|item| item.admitted).count();
        self.sum = self.items.iter().map(|item| u128::from(item.size)).sum();
        self.smallest = self.items.iter().map(|item| item.size).min().unwrap_or_default();
    }

    fn admit_all(&mut self, admit: bool, changed: &mut Vec<String>) {
        let wanted = if admit { self.items.len() } else { 0 };
        if self.admitted != wanted {
            self.items.iter_mut().for_each(|item| item.admit(admit, changed));
            self.admitted = wanted;
        }
    }
}

impl Item {
    fn place(&self) -> (bool, &str) {
        (self.newcomer, &self.name)
    }

    fn admit(&mut self, admit: bool, changed: &mut Vec<String>) {
        if self.admitted != admit {
            self.admitted = admit;
            changed.push(self.name.clone());
        }
    }
}

impl Limit {
    fn fits(self, used: Used) -> bool {
        self.count.is_none_or(|max| used.count <= max as usize)
            && self.bytes.is_none_or(|max| used.bytes <= u128::from(max))
    }
}

impl Used {
    fn and(self, size: u64) -> Self {
        Self { count: self.count + 1, bytes: self.bytes + u128::from(size) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// The rule, as it is said.
    fn admitted(limit: Limit, objects: &BTreeMap<String, Rank>) -> BTreeSet<String> {
        let mut order: Vec<_> = objects.iter().collect();
        order.sort_by_key(|(name, rank)| (!rank.incumbent, *name));
        let (mut used, mut admitted) = (Used::default(), BTreeSet::new());
        for (name, rank) in order {
            if limit.fits(used.and(rank.size)) {
                used = used.and(rank.size);
                admitted.insert(name.clone());
            }
        }
        admitted
    }

    #[test]
    fn admits_what_the_rule_says_and_names_what_changed() {
        let mut dice = 0x2545_F491_4F6C_DD1D_u64;
        let mut roll = |sides: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % sides
        };
        let (mut ranking, mut limit) = (Ranking::default(), Limit::default());
        let (mut objects, mut refused) = (BTreeMap::new(), 0);
        for step in 0..20_000 {
            if roll(50) == 0 {
                limit = Limit {
                    count: [None, Some(u32::try_from(roll(60)).unwrap())][usize::from(roll(2) == 0)],
                    bytes: [None, Some(roll(300))][usize::from(roll(2) == 0)],
                };
                ranking.set_limit(limit);
            }
            let before = admitted(limit, &objects);
            let name = format!("box{}", roll(80));
            let size = if roll(20) == 0 { roll(200) } else { 1 + roll(5) };
            let next = (roll(3) > 0).then(|| Rank { incumbent: roll(3) == 0, size });
            let last = objects.remove(&name);
            objects.extend(next.map(|rank| (name.clone(), rank)));
            let changed: BTreeSet<String> = ranking.put(&name, last, next).into_iter().collect();
            let after = admitted(limit, &objects);
            refused += objects.len() - after.len();
            let wanted = before.symmetric_difference(&after).filter(|name| objects.contains_key(*name)).cloned();
            assert_eq!(changed, wanted.collect(), "step {step}");
            for (name, rank) in &objects {
                assert_eq!(ranking.admits(name, *rank), after.contains(name), "step {step}: {name}");
            }
        }
        assert!(refused > 100_000, "{refused}: most steps are judged under a limit that is reached");
    }

    #[test]
    fn sizes_beyond_all_counting_fit_nowhere() {
        let mut ranking = Ranking::new(Limit { count: None, bytes: Some(u64::MAX) });
        let rank = Rank { incumbent: false, size: u64::MAX };
        assert_eq!(ranking.put("a", None, Some(rank)), ["a"]);
        assert_eq!(ranking.put("b", None, Some(rank)), Vec::<String>::new());
        assert_eq!(ranking.put("a", Some(rank), None), ["b"]);
    }
}
