//! How much mail is taken.

use serde::Deserialize;

/// How much mail is taken. A Domain may write less for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LimitSettings {
    /// To how many recipients each login may send at once, from 1 to 100000; what it has used comes back evenly within an hour. 500 unless
    /// given.
    pub recipients_per_hour: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { recipients_per_hour: 500 }
    }
}

impl LimitSettings {
    /// What is wrong, as field and message.
    pub(super) fn problems(self) -> Vec<(String, String)> {
        let recipients = self.recipients_per_hour;
        let message = format!("{recipients}: whoever is logged in sends to somebody: write 1 to 100000");
        let is_right = (1..=100_000).contains(&recipients);
        (!is_right).then_some(("mail.limits.recipientsPerHour".into(), message)).into_iter().collect()
    }
}
