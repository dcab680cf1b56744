use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DmarcStatus;
use crate::{DkimKind, DkimPhase, DnssecAlgorithm, Status};

/// What the controller says of a Domain.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DomainStatus {
    /// The generation of the spec that this status speaks of; -1 before the controller saw the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// What is true of it, by type: `Ready` (the top line, its message says what is the matter), `Stalled` (somebody must change
    /// something), `Reconciling` (work goes on by itself), `Published` (every required public server
    /// answers the serial), `PlanHeld` (a change that drops much waits for the coordinator's approval).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The zone as it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneStatus>,
    /// Its mail's keys; absent: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<DomainMailStatus>,
}

/// What mail is signed with.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DomainMailStatus {
    /// The DKIM keys that the zone holds, or is about to, at `<selector>._domainkey`, the oldest first. None in phase `Signing`: mail is not
    /// signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dkim: Vec<DkimStatus>,
    /// What the next change of its keys waits for; absent: none is to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
    /// How far the stages of its DMARC policy are; absent: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<DmarcStatus>,
}

/// A DKIM key.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DkimStatus {
    /// Its selector, which signatures name.
    pub selector: String,
    /// Its algorithm: `Rsa` or `Ed25519`.
    pub algorithm: DkimKind,
    /// The day it was made.
    pub made: String,
    /// What it does: `Published` (it signs when whoever looks for it finds it), `Signing`, `Retired` (it signs no more, and what it signed is
    /// verified), `Revoked` (it says that it is good no more).
    pub phase: DkimPhase,
    /// Since when, as a time in UTC.
    pub since: String,
}

/// A published zone.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ZoneStatus {
    /// The zone's name, in lower case and punycode, without a trailing dot. Who holds it keeps it.
    pub name: String,
    /// The serial of the newest published version.
    pub serial: u32,
    /// How many records it holds, SOA and NS among them, signatures and keys not.
    pub records: u32,
    /// `Signed` or `Unsigned`; on the way from one to the other, or from one key to another, `Changing`, and `next` says what comes.
    pub dnssec: String,
    /// The keys that do something in the zone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyStatus>,
    /// What the next step in the change of keys that is under way waits for; absent: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextStep>,
    /// The DS records to hand to the registrar, or to who serves the zone above: key tag, algorithm, digest type, digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ds: Vec<String>,
    /// The serial each public server answered when this version was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerSerial>,
}

/// A key of a zone.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct KeyStatus {
    /// Its tag, by which DS, DNSKEY and RRSIG records name it.
    pub tag: u16,
    /// Its algorithm: `ECDSAP256SHA256` or `ED25519`.
    pub algorithm: DnssecAlgorithm,
    /// The day it was made.
    pub made: String,
    /// Whether it stands in the zone's DNSKEY set.
    pub listed: bool,
    /// Whether it signs what the zone holds.
    pub signing: bool,
    /// Whether the parent shall have its DS.
    pub trusted: bool,
}

/// A step that is waited for.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct NextStep {
    /// What it waits for.
    pub waits_for: String,
    /// When that comes by itself, as a time in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
}

/// What one public server answers.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServerSerial {
    /// The server's name in the settings.
    pub name: String,
    /// The serial it answered; absent: it answered none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
}

impl Status for DomainStatus {
    fn observed_generation(&self) -> Option<i64> {
        self.observed_generation
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }
}
