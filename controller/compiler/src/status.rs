//! Problems and observations into conditions, as kstatus, Flux and Argo CD read them.

pub mod ailment;
pub mod parent;

use cst_api::{ConditionType, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::plan::guard::{APPROVE_ANNOTATION, Held};
use crate::problem::Problem;

/// The longest message a condition carries, in characters.
const MAX_MESSAGE: usize = 1024;
/// So much of it says what is held, so that the digest it is approved by always stands there.
const MAX_HELD: usize = 700;

/// All that an object's conditions depend on.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// The steps held by the guard.
    pub held: Vec<Held>,
    /// What it waits for; empty: nothing.
    pub waiting: Vec<String>,
    /// Served as far as its state allows.
    pub suspended: bool,
    /// What `Ready` says when all is well.
    pub summary: String,
    /// A kind's own conditions.
    pub own: Vec<Own>,
}

/// A condition of one kind's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// Which.
    pub type_: ConditionType,
    /// Whether it holds.
    pub truth: Truth,
    /// Why.
    pub reason: Reason,
    /// In words.
    pub message: String,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It does.
    True,
    /// It does not.
    False,
    /// Nobody can say.
    Unknown,
}

impl Own {
    /// A condition that comes by itself where it does not hold yet.
    pub fn awaited(type_: ConditionType, holds: bool, message: String) -> Self {
        let (truth, reason) = if holds { (Truth::True, Reason::Ready) } else { (Truth::False, Reason::Waiting) };
        Self { type_, truth, reason, message }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// The conditions of an object, taking over the time of those whose status stays. `Stalled` and `Reconciling` exclude each other and
/// exist only when true.
pub fn conditions(previous: &[Condition], generation: Option<i64>, facts: &Facts, now: &Time) -> Vec<Condition> {
    let errors: Vec<&Problem> = facts.problems.iter().filter(|p| p.is_error()).collect();
    let warnings: Vec<String> = facts.problems.iter().filter(|p| !p.is_error()).map(told).collect();
    let held = facts.held.iter().map(approval).reduce(|all, held| format!("{all}; {held}"));
    let mut built = Vec::new();
    let mut add = |type_: ConditionType, holds: bool, reason: Reason, message: String| {
        let own = Own { type_, truth: holds.into(), reason, message };
        built.push(condition(previous, generation, &own, now));
    };
    if let Some(first) = errors.first() {
        let message = errors.iter().map(|p| told(p)).collect::<Vec<_>>().join("; ");
        add(ConditionType::Ready, false, first.reason, message.clone());
        add(ConditionType::Stalled, true, first.reason, message);
    } else if let Some(message) = held.clone() {
        add(ConditionType::Ready, false, Reason::PlanHeld, message.clone());
        add(ConditionType::Stalled, true, Reason::PlanHeld, message);
    } else if !facts.waiting.is_empty() {
        let message = format!("waits for {}", facts.waiting.join("; "));
        add(ConditionType::Ready, false, Reason::Waiting, message.clone());
        add(ConditionType::Reconciling, true, Reason::Waiting, message);
    } else {
        let reason = if facts.suspended { Reason::Suspended } else { Reason::Ready };
        let message = std::iter::once(facts.summary.clone()).chain(warnings).collect::<Vec<_>>().join("; ");
        add(ConditionType::Ready, true, reason, message);
    }
    if let Some(message) = held {
        add(ConditionType::PlanHeld, true, Reason::PlanHeld, message);
    }
    built.extend(facts.own.iter().map(|own| condition(previous, generation, own, now)));
    built
}

fn approval(held: &Held) -> String {
    let message = shortened(&held.message, MAX_HELD);
    format!("{message}: approve with the annotation {APPROVE_ANNOTATION}: {}", held.digest)
}

fn told(problem: &Problem) -> String {
    format!("{}: {}", problem.field, problem.message)
}

fn condition(previous: &[Condition], generation: Option<i64>, own: &Own, now: &Time) -> Condition {
    let (type_, status) = (own.type_.to_string(), format!("{:?}", own.truth));
    let since = previous
        .iter()
        .find(|c| c.type_ == type_ && c.status == status)
        .map_or_else(|| now.clone(), |c| c.last_transition_time.clone());
    Condition {
        type_,
        status,
        reason: own.reason.to_string(),
        message: shortened(&own.message, MAX_MESSAGE),
        observed_generation: generation,
        last_transition_time: since,
    }
}

fn shortened(message: &str, longest: usize) -> String {
    if message.chars().count() <= longest {
        return message.to_owned();
    }
    message.chars().take(longest - 1).chain(['…']).collect()
}
