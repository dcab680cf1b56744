//! Objects that were there and are no more: before anything of theirs goes, the API server is asked what that means. A kind or a namespace that
//! is removed takes all its objects along, and a list may lack them; nobody said of any that it is to go.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::{Date, DeletionPolicy};
use cst_compiler::desired::mail::{MailBox, MailDomain};
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::absence::{self, Absence, Found, Home};
use cst_compiler::plan::departure::Standing;
use cst_compiler::plan::retention::{self, Retention};
use cst_compiler::problem::{Kind, ObjectRef};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Effect, Engine, Shell, Work, WorkError};
use crate::apply::{self, ObjectId};
use crate::report;

/// What is known of the objects that are there no more.
#[derive(Default)]
pub(super) struct Absences {
    of: BTreeMap<ObjectRef, Absent>,
    /// When what is stored of each unit was first stored, seconds since 1970: by then its object was there.
    stored: BTreeMap<Unit, i64>,
    /// Tells one absence of an object from the next.
    last: u64,
}

#[derive(Default)]
struct Absent {
    number: u64,
    /// When the object was made, where it was seen.
    born: Option<i64>,
    /// It was to go at once.
    at_once: bool,
    /// The units that wait for the answer.
    waiting: BTreeSet<Unit>,
    judged: Option<Absence>,
}

/// The question what an absence means; `None`: the object is back.
pub struct AbsenceJob {
    object: ObjectRef,
    number: Option<u64>,
}

/// When an object was made, seconds since 1970.
pub(super) fn birth(metadata: &ObjectMeta) -> Option<i64> {
    Some(metadata.creation_timestamp.as_ref()?.0.as_second())
}

impl Engine {
    /// An object is gone, as far as was told. `born`: when it was made.
    pub(super) fn is_missed(&mut self, object: ObjectRef, born: Option<i64>) {
        self.absences.last += 1;
        let number = self.absences.last;
        self.absences.of.insert(object, Absent { number, born, ..Absent::default() });
    }

    /// An object is gone because the store was set back to before it was made.
    pub(super) fn is_lost(&mut self, object: &ObjectRef) {
        if let Some(absent) = self.absences.of.get_mut(object) {
            absent.judged = Some(Absence::Swept);
        }
    }

    /// An object is there.
    pub(super) fn is_back(&mut self, object: &ObjectRef) {
        self.absences.of.remove(object);
    }

    /// Something of a unit is stored since then.
    pub(super) fn stored_since(&mut self, unit: Unit, metadata: &ObjectMeta) {
        if let Some(since) = birth(metadata) {
            self.absences.stored.entry(unit).and_modify(|first| *first = since.min(*first)).or_insert(since);
        }
    }

    /// What was asked about the absence of an object; `None`: nobody knows yet.
    pub(super) fn judged(&self, object: &ObjectRef) -> Option<Absence> {
        self.absences.of.get(object)?.judged
    }

    /// What the absence of an object means to a unit of this policy. What is not known is asked for, and then the unit is looked at again.
    pub(super) fn absence(&mut self, object: &ObjectRef, unit: &Unit, policy: DeletionPolicy) -> Absence {
        if !self.absences.of.contains_key(object) {
            let since = self.absences.stored.get(unit).copied();
            self.is_missed(object.clone(), since);
        }
        let Some(absent) = self.absences.of.get_mut(object) else { return Absence::Unclear };
        if let Some(judged) = absent.judged {
            return judged;
        }
        absent.at_once = policy == DeletionPolicy::Delete;
        absent.waiting.insert(unit.clone());
        self.mark(Work::Absence(object.clone()));
        Absence::Unclear
    }

    /// What it means that the Mailboxes of published boxes are gone whose time is over.
    pub(super) fn absent_boxes(
        &mut self,
        domain: &DomainName,
        published: Option<&MailDomain>,
        today: Date,
    ) -> BTreeMap<ObjectKey, Absence> {
        let (unit, days) = (Unit::Mail(domain.clone()), self.index.settings().retain_days);
        let is_over = |mailbox: &&MailBox| {
            retention::judge(mailbox.delete_policy, mailbox.retained_since, today, days) == Retention::Drop
        };
        let mut absences = BTreeMap::new();
        for mailbox in published.iter().flat_map(|published| &published.boxes).filter(is_over) {
            if !self.is_there(Kind::Mailbox, &mailbox.owner) {
                let object = ObjectRef::new(Kind::Mailbox, mailbox.owner.clone());
                absences.insert(mailbox.owner.clone(), self.absence(&object, &unit, mailbox.delete_policy));
            }
        }
        absences
    }

    /// What was not plainly deleted may be another day.
    pub(super) fn judge_again(&mut self) {
        for absent in self.absences.of.values_mut() {
            absent.judged = absent.judged.filter(|judged| *judged == Absence::Deleted);
        }
    }

    /// Nothing is left of a unit.
    pub(super) fn forget_absences(&mut self, unit: &Unit) {
        self.absences.stored.remove(unit);
        self.absences.of.retain(|_, absent| !absent.waiting.contains(unit));
    }

    pub(super) fn absence_job(&self, object: &ObjectRef) -> AbsenceJob {
        let number = self.absences.of.get(object).filter(|absent| absent.judged.is_none()).map(|absent| absent.number);
        AbsenceJob { object: object.clone(), number }
    }

    /// The API server answered about an absence, which may be over.
    pub(super) fn absence_found(&mut self, object: &ObjectRef, number: u64, found: Found) {
        let tenant = object.key.tenant().unwrap_or_default().to_owned();
        let namespace_counts = !self.was_terminated(&tenant);
        let is_missing = object.kind == Kind::Mailbox && self.standing(&tenant) == Standing::Missing;
        let Some(absent) = self.absences.of.get_mut(object).filter(|absent| absent.number == number) else { return };
        let judged = absence::judge(found, absent.born.filter(|_| absent.at_once), namespace_counts);
        // Of zones and sites whose Tenant is missing the departures say so.
        let judged = if is_missing && judged == Absence::Deleted { Absence::Swept } else { judged };
        absent.judged = Some(judged);
        let waiting: Vec<Unit> = absent.waiting.iter().cloned().collect();
        if judged != Absence::Deleted {
            tracing::warn!(%object, ?found, "it is gone, and nobody deleted it: what it stands for stays");
        }
        for unit in waiting {
            self.mark(Work::Unit(unit));
        }
    }
}

impl AbsenceJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Self { object, number: Some(number) } = self else { return Ok(()) };
        let (kind, plural) = report::kind_of(object.kind);
        let id = ObjectId {
            api_version: cst_api::API_VERSION.into(),
            kind,
            namespace: object.key.namespace.clone(),
            name: object.key.name.clone(),
        };
        let crd = ObjectId {
            api_version: "apiextensions.k8s.io/v1".into(),
            kind: "CustomResourceDefinition".into(),
            namespace: String::new(),
            name: format!("{plural}.{}", cst_api::GROUP),
        };
        // First the object: a home that is there afterwards was there while it was missed.
        let is_there = apply::metadata(&shell.client, &id).await?.is_some();
        let home =
            async |id: &ObjectId| Ok::<_, WorkError>(apply::metadata(&shell.client, id).await?.and_then(|m| home(&m)));
        let found = Found {
            object: is_there,
            kind: home(&crd).await?,
            namespace: home(&ObjectId::of_namespace(&object.key.namespace)).await?,
        };
        effects.push(Effect::Missed(object, number, found));
        Ok(())
    }

    /// What comes of it when this is found.
    #[cfg(test)]
    pub(super) fn pretend(self, found: Found) -> Vec<Effect> {
        self.number.map(|number| Effect::Missed(self.object, number, found)).into_iter().collect()
    }
}

fn home(metadata: &ObjectMeta) -> Option<Home> {
    Some(Home { since: birth(metadata)?, ends: metadata.deletion_timestamp.is_some() })
}
