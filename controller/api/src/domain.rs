use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Status, undescribed};

/// The zone. Its name is metadata.name, in lower case and punycode, so that a namespace cannot hold the same zone twice.
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
pub struct DomainSpec {
    /// The time to live of records that give none, in seconds, from 30 to 604800 (a week); 3600 unless given.
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
    /// What deleting this object means. `Retain` (default): the zone goes on being served for the centre's retention time, and
    /// creating it again takes it up where it was. `Delete`: it is withdrawn at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// One record set: all values of a type at a name.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("self.type != 'CNAME' || self.name != '@'").message("a CNAME cannot stand at the apex: use A and AAAA there"),
    validation = Rule::new("self.type != 'CNAME' || self.values.size() == 1").message("a CNAME has exactly one value")
)]
pub struct Record {
    /// The name relative to the zone, such as `www`; `@` is the zone itself, `*` stands for every name that has no record.
    #[schemars(
        length(min = 1, max = 253),
        regex(pattern = "^(@|\\*|(\\*\\.)?[^\\s.@*\"();\\\\]+(\\.[^\\s.@*\"();\\\\]+)*)$")
    )]
    pub name: String,
    /// The type, with a value as it is written: `A` (`192.0.2.10`), `AAAA` (`2001:db8::10`), `CAA` (`0 issue "ca.example.net"`), `CNAME`
    /// (`www.example.org`; stands alone at its name, never at `@`), `MX` (`10 mail.example.org`), `NS` (`ns1.example.org`, of a name
    /// that other servers answer), `PTR` (`host.example.org`, in reverse zones), `SRV` (`0 5 5061 sip.example.org`), `TXT` (any text).
    #[serde(rename = "type")]
    pub type_: RecordType,
    /// The values, at most 100 of 4096 bytes. TXT: the text itself on one line, without quotes or escapes. Every other type: its
    /// right-hand side in a zone file, such as `10 mail.example.org` for MX; host names in it are whole, with or without the dot at the end.
    #[schemars(length(min = 1, max = 100), inner(length(max = 4096)))]
    pub values: Vec<String>,
    /// The set's time to live in seconds, from 30 to 604800; the Domain's `ttl` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 30, max = 604_800))]
    pub ttl: Option<u32>,
}

/// The record types that can be written.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[schemars(transform = undescribed)]
pub enum RecordType {
    /// An IPv4 address: `192.0.2.10`.
    A,
    /// An IPv6 address: `2001:db8::10`.
    AAAA,
    /// Who may issue certificates: `0 issue "ca.example.net"`.
    CAA,
    /// Another name for a name: `www.example.org`.
    CNAME,
    /// A mail exchanger: `10 mail.example.org`.
    MX,
    /// A name server of a delegated name: `ns1.example.org`.
    NS,
    /// The name of an address (reverse zones): `host.example.org`.
    PTR,
    /// Where a service is: `0 5 5061 sip.example.org`.
    SRV,
    /// Text.
    TXT,
}

/// The mail of a domain.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DomainMail {
    /// `Hosted`: the centre's mail system receives for it, and MX, SPF and DMARC are published once it does. `None`: the domain has no
    /// mail, and says so (null MX, `v=spf1 -all`, DMARC `reject`).
    pub mode: MailMode,
    /// Who else may send for it (SPF, RFC 7208); the centre's own mail hosts always may. Not with mode `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf: Option<Spf>,
    /// What receivers should do with mail in its name that is not from it (DMARC, RFC 7489). Not with mode `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Dmarc>,
}

/// How a domain's mail is handled.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum MailMode {
    /// By the centre.
    Hosted,
    /// Not at all.
    None,
}

/// The sender policy beyond the centre's own hosts (RFC 7208).
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spf {
    /// Domains whose SPF record is included, such as `spf.newsletter.example.com`; at most 8, because SPF ends after 10 look-ups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 253)))]
    pub include: Vec<String>,
    /// What is said of all other senders: `SoftFail` (`~all`, suspicious; the default), `Fail` (`-all`, refuse) or `Neutral` (`?all`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<SpfAll>,
}

/// The qualifier of SPF's closing `all`.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum SpfAll {
    /// `~all`
    #[default]
    SoftFail,
    /// `-all`
    Fail,
    /// `?all`
    Neutral,
}

/// The published DMARC policy.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dmarc {
    /// `None` (default): deliver it as ever; `Quarantine`: treat it as suspicious; `Reject`: refuse it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<DmarcPolicy>,
}

/// What DMARC asks receivers to do.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum DmarcPolicy {
    /// `p=none`
    #[default]
    None,
    /// `p=quarantine`
    Quarantine,
    /// `p=reject`
    Reject,
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
    /// `Signed` when it is signed with DNSSEC.
    pub dnssec: String,
    /// The DS records to hand to the registrar, or to who serves the zone above: key tag, algorithm, digest type, digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ds: Vec<String>,
    /// The serial each public server answered when this version was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerSerial>,
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
