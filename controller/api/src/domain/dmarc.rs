use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Date, undescribed};

/// The published DMARC policy.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dmarc {
    /// `None` (default): deliver it as ever; `Quarantine`: treat it as suspicious; `Reject`: refuse it. With `stages`, until the first of
    /// them comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<DmarcPolicy>,
    /// The same for names below the domain that have no policy of their own (`sp`): `None`, `Quarantine` or `Reject`; absent: `policy` holds for
    /// them. Certified mail at `pec.<domain>` is judged by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subdomains: Option<DmarcPolicy>,
    /// The same for names below the domain that do not exist (`np`): `None`, `Quarantine` or `Reject`; absent: as for those that do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonexistent: Option<DmarcPolicy>,
    /// Who gets the reports of what others received in the domain's name (`rua`, RFC 9990): mail addresses. Unless given, with mode `Hosted`,
    /// that of the centre's settings (`mail.dmarcReports`). One in another domain gets none unless that domain says that it wants them: TXT `v=DMARC1` at
    /// `<this domain>._report._dmarc.<that domain>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5), inner(length(min = 3, max = 254)))]
    pub reports: Vec<String>,
    /// Policies that take the place of `policy`, each from a day on, in the order of their days: from `None`, by `Quarantine`, to `Reject`, while the
    /// reports are read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub stages: Vec<DmarcStage>,
}

/// A policy that holds from a day on.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DmarcStage {
    /// The first day on which it holds, in the settings' time zone.
    pub from: Date,
    /// `None`, `Quarantine` or `Reject`.
    pub policy: DmarcPolicy,
}

/// What DMARC asks receivers to do.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum DmarcPolicy {
    /// `none`
    #[default]
    None,
    /// `quarantine`
    Quarantine,
    /// `reject`
    Reject,
}

/// How far the stages of a DMARC policy are.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DmarcStatus {
    /// The policy of today: `None`, `Quarantine` or `Reject`.
    pub policy: DmarcPolicy,
    /// The next stage; absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<DmarcStage>,
}
