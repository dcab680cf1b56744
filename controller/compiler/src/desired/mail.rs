//! Mail: from the boxes and aliases of a domain to shard Secrets, and from those to the tables of Postfix and Dovecot.
//!
//! ```text
//! MailDomain ─encode→ Shard… ─(Secrets, watched by the agent)→ decode → DomainContent ─→ passwd-file, Postfix' maps
//! ```

pub mod ack;
pub mod content;
pub mod dovecot;
pub mod password;
pub mod postfix;
pub mod shard;

use std::collections::BTreeMap;

use cst_api::{Date, DeletionPolicy, MailboxState};
use serde::{Deserialize, Serialize};

pub use content::DomainContent;
pub use password::PasswordHash;
pub use shard::{Shard, ShardContent};

use crate::model::{Address, DomainName, ObjectKey, Quantity};

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
    /// Addresses that went lately, with the day on which they did: the guard counts them together with those that go next.
    pub removed: BTreeMap<Address, Date>,
    /// Goes into the digests that the guard holds its changes by: when it was first published or an approval was last used, seconds since
    /// 1970. So an approval is good once.
    pub epoch: u32,
}

impl MailDomain {
    /// A domain without any address.
    pub fn empty(domain: DomainName) -> Self {
        Self { domain, boxes: Vec::new(), aliases: BTreeMap::new(), removed: BTreeMap::new(), epoch: 0 }
    }
}

/// A box, after all rules were applied: its state is the effective one (a suspended tenant's boxes are `Suspended`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailBox {
    /// The Mailbox it comes from.
    pub owner: ObjectKey,
    /// Its address, which is also its login.
    pub address: Address,
    /// The address under which its mail is stored: its own, unless it took over another's.
    pub store: Address,
    /// The effective state.
    pub state: MailboxState,
    /// The hash of its password; without one nobody logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordHash>,
    /// How much mail it may hold, in bytes.
    pub quota: Quantity,
    /// What deleting its Mailbox means.
    pub delete_policy: DeletionPolicy,
    /// The day on which its Mailbox was deleted; `None`: it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained_since: Option<Date>,
}

impl MailBox {
    /// Whether mail for it is accepted.
    pub fn receives(&self) -> bool {
        matches!(self.state, MailboxState::Active | MailboxState::Suspended)
    }

    /// The hash its owner logs in with; `None`: nobody does, by IMAP or for submission.
    pub fn login(&self) -> Option<&PasswordHash> {
        self.password.as_ref().filter(|_| matches!(self.state, MailboxState::Active | MailboxState::Archived))
    }

    /// Whether its owner may send as this address and its aliases.
    pub fn sends(&self) -> bool {
        self.state == MailboxState::Active && self.password.is_some()
    }
}

#[cfg(test)]
mod tests;
