//! A tenant: its namespace and what fences it, and what its Tenant is told.

use cst_api::{TenantState, TenantStatus, UnitCounts};
use cst_compiler::compile;
use cst_compiler::desired::tenancy;
use cst_compiler::index::Unit;
use cst_compiler::problem::ObjectRef;
use kube::api::DynamicObject;

use super::{Effect, Engine, Shell, WorkError};
use crate::applied::{self, Applied};
use crate::clock::Now;
use crate::names;
use crate::report::{Draft, ObjectStatus};

/// The work on a tenant, ready to be carried out.
pub struct TenantJob {
    unit: Unit,
    name: String,
    last: Option<Applied>,
    /// What to apply; `None`: it was applied by this process and is the same.
    objects: Option<(Vec<DynamicObject>, String)>,
    draft: Option<Draft>,
}

impl Engine {
    pub(super) fn tenant_job(&mut self, name: &str, now: &Now) -> TenantJob {
        let unit = Unit::Tenant(name.to_owned());
        let verdict = compile::tenant(&self.index, name);
        let current = self.index.tenant(name).is_some_and(cst_compiler::index::Entry::is_current);
        // With a spec that is wrong, what was applied stays.
        let wanted = self.tenants.get(name).filter(|_| current).map(|tenant| {
            let objects = tenancy::objects(tenant, &self.installation);
            let digest = names::hash(serde_json::to_vec(&objects).unwrap_or_default());
            (objects, digest)
        });
        let objects = wanted.filter(|(_, digest)| self.built.get(&unit) != Some(digest));
        if objects.is_some() {
            // Until all of them are applied nobody knows what is there.
            self.built.remove(&unit);
        }
        let draft = self.draft(&ObjectRef::tenant(name), now).map(|mut draft| {
            draft.facts.problems.clone_from(&verdict.problems);
            draft.facts.held = self.held_without_domain(name);
            let state = verdict.model.map(|model| model.state);
            draft.facts.suspended = state == Some(TenantState::Suspended);
            draft.facts.summary = format!("its namespace {} is set up", cst_api::tenant_namespace(name));
            let (domains, mailboxes, web_sites) = self.index.counts(name);
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let agreement = self.tenants.get(name).and_then(|tenant| tenant.spec.agreement.as_ref());
            draft.next = ObjectStatus::Tenant(TenantStatus {
                namespace: Some(cst_api::tenant_namespace(name)),
                agreement: agreement.map(|agreement| tenancy::agreement_phase(agreement, now.today)),
                units: Some(UnitCounts {
                    domains: count(domains),
                    mailboxes: count(mailboxes),
                    web_sites: count(web_sites),
                }),
                ..TenantStatus::default()
            });
            draft
        });
        TenantJob { last: self.applied.get(&unit).cloned(), unit, name: name.to_owned(), objects, draft }
    }
}

impl TenantJob {
    pub(super) async fn run(self, shell: &Shell, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let Self { unit, name, last, objects, draft } = self;
        if let Some((objects, digest)) = objects {
            let brought =
                applied::bring_about(shell, &unit, last.as_ref(), &objects, Applied::default(), effects).await;
            match brought {
                Ok(applied) => effects.push(Effect::Applied(unit, Some(applied), digest)),
                Err(error) => {
                    shell.report(draft.into_iter().map(|draft| draft.failed(&error)).collect(), effects).await?;
                    return Err(error.into());
                }
            }
        }
        effects.push(Effect::Watch(cst_api::tenant_namespace(&name)));
        shell.report(draft.into_iter().map(Draft::report).collect(), effects).await
    }
}
