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
    CHANGED_KEY, DelegateModel, ForwardModel, GENERATED_KEY, HASH_KEY, Lock, MailboxModel, PasswordSource, Role,
    SINCE_KEY, VacationModel, lock_secret, password_secret,
};
pub use tenant::TenantModel;
pub use website::WebSiteModel;

use crate::problem::{ObjectRef, Problem};

/// A model, if one could be made, and all that is wrong. With an error among the problems the model is not to be used.
#[derive(Clone, Debug)]
pub struct Parsed<M> {
    /// The model; `None` when a value that everything hangs on is wrong.
    pub model: Option<M>,
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

impl<M> Parsed<M> {
    /// The model, when nothing is wrong with it but warnings.
    pub fn usable(self) -> (Option<M>, Vec<Problem>) {
        let usable = !self.problems.iter().any(Problem::is_error);
        (self.model.filter(|_| usable), self.problems)
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
