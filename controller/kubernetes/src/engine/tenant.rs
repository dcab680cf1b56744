//! A tenant: its namespace and what fences it, and what its Tenant is told.

use std::collections::BTreeSet;

use cst_api::{TenantState, TenantStatus, UnitCounts};
use cst_compiler::compile;
use cst_compiler::desired::tenancy;
use cst_compiler::index::Unit;
use cst_compiler::plan::departure::Standing;
use cst_compiler::problem::{Kind, ObjectRef};
use kube::api::DynamicObject;

use super::{Effect, Engine, Shell, WorkError};
use crate::applied::{self, Applied};
use crate::apply::{self, ObjectId};
use crate::clock::Now;
use crate::names;
use crate::report::{Draft, ObjectStatus};

/// The work on a tenant, ready to be carried out.
pub struct TenantJob {
    unit: Unit,
    name: String,
    last: Option<Applied>,
    /// What of it may go changes, or whether it is Terminated. Nothing else is done before that is stored.
    note: Option<Applied>,
    /// What to apply; `None`: it was applied by this process and is the same.
    objects: Option<(Vec<DynamicObject>, String)>,
    /// What of it was lost or changed by somebody else.
    anew: BTreeSet<ObjectId>,
    /// What it still has while it left by the coordinator's word, where that was not brought about yet.
    left: Option<Left>,
    /// There is a Tenant.
    is_there: bool,
    draft: Option<Draft>,
}

impl Engine {
    pub(super) fn tenant_job(&mut self, name: &str, now: &Now) -> TenantJob {
        let unit = Unit::Tenant(name.to_owned());
        let last = self.applied.get(&unit).cloned();
        let is_there = self.is_there(Kind::Tenant, &ObjectRef::tenant(name).key);
        self.tell_missing(name);
        let departures = self.next_departures(name, now);
        let note = Applied { departures, terminated: self.was_terminated(name), ..last.clone().unwrap_or_default() };
        if note != last.clone().unwrap_or_default() {
            let nothing = TenantJob::nothing(unit, name, is_there);
            return TenantJob { note: Some(note), ..nothing };
        }
        let verdict = compile::tenant(&self.index, name);
        let current = self.index.tenant(name).is_some_and(cst_compiler::index::Entry::is_current);
        // With a spec that is wrong, what was applied stays.
        let wanted = self.tenants.get(name).filter(|_| current).map(|tenant| {
            let objects = tenancy::objects(tenant, &self.installation);
            let digest = names::hash(serde_json::to_vec(&objects).unwrap_or_default());
            (objects, digest)
        });
        let objects = wanted.filter(|(_, digest)| self.built.get(&unit) != Some(digest));
        let mut anew = BTreeSet::new();
        if objects.is_some() {
            // Until all of them are applied nobody knows what is there.
            self.built.remove(&unit);
            anew = self.damage.hand_out(&unit);
        }
        let draft = self.draft(&ObjectRef::tenant(name), now).map(|mut draft| {
            draft.facts.problems.clone_from(&verdict.problems);
            draft.facts.held = self.held_without_domain(name);
            let state = verdict.model.map(|model| model.state);
            draft.facts.suspended = state == Some(TenantState::Suspended);
            let namespace = cst_api::tenant_namespace(name);
            draft.facts.summary = match state {
                Some(TenantState::Terminated) => {
                    format!("it is Terminated: nothing in {namespace} changes anything any more, and the Tenant may be deleted")
                }
                _ => format!("its namespace {namespace} is set up"),
            };
            let (domains, mailboxes, web_sites) = self.index.counts(name);
            let (retained, listed) = self.retained_of(name);
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let agreement = self.tenants.get(name).and_then(|tenant| tenant.spec.agreement.as_ref());
            draft.next = ObjectStatus::Tenant(TenantStatus {
                namespace: Some(namespace),
                state,
                agreement: agreement.map(|agreement| tenancy::agreement_phase(agreement, now.today)),
                units: Some(UnitCounts {
                    domains: count(domains),
                    mailboxes: count(mailboxes),
                    web_sites: count(web_sites),
                    retained: count(retained),
                }),
                retained: listed,
                ..TenantStatus::default()
            });
            draft
        });
        let is_due = self.standing(name) == Standing::Left && self.built.get(&unit).is_none_or(|digest| digest != LEFT);
        let left = last.as_ref().filter(|_| is_due).map(|applied| Left::of(applied, name));
        TenantJob { last, objects, anew, left, draft, ..TenantJob::nothing(unit, name, is_there) }
    }
}

/// The digest of what a tenant that left has.
const LEFT: &str = "left";

/// What a tenant has that left: it is administered by nobody, and its namespace may go. Everything else in that stays as it is.
struct Left {
    applied: Applied,
    /// What goes, if it is there.
    binding: Option<ObjectId>,
    namespace: ObjectId,
}

impl Left {
    fn of(applied: &Applied, tenant: &str) -> Self {
        let is_theirs = |id: &&ObjectId| id.kind == "RoleBinding" && id.name == tenancy::ADMINISTRATOR_ROLE;
        let binding = applied.objects.iter().find(is_theirs).cloned();
        let mut applied = applied.clone();
        applied.objects.retain(|id| Some(id) != binding.as_ref());
        let namespace = ObjectId::of_namespace(&cst_api::tenant_namespace(tenant));
        Self { applied, binding, namespace }
    }

    async fn bring_about(&self, shell: &Shell, unit: &Unit) -> Result<(), WorkError> {
        // A Tenant that is Terminated and deleted in one moment may never have been seen so. The policies let no other go.
        apply::label(&shell.client, &self.namespace, tenancy::TENANT_STATE, "Terminated").await?;
        shell.memory.forget([&self.namespace]);
        if let Some(binding) = &self.binding {
            apply::remove(&shell.client, binding, None).await?;
            shell.memory.forget([binding]);
            applied::write(&shell.config_maps(), unit, &self.applied).await?;
        }
        Ok(())
    }
}

impl TenantJob {
    fn nothing(unit: Unit, name: &str, is_there: bool) -> Self {
        let (last, note, objects, left, draft) = (None, None, None, None, None);
        Self { unit, name: name.to_owned(), last, note, objects, anew: BTreeSet::new(), left, is_there, draft }
    }

    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Self { unit, name, last, note, objects, anew, left, is_there, draft } = self;
        if let Some(note) = note {
            applied::write(&shell.config_maps(), &unit, &note).await?;
            effects.push(Effect::Recorded(unit, note));
            return Ok(());
        }
        if let Some(left) = left {
            left.bring_about(shell, &unit).await?;
            tracing::info!(tenant = name, "administered by nobody any more");
            effects.push(Effect::Applied(unit, Some(left.applied), LEFT.into()));
            return Ok(());
        }
        shell.memory.forget(&anew);
        if let Some((objects, digest)) = objects {
            let Applied { departures, terminated, .. } = last.clone().unwrap_or_default();
            let wanted = Applied { departures, terminated, ..Applied::default() };
            let brought = applied::bring_about(shell, &unit, last.as_ref(), &objects, wanted, effects).await;
            match brought {
                Ok(applied) => effects.push(Effect::Applied(unit, Some(applied), digest)),
                Err(error) => {
                    let error = WorkError::from(error);
                    shell.report(draft.into_iter().map(|draft| draft.failed(&error)).collect(), effects).await?;
                    return Err(error);
                }
            }
        }
        // Of a namespace whose tenant left nothing is watched: its Secrets cannot be read for long.
        if is_there {
            effects.push(Effect::Watch(cst_api::tenant_namespace(&name)));
        }
        shell.report(draft.into_iter().map(Draft::report).collect(), effects).await
    }
}

#[cfg(test)]
impl TenantJob {
    /// What comes of the work when every write succeeds.
    pub(super) fn pretend(self) -> Vec<Effect> {
        let objects: Vec<_> = self.objects.iter().flat_map(|(objects, _)| objects).collect();
        let applied = Applied {
            objects: objects.iter().filter_map(|o| ObjectId::of(o).ok()).collect(),
            ..self.last.unwrap_or_default()
        };
        let note = self.note.map(|note| Effect::Recorded(self.unit.clone(), note));
        let digest = self.objects.map(|(_, digest)| digest);
        let built = digest.map(|digest| Effect::Applied(self.unit.clone(), Some(applied), digest));
        let left = self.left.map(|left| Effect::Applied(self.unit, Some(left.applied), LEFT.into()));
        let watch = self.is_there.then(|| Effect::Watch(cst_api::tenant_namespace(&self.name)));
        note.into_iter().chain(built).chain(left).chain(watch).collect()
    }

    /// Whether it applies the tenant's objects.
    pub(super) fn builds(&self) -> bool {
        self.objects.is_some()
    }

    /// What it applies whatever is remembered.
    pub(super) fn anew(&self) -> Vec<&str> {
        self.anew.iter().map(|id| id.name.as_str()).collect()
    }

    /// What its status says, in words and as the state.
    pub(super) fn says(&self) -> Option<(&str, Option<TenantState>)> {
        let draft = self.draft.as_ref()?;
        let ObjectStatus::Tenant(status) = &draft.next else { return None };
        Some((&draft.facts.summary, status.state))
    }

    /// What it removes.
    pub(super) fn removes(&self) -> Option<&ObjectId> {
        self.left.as_ref()?.binding.as_ref()
    }
}
