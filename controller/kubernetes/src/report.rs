//! What is told to users: an object's status, written only when it changes, and an event when it begins or ceases to be stalled.

use std::sync::Arc;

use cst_api::{
    ConditionType, Domain, DomainStatus, Mailbox, MailboxStatus, Reason, Status, Tenant, TenantStatus, WebSite,
    WebSiteStatus,
};
use cst_compiler::model::ObjectKey;
use cst_compiler::problem::{Kind, ObjectRef};
use cst_compiler::status::{self, Facts};
use futures_util::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter as ReportingController};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use crate::engine::WorkError;
use crate::failure::chain;
use crate::names;

/// How many statuses are written at a time.
const AT_ONCE: usize = 16;
/// The API server's limit for an event's note, in bytes.
const MAX_NOTE: usize = 1024;

/// The status of an object of any of our kinds.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectStatus {
    /// Of a Tenant.
    Tenant(TenantStatus),
    /// Of a Domain.
    Domain(DomainStatus),
    /// Of a Mailbox.
    Mailbox(MailboxStatus),
    /// Of a WebSite.
    WebSite(WebSiteStatus),
}

/// A status to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Whose.
    pub object: ObjectRef,
    /// The object's uid: another object of the same name does not get it.
    pub uid: String,
    /// What was there.
    pub last: ObjectStatus,
    /// What shall be there.
    pub next: ObjectStatus,
}

/// A status in the making: its conditions follow from facts that may still grow while the work is carried out.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whose.
    pub object: ObjectRef,
    /// The object's uid.
    pub uid: String,
    /// The generation it speaks of.
    pub generation: Option<i64>,
    /// What was there.
    pub last: ObjectStatus,
    /// What shall be there, but for the conditions.
    pub next: ObjectStatus,
    /// What the conditions follow from.
    pub facts: Facts,
    /// Now.
    pub time: Time,
}

impl Draft {
    /// The status to write.
    pub fn report(self) -> Report {
        let Self { object, uid, generation, last, mut next, facts, time } = self;
        next.set_observed_generation(generation);
        next.set_conditions(status::conditions(last.conditions(), generation, &facts, &time));
        Report { object, uid, last, next }
    }

    /// The status when the work failed: what the API server refuses stays so until somebody changes something, everything else passes.
    pub fn failed(mut self, error: &WorkError) -> Report {
        match error.refusal() {
            Some((field, message)) => self.facts.problems.push(self.object.error(field, Reason::Invalid, message)),
            None => self.facts.waiting.push(format!("this to go well: {}", chain(error))),
        }
        self.report()
    }
}

/// A status that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    /// Whose.
    pub object: ObjectRef,
    /// What is there now.
    pub status: ObjectStatus,
    /// The object's version with it.
    pub resource_version: String,
}

/// Why a status could not be written.
#[derive(Debug, thiserror::Error)]
#[error("writing the status of {object} failed; it is tried again")]
pub struct ReportError {
    object: ObjectRef,
    source: Box<kube::Error>,
}

/// Writes statuses and events.
#[derive(Clone)]
pub struct Reporter {
    client: Client,
    recorder: Arc<Recorder>,
}

impl ObjectStatus {
    /// The status of a new object of a kind.
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Tenant => Self::Tenant(TenantStatus::default()),
            Kind::Domain => Self::Domain(DomainStatus::default()),
            Kind::Mailbox => Self::Mailbox(MailboxStatus::default()),
            Kind::WebSite => Self::WebSite(WebSiteStatus::default()),
        }
    }

    /// The conditions in it.
    pub fn conditions(&self) -> &[Condition] {
        match self {
            Self::Tenant(status) => status.conditions(),
            Self::Domain(status) => status.conditions(),
            Self::Mailbox(status) => status.conditions(),
            Self::WebSite(status) => status.conditions(),
        }
    }

    /// Sets the generation it speaks of.
    pub fn set_observed_generation(&mut self, generation: Option<i64>) {
        match self {
            Self::Tenant(status) => status.observed_generation = generation,
            Self::Domain(status) => status.observed_generation = generation,
            Self::Mailbox(status) => status.observed_generation = generation,
            Self::WebSite(status) => status.observed_generation = generation,
        }
    }

    fn set_conditions(&mut self, conditions: Vec<Condition>) {
        match self {
            Self::Tenant(status) => status.conditions = conditions,
            Self::Domain(status) => status.conditions = conditions,
            Self::Mailbox(status) => status.conditions = conditions,
            Self::WebSite(status) => status.conditions = conditions,
        }
    }

    /// The generation it speaks of.
    pub fn observed_generation(&self) -> Option<i64> {
        match self {
            Self::Tenant(status) => status.observed_generation(),
            Self::Domain(status) => status.observed_generation(),
            Self::Mailbox(status) => status.observed_generation(),
            Self::WebSite(status) => status.observed_generation(),
        }
    }

    fn to_json(&self) -> serde_json::Result<serde_json::Value> {
        match self {
            Self::Tenant(status) => serde_json::to_value(status),
            Self::Domain(status) => serde_json::to_value(status),
            Self::Mailbox(status) => serde_json::to_value(status),
            Self::WebSite(status) => serde_json::to_value(status),
        }
    }

    fn condition(&self, type_: ConditionType) -> Option<&Condition> {
        let name = type_.to_string();
        self.conditions().iter().find(|condition| condition.type_ == name)
    }
}

impl Reporter {
    /// A reporter that signs its events with the name of this replica.
    pub fn new(client: Client, instance: &str) -> Self {
        let reporter = ReportingController { controller: names::MANAGER.into(), instance: Some(instance.into()) };
        Self { recorder: Arc::new(Recorder::new(client.clone(), reporter)), client }
    }

    /// Writes the statuses that change; an object that is gone needs none. All are tried, the first failure is told.
    pub async fn report(&self, reports: Vec<Report>) -> (Vec<Reported>, Result<(), ReportError>) {
        let changed = reports.into_iter().filter(|report| report.last != report.next);
        let mut written = Vec::new();
        let mut outcome = Ok(());
        let mut results = stream::iter(changed.map(|report| self.write(report))).buffer_unordered(AT_ONCE);
        while let Some(result) = results.next().await {
            match result {
                Ok(reported) => written.extend(reported),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        (written, outcome)
    }

    async fn write(&self, report: Report) -> Result<Option<Reported>, ReportError> {
        let Report { object, uid, last, next } = report;
        let resource = resource(object.kind);
        let failed = |source: kube::Error| ReportError { object: object.clone(), source: Box::new(source) };
        let patch = json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": object.key.name, "uid": uid},
            "status": next.to_json().map_err(|e| failed(kube::Error::SerdeError(e)))?,
        });
        let params = PatchParams::apply(names::MANAGER).force().validation_strict();
        let api = api(&self.client, &resource, &object.key);
        let patched = match api.patch_status(&object.key.name, &params, &Patch::Apply(&patch)).await {
            Ok(patched) => patched,
            // Gone: the watch tells. A conflict is none of that: it may be another object under its name, or a write that was faster.
            Err(kube::Error::Api(status)) if status.is_not_found() => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        self.tell(&reference(&resource, &object, &uid), &last, &next).await;
        let resource_version = patched.resource_version().unwrap_or_default();
        Ok(Some(Reported { object, status: next, resource_version }))
    }

    /// An event is a courtesy: one that cannot be written is only logged.
    async fn tell(&self, about: &ObjectReference, last: &ObjectStatus, next: &ObjectStatus) {
        let Some(event) = event(last, next) else { return };
        if let Err(error) = self.recorder.publish(&event, about).await {
            tracing::warn!(%error, kind = about.kind, namespace = about.namespace, name = about.name, "event not written");
        }
    }
}

/// A warning when the object became stalled or is so for another reason, a normal event when it no longer is. What goes well from the
/// start makes no event: thousands of boxes must not double the writes.
fn event(last: &ObjectStatus, next: &ObjectStatus) -> Option<Event> {
    let stalled = |status: &ObjectStatus| {
        status.condition(ConditionType::Stalled).map(|condition| (condition.reason.clone(), condition.message.clone()))
    };
    let (type_, (reason, message)) = match (stalled(last), stalled(next)) {
        (before, Some(after)) if before.as_ref() != Some(&after) => (EventType::Warning, after),
        (Some(_), None) => {
            let ready = next.condition(ConditionType::Ready)?;
            (EventType::Normal, (ready.reason.clone(), ready.message.clone()))
        }
        _ => return None,
    };
    let note = message.char_indices().take_while(|(at, c)| at + c.len_utf8() <= MAX_NOTE).map(|(_, c)| c).collect();
    Some(Event { type_, reason, note: Some(note), action: "Reconcile".into(), secondary: None })
}

fn resource(kind: Kind) -> ApiResource {
    match kind {
        Kind::Tenant => ApiResource::erase::<Tenant>(&()),
        Kind::Domain => ApiResource::erase::<Domain>(&()),
        Kind::Mailbox => ApiResource::erase::<Mailbox>(&()),
        Kind::WebSite => ApiResource::erase::<WebSite>(&()),
    }
}

/// What a kind is called in objects, and in the API's paths.
pub(crate) fn kind_of(kind: Kind) -> (String, String) {
    let ApiResource { kind, plural, .. } = resource(kind);
    (kind, plural)
}

fn api(client: &Client, resource: &ApiResource, key: &ObjectKey) -> Api<DynamicObject> {
    if key.namespace.is_empty() {
        Api::all_with(client.clone(), resource)
    } else {
        Api::namespaced_with(client.clone(), &key.namespace, resource)
    }
}

fn reference(resource: &ApiResource, object: &ObjectRef, uid: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some(resource.api_version.clone()),
        kind: Some(resource.kind.clone()),
        namespace: Some(object.key.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        name: Some(object.key.name.clone()),
        uid: Some(uid.to_owned()),
        ..ObjectReference::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(conditions: &[(ConditionType, bool, Reason)]) -> ObjectStatus {
        let condition = |(type_, holds, reason): &(ConditionType, bool, Reason)| Condition {
            type_: type_.to_string(),
            status: if *holds { "True" } else { "False" }.into(),
            reason: reason.to_string(),
            message: format!("because {reason}"),
            observed_generation: None,
            last_transition_time: Time("2026-11-23T00:00:00Z".parse().unwrap()),
        };
        ObjectStatus::Domain(DomainStatus {
            conditions: conditions.iter().map(condition).collect(),
            ..DomainStatus::default()
        })
    }

    fn stalled(reason: Reason) -> ObjectStatus {
        status(&[(ConditionType::Ready, false, reason), (ConditionType::Stalled, true, reason)])
    }

    #[test]
    fn an_event_says_when_an_object_stalls_and_when_it_no_longer_does() {
        let (new, ready) = (status(&[]), status(&[(ConditionType::Ready, true, Reason::Ready)]));
        let reason = |last: &ObjectStatus, next: &ObjectStatus| event(last, next).map(|e| (e.type_, e.reason));
        assert_eq!(reason(&new, &ready), None);
        assert_eq!(reason(&new, &stalled(Reason::Conflict)), Some((EventType::Warning, "Conflict".into())));
        assert_eq!(reason(&stalled(Reason::Conflict), &stalled(Reason::Conflict)), None);
        assert_eq!(
            reason(&stalled(Reason::Conflict), &stalled(Reason::Invalid)),
            Some((EventType::Warning, "Invalid".into()))
        );
        assert_eq!(reason(&stalled(Reason::Conflict), &ready), Some((EventType::Normal, "Ready".into())));
    }
}
