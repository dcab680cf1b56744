//! What a domain's mail contributes to its zone: MX, SPF (RFC 7208), DMARC (RFC 7489), and what a known service asks for beside.

use cst_api::{DmarcPolicy, MailMode, MailProvider, PecProvider, SpfAll};

use crate::model::{DomainName, RecordData, RecordSet};
use crate::parse::{MailModel, PecModel};
use crate::settings::MailHost;

/// The record sets of a domain's mail, its aliases aside. `hosts` are the centre's exchangers.
pub fn mail_sets(zone: &DomainName, mail: &MailModel, hosts: &[MailHost], ttl: u32) -> Vec<RecordSet> {
    let exchangers = match mail.mode {
        MailMode::Hosted => hosts.iter().map(|host| RecordData::Mx(host.preference, host.name.clone())).collect(),
        MailMode::External => exchangers(&mail.hosts, mail.provider.and_then(|provider| exchanger_of(provider, zone))),
        MailMode::None => vec![RecordData::Mx(0, DomainName::ROOT)],
    };
    let text = |name: DomainName, text: String| RecordSet::new(name, ttl, vec![RecordData::Txt(text.into_bytes())]);
    let dmarc = zone.child("_dmarc").ok().and_then(|name| text(name, dmarc(mail)));
    let exchangers = RecordSet::new(zone.clone(), ttl, exchangers);
    [exchangers, text(zone.clone(), spf(mail)), dmarc].into_iter().flatten().collect()
}

/// The MX of a domain's certified mail.
pub fn pec_sets(pec: &PecModel, ttl: u32) -> Option<RecordSet> {
    let host = pec.provider.and_then(|provider| {
        DomainName::parse(match provider {
            PecProvider::Aruba => "mx.pec.aruba.it",
            PecProvider::InfoCert => "mx.cert.legalmail.it",
        })
        .ok()
    });
    RecordSet::new(pec.name.clone(), ttl, exchangers(&pec.hosts, host.map(|host| (10, host))))
}

/// The written ones, else the service's own.
fn exchangers(written: &[(u16, DomainName)], own: Option<(u16, DomainName)>) -> Vec<RecordData> {
    let own = own.filter(|_| written.is_empty());
    written.iter().cloned().chain(own).map(|(preference, host)| RecordData::Mx(preference, host)).collect()
}

fn exchanger_of(provider: MailProvider, zone: &DomainName) -> Option<(u16, DomainName)> {
    let (preference, host) = match provider {
        MailProvider::Microsoft365 => (0, format!("{}.mail.protection.outlook.com", zone.as_str().replace('.', "-"))),
        MailProvider::GoogleWorkspace => (1, "smtp.google.com".to_owned()),
    };
    DomainName::parse(&host).ok().map(|host| (preference, host))
}

/// The alias at which Outlook looks for its settings.
pub fn autodiscover(zone: &DomainName, mail: &MailModel, ttl: u32) -> Option<RecordSet> {
    mail.provider.filter(|provider| *provider == MailProvider::Microsoft365)?;
    let target = DomainName::parse("autodiscover.outlook.com").ok()?;
    RecordSet::new(zone.child("autodiscover").ok()?, ttl, vec![RecordData::Cname(target)])
}

fn spf(mail: &MailModel) -> String {
    let senders = match (mail.mode, mail.provider) {
        (MailMode::None, _) => return "v=spf1 -all".into(),
        (_, Some(MailProvider::Microsoft365)) => "include:spf.protection.outlook.com",
        (_, Some(MailProvider::GoogleWorkspace)) => "include:_spf.google.com",
        (_, None) => "mx",
    };
    let includes: String = mail.include.iter().map(|name| format!(" include:{name}")).collect();
    let all = match mail.all {
        SpfAll::SoftFail => "~all",
        SpfAll::Fail => "-all",
        SpfAll::Neutral => "?all",
    };
    format!("v=spf1 {senders}{includes} {all}")
}

fn dmarc(mail: &MailModel) -> String {
    let policy = match (mail.mode, mail.dmarc) {
        (MailMode::None, _) | (_, DmarcPolicy::Reject) => "reject",
        (_, DmarcPolicy::Quarantine) => "quarantine",
        (_, DmarcPolicy::None) => "none",
    };
    format!("v=DMARC1; p={policy}")
}
