//! The helpdesk's lock on a box.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::MailboxModel;
use crate::model::ObjectKey;

/// The key that says since when a box is locked (RFC 3339), in the Secret of its lock. With it the box is locked, whatever it says.
pub const SINCE_KEY: &str = "since";

/// What a lock's Secret is called after the box's name.
const SUFFIX: &str = "-lock";

/// A box that the helpdesk locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Since when, to the microsecond; `None`: whoever locked it did not say.
    pub since: Option<MicroTime>,
}

/// The Secret that locks a Mailbox while it is there.
pub fn lock_secret(mailbox: &ObjectKey) -> ObjectKey {
    ObjectKey::new(&mailbox.namespace, format!("{}{SUFFIX}", mailbox.name))
}

impl MailboxModel {
    /// The Secret that locks it while it is there; `None`: a Group, to which nobody logs in.
    pub fn lock(&self) -> Option<ObjectKey> {
        (!self.is_group()).then(|| lock_secret(&self.key))
    }
}
