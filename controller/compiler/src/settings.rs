//! The centre's settings: a file for the command line, the chart's values for the cluster.

pub mod acme;
mod check;
mod dkim;
mod limits;
pub mod web;

use cst_api::{Denial, DnssecAlgorithm};
use serde::Deserialize;

use crate::model::{Address, DomainName, Network, Quantity};
pub use dkim::DkimSettings;
pub use limits::LimitSettings;

/// What holds for the whole centre. Unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Always `territorial.services/v1alpha1`.
    pub api_version: String,
    /// Always `Settings`.
    pub kind: String,
    /// The name servers and the transfer of zones to them.
    pub dns: DnsSettings,
    /// The mail system; absent: no domain's mail is hosted.
    #[serde(default)]
    pub mail: Option<MailSettings>,
    /// The web hosting; absent: there are no sites.
    #[serde(default)]
    pub web: Option<web::Web>,
    /// How many days what was deleted with `Retain` is served on.
    #[serde(default = "thirty")]
    pub retain_days: u16,
    /// The IANA time zone in which dates and schedules are meant.
    #[serde(default = "rome")]
    pub time_zone: String,
}

/// The authoritative service.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DnsSettings {
    /// The public servers' names: the apex NS of every zone, the first one is the SOA's.
    pub name_servers: Vec<DomainName>,
    /// The address of who answers for the zones.
    pub hostmaster: Address,
    /// Between which bounds the time to live of written records is.
    #[serde(default)]
    pub ttl: TtlBounds,
    /// The issuers, by the name in their CAA records, that may give certificates for names in the zones: published at each apex that has no
    /// CAA of its own. Empty: none is published, and any issuer may.
    #[serde(default)]
    pub certificate_issuers: Vec<DomainName>,
    /// How zones are signed that say nothing of it.
    #[serde(default)]
    pub dnssec: DnssecSettings,
    /// The catalog zone's name (RFC 9432).
    #[serde(default = "catalog")]
    pub catalog: DomainName,
    /// The servers that transfer from the hidden primary.
    #[serde(default)]
    pub secondaries: Vec<Secondary>,
    /// From where TSIG keys may be used, beyond what `secondaries` says of them. A key that is named neither here nor there with `from`
    /// is good from everywhere.
    #[serde(default)]
    pub transfers: Vec<TransferRule>,
    /// The resolvers, as `host:port`, that are asked for the zones above those served here: how these delegate, and which DS they have.
    /// Tried in order. Empty: nothing is asked, and what waits for the zone above goes on waiting.
    #[serde(default)]
    pub resolvers: Vec<String>,
    /// The dynamic zone in which the challenges of certificates are answered; absent: there is none.
    #[serde(default)]
    pub acme: Option<acme::Acme>,
}

/// How zones are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DnssecSettings {
    /// With which algorithm: `ECDSAP256SHA256` unless given, or `ED25519`.
    pub algorithm: DnssecAlgorithm,
    /// How they prove what does not exist: `NSEC` unless given, or `NSEC3`.
    pub denial: Denial,
    /// After how many days a zone's key is replaced by a new one, which its parent must take up. Absent: never by itself.
    pub key_lifetime_days: Option<u16>,
}

/// The shortest and the longest time to live, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TtlBounds {
    /// Not shorter.
    pub min: u32,
    /// Not longer.
    pub max: u32,
}

impl TtlBounds {
    /// What is published in place of a time to live, in seconds.
    pub fn bounded(self, ttl: u32) -> u32 {
        ttl.clamp(self.min, self.max)
    }
}

impl Default for TtlBounds {
    fn default() -> Self {
        Self { min: 30, max: 604_800 }
    }
}

/// A public server that transfers from the hidden primary.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secondary {
    /// What it is called in statuses.
    pub name: String,
    /// `host:port`, where NOTIFY and SOA queries go; the host is a name or an address.
    pub address: String,
    /// Whether a Domain is `Ready` only when this server answers its serial.
    #[serde(default = "yes")]
    pub required: bool,
    /// The name of the TSIG key that it shares with us; absent: `transfer`, which is
    /// the chart's, or the only one that there is.
    #[serde(default)]
    pub key: Option<DomainName>,
    /// The addresses or networks from which this server transfers, as the hidden primary sees them; absent: any.
    #[serde(default)]
    pub from: Option<Vec<Network>>,
}

/// From where a TSIG key may be used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferRule {
    /// The key's name.
    pub key: DomainName,
    /// The addresses or networks from which requests may be signed with it.
    pub from: Vec<Network>,
}

/// The mail system.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailSettings {
    /// The exchangers that hosted domains name in their MX.
    pub hosts: Vec<MailHost>,
    /// The quota of boxes that give none.
    #[serde(default = "one_gib", deserialize_with = "quantity")]
    pub default_quota: Quantity,
    /// The host whose IMAP (993), `ManageSieve` (4190) and submission (465) mail programs find by each hosted domain's SRV records (RFC 6186,
    /// RFC 8314, RFC 5804); absent: none are published.
    #[serde(default)]
    pub access: Option<DomainName>,
    /// Who gets the reports of failed TLS connections to hosted domains (RFC 8460); absent: none are asked for.
    #[serde(default)]
    pub tls_reports: Option<Address>,
    /// Who gets the reports of what others received in the names of hosted domains (RFC 9990) that name nobody themselves; absent: none are asked
    /// for.
    #[serde(default)]
    pub dmarc_reports: Option<Address>,
    /// Whether Mailboxes may forward mail to other hosts, and Groups have members there; `true` unless given.
    #[serde(default = "yes")]
    pub forward_elsewhere: bool,
    /// How much is sent and received.
    #[serde(default)]
    pub limits: LimitSettings,
    /// How hosted domains' mail is signed.
    #[serde(default)]
    pub dkim: DkimSettings,
    /// Who gets the mail for postmaster and abuse of a domain that has no such box.
    pub postmaster: Address,
}

/// A mail exchanger.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailHost {
    /// Its host name.
    pub name: DomainName,
    /// Lower is tried first (RFC 5321 §5.1).
    pub preference: u16,
}

fn thirty() -> u16 {
    30
}

fn rome() -> String {
    "Europe/Rome".into()
}

fn yes() -> bool {
    true
}

fn one_gib() -> Quantity {
    Quantity(1 << 30)
}

fn catalog() -> DomainName {
    DomainName::parse("catalog.invalid").unwrap_or(DomainName::ROOT)
}

fn quantity<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
    Quantity::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}
