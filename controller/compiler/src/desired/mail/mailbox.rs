//! A box or a group as it shall be served.

use std::collections::BTreeMap;

use cst_api::{Date, DelegateRights, DeletionPolicy, MailboxState, Posting};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde::{Deserialize, Serialize};

use super::PasswordHash;
use crate::model::{Address, Member, ObjectKey, Quantity, Recipient};

/// A box, after all rules were applied: its state is the effective one (a suspended tenant's boxes are `Suspended`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailBox {
    /// The Mailbox it comes from.
    pub owner: ObjectKey,
    /// What it is.
    #[serde(default, skip_serializing_if = "BoxRole::is_personal")]
    pub role: BoxRole,
    /// Its address, which is also its login.
    pub address: Address,
    /// The address under which its mail is stored: its own, unless it took over another's.
    pub store: Address,
    /// The effective state.
    pub state: MailboxState,
    /// The hash of its password; without one nobody logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<PasswordHash>,
    /// Says that the password was changed outside of git: what is published is then the only copy beside its tenant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_change: Option<PasswordChange>,
    /// The hashes of passwords of one device or program each, by their names: they open what the owner's own opens, and nothing without it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub applications: BTreeMap<String, PasswordHash>,
    /// How much mail it may hold, in bytes.
    pub quota: Quantity,
    /// Who else uses it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delegates: Vec<Delegation>,
    /// Where else its mail goes now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward: Option<Forwarding>,
    /// What is answered now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// What deleting its Mailbox means.
    pub delete_policy: DeletionPolicy,
    /// The day on which its Mailbox was deleted; `None`: it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained_since: Option<Date>,
}

/// A change of a password outside of git, by its user or by the helpdesk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordChange {
    /// When, to the microsecond; `None`: whoever changed it did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<MicroTime>,
}

/// What a box is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum BoxRole {
    /// One person's.
    #[default]
    Personal,
    /// An office's: nobody logs in as it.
    Shared,
    /// No box, but a list.
    #[serde(rename_all = "camelCase")]
    Group {
        /// Who gets what it receives.
        members: Vec<Member>,
        /// Who may write to it.
        #[serde(default)]
        posting: Posting,
    },
}

/// Somebody who uses another's box with his own login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delegation {
    /// His login.
    pub user: Address,
    /// What he may do with the mail.
    pub rights: DelegateRights,
    /// Whether he may send as the box.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub send_as: bool,
}

/// Where else a box's mail goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forwarding {
    /// To whom.
    pub to: Vec<Recipient>,
    /// Whether the box keeps its mail too.
    pub keep_copy: bool,
}

/// What is answered while the owner of a box is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// The subject; `None`: that of the message, marked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text.
    pub text: String,
    /// The addresses that are its owner's: what is not written to one of them is not answered (RFC 5230 §4.5).
    pub addresses: Vec<Address>,
}

impl BoxRole {
    fn is_personal(&self) -> bool {
        *self == Self::Personal
    }
}

impl MailBox {
    /// A Personal, Active box without a password, whose mail is stored under its own address and is retained when it is deleted.
    pub fn new(owner: ObjectKey, address: Address, quota: Quantity) -> Self {
        Self {
            owner,
            role: BoxRole::Personal,
            store: address.clone(),
            address,
            state: MailboxState::Active,
            password: None,
            password_change: None,
            applications: BTreeMap::new(),
            quota,
            delegates: Vec::new(),
            forward: None,
            answer: None,
            delete_policy: DeletionPolicy::Retain,
            retained_since: None,
        }
    }

    /// Whether mail for it is accepted.
    pub fn receives(&self) -> bool {
        matches!(self.state, MailboxState::Active | MailboxState::Suspended)
    }

    /// Whether it is a list and keeps nothing itself.
    pub fn is_group(&self) -> bool {
        matches!(self.role, BoxRole::Group { .. })
    }

    /// The hash its owner logs in with; `None`: nobody does, by IMAP or for submission.
    pub fn login(&self) -> Option<&PasswordHash> {
        self.password.as_ref().filter(|_| self.role == BoxRole::Personal && self.is_read())
    }

    /// The hashes that its owner's devices and programs log in with, in the order of their names.
    pub fn application_logins(&self) -> impl Iterator<Item = &PasswordHash> {
        self.applications.values().filter(|_| self.login().is_some())
    }

    /// Whether its owner may send as this address and its aliases.
    pub fn sends(&self) -> bool {
        self.state == MailboxState::Active && self.login().is_some()
    }

    /// Who uses it beside its owner now.
    pub fn delegations(&self) -> impl Iterator<Item = &Delegation> {
        self.delegates.iter().filter(|_| self.is_read())
    }

    fn is_read(&self) -> bool {
        matches!(self.state, MailboxState::Active | MailboxState::Archived)
    }
}
