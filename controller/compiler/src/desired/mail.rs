//! Mail: from the boxes and aliases of a domain to shard Secrets, and from those to the tables of Postfix and Dovecot and the keys of
//! Rspamd.
//!
//! ```text
//! MailDomain ─encode→ Shard… ─(Secrets, watched by the agent)→ decode → DomainContent ─→ Postfix' tables, Dovecot's files, Rspamd's keys
//! ```
//!
//! A shard says what was declared; who gets what is worked out where the tables are written, from what is installed there, so that no
//! table leads to a box that is not.

pub mod ack;
pub mod content;
pub mod dkim;
pub mod dovecot;
pub mod fleet;
mod limits;
mod mailbox;
pub mod notes;
pub mod password;
pub mod postfix;
pub mod posting;
pub mod routes;
pub mod rspamd;
pub mod sender;
pub mod shard;
pub mod sharing;
pub mod sieve;

use std::collections::BTreeMap;

use cst_api::Date;

pub use content::DomainContent;
pub use dkim::DkimSigner;
pub use fleet::Fleet;
pub use limits::Limits;
pub use mailbox::{Answer, BoxRole, Delegation, Forwarding, MailBox, PasswordChange};
pub use password::PasswordHash;
pub use shard::{Shard, ShardContent};

use crate::model::{Address, DomainName};

/// The mail domains that are installed, by their names.
pub type Domains = BTreeMap<DomainName, DomainContent>;

/// A domain whose mail the centre receives, with all that is delivered in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailDomain {
    /// The domain.
    pub domain: DomainName,
    /// The boxes, each with an address of this domain. Of two with one address the first counts.
    pub boxes: Vec<MailBox>,
    /// Aliases of this domain, each with the address of the box it is delivered to, possibly of another domain. A box of the
    /// same address takes precedence.
    pub aliases: BTreeMap<Address, Address>,
    /// Who gets what is sent to addresses here that nobody has.
    pub catch_all: Option<Address>,
    /// The domain whose every address is valid here too.
    pub alias_of: Option<DomainName>,
    /// How much its logins may send.
    pub limits: Limits,
    /// What its mail is signed with: one signature by each.
    pub dkim: Vec<DkimSigner>,
    /// Addresses that went lately, with the day on which they did: the guard counts them together with those that go next.
    pub removed: BTreeMap<Address, Date>,
    /// Goes into the digests that the guard holds its changes by: when it was first published or an approval was last used, seconds since
    /// 1970. So an approval is good once.
    pub epoch: u32,
}

impl MailDomain {
    /// A domain without any address.
    pub fn empty(domain: DomainName) -> Self {
        let (boxes, aliases, removed) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (catch_all, alias_of, limits, dkim) = (None, None, Limits::default(), Vec::new());
        Self { domain, boxes, aliases, catch_all, alias_of, limits, dkim, removed, epoch: 0 }
    }
}

#[cfg(test)]
mod tests;
