//! What an agent says it has installed: one ConfigMap of its own, `mail-agent-<pod>`, in the mail namespace.
//!
//! | key | value |
//! |---|---|
//! | `watermark` | the resourceVersion of the newest shard event it has dealt with, decimal |
//! | `refused` | JSON: a domain, or the Secret's name where that cannot be told, to why its newest state is not what is served |
//! | `digest` | [`fleet_digest`] of what is installed, so that two agents, or an agent and the published state, compare at a glance |
//! | `domains` | how many domains are installed, decimal |
//! | `more` | `true`: more are refused than fit, so nothing counts as installed |
//!
//! It is of constant size: a domain is installed when its shards' resourceVersions are not above the watermark and it is not refused.

use std::collections::BTreeMap;
use std::num::ParseIntError;

use sha2::{Digest, Sha256};

use super::DomainContent;
use super::shard::{domain_key, hex};
use crate::model::DomainName;

/// The label of every such ConfigMap; its value is the pod's name.
pub const LABEL: &str = "territorial.services/mail-agent";
/// How many refusals fit.
const MAX_REFUSED: usize = 1_000;
/// How long a reason may be, in characters.
const MAX_REASON: usize = 200;

/// The name of an agent's ConfigMap.
pub fn config_map_name(pod: &str) -> String {
    format!("mail-agent-{pod}")
}

/// What an agent has installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// The resourceVersion of the newest shard event that was dealt with; compared as an integer.
    pub watermark: u64,
    /// What is not served as its newest shards say, with the reason: by domain, or by Secret name where the Secret does not tell.
    pub refused: BTreeMap<String, String>,
    /// [`fleet_digest`] of what is installed.
    pub digest: String,
    /// How many domains are installed.
    pub domains: usize,
}

/// Why a ConfigMap is no acknowledgement.
#[derive(Debug, thiserror::Error)]
pub enum AckError {
    /// A key is not there.
    #[error("the acknowledgement has no `{0}`")]
    Missing(&'static str),
    /// A number is none.
    #[error("`{0}` of the acknowledgement is not a number")]
    Number(&'static str, #[source] ParseIntError),
    /// The refusals are not a map of texts.
    #[error("`refused` of the acknowledgement is not a JSON object of texts")]
    Refused(#[source] serde_json::Error),
}

impl Ack {
    /// Whether the agent serves the domain as its shards said when the newest of them had this resourceVersion.
    pub fn serves(&self, domain: &DomainName, newest: u64) -> bool {
        let secrets = format!("mail-{}-", domain_key(domain));
        let unread = self.refused.range(secrets.clone()..).next().is_some_and(|(key, _)| key.starts_with(&secrets));
        newest <= self.watermark && self.refusal(domain).is_none() && !unread
    }

    /// Why the domain's newest state is not what is served; `None`: it is, or the agent has not seen it.
    pub fn refusal(&self, domain: &DomainName) -> Option<&str> {
        self.refused.get(domain.as_str()).map(String::as_str)
    }

    /// The ConfigMap's `data`.
    pub fn to_data(&self) -> BTreeMap<String, String> {
        let shorten = |text: &String| text.chars().take(MAX_REASON).collect::<String>();
        let refused: BTreeMap<&String, String> =
            self.refused.iter().take(MAX_REFUSED).map(|(key, reason)| (key, shorten(reason))).collect();
        let mut data = BTreeMap::from([
            ("watermark".to_owned(), self.watermark.to_string()),
            ("refused".to_owned(), serde_json::json!(refused).to_string()),
            ("digest".to_owned(), self.digest.clone()),
            ("domains".to_owned(), self.domains.to_string()),
        ]);
        if self.refused.len() > MAX_REFUSED {
            data.insert("more".to_owned(), "true".to_owned());
        }
        data
    }

    /// Reads a ConfigMap's `data`.
    pub fn from_data(data: &BTreeMap<String, String>) -> Result<Self, AckError> {
        let field = |key| data.get(key).ok_or(AckError::Missing(key));
        let watermark = field("watermark")?.parse().map_err(|e| AckError::Number("watermark", e))?;
        let domains = field("domains")?.parse().map_err(|e| AckError::Number("domains", e))?;
        let refused = serde_json::from_str(field("refused")?).map_err(AckError::Refused)?;
        // Nothing is past a watermark of 0.
        let watermark = if data.contains_key("more") { 0 } else { watermark };
        Ok(Self { watermark, refused, digest: field("digest")?.clone(), domains })
    }
}

/// One digest over all domains: SHA-256, in hexadecimal, of the lines `<domain> <digest of its content>` in the order of the names.
pub fn fleet_digest(domains: &BTreeMap<DomainName, DomainContent>) -> String {
    let line = |content: &DomainContent| format!("{} {}\n", content.domain(), content.digest());
    hex(&domains.values().fold(Sha256::new(), |hash, content| hash.chain_update(line(content))).finalize())
}
