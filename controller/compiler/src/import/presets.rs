//! What of a zone's mail is said shorter: `spec.mail` and `spec.pec` that render to the same records.

use cst_api::{
    Dmarc, DmarcPolicy, DomainMail, Exchanger, MailMode, MailProvider, Pec, PecProvider, RecordType, Spf, SpfAll,
};

use crate::model::{DomainName, RecordData, Zone};

/// What may be said of a zone's mail, the shortest first. Whether it renders to the same is not judged here.
pub(super) fn mail_candidates(zone: &Zone) -> Vec<DomainMail> {
    let exchangers = exchangers(zone, zone.apex());
    if exchangers.is_empty() {
        return Vec::new();
    }
    let dmarc = zone.apex().child("_dmarc").ok().and_then(|name| dmarc(&texts(zone, &name)));
    let (include, all) = spf(&texts(zone, zone.apex())).unwrap_or_default();
    let of = |mode, provider: Option<MailProvider>, hosts: Vec<Exchanger>| {
        let own = provider.map(own_include);
        let include: Vec<String> = include.iter().filter(|name| Some(name.as_str()) != own).cloned().collect();
        let spf = Spf { include, all: all.filter(|all| *all != SpfAll::default()) };
        let spf = (spf != Spf::default()).then_some(spf);
        DomainMail { provider, hosts, spf, dmarc: dmarc.clone(), ..DomainMail::of(mode) }
    };
    vec![
        DomainMail::of(MailMode::None),
        of(MailMode::Hosted, None, Vec::new()),
        of(MailMode::External, Some(MailProvider::Microsoft365), Vec::new()),
        of(MailMode::External, Some(MailProvider::GoogleWorkspace), Vec::new()),
        of(MailMode::External, None, exchangers),
    ]
}

/// The certified mail that names in the zone may have.
pub(super) fn pec_candidates(zone: &Zone) -> Vec<Pec> {
    let is_candidate = |name: &DomainName| name != zone.apex() && !name.is_wildcard();
    let named = zone.sets().filter(|set| set.type_() == RecordType::MX && is_candidate(&set.name));
    let names = named
        .filter_map(|set| set.name.relative_to(zone.apex()))
        .map(|name| Some(name.to_owned()).filter(|name| name != "pec"));
    let of = |name: Option<String>| {
        [PecProvider::Aruba, PecProvider::InfoCert].map(|provider| Pec {
            name: name.clone(),
            provider: Some(provider),
            hosts: Vec::new(),
        })
    };
    let mut candidates: Vec<Pec> = names.flat_map(of).collect();
    candidates.sort_by_key(|pec| pec.name.clone());
    candidates
}

fn own_include(provider: MailProvider) -> &'static str {
    match provider {
        MailProvider::Microsoft365 => "spf.protection.outlook.com",
        MailProvider::GoogleWorkspace => "_spf.google.com",
    }
}

fn exchangers(zone: &Zone, name: &DomainName) -> Vec<Exchanger> {
    let values = zone.get(name, RecordType::MX).map(crate::model::RecordSet::values).unwrap_or_default();
    let exchanger = |value: &RecordData| match value {
        RecordData::Mx(preference, host) => Some(Exchanger {
            name: host.to_string(),
            preference: Some(u32::from(*preference)).filter(|preference| *preference != 10),
        }),
        _ => None,
    };
    values.iter().filter_map(exchanger).collect()
}

fn texts(zone: &Zone, name: &DomainName) -> Vec<String> {
    let values = zone.get(name, RecordType::TXT).map(crate::model::RecordSet::values).unwrap_or_default();
    let text = |value: &RecordData| match value {
        RecordData::Txt(text) => String::from_utf8(text.clone()).ok(),
        _ => None,
    };
    values.iter().filter_map(text).collect()
}

/// The includes and the closing `all` of the sender policy (RFC 7208).
fn spf(texts: &[String]) -> Option<(Vec<String>, Option<SpfAll>)> {
    let policy = texts.iter().find_map(|text| text.strip_prefix("v=spf1 "))?;
    let include = policy.split(' ').filter_map(|term| term.strip_prefix("include:")).map(str::to_owned).collect();
    let all = policy.split(' ').find_map(|term| match term {
        "~all" => Some(SpfAll::SoftFail),
        "-all" => Some(SpfAll::Fail),
        "?all" => Some(SpfAll::Neutral),
        _ => None,
    });
    Some((include, all))
}

/// The policy and who gets its reports (RFC 9989 §4.7), where it says more than a Domain by itself.
fn dmarc(texts: &[String]) -> Option<Dmarc> {
    let text = texts.iter().find_map(|text| text.strip_prefix("v=DMARC1;"))?;
    let tags: Vec<(&str, &str)> = text.split(';').filter_map(|tag| tag.trim().split_once('=')).collect();
    let tag = |name: &str| tags.iter().find(|(tag, _)| *tag == name).map(|(_, value)| *value);
    let policy = |name: &str| match tag(name)? {
        "none" => Some(DmarcPolicy::None),
        "quarantine" => Some(DmarcPolicy::Quarantine),
        "reject" => Some(DmarcPolicy::Reject),
        _ => None,
    };
    let reports = tag("rua").into_iter().flat_map(|uris| uris.split(',')).filter_map(|uri| uri.strip_prefix("mailto:"));
    let dmarc = Dmarc {
        policy: policy("p").filter(|policy| *policy != DmarcPolicy::default()),
        subdomains: policy("sp"),
        nonexistent: policy("np"),
        reports: reports.map(str::to_owned).collect(),
        stages: Vec::new(),
    };
    (dmarc != Dmarc::default()).then_some(dmarc)
}
