//! Two public servers that lag, a parent of two servers that follows CDS with delay, and caches that keep what they may.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::super::*;
use crate::plan::parent::ParentAnswer;

/// How long the zone's records, and the parent's DS, may be kept: in hours, and in seconds.
const TTL: usize = 24;
const DS_TTL: usize = 36;
const HOUR: u32 = 3600;
/// 2026-11-23, 00:00 UTC.
const START: u32 = 1_795_392_000;

/// The world, hour by hour.
pub(super) struct World {
    pub signing: Signing,
    pub wait: Option<Wait>,
    pub registry: Registry,
    pub nobody_asks_the_parent: bool,
    pub approved: Option<String>,
    /// Of which digest the parent makes its DS of the key.
    pub digest_type: u8,
    /// Nothing is said of how long caches keep the zone.
    pub haste: bool,
    random: u64,
    /// What was last heard of the parent, and when.
    heard: Option<Parent>,
    heard_at: u32,
    /// Our name servers, and those that the parent delegates to.
    servers: [DomainName; 1],
    pub delegated: BTreeSet<DomainName>,
    /// The parent is asked no more.
    pub asks_no_more: bool,
    hour: usize,
    clock_lag: u32,
    /// Every version that there was.
    versions: Vec<Signing>,
    /// What each public server serves, hour by hour: which of the versions.
    served: [Vec<usize>; 2],
    /// The DS that each server of the parent has, hour by hour.
    parent: [Vec<BTreeSet<u16>>; 2],
    states: Vec<Signing>,
    /// What was found to be believed already.
    believed: BTreeSet<(BTreeSet<u16>, usize, usize)>,
}

/// Who keeps the parent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Registry {
    /// It reads CDS.
    Follows,
    /// Now and then somebody takes the DS out by hand.
    IsMeddledWith,
    /// It changes nothing.
    IsDeaf,
}

impl World {
    /// A zone that is published for the first time, and was not there before.
    pub fn new(wanted: &Wanted, seed: u64) -> Self {
        let mut signing = Signing::begin_with(&[], wanted, day_of(START));
        make_keys(&mut signing);
        Self {
            states: vec![signing.clone()],
            versions: vec![signing.clone()],
            served: [vec![0], vec![0]],
            parent: [vec![BTreeSet::new()], vec![BTreeSet::new()]],
            signing,
            wait: None,
            registry: Registry::Follows,
            nobody_asks_the_parent: false,
            approved: None,
            digest_type: 2,
            haste: false,
            believed: BTreeSet::new(),
            random: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            heard: None,
            heard_at: START,
            asks_no_more: false,
            servers: [our_server()],
            delegated: [our_server()].into(),
            hour: 0,
            clock_lag: 0,
        }
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).unwrap() % bound
    }

    /// So many days from now.
    pub fn day(&self, later: u32) -> String {
        day_of(self.now() + later * 24 * HOUR).to_string()
    }

    pub fn clock_is_behind_by(&mut self, seconds: u32) {
        self.clock_lag = seconds;
    }

    /// The distinct states since the last call.
    pub fn take_path(&mut self, name: impl Fn(&Signing) -> String) -> Vec<String> {
        let mut path: Vec<String> = self.states.iter().map(name).collect();
        path.dedup();
        self.states = vec![self.signing.clone()];
        path
    }

    pub fn run(&mut self, wanted: &Wanted, hours: usize) {
        for _ in 0..hours {
            self.hour += 1;
            self.decide(wanted);
            self.servers_follow();
            self.parent_follows();
            self.validators_believe();
        }
    }

    fn now(&self) -> u32 {
        START + u32::try_from(self.hour).unwrap() * HOUR - self.clock_lag
    }

    fn decide(&mut self, wanted: &Wanted) {
        let names = ["ns1".to_owned(), "ns2".to_owned()];
        let is_behind = |at: &usize| !self.newest_at(*at).signs_like(&self.signing);
        let behind: Vec<String> = (0..2).filter(is_behind).map(|at| names[at].clone()).collect();
        self.hear_parent();
        let heard = self.heard.clone().filter(|_| !self.nobody_asks_the_parent);
        let approved = self.approved.clone();
        let facts = Facts {
            zone: &DomainName::parse("comune.urbino.pu.it").unwrap(),
            now: self.now(),
            today: day_of(self.now()),
            behind: &behind,
            ttl: if self.haste { 0 } else { u32::try_from(TTL).unwrap() * HOUR },
            parent: heard.as_ref(),
            asked: self.heard_at,
            servers: &self.servers,
            epoch: 0,
            approves: &|held| Some(&held.digest) == approved.as_ref(),
        };
        let judged = step(&self.signing, wanted, &facts);
        (self.signing, self.wait) = (judged.signing, judged.wait);
        make_keys(&mut self.signing);
        if self.states.last() != Some(&self.signing) {
            self.states.push(self.signing.clone());
        }
        if !self.versions.last().unwrap().signs_like(&self.signing) {
            self.versions.push(self.signing.clone());
        }
    }

    fn newest_at(&self, server: usize) -> &Signing {
        &self.versions[*self.served[server].last().unwrap()]
    }

    /// The parent is asked now and then, and often while something is awaited; now and then a server does not answer.
    fn hear_parent(&mut self) {
        if self.asks_no_more || self.wait.is_none() && self.heard.is_some() && self.below(8) > 0 {
            return;
        }
        let mut servers = BTreeMap::new();
        for (at, name) in ["a.example", "b.example"].into_iter().enumerate() {
            let ds: BTreeSet<Ds> = self.parent[at].last().unwrap().iter().map(|id| self.ds(*id)).collect();
            let ttl = if ds.is_empty() { 0 } else { u32::try_from(DS_TTL).unwrap() * HOUR };
            let answer = ParentAnswer { ns: self.delegated.clone(), ds, ttl };
            let answers = self.registry == Registry::IsDeaf || self.below(10) > 0;
            servers.insert(name.to_owned(), answers.then_some(answer));
        }
        (self.heard, self.heard_at) = (Some(Parent { servers }), self.now());
    }

    fn ds(&self, id: u16) -> Ds {
        let known = self.versions.iter().rev().flat_map(|version| &version.keys).find(|key| key.id == id);
        let ds = ds_of(id, known.map_or(13, |key| key.algorithm.number()));
        if self.digest_type == 4 { Ds { digest_type: 4, digest: vec![0x44; 48], ..ds } } else { ds }
    }

    /// Each server takes the newest version, now and then hours late.
    fn servers_follow(&mut self) {
        for at in 0..2 {
            let takes = self.below(3) > 0;
            let newest = if takes { self.versions.len() - 1 } else { *self.served[at].last().unwrap() };
            self.served[at].push(newest);
        }
    }

    /// The registry reads CDS from a server now and then, and its own servers follow one by one.
    fn parent_follows(&mut self) {
        let reads = self.registry != Registry::IsDeaf && self.below(20) == 0;
        let by_hand = self.registry == Registry::IsMeddledWith && self.below(60) == 0;
        let from = self.below(2);
        let primary = match self.newest_at(from) {
            served if reads && served.leaving => BTreeSet::new(),
            served if reads && served.keys.iter().any(|key| key.trusted) => {
                served.keys.iter().filter(|key| key.trusted).map(|key| key.id).collect()
            }
            _ if by_hand => BTreeSet::new(),
            _ => self.parent[0].last().unwrap().clone(),
        };
        let follows = self.below(5) == 0;
        let secondary = self.parent[usize::from(!follows)].last().unwrap().clone();
        self.parent[0].push(primary);
        self.parent[1].push(secondary);
    }

    /// Whatever of DS, keys and content is kept somewhere goes together.
    fn validators_believe(&mut self) {
        let kept = |ttl: usize| self.hour.saturating_sub(ttl)..=self.hour;
        let ds_sets: BTreeSet<_> = self.parent.iter().flat_map(|server| server[kept(DS_TTL)].iter().cloned()).collect();
        let versions: BTreeSet<usize> = self.served.iter().flat_map(|server| &server[kept(TTL)]).copied().collect();
        for ds in ds_sets.into_iter().filter(|ds| !ds.is_empty()) {
            for keys in &versions {
                for content in &versions {
                    if self.believed.insert((ds.clone(), *keys, *content)) {
                        let (keys, content) = (&self.versions[*keys], &self.versions[*content]);
                        let hour = self.hour;
                        assert!(believes(&ds, keys, content), "hour {hour}: bogus: DS {ds:?}, {keys:?}, {content:?}");
                    }
                }
            }
        }
    }
}

/// A validator that insists on every algorithm of the keys, as RFC 6840 §5.11 asks of signers.
fn believes(ds: &BTreeSet<u16>, keys: &Signing, content: &Signing) -> bool {
    let listed: Vec<&ZoneKey> = keys.keys.iter().filter(|key| key.listed).collect();
    let signs = |key: &ZoneKey| content.keys.iter().any(|other| other.id == key.id && other.signs);
    let algorithms: BTreeSet<u8> = listed.iter().map(|key| key.algorithm.number()).collect();
    let is_signed = |algorithm: &u8| listed.iter().any(|key| key.algorithm.number() == *algorithm && signs(key));
    listed.iter().any(|key| ds.contains(&key.id)) && algorithms.iter().all(is_signed)
}

fn our_server() -> DomainName {
    DomainName::parse("ns1.cst.example").unwrap()
}

fn make_keys(signing: &mut Signing) {
    for key in signing.keys.iter_mut().filter(|key| key.ds.is_none()) {
        key.ds = Some(ds_of(key.id, key.algorithm.number()));
    }
}

fn ds_of(id: u16, algorithm: u8) -> Ds {
    Ds { key_tag: 1000 + id, algorithm, digest_type: 2, digest: vec![u8::try_from(id % 256).unwrap(); 32] }
}

fn day_of(seconds: u32) -> Date {
    static CALENDAR: LazyLock<Vec<Date>> = LazyLock::new(|| {
        let first = Date { year: 2026, month: 11, day: 1 };
        std::iter::successors(Some(first), |day| Some(after(*day))).take(1000).collect()
    });
    let since = i64::from(seconds / (24 * HOUR)) - CALENDAR[0].days();
    CALENDAR[usize::try_from(since).unwrap()]
}

fn after(day: Date) -> Date {
    let next = [
        Date { day: day.day + 1, ..day },
        Date { month: day.month + 1, day: 1, ..day },
        Date { year: day.year + 1, month: 1, day: 1 },
    ];
    next.into_iter().find(|next| Date::parse(&next.to_string()).is_ok()).unwrap()
}
