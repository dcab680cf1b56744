//! What a zone's next version is: its content, its keys, and its signatures, each with its own reasons to wait.

use std::cell::Cell;
use std::sync::Arc;

use cst_api::{Date, DeletionPolicy};
use cst_compiler::compile::{Standing, ZoneOutcome};
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey, Zone};
use cst_compiler::parse::DomainModel;
use cst_compiler::plan::dkim::Dkim;
use cst_compiler::plan::dnssec::{self, Caches, Facts, Judged, Signing, Wanted};
use cst_compiler::plan::guard::{self, Held};
use cst_compiler::plan::history::History;
use cst_compiler::plan::{renewal, serial};
use cst_compiler::problem::{Kind, ObjectRef};
use cst_compiler::settings::Secondary;
use cst_compiler::status::ailment::Ailment;

use super::super::Engine;
use super::super::departures::End;
use super::number::believed;
use super::{Decision, Step, ZoneState};
use crate::clock::Now;
use crate::names;
use crate::published::PublishedZone;

/// A zone that somebody holds, as it was compiled.
struct Live<'a> {
    zone: &'a Arc<Zone>,
    model: &'a DomainModel,
    gate_open: bool,
    /// What of giving up its mail is held, or was before the coordinator approved it.
    mail_held: Option<Held>,
    /// Its mail stays although it is given up.
    mail_stays: bool,
    wanted: Wanted,
    /// What its mail is signed with from now on: the zone holds its records.
    dkim: Dkim,
}

impl Live<'_> {
    /// Whether its mail records are published.
    fn has_mail(&self) -> bool {
        self.gate_open && (self.model.hosts_mail() || self.mail_stays)
    }
}

/// The coordinator's word on what is held in one decision, and whether it was needed.
struct Word<'a> {
    engine: &'a Engine,
    holder: &'a ObjectKey,
    counts: Cell<bool>,
}

impl<'a> Word<'a> {
    fn of(engine: &'a Engine, holder: &'a ObjectKey) -> Self {
        Self { engine, holder, counts: Cell::new(false) }
    }

    fn approves(&self, held: &Held) -> bool {
        let is_approved = self.engine.approves(self.holder, held);
        self.counts.set(self.counts.get() || is_approved);
        is_approved
    }
}

impl Engine {
    pub(super) fn decide_zone(
        &mut self,
        zone: &DomainName,
        outcome: &ZoneOutcome,
        gate_open: bool,
        dkim: Dkim,
        now: &Now,
    ) -> Decision {
        let last = self.zones.get(zone).and_then(|state| state.published.clone());
        if let Some((last, damaged)) = last.as_ref().zip(self.zones.get(zone).and_then(|state| state.damaged.as_ref()))
        {
            // What is known is stored again in its place.
            let resource_version = damaged.resource_version.clone();
            return Decision::only(Step::Publish(Box::new(PublishedZone { resource_version, ..last.clone() })));
        }
        if let Some((holder, state)) = outcome.holder.as_ref().zip(self.zones.get_mut(zone)) {
            (state.going, state.awaits_mail) = (None, false);
            self.has_returned(holder, &Unit::Zone(zone.clone()));
        }
        match (outcome.standing, &outcome.zone, &outcome.holder, last) {
            (Standing::Live, Some(compiled), Some(holder), last) => {
                if last.is_none() && self.awaits_parent(zone, now) {
                    return Decision::only(Step::Keep);
                }
                let model = self.index.domain(holder).and_then(|entry| entry.model.as_ref());
                let Some((model, state)) = model.zip(self.zones.get(zone)) else {
                    return Decision::only(Step::Keep);
                };
                let wanted = Wanted::of(model, &self.index.settings().dns.dnssec);
                let (mail_held, mail_stays) = (self.giving_up(zone), self.mail_stays(zone));
                let live = Live { zone: compiled, model, gate_open, mail_held, mail_stays, wanted, dkim };
                match last {
                    Some(last) => self.next_version(state, &last, &live, now),
                    None => self.first_version(state, &live, now),
                }
            }
            // Who held it is there but cannot be read: that is no deletion.
            (Standing::Retired, _, _, Some(last)) if !self.is_there(Kind::Domain, &last.holder) => {
                self.undeclared(last, now)
            }
            (_, _, _, Some(last)) => self.kept(PublishedZone { leave: None, ..last }, now),
            (Standing::Retired, _, _, None) => match self.zones.get(zone).and_then(|state| state.damaged.as_ref()) {
                Some(damaged) => self.lost(zone, damaged),
                None => Decision::only(Step::Keep),
            },
            (_, _, _, None) => Decision::only(Step::Keep),
        }
    }

    /// What nobody declares any more. Of what goes at once it is asked first whether somebody deleted its Domain.
    fn undeclared(&mut self, last: PublishedZone, now: &Now) -> Decision {
        let (unit, policy) = (Unit::Zone(last.apex().clone()), last.deletion_policy);
        if self.end_of_zone(&last, now.today) == End::Unknown {
            self.absence(&ObjectRef::new(Kind::Domain, last.holder.clone()), &unit, policy);
        }
        let retired = last.retired.or(Some(now.today));
        match self.end_of_zone(&last, now.today) {
            End::Over => self.withdrawal(last, now),
            End::Unknown => self.kept(last, now),
            End::Swept => self
                .kept(PublishedZone { deletion_policy: DeletionPolicy::Retain, retired: Some(now.today), ..last }, now),
            End::Declared | End::Retained => self.kept(PublishedZone { retired, leave: None, ..last }, now),
        }
    }

    /// The first version of a zone, once it is known which keys of it there are.
    fn first_version(&self, state: &ZoneState, live: &Live<'_>, now: &Now) -> Decision {
        let Some(keys) = &state.keys else { return Decision::only(Step::ReadKeys) };
        let damaged = state.damaged.as_ref();
        let unread = damaged.map(|damaged| guard::unknown(live.zone.apex().as_str(), &damaged.why));
        if let Some(held) = unread.filter(|held| !self.approves(&live.model.key, held)) {
            return Decision { held: vec![held], ..Decision::only(Step::Keep) };
        }
        let mut signing = Signing::begin_with(keys, &live.wanted, now.today);
        let word = Word::of(self, &live.model.key);
        let refused = self.with_facts(state, live, Caches::default(), &word, now, |facts| {
            let is_asked = self.asks_parent(facts.zone);
            signing.arrive(facts);
            signing.is_foreign(facts).or_else(|| signing.is_blind(facts).filter(|_| is_asked))
        });
        let inception = match (refused, self.first_inception(live, now)) {
            (None, Ok(inception)) => inception,
            (Some(held), _) | (None, Err(held)) => {
                return Decision { held: vec![held], ..Decision::only(Step::Keep) };
            }
        };
        let next = PublishedZone {
            zone: Arc::clone(live.zone),
            serial: serial::next(damaged.and_then(|damaged| damaged.serial), believed(state, now), now.seconds),
            inception,
            digest: live.zone.digest(),
            holder: live.model.key.clone(),
            deletion_policy: live.model.deletion_policy,
            mail_gate_open: live.has_mail(),
            retired: None,
            leave: None,
            signing,
            dkim: Dkim { absence: Caches::default().with(live.zone.negative_ttl(), now.seconds), ..live.dkim.clone() },
            epoch: now.seconds,
            is_labelled: true,
            caches: Caches::default().with(live.zone.longest_ttl(), now.seconds),
            history: History::default(),
            resource_version: damaged.map(|damaged| damaged.resource_version.clone()).unwrap_or_default(),
        };
        Decision::only(Step::Publish(Box::new(next)))
    }

    /// The version after the last: a change of content that is held leaves the content as it was, while keys and signatures go on.
    fn next_version(&self, state: &ZoneState, last: &PublishedZone, live: &Live<'_>, now: &Now) -> Decision {
        let holder = &live.model.key;
        let (word, of_keys) = (Word::of(self, holder), Word::of(self, holder));
        let content = held_content(last, live, now.today).filter(|held| !word.approves(held));
        let Judged { signing, wait } = self.with_facts(state, live, last.caches, &of_keys, now, |facts| {
            dnssec::step(&last.signing, &live.wanted, facts)
        });
        let mut held: Vec<Held> =
            content.iter().cloned().chain(wait.as_ref().and_then(|wait| wait.held.clone())).collect();
        let mut next = PublishedZone { signing, retired: None, leave: None, ..last.clone() };
        if live.model.deletion_policy == DeletionPolicy::Retain {
            // What protects it holds at once, whatever else of the change is held.
            next.deletion_policy = DeletionPolicy::Retain;
        }
        if content.is_none() || live.dkim.records() == last.dkim.records() {
            next.dkim = Dkim { absence: last.dkim.absence, ..live.dkim.clone() };
        }
        if content.is_none() {
            next = PublishedZone {
                zone: Arc::clone(live.zone),
                digest: live.zone.digest(),
                holder: holder.clone(),
                deletion_policy: live.model.deletion_policy,
                mail_gate_open: live.has_mail(),
                history: next.history.after(&last.zone, live.zone, now.today, word.counts.get()),
                ..next
            };
            // That its mail goes was held, and is not any more.
            live.mail_held.iter().filter(|_| !live.mail_stays).for_each(|_| word.counts.set(true));
        }
        // A step that was approved and waits for something else too is not taken yet.
        if word.counts.get() || (of_keys.counts.get() && wait.is_none()) {
            next.epoch = guard::next_epoch(last.epoch, now.seconds);
        }
        let step = match self.inception(state, last, now) {
            Ok(inception) => self.numbered(PublishedZone { inception, ..next }, last, state, now),
            Err(doubt) => {
                held.push(doubt);
                Step::Keep
            }
        };
        Decision { step, held, wait }
    }

    /// What is served on as it is, for as long as that may be: its signatures do not run out.
    pub(super) fn kept(&self, mut next: PublishedZone, now: &Now) -> Decision {
        if let Some(parent) = self.parent_of(next.apex()) {
            next.signing.hear(&parent, self.steady.seconds(now));
        }
        let last = self.zones.get(next.apex()).and_then(|state| Some((state, state.published.as_ref()?)));
        let Some((state, last)) = last else { return Decision::only(Step::Keep) };
        match self.inception(state, last, now) {
            Ok(inception) => Decision::only(self.numbered(PublishedZone { inception, ..next }, last, state, now)),
            Err(doubt) => Decision { held: vec![doubt], ..Decision::only(Step::Keep) },
        }
    }

    /// The inception of the next version's signatures, unless the clock can hardly be right.
    fn inception(&self, state: &ZoneState, last: &PublishedZone, now: &Now) -> Result<u32, Held> {
        let hash = names::hash(last.apex().as_str());
        let share = u32::from_str_radix(hash.get(..8).unwrap_or("0"), 16).unwrap_or_default();
        // One that was not asked yet, as after a restart, may well serve it.
        let mut servers = self.index.settings().dns.secondaries.iter();
        let is_answered = servers.any(|server| !state.mute.contains(&server.name));
        match renewal::next(last.apex(), last.inception, now.seconds, share, is_answered) {
            Err(held) if self.approves(&last.holder, &held) => Ok(renewal::first(now.seconds)),
            judged => judged,
        }
    }

    fn with_facts<T>(
        &self,
        state: &ZoneState,
        live: &Live<'_>,
        caches: Caches,
        word: &Word<'_>,
        now: &Now,
        judge: impl FnOnce(&Facts<'_>) -> T,
    ) -> T {
        let parent = self.parent_of(live.zone.apex());
        judge(&Facts {
            zone: live.zone.apex(),
            now: self.steady.seconds(now),
            today: now.today,
            behind: &self.behind(state),
            ttl: caches.ttl(),
            parent: parent.as_ref(),
            asked: self.asked(live.zone.apex(), now),
            servers: &self.index.settings().dns.name_servers,
            epoch: state.published.as_ref().map_or(0, |last| last.epoch),
            approves: &|held| word.approves(held),
        })
    }

    /// The servers whose answers count: those that must serve a zone, and those that were seen to.
    pub(super) fn answering<'a>(&'a self, state: &'a ZoneState) -> impl Iterator<Item = &'a Secondary> {
        let history = state.published.as_ref().map(|published| &published.history);
        let serves = move |name: &String| {
            state.seen.contains_key(name) || history.is_some_and(|history| history.is_served_by(name))
        };
        self.index.settings().dns.secondaries.iter().filter(move |server| server.required || serves(&server.name))
    }

    /// The inception of a new zone's signatures, unless the clock can hardly be right.
    fn first_inception(&self, live: &Live<'_>, now: &Now) -> Result<u32, Held> {
        let mut servers = self.index.settings().dns.secondaries.iter();
        let is_answered = servers.any(|server| self.ailments.get(&server.name) != Some(&Ailment::Silent));
        match renewal::first_beside(live.zone.apex(), self.newest_inception, now.seconds, is_answered) {
            Err(held) if self.approves(&live.model.key, &held) => Ok(renewal::first(now.seconds)),
            judged => judged,
        }
    }

    /// The servers that do not answer the stored version. One that need not, and never did, is not waited for.
    pub(super) fn behind(&self, state: &ZoneState) -> Vec<String> {
        let serial = state.published.as_ref().map(|published| published.serial);
        if self.index.settings().dns.secondaries.is_empty() {
            // Whoever transfers the zone all the same is not seen.
            return vec!["a public server, named in the settings,".into()];
        }
        self.answering(state)
            .filter(|server| state.seen.get(&server.name).copied() != serial)
            .map(|server| server.name.clone())
            .collect()
    }
}

/// What would drop too much of a zone at once.
fn held_content(last: &PublishedZone, live: &Live<'_>, today: Date) -> Option<Held> {
    let changes = last.digest != live.zone.digest();
    let held = changes.then(|| last.history.judge(&last.zone, live.zone, today)).flatten();
    held.map(|held| held.in_epoch(last.epoch))
}
