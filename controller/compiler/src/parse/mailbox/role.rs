//! What a Mailbox is, and what belongs to that alone.

use cst_api::{MailboxSpec, MailboxState, MailboxType, Posting};

use super::super::{List, Reader};
use super::password::PasswordSource;
use crate::model::{Member, ObjectKey};

/// What a Mailbox is.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// One person's box, with the hash of its password.
    Personal(PasswordSource),
    /// An office's box: its delegates use it.
    Shared,
    /// A list of others.
    Group {
        /// Who gets what it receives.
        members: List<Member>,
        /// Who may write to it.
        posting: Posting,
    },
}

impl Reader {
    /// Reads what a Mailbox is. What belongs to another type is refused at its field, as the API server refuses it.
    pub(super) fn role(&mut self, key: &ObjectKey, spec: &MailboxSpec) -> Role {
        let kind = spec.mailbox_type.unwrap_or_default();
        if kind != MailboxType::Group {
            self.forbid(
                "members",
                !spec.members.is_empty(),
                "members belong to a Group: set type to Group, or leave them out",
            );
            self.forbid("posting", spec.posting.is_some(), "posting is who may write to a Group: leave it out");
        }
        if kind != MailboxType::Personal {
            let why = "only a Personal box has a login: leave it out";
            self.forbid("passwordSecretRef", spec.password_secret_ref.is_some(), why);
            self.forbid("passwordOwner", spec.password_owner.is_some(), why);
        }
        match kind {
            MailboxType::Personal => Role::Personal(self.password_source(key, spec)),
            MailboxType::Shared => Role::Shared,
            MailboxType::Group => self.group(spec),
        }
    }

    fn group(&mut self, spec: &MailboxSpec) -> Role {
        for (field, is_there) in [
            ("quota", spec.quota.is_some()),
            ("delegates", !spec.delegates.is_empty()),
            ("forward", spec.forward.is_some()),
            ("vacation", spec.vacation.is_some()),
            ("store", spec.store.is_some()),
        ] {
            self.forbid(field, is_there, "a Group keeps no mail: leave it out");
        }
        let odd = matches!(spec.state, Some(MailboxState::Suspended | MailboxState::Archived));
        self.forbid("state", odd, "a Group is Active or Closed");
        self.forbid(
            "members",
            spec.members.is_empty(),
            "a Group needs members: name addresses, or *@ and a domain for all of it",
        );
        let itself = |member: &Member| {
            let own = matches!(member, Member::One(one) if one.to_string() == spec.address);
            own.then(|| format!("`{member}` is the Group itself: leave it out"))
        };
        let members = self.list("spec.members", &spec.members, Member::parse, itself);
        Role::Group { members, posting: spec.posting.unwrap_or_default() }
    }

    pub(super) fn forbid(&mut self, field: &str, is_there: bool, why: &str) {
        if is_there {
            self.invalid(&format!("spec.{field}"), why);
        }
    }
}
