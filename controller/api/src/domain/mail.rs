use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Dmarc;
use crate::{Date, undescribed};

/// The mail of a domain.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DomainMail {
    /// `Hosted`: the centre's mail system receives for it, and MX, SPF and DMARC are published once it does. `External`: others receive
    /// for it, those of `provider` or `hosts`. `None`: the domain has no mail, and says so (null MX, `v=spf1 -all`, DMARC `reject`).
    pub mode: MailMode,
    /// Whose mail service it is, with mode `External`: MX and SPF become what that service asks for. `Microsoft365` (MX
    /// `<name-with-hyphens>.mail.protection.outlook.com`, autodiscover too) or `GoogleWorkspace` (MX `smtp.google.com`). What a service
    /// asks for beside these, such as its DKIM keys, is written in `records`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<MailProvider>,
    /// The mail exchangers, with mode `External`: needed without `provider`, and with one they stand in place of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub hosts: Vec<Exchanger>,
    /// Who else may send for it (SPF, RFC 7208); the centre's own mail hosts always may. Not with mode `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf: Option<Spf>,
    /// What receivers should do with mail in its name that is not from it (DMARC, RFC 9989). Not with mode `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Dmarc>,
    /// Who gets what is sent to addresses of this domain that nobody has, with mode `Hosted`: the address of a Mailbox of the same tenant.
    /// Unless given such mail is refused, which is what keeps junk and misspelt addresses out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 3, max = 254), regex(pattern = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?@[^\\s@/]+$"))]
    pub catch_all: Option<String>,
    /// Another Domain of the same tenant whose every address is valid here too, with mode `Hosted`: with `comune.urbino.pu.it`, what is sent
    /// to `sindaco` here is delivered there, and its owner may send as both. An address that a Mailbox has here is that Mailbox's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub alias_of: Option<String>,
    /// How its mail is signed (DKIM, RFC 6376), with mode `Hosted`. It is by itself, with keys that change by themselves: nothing need be
    /// said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dkim: Option<DomainDkim>,
    /// How much its logins may send, with mode `Hosted`: less than the centre's settings allow (`mail.limits`), which hold for what is not
    /// written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<DomainMailLimits>,
}

/// How much the logins of a domain may send.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DomainMailLimits {
    /// To how many recipients each login may send at once; what it has used comes back evenly within an hour. So who got hold of a password
    /// sends little with it. A Group counts as one recipient. A login beyond it is told to try again later (`450 4.7.1`), and no other login
    /// is concerned. Not more than the centre's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100_000))]
    pub recipients_per_hour: Option<u32>,
}

/// How a domain's mail is signed.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DomainDkim {
    /// From this day on keys that were made before it are replaced by new ones. Today's date begins now. The new ones sign when every public
    /// server has them; the old ones stay published until what they signed has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Date>,
}

/// An algorithm that mail is signed with.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[schemars(transform = undescribed)]
pub enum DkimKind {
    /// RSA of 2048 bits with SHA-256, which every receiver verifies.
    Rsa,
    /// Ed25519 with SHA-256 (RFC 8463).
    Ed25519,
}

/// What a DKIM key does.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum DkimPhase {
    /// It is in the zone, and signs when whoever looks for it finds it.
    Published,
    /// It signs.
    Signing,
    /// It signs no more, and what it signed is verified.
    Retired,
    /// It says that it is good no more (RFC 6376 §3.6.1).
    Revoked,
}

impl DomainMail {
    /// Mail of a mode, and nothing else said of it.
    pub fn of(mode: MailMode) -> Self {
        Self {
            mode,
            provider: None,
            hosts: Vec::new(),
            spf: None,
            dmarc: None,
            catch_all: None,
            alias_of: None,
            dkim: None,
            limits: None,
        }
    }
}

/// How a domain's mail is handled.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum MailMode {
    /// By the centre.
    Hosted,
    /// By others.
    External,
    /// Not at all.
    None,
}

/// Mail services whose records are known.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum MailProvider {
    /// Microsoft 365 (Exchange Online).
    Microsoft365,
    /// Google Workspace.
    GoogleWorkspace,
}

/// A mail exchanger.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exchanger {
    /// Its host name, whole, such as `mx1.example.net`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its preference, from 0 to 65535: the lowest is tried first (RFC 5321); 10 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 65_535))]
    pub preference: Option<u32>,
}

/// The domain's certified mail (posta elettronica certificata), which always is somebody else's service.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pec {
    /// The name of its addresses relative to the zone; `pec` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = "^(@|[^\\s.@*\"();\\\\]+(\\.[^\\s.@*\"();\\\\]+)*)$"))]
    pub name: Option<String>,
    /// Whose service it is: `Aruba` (MX `mx.pec.aruba.it`) or `InfoCert` (Legalmail, MX `mx.cert.legalmail.it`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<PecProvider>,
    /// The mail exchangers of any other service: needed without `provider`, and with one they stand in place of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub hosts: Vec<Exchanger>,
}

/// Services of certified mail whose records are known.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq)]
#[schemars(transform = undescribed)]
pub enum PecProvider {
    /// Aruba PEC.
    Aruba,
    /// Legalmail.
    InfoCert,
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
