//! The Domain that a zone becomes: what contributes by itself left out, presets where they say the same, what the compiler refuses left out
//! with its reason.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::{Domain, DomainSpec, Record, RecordType};

use super::presets::{mail_candidates, pec_candidates};
use super::source::{LeftOut, SourceZone};
use crate::compile::{self, ZoneFacts, ZoneOutcome};
use crate::index::{Change, Index};
use crate::model::{DomainName, ObjectKey, RecordData, RecordSet, Zone};
use crate::problem::{Kind, ObjectRef, Problem};

/// The bounds of a time to live in manifests.
const TTL: std::ops::RangeInclusive<u32> = 30..=604_800;
/// The time to live of a Domain that gives none.
const DEFAULT_TTL: u32 = 3600;
/// How often what the compiler refuses is taken out, until it refuses nothing.
const ROUNDS: usize = 8;
/// How long a value in a manifest may be.
const LONGEST_VALUE: usize = 4096;

/// A Domain while it is made.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) key: ObjectKey,
    pub(super) spec: DomainSpec,
    /// Sets of the source that are contributed, and so not written.
    pub(super) contributed: Vec<(DomainName, RecordType)>,
    /// What is refused here though servers took it.
    pub(super) refused: Vec<LeftOut>,
    /// Why the mail is not said by a preset, though its exchangers are those of one.
    pub(super) mail_differs: Option<String>,
}

/// Whether a set is not the Domain's word: its own name servers, and what lies in or at another Domain's zone.
pub(super) fn is_others(index: &Index, apex: &DomainName, name: &DomainName, type_: RecordType) -> bool {
    (name == apex && type_ == RecordType::NS)
        || index.covering_zone(name).is_some_and(|zone| zone != *apex && zone.is_within(apex))
}

/// A Domain of this spec in place of what the index has.
pub(super) fn put(index: &mut Index, key: &ObjectKey, spec: DomainSpec) {
    let mut domain = Domain::new(&key.name, spec);
    domain.metadata.namespace = Some(key.namespace.clone());
    index.apply(Change::Domain(key.clone(), Some(Box::new(domain))));
}

/// The bare spec of a zone: its name, where that is none of an object, and its most frequent time to live.
pub(super) fn bare_spec(zone: &Zone, object_name: &str) -> DomainSpec {
    let mut frequency: BTreeMap<u32, usize> = BTreeMap::new();
    for set in zone.sets().filter(|set| set.name != *zone.apex() || set.type_() != RecordType::NS) {
        *frequency.entry(set.ttl).or_default() += 1;
    }
    let ttl = frequency.into_iter().max_by_key(|(_, count)| *count).map_or(DEFAULT_TTL, |(ttl, _)| bounded(ttl));
    let apex = zone.apex().as_str();
    DomainSpec {
        zone: (apex != object_name).then(|| apex.to_owned()),
        ttl: Some(ttl).filter(|ttl| *ttl != DEFAULT_TTL),
        ..DomainSpec::default()
    }
}

impl Draft {
    /// The Domain of a zone among the objects of an index, which has it from then on.
    pub(super) fn of(index: &mut Index, source: &SourceZone, key: &ObjectKey) -> Self {
        let zone = &source.zone;
        let mut spec = bare_spec(zone, &key.name);
        let mut draft = Drafter { index, zone, key };
        let mail_differs = draft.lift(&mut spec);
        let contributed = draft.compiled(&spec);
        let sets = draft.written(&contributed);
        let written: BTreeSet<(&DomainName, RecordType)> = sets.iter().map(|set| (&set.name, set.type_())).collect();
        let left = zone.sets().map(|set| (set.name.clone(), set.type_()));
        let left = left.filter(|(name, type_)| {
            !written.contains(&(name, *type_)) && !is_others(draft.index, zone.apex(), name, *type_)
        });
        let contributed = left.collect();
        let mut refused = Vec::new();
        let default = spec.ttl.unwrap_or(DEFAULT_TTL);
        spec.records = sets.iter().filter_map(|set| record(zone.apex(), set, default, &mut refused)).collect();
        draft.take_out_refused(&mut spec, &mut refused);
        Self { key: key.clone(), spec, contributed, refused, mail_differs }
    }
}

struct Drafter<'a> {
    index: &'a mut Index,
    zone: &'a Zone,
    key: &'a ObjectKey,
}

impl Drafter<'_> {
    fn outcome(&mut self, spec: &DomainSpec) -> ZoneOutcome {
        put(self.index, self.key, spec.clone());
        compile::zone(self.index, self.zone.apex(), &ZoneFacts::hopeful())
    }

    /// What a spec compiles to; the empty zone where it cannot be had.
    fn compiled(&mut self, spec: &DomainSpec) -> Zone {
        let zone = self.outcome(spec).zone;
        zone.map_or_else(|| Zone::new(self.zone.apex().clone(), 0, self.zone.soa().clone()), |zone| Zone::clone(&zone))
    }

    /// Puts the presets in that render to the zone's own records; what of its mail differs from one of the same exchangers.
    fn lift(&mut self, spec: &mut DomainSpec) -> Option<String> {
        let bare = self.compiled(spec);
        let pec = pec_candidates(self.zone).into_iter().find(|pec| {
            let candidate = DomainSpec { pec: Some(pec.clone()), ..spec.clone() };
            self.differing(&bare, &candidate).is_empty()
        });
        let mut differs = None;
        for mail in mail_candidates(self.zone) {
            let candidate = DomainSpec { mail: Some(mail.clone()), ..spec.clone() };
            let differing = self.differing(&bare, &candidate);
            let has_exchangers = !differing.iter().any(|set| set.type_() == RecordType::MX);
            if differing.is_empty() {
                spec.mail = Some(mail);
                differs = None;
                break;
            }
            if has_exchangers && differs.is_none() {
                differs = Some(super::yaml::mail_differs(&mail, &differing, self.zone.apex()));
            }
        }
        spec.pec = pec;
        differs
    }

    /// The sets that a candidate contributes beyond the bare Domain, and that are not so in the zone; all exchangers must be the candidate's.
    fn differing(&mut self, bare: &Zone, candidate: &DomainSpec) -> Vec<RecordSet> {
        let compiled = self.compiled(candidate);
        let added: Vec<&RecordSet> =
            compiled.sets().filter(|set| bare.get(&set.name, set.type_()) != Some(set)).collect();
        let is_so = |set: &RecordSet| match self.zone.get(&set.name, set.type_()) {
            Some(own) if set.type_() == RecordType::TXT => {
                own.ttl == set.ttl && set.values().iter().all(|value| own.values().contains(value))
            }
            own => own == Some(set),
        };
        let no_exchangers = added.iter().all(|set| set.type_() != RecordType::MX);
        let mut differing: Vec<RecordSet> = added.into_iter().filter(|set| !is_so(set)).cloned().collect();
        if no_exchangers {
            // It contributes nothing of its own: the candidate is none.
            differing.extend(self.zone.sets().find(|set| set.type_() == RecordType::MX).cloned());
        }
        differing
    }

    /// The sets that are to be written beside what is contributed.
    fn written(&self, contributed: &Zone) -> Vec<RecordSet> {
        let zone = self.zone;
        let own = zone.sets().filter(|set| !is_others(self.index, zone.apex(), &set.name, set.type_()));
        own.filter_map(|set| match contributed.get(&set.name, set.type_()) {
            Some(same) if same == set && self.has_its_addresses(contributed, set) => None,
            Some(texts) if set.type_() == RecordType::TXT && texts.ttl == set.ttl => {
                let values = set.values().iter().filter(|value| !texts.values().contains(value)).cloned().collect();
                RecordSet::new(set.name.clone(), set.ttl, values)
            }
            _ => Some(set.clone()),
        })
        .collect()
    }

    /// Written addresses displace all that are contributed at their name: so either all of them are contributed, or all are written.
    fn has_its_addresses(&self, contributed: &Zone, set: &RecordSet) -> bool {
        const ADDRESSES: [RecordType; 2] = [RecordType::A, RecordType::AAAA];
        !ADDRESSES.contains(&set.type_())
            || ADDRESSES.iter().all(|type_| contributed.get(&set.name, *type_) == self.zone.get(&set.name, *type_))
    }

    /// Takes out of a spec what the compiler refuses of it, until it refuses nothing more.
    fn take_out_refused(&mut self, spec: &mut DomainSpec, refused: &mut Vec<LeftOut>) {
        let object = ObjectRef::new(Kind::Domain, self.key.clone());
        for _ in 0..ROUNDS {
            let problems = self.outcome(spec).problems;
            let errors = problems.iter().filter(|problem| problem.object == object && problem.is_error());
            let faults: BTreeMap<(usize, Option<usize>), String> = errors.filter_map(fault).collect();
            if faults.is_empty() {
                return;
            }
            for ((at, value), why) in faults.into_iter().rev() {
                let Some(record) = spec.records.get_mut(at) else { continue };
                refused.push(LeftOut { name: record.name.clone(), type_: record.type_.to_string(), why });
                match value {
                    Some(value) if record.values.len() > 1 => drop(record.values.remove(value)),
                    _ => drop(spec.records.remove(at)),
                }
            }
        }
    }
}

/// The record and the value that an error is about.
fn fault(problem: &Problem) -> Option<((usize, Option<usize>), String)> {
    let (at, rest) = problem.field.strip_prefix("spec.records[")?.split_once(']')?;
    let value =
        rest.strip_prefix(".values[").and_then(|rest| rest.strip_suffix(']')).and_then(|value| value.parse().ok());
    Some(((at.parse().ok()?, value), problem.message.clone()))
}

/// A set as it is written in a manifest; `None` when nothing of it can be.
fn record(apex: &DomainName, set: &RecordSet, default: u32, refused: &mut Vec<LeftOut>) -> Option<Record> {
    let name = set.name.relative_to(apex)?.to_owned();
    let type_ = set.type_();
    let mut values = Vec::with_capacity(set.values().len());
    for value in set.values() {
        match value_text(value) {
            Ok(text) => values.push(text),
            Err(why) => refused.push(LeftOut { name: name.clone(), type_: type_.to_string(), why: why.into() }),
        }
    }
    let ttl = Some(bounded(set.ttl)).filter(|ttl| *ttl != default);
    (!values.is_empty()).then_some(Record { name, type_, values, ttl, ptr: None })
}

fn value_text(value: &RecordData) -> Result<String, &'static str> {
    let text = match value {
        RecordData::Txt(text) => {
            String::from_utf8(text.clone()).map_err(|_| "its text is not UTF-8, and no manifest can hold it")?
        }
        _ => value.to_string(),
    };
    if text.len() > LONGEST_VALUE {
        return Err("a value has at most 4096 octets");
    }
    let is_name = !matches!(value, RecordData::Txt(_)) && text != "." && !text.ends_with(" .");
    Ok(text.strip_suffix('.').filter(|_| is_name).map(str::to_owned).unwrap_or(text))
}

fn bounded(ttl: u32) -> u32 {
    ttl.clamp(*TTL.start(), *TTL.end())
}
