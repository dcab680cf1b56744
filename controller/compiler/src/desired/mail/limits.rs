//! How much a domain's logins may send.

use serde::{Deserialize, Serialize};

/// How much a domain's logins may send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// To how many recipients each of them may send at once, which come back evenly within an hour; `None`: nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients_per_hour: Option<u32>,
}

impl Limits {
    /// Whether nothing is limited.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(super) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}
