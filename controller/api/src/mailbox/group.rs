use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::undescribed;

/// Who may write to a Group.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum Posting {
    /// Whoever can send mail.
    #[default]
    Anyone,
    /// Who is logged in with a box of the same tenant.
    Tenant,
    /// Who is logged in with a box that is a member.
    Members,
}
