//! A zone: from what is compiled and what is published to the next version, and what its Domains are told.

mod below;
mod dkim;
mod job;
mod number;
mod parent;
mod report;
mod step;
mod withdrawal;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cst_compiler::compile::{self, Standing, ZoneOutcome};
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::dkim::NewSet;
use cst_compiler::plan::dnssec::{StoredKey, Wait};
use cst_compiler::plan::guard::Held;
use cst_compiler::plan::parent::Parent;
use cst_compiler::plan::serial;
use cst_compiler::problem::{Kind, Problem};

use super::{Effect, Engine, Shell, Work, WorkError, version_number};
use crate::clock::Now;
use crate::published::PublishedZone;
#[cfg(test)]
pub(super) use job::reported;
pub use job::{ServeJob, ZoneJob};

/// How long a held step waits until it is judged again by itself.
const LOOK_AGAIN: Duration = Duration::from_mins(10);

/// What is known of a zone beside what is compiled.
#[derive(Debug, Default)]
pub(super) struct ZoneState {
    /// The stored version.
    pub published: Option<PublishedZone>,
    /// What is stored and cannot be read.
    pub damaged: Option<Damaged>,
    /// What was stored up to this resourceVersion was withdrawn: the watch may still tell of it.
    pub withdrawn: Option<u64>,
    /// The serial that this replica serves.
    pub served: Option<u32>,
    /// The newest serial that each public server answered.
    pub seen: BTreeMap<String, u32>,
    /// When a version was last made only to be above what a server answered, by the server.
    pub outrun: BTreeMap<String, Instant>,
    /// The public servers that were asked and did not answer for it when last heard of.
    pub mute: BTreeSet<String>,
    /// What the zone above was last heard to say.
    pub parent: Option<Heard>,
    /// The keys that there are of a zone that is not stored; `None`: nobody looked yet.
    pub keys: Option<Vec<StoredKey>>,
    /// Since when a zone that is not stored waits to hear of its parent.
    pub asked: Option<Instant>,
    /// What the next step of its keys, or its withdrawal, waits for.
    pub wait: Option<Wait>,
    /// The keys to make that its mail is to be signed with.
    pub dkim_make: Option<NewSet>,
    /// What further steps of the keys of its mail wait for, the most important first.
    pub dkim_waits: Vec<Wait>,
    /// What waits for approval.
    pub held: Vec<Held>,
    /// It is to be withdrawn, and waits for its mail to be gone.
    pub awaits_mail: bool,
    /// Since when only what the parent says of it can keep it from being withdrawn.
    pub going: Option<Instant>,
    /// Why the stored version is not served here.
    pub trouble: Option<String>,
    /// When the stored version became what it is.
    pub since: Option<Instant>,
    /// What the composition said of sites; the sites' statuses tell it.
    pub site_problems: BTreeMap<ObjectKey, Vec<Problem>>,
}

/// What the zone above was heard to say.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    /// That.
    pub parent: Parent,
    /// When the asking began.
    pub asked: Instant,
}

/// A stored version that cannot be read.
#[derive(Debug, Clone, Default)]
pub(super) struct Damaged {
    /// The stored object's version.
    pub resource_version: String,
    /// Its serial, where that can be read.
    pub serial: Option<u32>,
    /// Whose it is, where that can be read.
    pub holder: Option<ObjectKey>,
    /// What is damaged, whatever is written on it beside.
    pub identity: String,
    /// The digests that are approved on the stored object itself.
    pub approvals: BTreeSet<String>,
    /// Why it cannot be read.
    pub why: String,
}

impl ZoneState {
    /// Whether a stored version is one that was withdrawn.
    pub fn is_withdrawn(&self, version: u64) -> bool {
        self.withdrawn.is_some_and(|withdrawn| version <= withdrawn)
    }

    /// Whether something is stored of it.
    pub fn is_stored(&self) -> bool {
        self.published.is_some() || self.damaged.is_some()
    }
}

/// What is to be done with a zone.
#[derive(Debug)]
enum Step {
    /// What is published stays.
    Keep,
    /// Nothing is published yet, and it is to be seen which keys there are.
    ReadKeys,
    /// This is stored and then served.
    Publish(Box<PublishedZone>),
    /// The stored object of this resourceVersion is withdrawn.
    Forget(String),
}

/// What was decided about a zone.
#[derive(Debug)]
struct Decision {
    step: Step,
    /// What waits for approval.
    held: Vec<Held>,
    /// What the next step of its keys, or its withdrawal, waits for.
    wait: Option<Wait>,
}

impl Decision {
    fn only(step: Step) -> Self {
        Self { step, held: Vec::new(), wait: None }
    }

    /// The same, while this waits for approval too.
    fn and_held(self, held: Vec<Held>) -> Self {
        Self { held: held.into_iter().chain(self.held).collect(), ..self }
    }
}

impl Engine {
    /// Compiles a zone and decides what to do.
    pub(super) fn zone_job(&mut self, zone: &DomainName, now: &Now) -> ZoneJob {
        self.steady.see(now);
        let state = self.zones.entry(zone.clone()).or_default();
        let latched = state.published.as_ref().is_some_and(|last| last.mail_gate_open);
        let gate_open = latched || self.mail.get(zone).is_some_and(|mail| mail.acknowledged && !mail.is_withdrawn());
        let dkim = self.next_dkim(zone, now);
        let outcome = compile::zone(&self.index, zone, &self.zone_facts(zone, gate_open, dkim.records(), now.today));
        self.note_site_problems(zone, &outcome);
        let Decision { step, held, wait } = self.decide_zone(zone, &outcome, gate_open, dkim, now);
        self.mark_above(zone);
        self.note_outrun(zone, now);
        self.note_held_zone(zone, &held, &outcome, now);
        let asks_anew = self.note_wait(zone, wait, now);
        let state = self.zones.get(zone);
        let last = state.and_then(|state| state.published.clone());
        let is_asked = last.is_some() || outcome.standing == Standing::Live;
        let is_leaving = last.as_ref().is_some_and(|last| last.retired.is_some() && self.zone_is_over(last, now.today));
        let is_awaited = state.is_some_and(|state| state.wait.is_some() || last.is_none() || is_leaving);
        let is_awaited = is_asked.then_some(is_awaited);
        // A version that is about to change is not reported on: the next one is, in a moment.
        let is_settled = matches!(step, Step::Keep);
        let reports = if is_settled || self.trouble(&Unit::Zone(zone.clone())).is_some() {
            self.domain_reports(zone, &outcome, &held, now)
        } else {
            Vec::new()
        };
        ZoneJob { zone: zone.clone(), last, step, reports, is_awaited, asks_anew }
    }

    /// Notes what is held, for the status of the Domain or, where that is gone, of the Tenant.
    fn note_held_zone(&mut self, zone: &DomainName, held: &[Held], outcome: &ZoneOutcome, now: &Now) {
        let unit = Unit::Zone(zone.clone());
        let Some(state) = self.zones.get_mut(zone) else { return };
        let published = state.published.as_ref().map(|last| &last.holder);
        let stored = published.or_else(|| state.damaged.as_ref()?.holder.as_ref());
        let holder = outcome.holder.as_ref().or(stored).cloned();
        let is_news = state.held != held;
        state.held = held.to_vec();
        match holder.as_ref().and_then(ObjectKey::tenant) {
            Some(tenant) => self.tell_held(tenant, held),
            None => self.tell_ownerless(zone, held),
        }
        if holder.is_none() && !held.is_empty() {
            self.untold.ownerless.insert(zone.clone());
        } else {
            self.untold.ownerless.remove(zone);
        }
        if let Some(tenant) = holder.as_ref().filter(|_| is_news).and_then(ObjectKey::tenant) {
            self.mark(Work::Unit(Unit::Tenant(tenant.to_owned())));
        }
        match holder.filter(|_| !held.is_empty()) {
            Some(holder) => {
                self.held.insert(unit.clone(), holder);
                // What is held may rest on the clock, which nothing tells of.
                self.mark_later(Work::Unit(unit), now.instant + LOOK_AGAIN);
            }
            None => drop(self.held.remove(&unit)),
        }
    }

    fn note_site_problems(&mut self, zone: &DomainName, outcome: &ZoneOutcome) {
        let mut of_sites: BTreeMap<ObjectKey, Vec<Problem>> = BTreeMap::new();
        for problem in outcome.problems.iter().filter(|problem| problem.object.kind == Kind::WebSite) {
            of_sites.entry(problem.object.key.clone()).or_default().push(problem.clone());
        }
        let Some(state) = self.zones.get_mut(zone) else { return };
        let before = std::mem::replace(&mut state.site_problems, of_sites.clone());
        for site in before.keys().chain(of_sites.keys()).filter(|site| before.get(*site) != of_sites.get(*site)) {
            self.mark(Work::Unit(Unit::Site(site.clone())));
        }
    }

    /// A version was stored, here or by another replica.
    pub(super) fn zone_stored(&mut self, stored: PublishedZone, now: Instant) {
        if self.newest_inception.is_none_or(|newest| serial::is_newer(stored.inception, newest)) {
            self.newest_inception = Some(stored.inception);
        }
        let zone = stored.apex().clone();
        let state = self.zones.entry(zone.clone()).or_default();
        if state.published.as_ref().is_none_or(|last| last.serial != stored.serial) {
            state.since = Some(now);
        }
        if let Some(last) = &state.published
            && serial::is_newer(stored.serial, last.serial)
        {
            let ahead = state.seen.iter().filter(|(_, seen)| serial::is_newer(**seen, last.serial));
            state.outrun.extend(ahead.map(|(server, _)| (server.clone(), now)));
        }
        let (after, leaves, signing) =
            (stored.retained(), stored.leave.is_some(), stored.dkim.signing().cloned().collect::<Vec<_>>());
        let last = state.published.replace(stored);
        let signs_as_before = last.iter().flat_map(|last| last.dkim.signing()).eq(&signing);
        let left = last.as_ref().is_some_and(|last| last.leave.is_some());
        let before = last.and_then(|last| last.retained());
        (state.damaged, state.keys, state.asked) = (None, None, None);
        self.note_retained(before, after, now);
        if let Some(above) = self.index.zone_above(&zone).filter(|_| leaves != left) {
            self.mark(Work::Unit(Unit::Zone(above)));
        }
        if !signs_as_before {
            self.mark(Work::Unit(Unit::Mail(zone.clone())));
        }
        self.mark(Work::Serve(zone));
    }

    pub(super) fn zone_forgotten(&mut self, zone: &DomainName, now: Instant) {
        if let Some(state) = self.zones.get_mut(zone) {
            let (last, damaged) = (state.published.take(), state.damaged.take());
            let versions = last.iter().map(|last| &last.resource_version);
            let versions = versions.chain(damaged.iter().map(|damaged| &damaged.resource_version));
            state.withdrawn = versions.map(|version| version_number(version)).chain(state.withdrawn).max();
            (state.going, state.wait) = (None, None);
            self.forget_absences(&Unit::Zone(zone.clone()));
            self.note_retained(last.and_then(|last| last.retained()), None, now);
        }
        self.mark_with_glue(zone);
        self.mark(Work::Serve(zone.clone()));
    }

    pub(super) fn zone_unserved(&mut self, zone: DomainName, why: String) {
        let Some(state) = self.zones.get_mut(&zone) else { return };
        if state.trouble.as_ref() != Some(&why) {
            state.trouble = Some(why);
            self.mark(Work::Unit(Unit::Zone(zone)));
        }
    }

    pub(super) fn zone_served(&mut self, zone: DomainName, served: Option<u32>) {
        if let Some(state) = self.zones.get_mut(&zone) {
            state.served = served;
            state.trouble = None;
        }
        self.mark(Work::Unit(Unit::Zone(zone)));
    }

    pub(super) fn zone_keys(&mut self, zone: DomainName, keys: Vec<StoredKey>) {
        if let Some(state) = self.zones.get_mut(&zone) {
            state.keys = Some(keys);
        }
        self.mark(Work::Unit(Unit::Zone(zone)));
    }
}
