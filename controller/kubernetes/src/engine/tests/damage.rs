use kube::core::PartialObjectMeta;

use super::*;
use crate::engine::damage::{BuiltKind, WATCHED};

const DENY: &str = "cst.default-deny";

/// A leader with a tenant that has all its fences, which the watches told.
fn with_fences() -> Play {
    let mut play = Play::leading();
    play.tenant("urbino", &["comune.urbino.pu.it"]);
    play.settle();
    play.policy("f:ingress");
    assert_eq!(play.settle(), []);
    play
}

fn policies() -> BuiltKind {
    WATCHED[0]
}

impl Play {
    /// The watch tells a policy, with this field of its spec as ours.
    fn policy(&mut self, ours: &str) {
        let entry = |manager: &str, operation: &str, field: &str| {
            json!({"manager": manager, "operation": operation, "apiVersion": "networking.k8s.io/v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {field: {}}}})
        };
        let object: PartialObjectMeta = serde_json::from_value(json!({"metadata": {
            "namespace": "t-urbino", "name": DENY,
            "managedFields": [entry("kubectl-edit", "Update", "f:egress"), entry("cst", "Apply", ours)],
        }}))
        .unwrap();
        self.take(Event::Built(policies(), Seen::There(Box::new(object))));
    }

    fn policy_goes(&mut self) {
        self.take(Event::Built(policies(), Seen::Gone(ObjectKey::new("t-urbino", DENY))));
    }

    fn namespace(&mut self, metadata: &Value) {
        let mut namespace = json!({"metadata": {"name": "t-urbino"}});
        namespace["metadata"].as_object_mut().unwrap().extend(metadata.as_object().unwrap().clone());
        self.take(Event::Namespace(Seen::There(serde_json::from_value(namespace).unwrap())));
    }

    /// How often the tenancy is worked on until nothing is left to do.
    fn applies(&mut self) -> usize {
        let urbino = Unit::Tenant("urbino".into());
        units(&self.settle()).into_iter().filter(|unit| **unit == urbino).count()
    }
}

#[test]
fn a_fence_that_is_gone_is_applied_again_at_once_and_nothing_else_is() {
    let mut play = with_fences();
    play.policy_goes();
    let (work, job) = play.tenancy().unwrap();
    assert_eq!((job.builds(), job.anew()), (true, vec![DENY]));
    play.engine.done(&work, job.pretend(), Ok(()), play.now.instant);
    play.policy("f:ingress");
    play.turn(60);
    assert_eq!(play.settle(), [], "that it is there again is no reason to apply it");
}

#[test]
fn a_fence_that_is_gone_while_it_is_applied_is_applied_again() {
    let mut play = Play::leading();
    play.tenant("urbino", &["comune.urbino.pu.it"]);
    let (work, job) = play.tenancy().unwrap();
    play.policy("f:ingress");
    play.policy_goes();
    play.engine.done(&work, job.pretend(), Ok(()), play.now.instant);
    let (_, job) = play.tenancy().unwrap();
    assert_eq!((job.builds(), job.anew()), (true, vec![DENY]));
}

#[test]
fn a_field_of_ours_that_somebody_takes_over_is_taken_back_and_then_there_is_peace() {
    let mut play = with_fences();
    play.policy("f:podSelector");
    assert_eq!(play.applies(), 1);
    play.policy("f:ingress");
    play.turn(60);
    assert!(play.applies() <= 1, "our own write is looked at once more at most");
    play.policy("f:ingress");
    play.turn(60);
    assert_eq!(play.settle(), []);
}

#[test]
fn who_changes_a_fence_without_end_is_answered_now_and_then() {
    let mut play = with_fences();
    let mut applied = 0;
    for second in 0..60 {
        for _ in 0..20 {
            play.policy("f:podSelector");
            applied += play.applies();
            play.policy("f:ingress");
            applied += play.applies();
        }
        play.turn(1);
        assert!(applied > 0, "second {second}");
    }
    assert!((10..=30).contains(&applied), "{applied} times in a minute");
}

#[test]
fn nothing_is_applied_to_a_namespace_that_is_being_removed_nor_for_a_tenant_that_left() {
    let mut play = with_fences();
    play.namespace(&json!({"deletionTimestamp": "2026-11-18T12:00:00Z"}));
    play.settle();
    play.policy_goes();
    assert_eq!(play.settle(), []);
    play.namespace(&json!({}));
    play.settle();
    play.policy("f:ingress");
    play.policy_goes();
    assert_eq!(play.applies(), 1, "it stays after all");

    play.leaves();
    play.settle();
    play.policy("f:ingress");
    play.policy_goes();
    play.turn(60);
    assert_eq!(play.settle(), []);
}

#[test]
fn a_namespace_that_lost_its_labels_gets_them_back() {
    let mut play = with_fences();
    let ours = |fields: Value| json!({"managedFields": [{"manager": "cst", "operation": "Apply", "fieldsV1": fields}]});
    play.namespace(&ours(json!({"f:metadata": {"f:labels": {"f:pod-security.kubernetes.io/enforce": {}}}})));
    play.settle();
    play.namespace(&ours(json!({"f:metadata": {}})));
    let (_, job) = play.tenancy().unwrap();
    assert_eq!((job.builds(), job.anew()), (true, vec!["t-urbino"]));
}
