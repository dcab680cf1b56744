//! Asks name servers of others: one server one question, the configured resolvers, and the zone above a zone.

mod client;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod parent;
mod question;
mod reply;
mod resolvers;
mod watch;

pub(crate) use client::connect;
pub use client::{Client, LookupError, Transport};
pub use parent::{Delegation, Delegations, ParentLookup};
pub use question::Question;
pub use reply::{Data, Denial, Dnskey, Edns, Link, Record, Reply, Rrsig};
pub use resolvers::Resolvers;
pub use watch::{Pace, ParentAnswers, ParentSeen, ParentWatch};
