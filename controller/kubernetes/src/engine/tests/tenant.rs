use cst_api::TenantState;
use cst_compiler::desired::tenancy;

use super::*;
use crate::applied::Applied;
use crate::apply::ObjectId;
use crate::engine::tenant::TenantJob;

impl Play {
    /// The work on Urbino's tenancy, if there is any, with everything else done.
    pub(super) fn tenancy(&mut self) -> Option<(Work, Box<TenantJob>)> {
        while let Some((work, job)) = self.engine.next(&self.now) {
            if let Job::Tenant(job) = job {
                return Some((work, job));
            }
            let effects = self.carry_out(job);
            self.engine.done(&work, effects, Ok(()), self.now.instant);
        }
        None
    }

    /// Writes down that Urbino is to leave, which comes before all else.
    fn notes_the_word(&mut self) {
        let (work, job) = self.tenancy().unwrap();
        assert!(!job.builds() && job.removes().is_none());
        self.engine.done(&work, job.pretend(), Ok(()), self.now.instant);
        assert!(self.engine.applied[&Unit::Tenant("urbino".into())].terminated);
    }

    /// The coordinator says that a tenant is to leave.
    pub(super) fn terminated(&mut self, tenant: &str) {
        let spec = json!({"displayName": tenant, "entityType": "Comune", "state": "Terminated"});
        self.there(Event::Tenant, tenant, None, &spec);
    }

    /// The coordinator says that Urbino is to leave, and deletes its Tenant.
    pub(super) fn leaves(&mut self) {
        self.terminated("urbino");
        self.take(Event::Tenant(Seen::Gone(ObjectKey::new("", "urbino"))));
    }
}

fn binding(role: &str) -> ObjectId {
    ObjectId {
        api_version: "rbac.authorization.k8s.io/v1".into(),
        kind: "RoleBinding".into(),
        namespace: "t-urbino".into(),
        name: role.into(),
    }
}

fn watches(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Watch(_)))
}

#[test]
fn a_tenant_that_left_is_administered_by_nobody_and_its_secrets_are_not_watched() {
    let mut play = Play::leading();
    play.tenant("urbino", &["comune.urbino.pu.it"]);
    let (work, job) = play.tenancy().unwrap();
    let effects = job.pretend();
    assert!(watches(&effects));
    play.engine.done(&work, effects, Ok(()), play.now.instant);
    play.settle();

    play.leaves();
    play.notes_the_word();
    let (work, job) = play.tenancy().unwrap();
    assert_eq!((job.builds(), job.removes()), (false, Some(&binding(tenancy::ADMINISTRATOR_ROLE))));
    let effects = job.pretend();
    assert!(!watches(&effects));
    play.engine.done(&work, effects, Ok(()), play.now.instant);
    play.settle();
    let left = &play.engine.applied[&Unit::Tenant("urbino".into())];
    assert!(left.objects.contains(&binding(tenancy::CONTROLLER_ROLE)), "everything else stays");
    play.engine.tick();
    let (_, job) = play.tenancy().unwrap();
    assert_eq!((job.builds(), job.removes()), (false, None));
    assert!(!watches(&job.pretend()));
}

#[test]
fn a_new_controller_does_not_watch_the_secrets_of_a_tenant_that_left() {
    let mut play = Play::new();
    play.engine.lead(true);
    let objects = [binding(tenancy::CONTROLLER_ROLE)].into();
    play.engine.applied.insert(Unit::Tenant("urbino".into()), Applied { objects, ..Applied::default() });
    play.listed();
    let (_, job) = play.tenancy().unwrap();
    assert!(!watches(&job.pretend()));
}

#[test]
fn what_somebody_removed_comes_back_when_it_is_looked_after() {
    let mut play = Play::leading();
    play.tenant("urbino", &["comune.urbino.pu.it"]);
    play.settle();
    play.engine.tick();
    let (work, job) = play.tenancy().unwrap();
    assert!(!job.builds(), "it was built");
    play.engine.done(&work, job.pretend(), Ok(()), play.now.instant);
    play.engine.look();
    let (work, job) = play.tenancy().unwrap();
    assert!(job.builds());
    play.engine.done(&work, job.pretend(), Ok(()), play.now.instant);
    assert_eq!(play.settle(), []);
}

#[test]
fn a_terminated_tenant_says_so() {
    let mut play = Play::leading();
    let spec = |state: &str| json!({"displayName": "Urbino", "entityType": "Comune", "state": state});
    play.there(Event::Tenant, "urbino", None, &spec("Active"));
    let (work, job) = play.tenancy().unwrap();
    assert_eq!(job.says(), Some(("its namespace t-urbino is set up", Some(TenantState::Active))));
    play.engine.done(&work, job.pretend(), Ok(()), play.now.instant);
    play.there(Event::Tenant, "urbino", None, &spec("Terminated"));
    play.notes_the_word();
    let (_, job) = play.tenancy().unwrap();
    let (summary, state) = job.says().unwrap();
    assert!(summary.starts_with("it is Terminated") && state == Some(TenantState::Terminated), "{summary}");
}
