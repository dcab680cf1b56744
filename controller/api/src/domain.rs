mod dmarc;
mod dnssec;
mod mail;
mod record;
mod status;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use dmarc::{Dmarc, DmarcPolicy, DmarcStage, DmarcStatus};
pub use dnssec::{Denial, Dnssec, DnssecAlgorithm, DnssecMode};
pub use mail::{
    DkimKind, DkimPhase, DomainDkim, DomainMail, DomainMailLimits, Exchanger, MailMode, MailProvider, Pec, PecProvider,
    Spf, SpfAll,
};
pub use record::Record;
pub use status::{DkimStatus, DomainMailStatus, DomainStatus, KeyStatus, NextStep, ServerSerial, ZoneStatus};

use crate::undescribed;

/// The zone. Its name is metadata.name, in lower case and punycode, so that a namespace cannot hold the same zone twice; or `zone`.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "territorial.services",
    version = "v1alpha1",
    kind = "Domain",
    namespaced,
    status = "DomainStatus",
    derive = "PartialEq",
    shortname = "dom",
    category = "cst",
    doc = "A DNS zone of a tenant, named as the zone: its written records and what mail and web sites contribute, signed and published.",
    printcolumn(name = "Serial", type_ = "integer", json_path = ".status.zone.serial"),
    printcolumn(name = "Records", type_ = "integer", json_path = ".status.zone.records"),
    printcolumn(name = "DNSSEC", type_ = "string", json_path = ".status.zone.dnssec"),
    printcolumn(name = "Mail", type_ = "string", json_path = ".spec.mail.mode"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = "1"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("has(self.zone) == has(oldSelf.zone) && (!has(self.zone) || self.zone == oldSelf.zone)")
        .message("zone is immutable: create another Domain")
)]
pub struct DomainSpec {
    /// The zone's name, where it can be no object's name: that of a part of a reverse zone (RFC 2317), such as
    /// `0/27.2.0.192.in-addr.arpa`, or one with an underscore. Absent: the object's name is the zone's. It does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub zone: Option<String>,
    /// The time to live of records that give none, in seconds, from 30 to 604800 (a week); 3600 unless given. Shorter than an hour it is that of
    /// the SOA, NS and DNSKEY records too, which are kept for an hour at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 30, max = 604_800))]
    pub ttl: Option<u32>,
    /// The record sets written by hand, such as `{name: www, type: A, values: ["192.0.2.10"]}`, one for each name and type. Mail and web
    /// sites add theirs by themselves; where both say something the written one counts. SOA and the zone's own NS come from the centre's
    /// settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10_000))]
    pub records: Vec<Record>,
    /// The mail of this domain. Absent: mail contributes nothing to the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<DomainMail>,
    /// The domain's certified mail (PEC). Absent: it has none, or it is written in `records`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pec: Option<Pec>,
    /// How the zone is signed with DNSSEC. Absent: signed, as the settings say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnssec: Option<Dnssec>,
    /// Of a reverse zone (below `in-addr.arpa` or `ip6.arpa`): whose `A` and `AAAA` records with `ptr` get a `PTR` here. `Tenant` (default):
    /// those of this tenant's own Domains; `Centre`: those of every Domain of the centre; `None`: nobody's. A written `PTR` counts before them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointers: Option<Pointers>,
    /// What deleting this object means. `Retain` (default): the zone goes on being served for the centre's retention time, and
    /// creating it again takes it up where it was. `Delete`: it is withdrawn at once; below another zone of the centre when no cache has its
    /// delegation any more, and while its parent has a DS, or many go at once, only when the coordinator approves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// Whose addresses a reverse zone names.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum Pointers {
    /// The tenant's own.
    #[default]
    Tenant,
    /// Everybody's in the centre.
    Centre,
    /// Nobody's.
    None,
}

/// What deleting an object means for what it stood for.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum DeletionPolicy {
    /// Served on for the retention time, its data kept.
    #[default]
    Retain,
    /// Removed at once.
    Delete,
}
