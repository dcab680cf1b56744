use std::collections::BTreeMap;

use cst_api::{DeletionPolicy, Dmarc, DmarcPolicy, Domain, DomainMail, MailMode, Record, RecordType, SpfAll};

use super::{Parsed, Reader};
use crate::model::record::POLICIES;
use crate::model::{DomainName, ObjectKey, RecordData, RecordSet};
use crate::problem::{Kind, ObjectRef};

const DEFAULT_TTL: u32 = 3600;

/// A Domain, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainModel {
    /// Which object.
    pub key: ObjectKey,
    /// The zone.
    pub zone: DomainName,
    /// The TTL of what gives none, in seconds.
    pub ttl: u32,
    /// The written sets, with the index in `spec.records` each came from.
    pub sets: Vec<(usize, RecordSet)>,
    /// Its mail.
    pub mail: Option<MailModel>,
    /// What its deletion means.
    pub deletion_policy: DeletionPolicy,
}

/// A Domain's mail, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailModel {
    /// Whether it has any.
    pub mode: MailMode,
    /// SPF includes.
    pub include: Vec<DomainName>,
    /// What SPF says of others.
    pub all: SpfAll,
    /// What DMARC asks for.
    pub dmarc: DmarcPolicy,
}

impl DomainModel {
    /// Reads a Domain.
    pub fn parse(domain: &Domain) -> Parsed<Self> {
        let meta = &domain.metadata;
        let key = ObjectKey::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
        let mut reader = Reader::new(ObjectRef::new(Kind::Domain, key.clone()));
        let Some(zone) = reader.take("metadata.name", zone_name(&key.name)) else {
            return Parsed { model: None, problems: reader.problems };
        };
        let ttl = domain.spec.ttl.unwrap_or(DEFAULT_TTL);
        let mut sets = Vec::with_capacity(domain.spec.records.len());
        for (index, record) in domain.spec.records.iter().enumerate() {
            sets.extend(record_set(&mut reader, index, record, &zone, ttl).map(|set| (index, set)));
        }
        check_together(&mut reader, &zone, &sets);
        let mail = domain.spec.mail.as_ref().map(|mail| read_mail(&mut reader, mail));
        let deletion_policy = domain.spec.deletion_policy.unwrap_or_default();
        Parsed { model: Some(Self { key, zone, ttl, sets, mail, deletion_policy }), problems: reader.problems }
    }

    /// Whether the centre's mail system receives for it.
    pub fn hosts_mail(&self) -> bool {
        self.mail.as_ref().is_some_and(|mail| mail.mode == MailMode::Hosted)
    }
}

fn zone_name(text: &str) -> Result<DomainName, String> {
    let name = DomainName::parse(text).map_err(|e| e.to_string())?;
    if name.labels().count() < 2 {
        return Err(format!("`{text}` is no zone that can be registered: it has a single label"));
    }
    if name.is_wildcard() { Err(format!("`{text}`: a zone is not a wildcard")) } else { Ok(name) }
}

fn record_set(reader: &mut Reader, index: usize, record: &Record, zone: &DomainName, ttl: u32) -> Option<RecordSet> {
    let name = owner(reader, index, record, zone);
    let mut values = Vec::with_capacity(record.values.len());
    for (position, text) in record.values.iter().enumerate() {
        let field = format!("spec.records[{index}].values[{position}]");
        warn_of_quotes(reader, &field, record.type_, text);
        values.extend(reader.take(&field, RecordData::from_value(record.type_, text)));
    }
    if record.values.is_empty() {
        reader.invalid(&format!("spec.records[{index}].values"), "a record needs at least one value");
    }
    if record.type_ == RecordType::CNAME && record.values.len() > 1 {
        reader.invalid(&format!("spec.records[{index}].values"), "a CNAME has exactly one value");
    }
    if let Some(message) = beside_each_other(&values) {
        reader.invalid(&format!("spec.records[{index}].values"), message);
    }
    RecordSet::new(name?, record.ttl.unwrap_or(ttl), values)
}

/// What makes values of one set useless to each other.
fn beside_each_other(values: &[RecordData]) -> Option<String> {
    let null_mx = |value: &RecordData| matches!(value, RecordData::Mx(_, host) if *host == DomainName::ROOT);
    if values.len() > 1 && values.iter().any(null_mx) {
        return Some(
            "`0 .` says that there is no mail and stands alone (RFC 7505): remove it, or the other values".into(),
        );
    }
    let twice = POLICIES.iter().find(|policy| values.iter().filter(|value| value.is_policy(policy)).count() > 1)?;
    Some(format!("a name has one `{twice}` policy, two are read as none: write one value"))
}

fn owner(reader: &mut Reader, index: usize, record: &Record, zone: &DomainName) -> Option<DomainName> {
    let field = format!("spec.records[{index}].name");
    let text = record.name.as_str();
    if let Some(stripped) = text.strip_suffix('.') {
        reader.invalid(
            &field,
            format!(
                "`{text}` ends with a dot: names are relative to the zone, write `{stripped}` without {zone}, or @"
            ),
        );
        return None;
    }
    if let Ok(absolute) = DomainName::parse(text)
        && absolute.is_within(zone)
        && (text != "@")
    {
        let relative = absolute.relative_to(zone).unwrap_or("@");
        reader.invalid(&field, format!("`{text}` repeats the zone: names are relative to it, write `{relative}`"));
        return None;
    }
    let name = reader.take(&field, DomainName::parse_within(text, zone))?;
    let needs_host = matches!(record.type_, RecordType::A | RecordType::AAAA) && !name.is_wildcard();
    if needs_host && !name.is_host_name() {
        reader.warn(
            &field,
            format!("`{text}` is no host name (underscore or outer hyphen): some clients will not look it up"),
        );
    }
    Some(name)
}

fn warn_of_quotes(reader: &mut Reader, field: &str, type_: RecordType, text: &str) {
    if type_ == RecordType::TXT && text.len() > 1 && text.starts_with('"') && text.ends_with('"') {
        reader.warn(field, "the quotes become part of the text: write a TXT value without quotes");
    }
}

/// Rules across the records of one Domain: one set of a type at a name, nothing beside a CNAME, none at the apex, apex NS and
/// what lies below a delegation.
fn check_together(reader: &mut Reader, zone: &DomainName, sets: &[(usize, RecordSet)]) {
    let mut first: BTreeMap<(&DomainName, u16), usize> = BTreeMap::new();
    let mut types_at: BTreeMap<&DomainName, Vec<&'static str>> = BTreeMap::new();
    for (index, set) in sets {
        if let Some(other) = first.insert((&set.name, set.type_number()), *index) {
            let message = format!(
                "{} {} stands in spec.records[{other}] too: put all values in one set",
                set.type_name(),
                set.name
            );
            reader.invalid(&format!("spec.records[{index}]"), message);
        }
        types_at.entry(&set.name).or_default().push(set.type_name());
    }
    for (index, set) in sets {
        let field = format!("spec.records[{index}]");
        let type_name = set.type_name();
        match type_name {
            "CNAME" if set.name == *zone => {
                reader.invalid(&field, "a CNAME cannot stand at the apex (RFC 1034 §3.6.2): use A and AAAA there");
            }
            "CNAME" if types_at[&set.name].iter().any(|t| *t != "CNAME") => {
                let others: Vec<_> = types_at[&set.name].iter().filter(|t| **t != "CNAME").copied().collect();
                reader.invalid(
                    &field,
                    format!(
                        "{} has a CNAME beside {}: nothing may stand beside a CNAME (RFC 1034 §3.6.2)",
                        set.name,
                        others.join(", ")
                    ),
                );
            }
            "NS" if set.name == *zone => {
                reader.invalid(&field, "the zone's own NS come from the centre's settings: leave them out");
            }
            _ => {}
        }
        if let Some(cut) = delegation_above(zone, set, &types_at)
            && !matches!(type_name, "A" | "AAAA")
        {
            reader.invalid(&field, format!("{} lies below {cut}, which is delegated by its NS: it would never be answered, write it in that zone", set.name));
        }
    }
}

/// The delegated name that `set` lies below, if any.
fn delegation_above(
    zone: &DomainName,
    set: &RecordSet,
    types_at: &BTreeMap<&DomainName, Vec<&'static str>>,
) -> Option<DomainName> {
    set.name
        .parent()?
        .and_ancestors()
        .take_while(|name| name != zone)
        .find(|name| types_at.get(name).is_some_and(|t| t.contains(&"NS")))
}

fn read_mail(reader: &mut Reader, mail: &DomainMail) -> MailModel {
    let spf = mail.spf.clone().unwrap_or_default();
    if mail.mode == MailMode::None && mail.spf.is_some() {
        reader.invalid(
            "spec.mail.spf",
            "a domain without mail says `v=spf1 -all` by itself: leave spf out, or set mode to Hosted",
        );
    }
    if mail.mode == MailMode::None && mail.dmarc.is_some() {
        reader.invalid(
            "spec.mail.dmarc",
            "a domain without mail asks for rejection by itself: leave dmarc out, or set mode to Hosted",
        );
    }
    let mut include = Vec::new();
    for (index, text) in spf.include.iter().enumerate() {
        include.extend(reader.take(&format!("spec.mail.spf.include[{index}]"), DomainName::parse(text)));
    }
    let dmarc = mail.dmarc.as_ref().and_then(|Dmarc { policy }| *policy).unwrap_or_default();
    MailModel { mode: mail.mode, include, all: spf.all.unwrap_or_default(), dmarc }
}
