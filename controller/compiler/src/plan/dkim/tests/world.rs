//! Two public servers that lag, two mail servers that lag, operators who change their mind, Secrets and states that are lost, a clock that goes
//! back, a controller that begins anew; and receivers who look for the keys of what was signed.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::wanted;

pub const DAY: u32 = 86_400;
/// 2026-12-01, 00:00 UTC.
pub const START: u32 = 1_796_083_200;
const HOUR: u32 = 3600;
/// For how many hours resolvers keep that a key is not there.
const ABSENCE: usize = 5;
/// For how many hours mail may be on its way.
const ARRIVAL: usize = 7 * 24;

/// Which wait is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// None.
    None,
    /// For the public servers.
    Servers,
    /// For the caches.
    Caches,
    /// For a version that holds the keys.
    Version,
    /// For the mail servers.
    Agents,
    /// For mail that is on its way.
    Mail,
}

/// The keys in a zone's version, by their selectors: the texts.
type Version = BTreeMap<String, String>;
/// What mail is signed with: selectors.
type Signers = BTreeSet<String>;

/// The world, hour by hour.
pub struct World {
    dkim: Dkim,
    pub signatures: usize,
    haste: Haste,
    random: u64,
    hour: usize,
    clock_lag: u32,
    /// The wish, and whether mail is hosted at all.
    wanted: Wanted,
    stored: Vec<StoredSet>,
    versions: Vec<Version>,
    /// Which version each public server serves, hour by hour, and until when it is away.
    served: [Vec<usize>; 2],
    away: [usize; 4],
    /// Which versions the controller knows the servers to serve.
    seen: [Option<usize>; 2],
    shards: Vec<Signers>,
    installed: [usize; 2],
    acknowledged: [usize; 2],
    /// When each key last signed, in hours.
    last: BTreeMap<String, usize>,
    /// The text of each key that signed.
    texts: Version,
}

impl World {
    pub fn new(seed: u64, haste: Haste) -> Self {
        Self {
            dkim: Dkim { absence: absence(haste), ..Dkim::default() },
            signatures: 0,
            haste,
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            hour: 0,
            clock_lag: 0,
            wanted: wanted(),
            stored: Vec::new(),
            versions: vec![Version::new()],
            served: [vec![0], vec![0]],
            away: [0; 4],
            seen: [None; 2],
            shards: vec![Signers::new()],
            installed: [0; 2],
            acknowledged: [0; 2],
            last: BTreeMap::new(),
            texts: Version::new(),
        }
    }

    /// So many days in which anything may happen. An error: what a receiver did not find.
    pub fn live(&mut self, days: usize) -> Result<(), String> {
        for _ in 0..days * 24 {
            self.something_happens();
            self.an_hour()?;
        }
        Ok(())
    }

    /// Then nothing happens for long, and in the end one set of keys signs on both mail servers and no other is there.
    pub fn calm(&mut self) -> Result<(), String> {
        (self.wanted, self.away) = (Wanted { lifetime: None, ..wanted() }, [0; 4]);
        for _ in 0..60 * 24 {
            self.an_hour()?;
        }
        let phases: Vec<DkimPhase> = self.dkim.sets.iter().map(|set| set.phase).collect();
        let signs = self.installed.iter().all(|at| self.shards[*at].len() == 2);
        let ends_well = phases == [DkimPhase::Signing] && signs;
        if ends_well { Ok(()) } else { Err(format!("{phases:?}, both sign: {signs}")) }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).unwrap() % bound
    }

    fn now(&self) -> u32 {
        START + u32::try_from(self.hour).unwrap() * HOUR - self.clock_lag
    }

    fn something_happens(&mut self) {
        match self.below(400) {
            0..=2 => self.wanted.rotation = Some(day_of(self.now())),
            3 => self.wanted.algorithms = [DkimAlgorithm::RsaSha256].into(),
            4 | 6..=8 => self.wanted.algorithms = DkimAlgorithm::ALL.into(),
            5 => self.wanted.algorithms = [].into(),
            9 => self.stored.clear(),
            // The controller knows nothing any more but what is stored.
            10..=12 => (self.seen, self.acknowledged) = ([None; 2], [0; 2]),
            // What is stored of the zone is lost, but not its keys.
            13 if self.signing_is_stored() => {
                self.dkim = Dkim { absence: absence(self.haste), ..Dkim::default() };
            }
            // It never leaps ahead: the shell believes no such clock while it runs.
            14 if self.clock_lag < 60 * DAY => self.clock_lag += u32::try_from(self.below(50)).unwrap() * HOUR,
            16..=22 => {
                let (who, hours) = (self.below(4), self.below(24 * 12));
                self.away[who] = self.hour + hours;
            }
            _ => {}
        }
    }

    /// What was signed with keys that are lost too can be verified by nobody.
    fn signing_is_stored(&self) -> bool {
        let is_stored = |selector: &String| {
            let of_set =
                |set: &StoredSet| set.keys.iter().any(|key| set.name.selector(key.algorithm).as_str() == selector);
            self.stored.iter().any(of_set)
        };
        self.last.iter().filter(|(_, last)| self.hour <= **last + ARRIVAL).all(|(selector, _)| is_stored(selector))
    }

    fn an_hour(&mut self) -> Result<(), String> {
        self.hour += 1;
        self.decide();
        self.servers_follow();
        self.agents_follow();
        self.agents_sign()?;
        self.receivers_look()
    }

    fn decide(&mut self) {
        let haste = self.haste;
        let newest = self.versions.len() - 1;
        let names = ["ns1".to_owned(), "ns2".to_owned()];
        let behind: Vec<String> =
            (0..2).filter(|at| self.seen[*at] != Some(newest)).map(|at| names[at].clone()).collect();
        let (version, shards) = (&self.versions[newest], &self.shards);
        let holds = |record: &KeyRecord| version.get(record.selector.as_str()) == Some(&record.text);
        let newest_shard = shards.len() - 1;
        let acknowledged = self.acknowledged.iter().all(|at| *at == newest_shard);
        let judged = step(
            &self.dkim,
            &self.wanted,
            &Facts {
                now: self.now(),
                today: day_of(self.now()),
                behind: if haste == Haste::Servers { &[] } else { &behind },
                stored: &self.stored,
                serves: &|set| haste == Haste::Version || set.records().iter().all(holds),
                is_taken: &|_| false,
                in_use: &|selector| match shards[newest_shard].contains(selector.as_str()) {
                    _ if haste == Haste::Agents => InUse::No,
                    true => InUse::Yes,
                    false if acknowledged => InUse::No,
                    false => InUse::Unknown,
                },
                arrival: Ok(()),
            },
        );
        self.dkim = judged.dkim;
        if haste == Haste::Mail {
            // As if it had waited.
            let retired = self.dkim.sets.iter_mut().filter(|set| set.phase == DkimPhase::Retired);
            retired.for_each(|set| set.settled = set.settled.map(|since| since - 7 * DAY));
        }
        let dkim = &self.dkim;
        self.stored.retain(|set| dkim.needs(set.name));
        self.stored.extend(judged.make.as_ref().map(make));
        let version: Version =
            self.dkim.records().into_iter().map(|record| (record.selector.to_string(), record.text)).collect();
        // Other things change, too.
        if self.versions.last() != Some(&version) || self.below(30) == 0 {
            self.versions.push(version);
        }
        let signers = self.dkim.signing().filter(|set| self.stored.iter().any(|stored| stored.name == set.name));
        let signers: Signers = signers.flat_map(KeySet::selectors).map(|selector| selector.to_string()).collect();
        if self.shards.last() != Some(&signers) {
            self.shards.push(signers);
        }
    }

    fn is_there(&mut self, who: usize) -> bool {
        self.away[who] <= self.hour && self.below(4) > 0
    }

    /// Each server takes the newest version, now and then hours or days late, and says so.
    fn servers_follow(&mut self) {
        for at in 0..2 {
            let is_there = self.is_there(at);
            let newest = if is_there { self.versions.len() - 1 } else { *self.served[at].last().unwrap() };
            self.served[at].push(newest);
            self.seen[at] = if is_there { Some(newest) } else { self.seen[at] };
        }
    }

    /// A mail server installs what is written, and says so later.
    fn agents_follow(&mut self) {
        for at in 0..2 {
            if self.is_there(2 + at) {
                self.acknowledged[at] = self.installed[at];
                self.installed[at] = self.shards.len() - 1;
            }
        }
    }

    /// Whoever gets the mail at once finds the key, whatever is kept that it was not there.
    fn agents_sign(&mut self) -> Result<(), String> {
        let signers: Signers = self.installed.iter().flat_map(|at| self.shards[*at].iter().cloned()).collect();
        for selector in signers {
            self.signatures += 1;
            self.last.insert(selector.clone(), self.hour);
            let text = self.texts.entry(selector.clone()).or_insert_with(|| text_of(&selector)).clone();
            let kept = self.hour.saturating_sub(ABSENCE)..=self.hour;
            for served in &self.served {
                if !served[kept.clone()].iter().all(|at| self.versions[*at].get(&selector) == Some(&text)) {
                    return Err(format!("hour {}: {selector} signs and may not be found", self.hour));
                }
            }
        }
        Ok(())
    }

    /// Whoever gets the mail later finds it too.
    fn receivers_look(&self) -> Result<(), String> {
        for (selector, last) in self.last.iter().filter(|(_, last)| self.hour < **last + ARRIVAL) {
            for served in &self.served {
                let version = &self.versions[*served.last().unwrap()];
                if version.get(selector) != self.texts.get(selector) {
                    return Err(format!("hour {}: {selector} signed in hour {last} and is gone", self.hour));
                }
            }
        }
        Ok(())
    }
}

fn absence(haste: Haste) -> Caches {
    let hours = if haste == Haste::Caches { 0 } else { u32::try_from(ABSENCE).unwrap() };
    Caches::default().with(hours * HOUR, START)
}

/// Keys that tell their algorithm and how many of the day they are.
pub fn make(new: &NewSet) -> StoredSet {
    let key = |algorithm: &DkimAlgorithm| {
        let selector = new.name.selector(*algorithm);
        let letter = selector.as_str()[..1].to_uppercase();
        PublicKey { algorithm: *algorithm, key: format!("{letter}{}", new.name.number - 1) }
    };
    StoredSet { name: new.name, made: new.made, keys: new.algorithms.iter().map(key).collect() }
}

fn text_of(selector: &str) -> String {
    let (name, algorithm) = SetName::of_selector(&DkimSelector::parse(selector).unwrap()).unwrap();
    let set = make(&NewSet { name, made: name.day, algorithms: vec![algorithm] });
    let kind = if algorithm == DkimAlgorithm::RsaSha256 { "rsa" } else { "ed25519" };
    format!("v=DKIM1; k={kind}; p={}", set.keys[0].key)
}

/// The day of a moment.
pub fn day_of(seconds: u32) -> Date {
    let days = u16::try_from(seconds / DAY + 100 - START / DAY).unwrap();
    // Some days before the start: the clock goes back now and then.
    Date { year: 2026, month: 8, day: 23 }.plus(days)
}
