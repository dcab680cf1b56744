//! One object's spec into a model that cannot hold a wrong value. Every problem is collected; nothing here looks at other objects.

mod domain;
mod list;
mod mailbox;
mod tenant;
mod website;

use cst_api::Reason;

pub use domain::{DomainModel, MailModel, PecModel};
pub use list::List;
pub use mailbox::{
    CHANGED_KEY, DelegateModel, ForwardModel, GENERATED_KEY, HASH_KEY, Lock, MAX_APPLICATIONS, MailboxModel,
    PasswordSource, Role, SINCE_KEY, VacationModel, application_of, application_secret, check_application, lock_secret,
    password_secret,
};
pub use tenant::TenantModel;
pub use website::WebSiteModel;

use crate::problem::{ObjectRef, Problem};

/// A model, if one could be made, and all that is wrong.
#[derive(Clone, Debug)]
pub struct Parsed<M> {
    /// The model; `None` when a value that everything hangs on is wrong.
    pub model: Option<M>,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
    /// With an error among the problems: whether the model is good for what the error does not concern, and knows what it is not good for.
    pub is_stopgap: bool,
}

impl<M> Parsed<M> {
    fn new(model: Option<M>, reader: Reader) -> Self {
        Self { model, problems: reader.problems, is_stopgap: false }
    }

    /// The model in force after `last`: this one when nothing is wrong with it but warnings, else the last one. Where none is known, as after a
    /// restart, what of this one is right.
    pub fn in_force(self, last: Option<M>) -> (Option<M>, Vec<Problem>) {
        let is_right = !self.problems.iter().any(Problem::is_error);
        let model = if is_right { self.model.or(last) } else { last.or(self.model.filter(|_| self.is_stopgap)) };
        (model, self.problems)
    }
}

/// Collects problems of one object while its fields are read.
struct Reader {
    object: ObjectRef,
    problems: Vec<Problem>,
}

impl Reader {
    fn new(object: ObjectRef) -> Self {
        Self { object, problems: Vec::new() }
    }

    /// How many errors there are by now.
    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.is_error()).count()
    }

    /// A value, or `None` and a problem at `field`.
    fn take<T, E: std::fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.invalid(field, error)).ok()
    }

    fn invalid(&mut self, field: &str, message: impl std::fmt::Display) {
        self.problems.push(self.object.error(field, Reason::Invalid, message));
    }

    fn warn(&mut self, field: &str, message: impl std::fmt::Display) {
        self.problems.push(self.object.warning(field, Reason::Invalid, message));
    }
}
