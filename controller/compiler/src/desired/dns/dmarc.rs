//! The DMARC policy of a domain (RFC 9989 §4.7), and that somebody wants the reports of others (RFC 9990 §4).

use cst_api::{Date, DmarcPolicy, MailMode};

use crate::model::{Address, DomainName, RecordData, RecordSet};
use crate::parse::MailModel;
use crate::settings::MailSettings;

/// The text of the record at `_dmarc`.
pub(super) fn policy(mail: &MailModel, centre: Option<&MailSettings>, today: Option<Date>) -> String {
    let dmarc = &mail.dmarc;
    let policy = if mail.mode == MailMode::None { DmarcPolicy::Reject } else { dmarc.on(today) };
    let mut text = format!("v=DMARC1; p={}", mnemonic(policy));
    for (tag, policy) in [("sp", dmarc.subdomains), ("np", dmarc.nonexistent)] {
        text.extend(policy.map(|policy| format!("; {tag}={}", mnemonic(policy))));
    }
    let of_centre = centre.filter(|_| mail.is_hosted() && dmarc.reports.is_empty());
    let reports = dmarc.reports.iter().chain(of_centre.and_then(|centre| centre.dmarc_reports.as_ref()));
    let reports: Vec<String> = reports.map(|to: &Address| format!("mailto:{to}")).collect();
    if !reports.is_empty() {
        text += &format!("; rua={}", reports.join(","));
    }
    text
}

/// That the domain of the settings' address wants reports of all others, for the zone that it lies in.
pub fn wanted_reports(zone: &DomainName, centre: Option<&MailSettings>, ttl: u32) -> Option<RecordSet> {
    let wants = centre?.dmarc_reports.as_ref()?.domain();
    let name = wants.is_within(zone).then(|| wants.child("*._report._dmarc").ok())??;
    RecordSet::new(name, ttl, vec![RecordData::Txt(b"v=DMARC1".to_vec())])
}

fn mnemonic(policy: DmarcPolicy) -> &'static str {
    match policy {
        DmarcPolicy::None => "none",
        DmarcPolicy::Quarantine => "quarantine",
        DmarcPolicy::Reject => "reject",
    }
}
