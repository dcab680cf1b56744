//! What is known, and what is to be done about it. One task owns all of it: changes come in, work on single units goes out, effects of
//! that work come back. Nothing here waits for anybody or looks at a clock, so every decision can be tested by what goes in.

mod absence;
mod catalog;
mod damage;
mod departures;
mod dkim;
mod event;
mod known;
mod mail;
mod object;
mod observed;
mod published;
mod site;
mod tenant;
mod trouble;
mod word;
mod work;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cst_api::{Date, Tenant};
use cst_compiler::desired::mail::ack::Ack;
use cst_compiler::desired::tenancy::Installation;
use cst_compiler::index::{Change, Index, Unit};
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::guard::Held;
use cst_compiler::problem::{Kind, ObjectRef};
use cst_compiler::settings::Settings;
use cst_compiler::status::ailment::Ailment;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;

use crate::clock::{Now, Steady};
use crate::queue::{End, Queue};
use crate::watch::Seen;
pub use damage::{BuiltKind, WATCHED};
pub use event::{Event, Source, Work};
use known::Known;
pub use trouble::Trouble;
pub use work::{Effect, Job, Shell, WorkError};

/// What only says that work goes on is told when it went on for so long: most of it is done before, and one write is saved.
const GRACE: Duration = Duration::from_secs(1);
/// How long the hidden primary may take to sign a version before that is told.
const PATIENCE: Duration = Duration::from_mins(1);
/// A tenant's numbers are told at most so often.
const COUNTING: Duration = Duration::from_secs(2);

/// All that is known.
pub struct Engine {
    index: Index,
    installation: Installation,
    mail_pods: Vec<String>,
    tenants: BTreeMap<String, Tenant>,
    known: BTreeMap<ObjectRef, Known>,
    zones: BTreeMap<DomainName, zone::ZoneState>,
    /// What keeps public servers from following.
    ailments: BTreeMap<String, Ailment>,
    mail: BTreeMap<DomainName, mail::MailState>,
    sites: BTreeMap<ObjectKey, site::SiteState>,
    applied: BTreeMap<Unit, crate::applied::Applied>,
    /// What of a unit this process applied, by the digest of what was wanted.
    built: BTreeMap<Unit, String>,
    damage: damage::Damage,
    absences: absence::Absences,
    /// What no status can tell.
    untold: word::Untold,
    acks: BTreeMap<String, Ack>,
    /// The keys that sign mail.
    dkim: dkim::Keyring,
    secrets_listed: BTreeSet<String>,
    /// Passwords that could not be put into their Secrets.
    ungenerated: BTreeMap<ObjectKey, mail::Ungenerated>,
    /// Work that does not succeed.
    failing: BTreeMap<Unit, trouble::Failing>,
    /// Work that waits for the Secrets of a namespace.
    parked: BTreeMap<String, BTreeSet<Work>>,
    /// Units with a held change, and the Domain whose change it is.
    held: BTreeMap<Unit, ObjectKey>,
    /// What nobody declares any more and is served on, and since when.
    retained: BTreeMap<departures::RetainedKey, Date>,
    /// Whether a Tenant was Terminated when this controller last saw it.
    terminated: BTreeMap<String, bool>,
    /// The tenants of which something asks to go, and what of it is held.
    leaving: BTreeMap<String, Option<Held>>,
    /// The units that are declared again after they were let go, until that is written down.
    returned: BTreeSet<Unit>,
    missing: BTreeSet<Source>,
    /// What is being told anew, because the store was set back.
    anew: BTreeSet<Source>,
    queue: Queue<Work>,
    /// By which the steps of zones' keys wait.
    steady: Steady,
    /// When the newest signatures of all begin, seconds since 1970.
    newest_inception: Option<u32>,
    leads: bool,
}

impl Engine {
    /// An engine that knows nothing yet. `mail_pods` are the mail replicas that must acknowledge.
    pub fn new(settings: Settings, installation: Installation, mail_pods: Vec<String>) -> Self {
        let mut missing = Source::ALWAYS.into_iter().collect::<BTreeSet<_>>();
        if settings.mail.is_some() {
            missing.extend([Source::Shards, Source::Acks, Source::DkimKeys]);
        }
        if settings.web.is_some() {
            missing.extend([Source::Deployments, Source::Routes]);
        }
        Self {
            index: Index::new(settings),
            installation,
            mail_pods,
            tenants: BTreeMap::new(),
            terminated: BTreeMap::new(),
            known: BTreeMap::new(),
            zones: BTreeMap::new(),
            ailments: BTreeMap::new(),
            mail: BTreeMap::new(),
            sites: BTreeMap::new(),
            applied: BTreeMap::new(),
            built: BTreeMap::new(),
            damage: damage::Damage::default(),
            absences: absence::Absences::default(),
            untold: word::Untold::default(),
            acks: BTreeMap::new(),
            dkim: dkim::Keyring::default(),
            secrets_listed: BTreeSet::new(),
            ungenerated: BTreeMap::new(),
            failing: BTreeMap::new(),
            parked: BTreeMap::new(),
            held: BTreeMap::new(),
            retained: BTreeMap::new(),
            leaving: BTreeMap::new(),
            returned: BTreeSet::new(),
            missing,
            anew: BTreeSet::new(),
            queue: Queue::default(),
            steady: Steady::default(),
            newest_inception: None,
            leads: false,
        }
    }

    /// What has not been listed yet.
    pub fn missing(&self) -> &BTreeSet<Source> {
        &self.missing
    }

    /// Takes an event in.
    pub fn take(&mut self, event: Event, now: Instant) {
        match event {
            Event::Tenant(seen) => self.take_tenant(seen, now),
            Event::Namespace(seen) => self.take_namespace(seen, now),
            Event::Domain(seen) => self.take_object(Source::Domains, Kind::Domain, seen, Change::Domain, now),
            Event::Mailbox(seen) => self.take_object(Source::Mailboxes, Kind::Mailbox, seen, Change::Mailbox, now),
            Event::WebSite(seen) => self.take_object(Source::WebSites, Kind::WebSite, seen, Change::WebSite, now),
            Event::Published(seen) => self.take_published(seen, now),
            Event::Shard(seen) => self.take_shard(seen, now),
            Event::Ack(seen) => self.take_ack(seen),
            Event::DkimKeys(seen) => self.take_dkim_keys(seen),
            Event::Deployment(seen) => self.take_deployment(seen, now),
            Event::Route(seen) => self.take_route(seen, now),
            Event::Built(kind, seen) => self.take_built(kind, seen, now),
            Event::Secret(namespace, seen) => self.take_secret(namespace, seen, now),
            Event::Observed(observation) => self.take_observation(observation),
        }
    }

    /// Whether this replica leads.
    pub fn leads(&self) -> bool {
        self.leads
    }

    /// This replica leads, or no longer does. A new leader judges everything anew, whatever it built when it led before: most of it turns
    /// out to be as it should.
    pub fn lead(&mut self, leads: bool) {
        let began = leads && !self.leads;
        self.leads = leads;
        if began {
            self.tell_again();
            self.built.clear();
            self.mark_all();
        } else if !leads {
            self.queue.clear(|work| !matches!(work, Work::Serve(_)));
        }
    }

    /// A new day: agreements, retention and signatures age.
    pub fn tick(&mut self) {
        self.judge_again();
        self.tell_again();
        self.mark_all();
    }

    /// Now and then all that was applied is applied again, whatever the watches told. What is as it should be is not written.
    pub fn look(&mut self) {
        self.built.clear();
        let units: Vec<Unit> = self.applied.keys().cloned().collect();
        for unit in units {
            self.mark(Work::Unit(unit));
        }
    }

    /// The next work that may begin now.
    pub fn next(&mut self, now: &Now) -> Option<(Work, Job)> {
        let work = self.queue.take(now.instant)?;
        let job = self.job(&work, now);
        Some((work, job))
    }

    /// The work ended.
    pub fn done(&mut self, work: &Work, effects: Vec<Effect>, result: Result<(), Trouble>, now: Instant) {
        let end = match &result {
            Ok(()) => End::Done,
            Err(_) if effects.iter().any(|effect| matches!(effect, Effect::Advanced)) => End::Advanced,
            Err(_) => End::Failed,
        };
        self.note_end(work, result);
        self.note_made(work);
        for effect in effects {
            self.feel(effect, now);
        }
        self.queue.done(work, end, now);
    }

    /// When work comes back by itself.
    pub fn next_due(&self) -> Option<Instant> {
        self.queue.next_due()
    }

    fn job(&mut self, work: &Work, now: &Now) -> Job {
        match work {
            Work::Unit(Unit::Tenant(name)) => Job::Tenant(Box::new(self.tenant_job(name, now))),
            Work::Unit(Unit::Zone(zone)) => Job::Zone(Box::new(self.zone_job(zone, now))),
            Work::Unit(Unit::Mail(domain)) => Job::Mail(Box::new(self.mail_job(domain, now))),
            Work::Unit(Unit::Site(key)) => Job::Site(Box::new(self.site_job(key, now))),
            Work::Object(object) => Job::Report(self.object_reports(object, now)),
            Work::Ask(key) => Job::Ask(self.ask_job(key)),
            Work::Absence(object) => Job::Absence(self.absence_job(object)),
            Work::Dkim(domain) => Job::Dkim(Box::new(self.dkim_job(domain))),
            Work::Serve(zone) => Job::Serve(Box::new(self.serve_job(zone))),
        }
    }

    fn feel(&mut self, effect: Effect, now: Instant) {
        match effect {
            Effect::ZoneStored(stored) => self.zone_stored(stored, now),
            Effect::ZoneForgotten(zone) => self.zone_forgotten(&zone, now),
            Effect::ZoneServed(zone, served) => self.zone_served(zone, served),
            Effect::ZoneUnserved(zone, why) => self.zone_unserved(zone, why),
            Effect::ZoneKeys(zone, keys) => self.zone_keys(zone, keys),
            Effect::DkimKeys(domain, keys) => self.dkim_keys_stored(domain, keys),
            Effect::Shards(domain, written) => self.shards_written(&domain, written, now),
            Effect::Secret(key, data) => self.change(Change::Secret(key, Some(data)), now),
            Effect::PasswordRefused(domain, secret, why) => self.password_refused(domain, secret, why, now),
            Effect::Recorded(unit, applied) => self.was_recorded(unit, applied, now),
            Effect::Applied(unit, applied, digest) => self.was_applied(unit, applied, digest, now),
            Effect::Answered(key, question) => self.site_answered(key, question),
            Effect::Reported(reported) => self.reported(reported),
            Effect::Missed(object, number, found) => self.absence_found(&object, number, found),
            Effect::Watch(_) | Effect::Advanced => {}
        }
    }

    /// Takes a change into the index and marks what depends on it.
    fn change(&mut self, change: Change, now: Instant) {
        if let Change::Secret(key, _) = &change {
            self.ungenerated.remove(key);
        }
        let about = match &change {
            Change::Tenant(name, _) => Some(name.clone()),
            _ => None,
        };
        for unit in self.index.apply(change) {
            match unit {
                // Only its numbers changed: those of a tenant that is being filled are told now and then.
                Unit::Tenant(name) if about.as_ref() != Some(&name) => {
                    self.mark_later(Work::Unit(Unit::Tenant(name)), now + COUNTING);
                }
                unit => self.mark(Work::Unit(unit)),
            }
        }
    }

    /// Whether work may be decided on: this replica leads, and nothing it rests on is missing. Every replica serves.
    fn decides(&self, work: &Work) -> bool {
        let listed = |sources: &[Source]| sources.iter().all(|source| !self.missing.contains(source));
        match work {
            Work::Serve(_) => true,
            Work::Object(_) | Work::Ask(_) | Work::Absence(_) => self.leads && listed(&Source::ALWAYS),
            Work::Dkim(_) => self.leads && listed(&Source::ALWAYS) && listed(&[Source::DkimKeys]),
            Work::Unit(unit) => self.leads && listed(&Source::ALWAYS) && listed(Source::also_for(unit)),
        }
    }

    /// Work is to be done. What cannot be decided yet is marked when all that it rests on has been listed.
    fn mark(&mut self, work: Work) {
        if self.decides(&work) {
            self.queue.mark(work);
        }
    }

    fn mark_later(&mut self, work: Work, at: Instant) {
        if self.decides(&work) {
            self.queue.mark_later(work, at);
        }
    }

    fn listed(&mut self, source: Source) {
        self.anew.remove(&source);
        if self.missing.remove(&source) {
            let missing: Vec<String> = self.missing.iter().map(|source| format!("{source:?}")).collect();
            tracing::info!(?source, missing = missing.join(" "), "listed");
        }
        self.mark_all();
    }

    fn mark_all(&mut self) {
        let units = self.index.units();
        let zones = self.zones.keys().cloned().map(Unit::Zone);
        let mail = self.mail.keys().cloned().map(Unit::Mail);
        let applied = self.applied.keys().cloned();
        let all: BTreeSet<Unit> = units.into_iter().chain(zones).chain(mail).chain(applied).collect();
        for unit in all {
            self.mark(Work::Unit(unit));
        }
        let astray: Vec<ObjectRef> =
            self.known.keys().filter(|object| self.unit_of(object).is_none()).cloned().collect();
        for object in astray {
            self.mark(Work::Object(object));
        }
    }

    fn take_secret(&mut self, namespace: String, seen: Seen<Secret>, now: Instant) {
        match seen {
            Seen::There(secret) => {
                let key = ObjectKey::new(secret.namespace().unwrap_or_default(), secret.name_any());
                self.take_site_secret(&key);
                let data = secret.data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect();
                self.change(Change::Secret(key, Some(data)), now);
            }
            Seen::Unreadable { metadata, .. } => {
                tracing::error!(%namespace, secret = metadata.name, "a Secret cannot be read");
            }
            Seen::Gone(key) => {
                self.take_site_secret(&key);
                self.change(Change::Secret(key, None), now);
            }
            Seen::Listed => {
                for work in self.parked.remove(&namespace).unwrap_or_default() {
                    self.mark(work);
                }
                self.secrets_listed.insert(namespace);
            }
            Seen::Anew => {}
        }
    }
}

/// A resourceVersion as the integer it is (KEP-5504).
fn version_number(version: &str) -> u64 {
    version.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests;
