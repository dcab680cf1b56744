//! Work on a zone or a mail domain that fails again and again: whoever waits for it is told why.

use cst_api::Reason;
use cst_compiler::index::Unit;
use cst_compiler::problem::ObjectRef;
use cst_compiler::status::Facts;

use super::{Engine, Work, WorkError};
use crate::failure::chain;

/// Once is nothing: another controller was faster, the API server away for a moment.
const OFTEN: u32 = 2;

/// Why work failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// In words.
    pub why: String,
    /// It stays so until somebody changes something: the field that it is told of, and what is refused.
    pub refusal: Option<(&'static str, String)>,
}

/// What failed the last time, and how often in a row.
#[derive(Debug)]
pub(super) struct Failing {
    trouble: Trouble,
    times: u32,
}

impl From<&WorkError> for Trouble {
    fn from(error: &WorkError) -> Self {
        Self { why: chain(error), refusal: error.refusal() }
    }
}

impl Trouble {
    /// Tells an object that waits for the work.
    pub(super) fn tell(&self, object: &ObjectRef, facts: &mut Facts) {
        match &self.refusal {
            Some((field, message)) => facts.problems.push(object.error(*field, Reason::Invalid, message)),
            None => facts.waiting.push(format!("this to go well: {}", self.why)),
        }
    }
}

impl Engine {
    /// What keeps a unit's work from success, if it is no passing thing.
    pub(super) fn trouble(&self, unit: &Unit) -> Option<&Trouble> {
        self.failing.get(unit).filter(|failing| failing.times >= OFTEN).map(|failing| &failing.trouble)
    }

    /// Notes how work ended.
    pub(super) fn note_end(&mut self, work: &Work, result: Result<(), Trouble>) {
        let Work::Unit(unit) = work else { return };
        match result {
            Err(trouble) => {
                let times = self.failing.get(unit).map_or(1, |failing| failing.times.saturating_add(1));
                self.failing.insert(unit.clone(), Failing { trouble, times });
            }
            // What was told is no longer so.
            Ok(()) => {
                if self.failing.remove(unit).is_some_and(|failing| failing.times >= OFTEN) {
                    self.mark(work.clone());
                }
            }
        }
    }
}
