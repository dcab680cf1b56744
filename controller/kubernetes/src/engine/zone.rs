//! A zone: from what is compiled and what is published to the next version, and what its Domains are told.

mod below;
mod report;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use cst_compiler::compile::{self, Standing, ZoneOutcome};
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::guard::{self, Held};
use cst_compiler::plan::retention::{self, Retention};
use cst_compiler::plan::serial;
use cst_compiler::problem::{Kind, ObjectRef, Problem};

use super::{Effect, Engine, Shell, Work, WorkError};
use crate::clock::Now;
use crate::published::{self, PublishedZone};
use crate::report::Report;
use crate::watch::chain;
use crate::{keys, names};

/// Signatures are made anew when they are this old: 45 days of validity, 30 of them left (design §4).
const RENEW_AFTER: u32 = 15 * 86_400;
/// Renewals are spread over so many seconds by the zone's name, earlier than they are due.
const RENEW_SPREAD: u32 = 5 * 86_400;
/// Signatures begin to be valid a little earlier, for clocks that are behind.
const SKEW: u32 = 3600;

/// What is known of a zone beside what is compiled.
#[derive(Debug, Default)]
pub(super) struct ZoneState {
    /// The stored version.
    pub published: Option<PublishedZone>,
    /// The serial that this replica serves, and the zone's DS records.
    pub served: Option<(u32, Vec<String>)>,
    /// The newest serial that each public server answered.
    pub seen: BTreeMap<String, u32>,
    /// Why the stored version is not served here.
    pub trouble: Option<String>,
    /// When the stored version became what it is.
    pub since: Option<Instant>,
    /// What the composition said of sites; the sites' statuses tell it.
    pub site_problems: BTreeMap<ObjectKey, Vec<Problem>>,
}

/// What is to be done with a zone.
#[derive(Debug)]
enum Step {
    /// What is published stays.
    Keep,
    /// A change that drops too much waits for approval.
    Hold(Held),
    /// This is stored and then served.
    Publish(PublishedZone),
    /// The stored version is withdrawn.
    Forget(PublishedZone),
}

/// The work on a zone, ready to be carried out.
pub struct ZoneJob {
    zone: DomainName,
    last: Option<PublishedZone>,
    step: Step,
    reports: Vec<Report>,
}

impl Engine {
    /// Compiles a zone and decides what to do.
    pub(super) fn zone_job(&mut self, zone: &DomainName, now: &Now) -> ZoneJob {
        let state = self.zones.entry(zone.clone()).or_default();
        let latched = state.published.as_ref().is_some_and(|last| last.mail_gate_open);
        let gate_open = latched || self.mail.get(zone).is_some_and(|mail| mail.acknowledged && !mail.is_withdrawn());
        let outcome = compile::zone(&self.index, zone, &self.zone_facts(zone, gate_open));
        self.note_site_problems(zone, &outcome);
        let step = self.zone_step(zone, &outcome, gate_open, now);
        self.mark_above(zone);
        let unit = Unit::Zone(zone.clone());
        match (&step, &outcome.holder) {
            (Step::Hold(_), Some(holder)) => drop(self.held.insert(unit, holder.clone())),
            _ => drop(self.held.remove(&unit)),
        }
        let last = self.zones.get(zone).and_then(|state| state.published.clone());
        let held = if let Step::Hold(held) = &step { Some(held) } else { None };
        // A version that is about to change is not reported on: the next one is, in a moment.
        let settled = matches!(step, Step::Keep | Step::Hold(_));
        let reports = if settled { self.domain_reports(zone, &outcome, held, now) } else { Vec::new() };
        ZoneJob { zone: zone.clone(), last, step, reports }
    }

    fn zone_step(&self, zone: &DomainName, outcome: &ZoneOutcome, gate_open: bool, now: &Now) -> Step {
        let Some(state) = self.zones.get(zone) else { return Step::Keep };
        match (outcome.standing, &outcome.zone, &outcome.holder, &state.published) {
            (Standing::Live, Some(compiled), Some(holder), last) => {
                let Some(model) = self.index.domain(holder).and_then(|entry| entry.model.as_ref()) else {
                    return Step::Keep;
                };
                let next = PublishedZone {
                    zone: Arc::clone(compiled),
                    serial: 0,
                    inception: now.seconds.wrapping_sub(SKEW),
                    digest: compiled.digest(),
                    holder: holder.clone(),
                    deletion_policy: model.deletion_policy,
                    mail_gate_open: gate_open && (model.hosts_mail() || self.mail_stays(zone)),
                    retired: None,
                    resource_version: String::new(),
                };
                self.live_step(state, last.as_ref(), next, now)
            }
            // Who held it is there but cannot be read: that is no deletion.
            (Standing::Retired, _, _, Some(last)) if !self.is_there(Kind::Domain, &last.holder) => {
                let days = self.index.settings().retain_days;
                match retention::judge(last.deletion_policy, last.retired, now.today, days) {
                    Retention::Serve(since) if last.retired == Some(since) => Step::Keep,
                    Retention::Serve(since) => Step::Publish(PublishedZone { retired: Some(since), ..last.clone() }),
                    Retention::Drop => Step::Forget(last.clone()),
                }
            }
            _ => Step::Keep,
        }
    }

    fn live_step(&self, state: &ZoneState, last: Option<&PublishedZone>, next: PublishedZone, now: &Now) -> Step {
        let numbered = |next: PublishedZone| {
            let serial = serial::next(last.map(|last| last.serial), state.seen.values().copied(), now.seconds);
            Step::Publish(PublishedZone { serial, ..next })
        };
        let Some(last) = last else { return numbered(next) };
        if last.digest != next.digest {
            let held = guard::zone(&last.zone, &next.zone);
            return match held.filter(|held| !self.approves(&next.holder, held)) {
                Some(held) => Step::Hold(held),
                None => numbered(next),
            };
        }
        let outrun = state.seen.values().any(|seen| serial::is_newer(*seen, last.serial));
        if outrun || renewal_is_due(last, now.seconds) {
            return numbered(next);
        }
        let next = PublishedZone {
            serial: last.serial,
            inception: last.inception,
            zone: Arc::clone(&last.zone),
            resource_version: last.resource_version.clone(),
            ..next
        };
        if next == *last { Step::Keep } else { Step::Publish(next) }
    }

    /// Whether the coordinator approved a held step, on the Domain or on its Tenant.
    pub(super) fn approves(&self, holder: &ObjectKey, held: &Held) -> bool {
        let tenant = holder.tenant().map(ObjectRef::tenant);
        let on = [Some(ObjectRef::new(Kind::Domain, holder.clone())), tenant];
        on.into_iter().flatten().any(|object| {
            self.known.get(&object).and_then(|known| known.approval.as_deref()) == Some(held.digest.as_str())
        })
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
        let zone = stored.apex().clone();
        let state = self.zones.entry(zone.clone()).or_default();
        if state.published.as_ref().is_none_or(|last| last.serial != stored.serial) {
            state.since = Some(now);
        }
        state.published = Some(stored);
        self.mark(Work::Serve(zone));
    }

    pub(super) fn zone_forgotten(&mut self, zone: &DomainName) {
        if let Some(state) = self.zones.get_mut(zone) {
            state.published = None;
        }
        self.mark(Work::Serve(zone.clone()));
    }

    pub(super) fn zone_unserved(&mut self, zone: DomainName, why: String) {
        let Some(state) = self.zones.get_mut(&zone) else { return };
        if state.trouble.as_ref() != Some(&why) {
            state.trouble = Some(why);
            self.mark(Work::Unit(Unit::Zone(zone)));
        }
    }

    pub(super) fn zone_served(&mut self, zone: DomainName, served: Option<(u32, Vec<String>)>) {
        if let Some(state) = self.zones.get_mut(&zone) {
            state.served = served;
            state.trouble = None;
        }
        self.mark(Work::Unit(Unit::Zone(zone)));
    }
}

/// Whether signatures are to be made anew; each zone has its own moment.
fn renewal_is_due(last: &PublishedZone, now: u32) -> bool {
    let hash = names::hash(last.apex().as_str());
    let spread = u32::from_str_radix(hash.get(..8).unwrap_or("0"), 16).unwrap_or_default() % RENEW_SPREAD;
    let age = now.wrapping_sub(last.inception);
    // A clock gone back makes an age beyond half the number space.
    age < 1 << 31 && age >= RENEW_AFTER - spread
}

impl ZoneJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        match self.step {
            Step::Publish(next) => {
                if self.last.is_none() {
                    let key = keys::read_or_make(&shell.secrets(), shell.server.as_ref(), &self.zone).await?;
                    shell.remember_key(&self.zone, key);
                }
                let stored = published::store(&shell.config_maps(), self.last.as_ref(), next).await?;
                let retired = stored.retired.map(tracing::field::display);
                tracing::info!(zone = %self.zone, serial = stored.serial, retired, "zone stored");
                effects.push(Effect::ZoneStored(stored));
            }
            Step::Forget(last) => {
                published::forget(&shell.config_maps(), &last).await?;
                tracing::info!(zone = %self.zone, serial = last.serial, "zone withdrawn");
                effects.push(Effect::ZoneForgotten(self.zone));
            }
            Step::Keep | Step::Hold(_) => {}
        }
        shell.report(self.reports, effects).await
    }
}

/// Serves a stored version, or stops serving a zone that is no longer stored.
pub struct ServeJob {
    pub(super) zone: DomainName,
    pub(super) version: Option<PublishedZone>,
}

impl ServeJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Some(version) = self.version else {
            shell.server.withdraw(&self.zone);
            effects.push(Effect::ZoneServed(self.zone, None));
            return Ok(());
        };
        shell.server.declare(&self.zone);
        match Self::serve(&self.zone, version, shell).await {
            Ok(served) => {
                effects.push(Effect::ZoneServed(self.zone, Some(served)));
                Ok(())
            }
            Err(error) => {
                shell.forget_key(&self.zone);
                effects.push(Effect::ZoneUnserved(self.zone, chain(&error)));
                Err(error)
            }
        }
    }

    /// The served serial and the zone's DS records.
    async fn serve(zone: &DomainName, version: PublishedZone, shell: &Shell) -> Result<(u32, Vec<String>), WorkError> {
        let key = shell.key(zone).await?;
        let (serial, server) = (version.serial, Arc::clone(&shell.server));
        let version =
            cst_compiler::published::ZoneVersion { zone: version.zone, serial, inception: version.inception, key };
        // Signing a large zone takes seconds.
        let ds =
            tokio::task::spawn_blocking(move || server.publish(version)).await.map_err(|_| WorkError::Aborted)??;
        Ok((serial, ds))
    }
}

#[cfg(test)]
impl ZoneJob {
    /// What comes of the work when every write succeeds and gets this version.
    pub(super) fn pretend(self, version: u64) -> Vec<Effect> {
        match self.step {
            Step::Publish(next) => {
                vec![Effect::ZoneStored(PublishedZone { resource_version: version.to_string(), ..next })]
            }
            Step::Forget(_) => vec![Effect::ZoneForgotten(self.zone)],
            Step::Keep | Step::Hold(_) => reported(self.reports, version),
        }
    }
}

#[cfg(test)]
pub(super) fn reported(reports: Vec<Report>, version: u64) -> Vec<Effect> {
    let resource_version = version.to_string();
    let reported = reports.into_iter().map(|Report { object, next, .. }| crate::report::Reported {
        object,
        status: next,
        resource_version: resource_version.clone(),
    });
    reported.map(Effect::Reported).collect()
}
