//! `spec.mail` and `spec.pec`.

use cst_api::{Date, DomainMail, Exchanger, MailMode, MailProvider, Pec, PecProvider, SpfAll};

use super::dmarc::{DmarcModel, read_dmarc};
use crate::model::{Address, DomainName};
use crate::parse::Reader;

/// A domain's mail, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailModel {
    /// Whether it has any, and whose.
    pub mode: MailMode,
    /// The service it is at.
    pub provider: Option<MailProvider>,
    /// Its exchangers with their preferences, where others receive for it and they are written.
    pub hosts: Vec<(u16, DomainName)>,
    /// SPF includes.
    pub include: Vec<DomainName>,
    /// What SPF says of others.
    pub all: SpfAll,
    /// What DMARC asks for.
    pub dmarc: DmarcModel,
    /// Who gets what is sent to addresses that nobody has.
    pub catch_all: Option<Address>,
    /// The domain whose every address is valid here too.
    pub alias_of: Option<DomainName>,
    /// Keys that sign its mail and were made before this day are replaced, from this day on.
    pub dkim_rotation: Option<Date>,
    /// To how many recipients each login may send within an hour.
    pub recipients_per_hour: Option<u32>,
}

/// A domain's certified mail, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PecModel {
    /// The name of its addresses.
    pub name: DomainName,
    /// The service it is at.
    pub provider: Option<PecProvider>,
    /// Its exchangers with their preferences, where they are written.
    pub hosts: Vec<(u16, DomainName)>,
}

impl MailModel {
    /// Whether the centre's mail system receives.
    pub fn is_hosted(&self) -> bool {
        self.mode == MailMode::Hosted
    }

    /// As if the centre went on receiving, whatever is declared.
    pub(crate) fn hosted(declared: Option<Self>) -> Self {
        let declared = declared.unwrap_or_else(|| Self {
            mode: MailMode::Hosted,
            provider: None,
            hosts: Vec::new(),
            include: Vec::new(),
            all: SpfAll::default(),
            dmarc: DmarcModel::default(),
            catch_all: None,
            alias_of: None,
            dkim_rotation: None,
            recipients_per_hour: None,
        });
        Self { mode: MailMode::Hosted, provider: None, hosts: Vec::new(), ..declared }
    }
}

/// RFC 1035 §2.3.4, in octets.
const LONGEST_LABEL: usize = 63;
const NO_SPF: &str = "a domain without mail says `v=spf1 -all` by itself: leave spf out, or set mode to Hosted";
const NO_DMARC: &str = "a domain without mail asks for rejection by itself: leave dmarc out, or set mode to Hosted";
const NOT_EXTERNAL: &str = "is for mail that others receive: leave it out, or set mode to External";
const NOT_HOSTED: &str = "is for mail that the centre receives: leave it out, or set mode to Hosted";
const NO_HOSTS: &str = "mail that others receive needs their `provider`, or their `hosts`: write one of them";

/// Why it cannot be said what Microsoft 365 makes of a name.
fn unpredictable(zone: &DomainName) -> Option<String> {
    let octets = zone.as_str().len();
    if octets > LONGEST_LABEL {
        return Some(format!("`{zone}` has {octets} octets, of which a label holds {LONGEST_LABEL}"));
    }
    zone.as_str().contains('-').then(|| format!("what it makes of the hyphen in `{zone}` nobody but it knows"))
}

pub(super) fn read_mail(reader: &mut Reader, mail: &DomainMail, zone: &DomainName) -> MailModel {
    let DomainMail { mode, provider, hosts, spf, dmarc, catch_all, alias_of, dkim, limits } = mail;
    if *mode == MailMode::None && spf.is_some() {
        reader.invalid("spec.mail.spf", NO_SPF);
    }
    if *mode == MailMode::None && dmarc.is_some() {
        reader.invalid("spec.mail.dmarc", NO_DMARC);
    }
    for (field, is_written) in [("provider", provider.is_some()), ("hosts", !hosts.is_empty())] {
        if is_written && *mode != MailMode::External {
            reader.invalid(&format!("spec.mail.{field}"), format!("`{field}` {NOT_EXTERNAL}"));
        }
    }
    for (field, is_written) in [
        ("catchAll", catch_all.is_some()),
        ("aliasOf", alias_of.is_some()),
        ("dkim", dkim.is_some()),
        ("limits", limits.is_some()),
    ] {
        if is_written && *mode != MailMode::Hosted {
            reader.invalid(&format!("spec.mail.{field}"), format!("`{field}` {NOT_HOSTED}"));
        }
    }
    if *mode == MailMode::External && provider.is_none() && hosts.is_empty() {
        reader.invalid("spec.mail", NO_HOSTS);
    }
    if *provider == Some(MailProvider::Microsoft365)
        && hosts.is_empty()
        && let Some(why) = unpredictable(zone)
    {
        let message = format!(
            "Microsoft 365 names a domain's exchanger by the domain's name in one label with hyphens for dots, and {why}: write the exchanger \
             that its admin centre shows for the domain in `hosts`"
        );
        reader.invalid("spec.mail.provider", message);
    }
    let autodiscover = provider.filter(|provider| *provider == MailProvider::Microsoft365).map(|_| "autodiscover");
    for label in ["_dmarc"].into_iter().chain(autodiscover) {
        if let Err(why) = zone.child(label) {
            reader.invalid("spec.mail", format!("mail needs the name {label} in the zone: {why}"));
        }
    }
    let spf = spf.clone().unwrap_or_default();
    let mut include = Vec::new();
    for (index, text) in spf.include.iter().enumerate() {
        include.extend(reader.take(&format!("spec.mail.spf.include[{index}]"), DomainName::parse(text)));
    }
    MailModel {
        mode: *mode,
        provider: *provider,
        hosts: read_hosts(reader, "spec.mail.hosts", hosts),
        include,
        all: spf.all.unwrap_or_default(),
        dmarc: dmarc.as_ref().map(|dmarc| read_dmarc(reader, dmarc)).unwrap_or_default(),
        catch_all: catch_all.as_deref().and_then(|text| reader.take("spec.mail.catchAll", Address::parse(text))),
        alias_of: alias_of.as_deref().and_then(|text| read_alias_of(reader, text, zone)),
        dkim_rotation: dkim.as_ref().and_then(|dkim| dkim.rotation),
        recipients_per_hour: limits.as_ref().and_then(|limits| limits.recipients_per_hour),
    }
}

fn read_alias_of(reader: &mut Reader, text: &str, zone: &DomainName) -> Option<DomainName> {
    let other = reader.take("spec.mail.aliasOf", DomainName::parse(text))?;
    if other == *zone {
        reader.invalid("spec.mail.aliasOf", format!("`{zone}` is the domain itself: name another, or leave it out"));
    }
    Some(other)
}

pub(super) fn read_pec(reader: &mut Reader, pec: &Pec, zone: &DomainName) -> Option<PecModel> {
    let Pec { name, provider, hosts } = pec;
    if provider.is_none() && hosts.is_empty() {
        reader.invalid("spec.pec", NO_HOSTS);
    }
    let hosts = read_hosts(reader, "spec.pec.hosts", hosts);
    let name = reader.take("spec.pec.name", DomainName::parse_within(name.as_deref().unwrap_or("pec"), zone))?;
    Some(PecModel { name, provider: *provider, hosts })
}

fn read_hosts(reader: &mut Reader, field: &str, hosts: &[Exchanger]) -> Vec<(u16, DomainName)> {
    let mut read = Vec::with_capacity(hosts.len());
    for (index, Exchanger { name, preference }) in hosts.iter().enumerate() {
        let field = format!("{field}[{index}].name");
        let host = reader.take(&field, DomainName::parse(name));
        if let Some(host) = &host
            && (!host.is_host_name() || host.labels().count() < 2)
        {
            reader.invalid(&field, format!("`{host}` is no whole host name: write it as mx1.example.net"));
        }
        let preference = preference.map_or(10, |preference| u16::try_from(preference).unwrap_or(u16::MAX));
        read.extend(host.map(|host| (preference, host)));
    }
    read
}
