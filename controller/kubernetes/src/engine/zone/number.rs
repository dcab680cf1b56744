//! A version's serial: above the last one, and above what public servers answer.

use std::time::Duration;

use cst_compiler::index::Unit;
use cst_compiler::model::DomainName;
use cst_compiler::plan::dkim::Dkim;
use cst_compiler::plan::serial;

use super::super::{Engine, Work};
use super::{Step, ZoneState};
use crate::clock::Now;
use crate::published::PublishedZone;

/// How soon another version is made only to be above what the same server answers.
const OUTRUN_PAUSE: Duration = Duration::from_mins(10);

impl Engine {
    /// A version with its serial: a new one when anything changes for who transfers it, or when a public server is ahead.
    pub(super) fn numbered(&self, next: PublishedZone, last: &PublishedZone, state: &ZoneState, now: &Now) -> Step {
        let next = PublishedZone { is_labelled: true, ..next };
        let is_outrun = outrunning(state, last, now).any(|server| !was_outrun_by(state, server, now));
        if last.is_served_like(&next) && !is_outrun {
            return if next == *last { Step::Keep } else { Step::Publish(Box::new(next)) };
        }
        let serial = serial::next(Some(last.serial), believed(state, now), now.seconds);
        let caches = last.caches.with(next.zone.longest_ttl(), now.seconds);
        let servers = self.answering(state).filter(|server| !server.required).map(|server| server.name.clone());
        let negative = last.zone.negative_ttl().max(next.zone.negative_ttl());
        let dkim = Dkim { absence: last.dkim.absence.with(negative, now.seconds), ..next.dkim.clone() };
        let history = next.history.clone().with_servers(servers);
        Step::Publish(Box::new(PublishedZone { serial, dkim, caches, history, ..next }))
    }

    /// That a version has yet to be made above what a server answers is looked at again.
    pub(super) fn note_outrun(&mut self, zone: &DomainName, now: &Now) {
        let known = self.zones.get(zone).and_then(|state| Some((state, state.published.as_ref()?)));
        if known.is_some_and(|(state, last)| outrunning(state, last, now).next().is_some()) {
            self.mark_later(Work::Unit(Unit::Zone(zone.clone())), now.instant + OUTRUN_PAUSE);
        }
    }
}

/// The serials that were answered, but for those that can be none of the zone's.
pub(super) fn believed(state: &ZoneState, now: &Now) -> impl Iterator<Item = u32> {
    let now = now.seconds;
    state.seen.values().copied().filter(move |seen| serial::is_believable(*seen, now))
}

/// The servers that answer a serial beyond ours.
fn outrunning<'a>(state: &'a ZoneState, last: &PublishedZone, now: &Now) -> impl Iterator<Item = &'a String> {
    let (now, serial) = (now.seconds, last.serial);
    let is_ahead = move |seen: u32| serial::is_newer(seen, serial) && serial::is_believable(seen, now);
    state.seen.iter().filter(move |(_, seen)| is_ahead(**seen)).map(|(server, _)| server)
}

/// Whether a version was made above what this server answered a moment ago: one that always answers more makes no version each time.
fn was_outrun_by(state: &ZoneState, server: &str, now: &Now) -> bool {
    state.outrun.get(server).is_some_and(|then| now.instant.saturating_duration_since(*then) < OUTRUN_PAUSE)
}
