//! One unit at a time from the index to what shall be served, with everything wrong on the way.

mod aliases;
mod fleet;
mod mail;
mod mailbox;
mod site;
mod tenant;
mod undecided;
mod zone;

pub use fleet::problems;
pub use mail::{MailOutcome, MissingPassword, Password, applications, changed_password, mail};
pub use mailbox::{MailboxVerdict, mailbox, mailbox_by};
pub use site::{SiteVerdict, site};
pub use tenant::{TenantVerdict, tenant};
pub use zone::{ZoneFacts, ZoneOutcome, zone};

use cst_api::Reason;

use crate::index::Refusal;
use crate::problem::{ObjectRef, Problem};

/// What to do with a unit that is not to be compiled now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Compiled: the outcome is to be served.
    Live,
    /// Somebody asks for it but cannot have it as it is: what was published goes on.
    Kept,
    /// Nobody asks for it any more: what was published goes on for the retention time, or goes at once, as its deletion policy said.
    Retired,
}

impl ObjectRef {
    /// A refusal as a problem of this object at a field.
    fn refused(&self, field: impl Into<String>, refusal: Refusal) -> Problem {
        self.error(field, refusal.reason, refusal.message)
    }

    fn conflict(&self, field: impl Into<String>, what: &str, winner: &ObjectRef) -> Problem {
        self.error(field, Reason::Conflict, asked_for(what, winner))
    }
}

/// What is said of a name that others ask for too: the same in files, where nobody knows who had it first, and in the cluster.
fn asked_for(name: impl std::fmt::Display, others: impl std::fmt::Display) -> String {
    format!("`{name}` is asked for by {others} too: leave it to one of them")
}
