//! How mail is signed (DKIM, RFC 6376).

use std::collections::BTreeSet;

use cst_api::DkimKind;
use serde::Deserialize;

/// How hosted domains' mail is signed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DkimSettings {
    /// With which algorithms, a signature by each: `Rsa` (2048 bits, which every receiver verifies) and `Ed25519` (RFC 8463), both unless
    /// given. Empty: mail is not signed.
    pub algorithms: BTreeSet<DkimKind>,
    /// After how many days a domain's keys are replaced by new ones: 180 unless given. 0: never by themselves.
    pub rotation_days: u16,
    /// How many days keys stay published after every mail server ceased to sign with them: 7 unless given, and not fewer, as mail may be on its
    /// way for days.
    pub keep_days: u16,
}

impl Default for DkimSettings {
    fn default() -> Self {
        Self { algorithms: [DkimKind::Rsa, DkimKind::Ed25519].into(), rotation_days: 180, keep_days: 7 }
    }
}

impl DkimSettings {
    /// After how many days keys are replaced; `None`: never.
    pub fn lifetime(&self) -> Option<u16> {
        (self.rotation_days > 0).then_some(self.rotation_days)
    }

    /// What is wrong, as field and message.
    pub(super) fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let days = self.rotation_days;
        if (1..30).contains(&days) {
            let message =
                format!("{days}: keys that change so often are always on their way: write 30 or more, or 0 for never");
            found.push(("mail.dkim.rotationDays".into(), message));
        }
        let days = self.keep_days;
        if !(7..=365).contains(&days) {
            let message = format!("{days}: mail that is on its way must find its key: write 7 to 365");
            found.push(("mail.dkim.keepDays".into(), message));
        }
        found
    }
}
