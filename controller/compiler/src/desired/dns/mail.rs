//! What a domain's mail contributes to its zone: MX, SPF (RFC 7208), DMARC, where mail programs find their servers (RFC 6186),
//! who gets reports of failed TLS (RFC 8460), and what a known service asks for beside.

use cst_api::{Date, MailMode, MailProvider, PecProvider, SpfAll};

use super::dmarc;
use crate::model::{DomainName, RecordData, RecordSet};
use crate::parse::{MailModel, PecModel};
use crate::settings::MailSettings;

/// The record sets of a domain's mail, its aliases aside. `centre`: the settings of the centre's own mail system; `today`: a day by which they
/// are judged, `None`: before all that is dated.
pub fn mail_sets(
    zone: &DomainName,
    mail: &MailModel,
    centre: Option<&MailSettings>,
    today: Option<Date>,
    ttl: u32,
) -> Vec<RecordSet> {
    let hosts = centre.map(|centre| centre.hosts.as_slice()).unwrap_or_default();
    let exchangers = match mail.mode {
        MailMode::Hosted => hosts.iter().map(|host| RecordData::Mx(host.preference, host.name.clone())).collect(),
        MailMode::External => exchangers(&mail.hosts, mail.provider.and_then(|provider| exchanger_of(provider, zone))),
        MailMode::None => vec![RecordData::Mx(0, DomainName::ROOT)],
    };
    let text = |name: DomainName, text: String| RecordSet::new(name, ttl, vec![RecordData::Txt(text.into_bytes())]);
    let dmarc = zone.child("_dmarc").ok().and_then(|name| text(name, dmarc::policy(mail, centre, today)));
    let exchangers = RecordSet::new(zone.clone(), ttl, exchangers);
    let own = centre.filter(|_| mail.is_hosted()).map(|centre| own_sets(zone, centre, ttl)).unwrap_or_default();
    [exchangers, text(zone.clone(), spf(mail)), dmarc].into_iter().flatten().chain(own).collect()
}

/// What only hosted mail has: where programs find their servers, each over TLS from the start or, of `ManageSieve`, from the first command; and
/// who gets reports.
fn own_sets(zone: &DomainName, centre: &MailSettings, ttl: u32) -> Vec<RecordSet> {
    let set = |label: &str, data| RecordSet::new(zone.child(label).ok()?, ttl, vec![data]);
    let services = [("_imaps._tcp", 993), ("_submissions._tcp", 465), ("_sieve._tcp", 4190)];
    let found = |host: &DomainName| services.map(|(label, port)| set(label, RecordData::Srv(0, 1, port, host.clone())));
    let reports = centre.tls_reports.as_ref().and_then(|to| {
        let text = format!("v=TLSRPTv1; rua=mailto:{to}");
        set("_smtp._tls", RecordData::Txt(text.into_bytes()))
    });
    centre.access.as_ref().map(found).into_iter().flatten().flatten().chain(reports).collect()
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
