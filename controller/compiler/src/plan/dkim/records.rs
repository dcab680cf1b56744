//! What a zone holds of its domain's keys (RFC 6376 §3.6.1, RFC 8463 §4.2).

use cst_api::DkimPhase;

use super::{Dkim, KeySet, PublicKey};
use crate::desired::mail::dkim::{DkimAlgorithm, DkimSelector};
use crate::model::{DomainName, NameError, RecordData, RecordSet};

/// A key record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its selector: its name is `<selector>._domainkey.<domain>`.
    pub selector: DkimSelector,
    /// Its text.
    pub text: String,
}

impl Dkim {
    /// The zone's key records.
    pub fn records(&self) -> Vec<KeyRecord> {
        self.sets.iter().flat_map(KeySet::records).collect()
    }
}

impl KeySet {
    /// Its records.
    pub fn records(&self) -> Vec<KeyRecord> {
        self.keys.iter().map(|key| KeyRecord { selector: self.selector(key), text: self.text(key) }).collect()
    }

    fn text(&self, PublicKey { algorithm, key }: &PublicKey) -> String {
        let kind = match algorithm {
            DkimAlgorithm::RsaSha256 => "rsa",
            DkimAlgorithm::Ed25519Sha256 => "ed25519",
        };
        let key = if self.phase == DkimPhase::Revoked { "" } else { key };
        format!("v=DKIM1; k={kind}; p={key}")
    }
}

impl KeyRecord {
    /// The record as a set of its own.
    pub fn to_set(&self, domain: &DomainName, ttl: u32) -> Option<RecordSet> {
        let data = RecordData::Txt(self.text.clone().into_bytes());
        RecordSet::new(key_name(&self.selector, domain).ok()?, ttl, vec![data])
    }
}

/// The name at which a domain's key of a selector is (RFC 6376 §3.6.2.1).
pub fn key_name(selector: &DkimSelector, domain: &DomainName) -> Result<DomainName, NameError> {
    domain.child(&format!("{selector}._domainkey"))
}
