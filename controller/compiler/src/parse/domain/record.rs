//! `spec.records`: one set of values each.

use std::collections::BTreeSet;

use cst_api::{Record, RecordType};

use crate::model::record::POLICIES;
use crate::model::{DomainName, RecordData, RecordSet};
use crate::parse::Reader;

/// The written sets that can be read, each with its index.
pub(super) fn read_sets(
    reader: &mut Reader,
    records: &[Record],
    zone: &DomainName,
    ttl: u32,
) -> Vec<(usize, RecordSet)> {
    let read = |(index, record)| record_set(reader, index, record, zone, ttl).map(|set| (index, set));
    records.iter().enumerate().filter_map(read).collect()
}

/// The indices of records with `ptr`.
pub(super) fn asking_for_pointer(reader: &mut Reader, records: &[Record]) -> BTreeSet<usize> {
    let mut asking = BTreeSet::new();
    for (index, record) in records.iter().enumerate().filter(|(_, record)| record.ptr == Some(true)) {
        let field = format!("spec.records[{index}].ptr");
        if !matches!(record.type_, RecordType::A | RecordType::AAAA) {
            reader.invalid(&field, format!("ptr is for A and AAAA, not for {}: leave it out", record.type_));
        } else if record.name.starts_with('*') {
            reader.invalid(&field, "a wildcard is no host's name: an address cannot point to it");
        } else {
            asking.insert(index);
        }
    }
    asking
}

fn record_set(reader: &mut Reader, index: usize, record: &Record, zone: &DomainName, ttl: u32) -> Option<RecordSet> {
    let name = owner(reader, index, record, zone);
    let mut values = Vec::with_capacity(record.values.len());
    for (position, text) in record.values.iter().enumerate() {
        let field = format!("spec.records[{index}].values[{position}]");
        warn_of_syntax(reader, &field, record.type_, text);
        let value = reader.take(&field, RecordData::from_value(record.type_, text));
        if let Some(single) = value.as_ref().and_then(single_label) {
            reader.invalid(
                &field,
                format!("names in values are whole: write `{single}.{zone}` for the one in this zone"),
            );
        }
        values.extend(value);
    }
    let field = format!("spec.records[{index}].values");
    if record.values.is_empty() {
        reader.invalid(&field, "a record needs at least one value");
    }
    if record.type_ == RecordType::CNAME && record.values.len() > 1 {
        reader.invalid(&field, "a CNAME has exactly one value");
    }
    if let Some(message) = beside_each_other(&values) {
        reader.invalid(&field, message);
    }
    let set = RecordSet::new(name?, record.ttl.unwrap_or(ttl), values)?;
    if let Some(excess) = set.excess() {
        reader.invalid(&field, format!("{} {} has {excess}: remove some", set.type_(), set.name));
    }
    Some(set)
}

/// A target that is a host of no domain: meant relative to the zone, as in many zone files.
fn single_label(value: &RecordData) -> Option<&DomainName> {
    value.target().filter(|target| target.labels().count() == 1)
}

/// What makes values of one set useless to each other.
fn beside_each_other(values: &[RecordData]) -> Option<String> {
    let null_mx = |value: &RecordData| matches!(value, RecordData::Mx(_, host) if *host == DomainName::ROOT);
    if values.len() > 1 && values.iter().any(null_mx) {
        return Some(
            "`0 .` says that there is no mail and stands alone (RFC 7505): remove it, or the other values".into(),
        );
    }
    let alias = |value: &RecordData| matches!(value, RecordData::Https(b) | RecordData::Svcb(b) if b.is_alias());
    if values.len() > 1 && values.iter().any(alias) {
        return Some("an alias (priority 0) stands alone (RFC 9460 §2.4.1): remove it, or the other values".into());
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

/// What was written as in a zone file, where a TXT is the text itself.
fn warn_of_syntax(reader: &mut Reader, field: &str, type_: RecordType, text: &str) {
    if type_ != RecordType::TXT {
        return;
    }
    if text.len() > 1 && text.starts_with('"') && text.ends_with('"') {
        reader.warn(field, "the quotes become part of the text: write a TXT value without quotes");
    }
    if text.starts_with(r"\# ") {
        reader.warn(field, r"`\#` and what follows become the text: write the text itself, not its octets (RFC 3597)");
    }
}
