use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::undescribed;

/// Whose a mailbox's password is.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum PasswordOwner {
    /// What git says holds.
    Git,
    /// What git says is the beginning.
    User,
}

/// A key of a Secret in the same namespace.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretKeyRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The key in it; the Mailbox's name unless given, so that one Secret may hold many boxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub key: Option<String>,
}
