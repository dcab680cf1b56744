//! What the Domains of a zone are told.

use cst_api::{ConditionType, DomainStatus, ServerSerial, ZoneStatus};
use cst_compiler::compile::ZoneOutcome;
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::parse::DomainModel;
use cst_compiler::plan::guard::Held;
use cst_compiler::problem::{Kind, ObjectRef, Problem};
use cst_compiler::settings::Secondary;

use super::super::{Engine, GRACE, PATIENCE, Work};
use super::ZoneState;
use crate::clock::Now;
use crate::report::{ObjectStatus, Report};

impl Engine {
    pub(super) fn domain_reports(
        &mut self,
        zone: &DomainName,
        outcome: &ZoneOutcome,
        held: Option<&Held>,
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
        held: Option<&Held>,
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
        if holds {
            let settings = &self.index.settings().dns;
            let (status, serving) = zone_status(state, &last, &settings.secondaries);
            let of_mail = self.mail.get(zone).and_then(|mail| mail.held.as_ref());
            facts.held = held.into_iter().chain(of_mail).cloned().collect();
            facts.waiting = serving.waiting;
            facts.waiting.extend(state.trouble.iter().map(|why| format!("the zone to be served: {why}")));
            let model = self.index.domain(key).and_then(|entry| entry.model.as_ref());
            let gate_open = state.published.as_ref().is_some_and(|last| last.mail_gate_open);
            if model.is_some_and(DomainModel::hosts_mail) && !gate_open {
                facts.waiting.push("the mail agents; MX and SPF are published when they receive for the domain".into());
            }
            facts.own = vec![(ConditionType::Published, serving.everywhere, serving.message.clone())];
            facts.summary = serving.message;
            next.zone = status;
        } else if outcome.holder.is_none() {
            // What it held goes on being served, so it goes on holding it.
            next.zone = last.zone;
        }
        let unserved = state.published.as_ref().map(|last| last.serial) != state.served.as_ref().map(|served| served.0);
        let smooth = facts.held.is_empty() && state.trouble.is_none() && !facts.problems.iter().any(Problem::is_error);
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

/// How far a version is served.
#[derive(Default)]
struct Serving {
    everywhere: bool,
    message: String,
    waiting: Vec<String>,
}

/// What a Domain's status says of its zone. A server that answered the serial once is taken to do so until there is another: its
/// restart changes no status.
fn zone_status(state: &ZoneState, last: &DomainStatus, servers: &[Secondary]) -> (Option<ZoneStatus>, Serving) {
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
        serving.message = format!("serial {} is not served by {} yet", published.serial, names(&behind));
        serving.waiting.push(format!("{} to answer serial {}", names(&behind), published.serial));
    }
    let ds = match &state.served {
        Some((_, ds)) => ds.clone(),
        None => last.zone.as_ref().map(|zone| zone.ds.clone()).unwrap_or_default(),
    };
    let status = ZoneStatus {
        name: published.apex().to_string(),
        serial: published.serial,
        records: u32::try_from(published.zone.record_count()).unwrap_or(u32::MAX),
        dnssec: if ds.is_empty() { "Unsigned" } else { "Signed" }.into(),
        ds,
        servers: servers
            .iter()
            .map(|server| ServerSerial { name: server.name.clone(), serial: answered(&server.name) })
            .collect(),
    };
    (Some(status), serving)
}
