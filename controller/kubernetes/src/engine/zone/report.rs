//! What the Domains of a zone are told.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::{
    ConditionType, Date, DkimStatus, DmarcStatus, DomainMailStatus, DomainStatus, KeyStatus, NextStep, Reason,
    ServerSerial, ZoneStatus,
};
use cst_compiler::compile::ZoneOutcome;
use cst_compiler::index::Unit;
use cst_compiler::model::record::Ds;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::parse::DomainModel;
use cst_compiler::plan::dkim::{Dkim, KeySet};
use cst_compiler::plan::dnssec::{Wait, ZoneKey};
use cst_compiler::plan::guard::Held;
use cst_compiler::plan::serial;
use cst_compiler::problem::{Kind, ObjectRef, Problem};
use cst_compiler::settings::Secondary;
use cst_compiler::status::ailment::{self, Ailment};
use cst_compiler::status::{Facts, Own, parent};
use k8s_openapi::jiff::Timestamp;

use super::super::{Engine, GRACE, PATIENCE, Work};
use super::ZoneState;
use super::below::name_servers;
use crate::clock::Now;
use crate::report::{ObjectStatus, Report};

impl Engine {
    pub(super) fn domain_reports(
        &mut self,
        zone: &DomainName,
        outcome: &ZoneOutcome,
        held: &[Held],
        now: &Now,
    ) -> Vec<Report> {
        let keys: Vec<ObjectKey> = self.index.domains_of_zone(zone).cloned().collect();
        keys.iter().filter_map(|key| self.domain_report(key, zone, outcome, held, now)).collect()
    }

    fn domain_report(
        &mut self,
        key: &ObjectKey,
        zone: &DomainName,
        outcome: &ZoneOutcome,
        held: &[Held],
        now: &Now,
    ) -> Option<Report> {
        let object = ObjectRef::new(Kind::Domain, key.clone());
        let mut draft = self.draft(&object, now)?;
        let ObjectStatus::Domain(last) = draft.last.clone() else { return None };
        let state = self.zones.get(zone)?;
        let facts = &mut draft.facts;
        facts.problems = outcome.problems.iter().filter(|problem| problem.object == object).cloned().collect();
        let mut next = DomainStatus::default();
        let holds = outcome.holder.as_ref() == Some(key);
        let trouble = self.trouble(&Unit::Zone(zone.clone())).cloned();
        if holds {
            let settings = &self.index.settings().dns;
            let (status, serving) = zone_status(state, &last, &settings.secondaries, &self.ailments);
            let of_mail = self.mail.get(zone).and_then(|mail| mail.held.as_ref());
            facts.held = held.iter().chain(of_mail).cloned().collect();
            facts.waiting = serving.waiting;
            facts.waiting.extend(state.trouble.iter().map(|why| format!("the zone to be served: {why}")));
            let model = self.index.domain(key).and_then(|entry| entry.model.as_ref());
            let gate_open = state.published.as_ref().is_some_and(|last| last.mail_gate_open);
            if model.is_some_and(DomainModel::hosts_mail) && !gate_open {
                facts.waiting.push("the mail agents; MX and SPF are published when they receive for the domain".into());
            }
            facts.own = vec![Own::awaited(ConditionType::Published, serving.everywhere, serving.message.clone())];
            facts.summary = serving.message;
            if let Some(trouble) = &trouble {
                trouble.tell(&object, facts);
            }
            self.tell_of_parent(zone, state, &object, facts);
            next.zone = status;
            // What a controller that has just begun does not know of the keys was told by the one before.
            let is_known = self.stored_dkim_keys(zone).is_some();
            let mail = is_known.then(|| mail_status(state, self.dmarc_status(zone, now.today)));
            next.mail = mail.unwrap_or_else(|| last.mail.clone());
        } else if outcome.holder.is_none() {
            // What it held goes on being served, so it goes on holding it.
            (next.zone, next.mail) = (last.zone, last.mail);
        }
        let unserved = state.published.as_ref().map(|last| last.serial) != state.served;
        let smooth = facts.held.is_empty()
            && state.trouble.is_none()
            && trouble.is_none()
            && !facts.problems.iter().any(Problem::is_error);
        let patience = if holds && unserved && smooth { PATIENCE } else { GRACE };
        let due = state.since.map_or(now.instant, |since| since + patience);
        if smooth && (unserved || !facts.waiting.is_empty()) && now.instant < due {
            self.mark_later(Work::Unit(Unit::Zone(zone.clone())), due);
            return None;
        }
        draft.next = ObjectStatus::Domain(next);
        Some(draft.report())
    }
}

impl Engine {
    /// How far the stages of a domain's DMARC policy are, if it has any.
    fn dmarc_status(&self, zone: &DomainName, today: Date) -> Option<DmarcStatus> {
        let dmarc = &self.index.held_zone(zone)?.mail.as_ref()?.dmarc;
        let has_stages = !dmarc.stages.is_empty();
        has_stages.then(|| DmarcStatus { policy: dmarc.on(Some(today)), next: dmarc.next(today).cloned() })
    }

    /// What the zone above says of it, and that nobody believes the zone when it trusts other keys.
    fn tell_of_parent(&self, zone: &DomainName, state: &ZoneState, object: &ObjectRef, facts: &mut Facts) {
        let (Some(parent), Some(published)) = (self.parent_of(zone), &state.published) else { return };
        facts.own.push(parent::delegated(&parent, &name_servers(&published.zone, zone)));
        let signing = &published.signing;
        let listed = signing.keys.iter().filter(|key| key.listed).filter_map(|key| key.ds.as_ref()).collect();
        let wanted: BTreeSet<&Ds> = signing.ds().collect();
        let is_bogus = parent::is_bogus(&parent, &listed);
        if !wanted.is_empty() || !parent.ds().is_empty() {
            let own = parent::ds_published(&parent, &wanted, &listed);
            facts
                .problems
                .extend(is_bogus.then(|| object.error("metadata.name", Reason::DSMismatch, own.message.clone())));
            facts.own.push(own);
        }
    }
}

/// How far a version is served.
#[derive(Default)]
struct Serving {
    everywhere: bool,
    message: String,
    waiting: Vec<String>,
}

/// What is said of a server that answers a serial so far ahead that no version is made above it. By the zone's own serial, which is never far
/// from the clock: what is said does not change as time passes.
fn beyond_belief(server: &str, answered: u32, ours: u32) -> Option<String> {
    let is_beyond = serial::is_newer(answered, ours) && !serial::is_believable(answered, ours);
    is_beyond.then(|| {
        format!("{server} answers {answered}, which is no serial of ours: remove the zone there, so that it is transferred anew")
    })
}

/// What a Domain's status says of its zone. A server that answered the serial once is taken to do so until there is another: its
/// restart changes no status.
fn zone_status(
    state: &ZoneState,
    last: &DomainStatus,
    servers: &[Secondary],
    ailments: &BTreeMap<String, Ailment>,
) -> (Option<ZoneStatus>, Serving) {
    let mut serving = Serving::default();
    let Some(published) = &state.published else {
        serving.waiting.push("the zone to be published".into());
        "not published yet".clone_into(&mut serving.message);
        return (last.zone.clone(), serving);
    };
    let before = last.zone.as_ref().filter(|zone| zone.serial == published.serial);
    let answered = |name: &str| {
        let told = before.and_then(|zone| zone.servers.iter().find(|s| s.name == name)).and_then(|s| s.serial);
        state.seen.get(name).copied().or(told)
    };
    let current = |server: &Secondary| answered(&server.name) == Some(published.serial);
    let behind: Vec<&str> = servers.iter().filter(|s| s.required && !current(s)).map(|s| s.name.as_str()).collect();
    serving.everywhere = behind.is_empty() && servers.iter().any(|server| server.required);
    let names = |list: &[&str]| list.join(", ");
    if serving.everywhere {
        let there: Vec<&str> = servers.iter().filter(|s| current(s)).map(|s| s.name.as_str()).collect();
        serving.message = format!("serial {} is served by {}", published.serial, names(&there));
    } else if servers.is_empty() {
        "the settings name no public server".clone_into(&mut serving.message);
        serving.waiting.push("a public server in the settings".into());
    } else {
        let ahead = behind.iter().filter_map(|name| beyond_belief(name, answered(name)?, published.serial));
        let why: Vec<String> = [ailment::told(&behind, ailments)].into_iter().chain(ahead).collect();
        let why = why.into_iter().filter(|told| !told.is_empty()).collect::<Vec<_>>().join(", ");
        let why = if why.is_empty() { why } else { format!(" ({why})") };
        serving.message = format!("serial {} is not served by {} yet{why}", published.serial, names(&behind));
        serving.waiting.push(format!("{} to answer serial {}{why}", names(&behind), published.serial));
    }
    let signing = &published.signing;
    let is_simple = signing.keys.iter().filter(|key| key.is_active()).all(|key| key.listed && key.signs && key.trusted);
    let status = ZoneStatus {
        name: published.apex().to_string(),
        serial: published.serial,
        records: u32::try_from(published.zone.record_count()).unwrap_or(u32::MAX),
        dnssec: match (signing.is_signed(), is_simple && !signing.leaving) {
            (_, false) => "Changing",
            (true, true) => "Signed",
            (false, true) => "Unsigned",
        }
        .into(),
        keys: signing.keys.iter().filter_map(key_status).collect(),
        next: state.wait.as_ref().map(next_step),
        ds: signing.ds().map(ToString::to_string).collect(),
        servers: servers
            .iter()
            .map(|server| ServerSerial { name: server.name.clone(), serial: answered(&server.name) })
            .collect(),
    };
    (Some(status), serving)
}

fn key_status(key: &ZoneKey) -> Option<KeyStatus> {
    let tag = key.ds.as_ref().filter(|_| key.is_active())?.key_tag;
    let ZoneKey { algorithm, made, listed, signs, trusted, .. } = *key;
    Some(KeyStatus { tag, algorithm, made: made.to_string(), listed, signing: signs, trusted })
}

/// What a Domain's status says of the keys of its mail.
fn mail_status(state: &ZoneState, dmarc: Option<DmarcStatus>) -> Option<DomainMailStatus> {
    let dkim = state.published.as_ref().map(|published| dkim_status(&published.dkim)).unwrap_or_default();
    let next = state.dkim_waits.first().map(next_step);
    (!dkim.is_empty() || next.is_some() || dmarc.is_some()).then_some(DomainMailStatus { dkim, next, dmarc })
}

fn dkim_status(dkim: &Dkim) -> Vec<DkimStatus> {
    let of_set = |set: &KeySet| {
        let (made, phase, since) = (set.made.to_string(), set.phase, time(set.since).unwrap_or_default());
        let key = |key| DkimStatus {
            selector: set.selector(key).to_string(),
            algorithm: key.algorithm.into(),
            made: made.clone(),
            phase,
            since: since.clone(),
        };
        set.keys.iter().map(key).collect::<Vec<_>>()
    };
    dkim.sets.iter().flat_map(of_set).collect()
}

fn next_step(wait: &Wait) -> NextStep {
    NextStep { waits_for: wait.text.clone(), not_before: wait.until.and_then(time) }
}

fn time(seconds: u32) -> Option<String> {
    Timestamp::from_second(i64::from(seconds)).ok().map(|time| time.to_string())
}
