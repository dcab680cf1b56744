use std::collections::BTreeSet;

use crate::parse::Parsed;
use crate::problem::Problem;

/// What is known of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<M> {
    /// The newest model without an error: of the newest spec, or, when that has one, of the last spec that was right. Where none is known, as
    /// after a restart, what of the newest one is right ([`Parsed::is_stopgap`]).
    pub model: Option<M>,
    /// What is wrong with the newest spec.
    pub problems: Vec<Problem>,
    /// The names its status says it holds: the incumbent keeps them.
    pub held: BTreeSet<String>,
}

impl<M> Entry<M> {
    /// The entry after a new spec: an erroneous one leaves the last model in force.
    pub(super) fn next(parsed: Parsed<M>, held: BTreeSet<String>, last: Option<Self>) -> Self {
        let (model, problems) = parsed.in_force(last.and_then(|entry| entry.model));
        Self { model, problems, held }
    }

    /// Whether the newest spec is the one in force.
    pub fn is_current(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }
}
