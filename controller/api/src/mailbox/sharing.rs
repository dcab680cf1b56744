use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::undescribed;

/// Somebody who uses another's box with his own login.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delegate {
    /// His login: the address of a Personal Mailbox of the same tenant, such as `anna.rossi@comune.urbino.pu.it`.
    #[schemars(length(min = 3, max = 254), regex(pattern = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?@[^\\s@/]+$"))]
    pub user: String,
    /// `Write` (default): reads, files, answers and deletes, folders too; `Read`: reads, and marks as seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<DelegateRights>,
    /// Whether he may send as the box's address and aliases; `false` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_as: Option<bool>,
}

/// What a delegate may do with the mail.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum DelegateRights {
    /// Reads, and marks as seen.
    Read,
    /// Reads, files, marks and deletes, and makes folders.
    #[default]
    Write,
}
