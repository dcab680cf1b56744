//! What a domain's mail contributes to its zone.

use cst_api::{DmarcPolicy, MailMode, SpfAll};

use crate::model::{DomainName, RecordData, RecordSet};
use crate::parse::MailModel;
use crate::settings::MailHost;

/// The record sets of a domain's mail: MX, SPF (RFC 7208) and DMARC. `hosts` are the centre's exchangers.
pub fn mail_sets(zone: &DomainName, mail: &MailModel, hosts: &[MailHost], ttl: u32) -> Vec<RecordSet> {
    let exchangers = match mail.mode {
        MailMode::Hosted => hosts.iter().map(|host| RecordData::Mx(host.preference, host.name.clone())).collect(),
        MailMode::None => vec![RecordData::Mx(0, DomainName::ROOT)],
    };
    let text = |name: DomainName, text: String| RecordSet::new(name, ttl, vec![RecordData::Txt(text.into_bytes())]);
    let dmarc = zone.child("_dmarc").ok().and_then(|name| text(name, dmarc(mail)));
    [RecordSet::new(zone.clone(), ttl, exchangers), text(zone.clone(), spf(mail)), dmarc]
        .into_iter()
        .flatten()
        .collect()
}

fn spf(mail: &MailModel) -> String {
    if mail.mode == MailMode::None {
        return "v=spf1 -all".into();
    }
    let includes: String = mail.include.iter().map(|name| format!(" include:{name}")).collect();
    let all = match mail.all {
        SpfAll::SoftFail => "~all",
        SpfAll::Fail => "-all",
        SpfAll::Neutral => "?all",
    };
    format!("v=spf1 mx{includes} {all}")
}

fn dmarc(mail: &MailModel) -> String {
    let policy = match (mail.mode, mail.dmarc) {
        (MailMode::None, _) | (_, DmarcPolicy::Reject) => "reject",
        (_, DmarcPolicy::Quarantine) => "quarantine",
        (_, DmarcPolicy::None) => "none",
    };
    format!("v=DMARC1; p={policy}")
}
