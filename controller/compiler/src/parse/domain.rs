mod dmarc;
mod mail;
mod record;
mod together;

use std::collections::BTreeSet;

use cst_api::{DeletionPolicy, Dnssec, Domain, Pointers};

pub use mail::{MailModel, PecModel};

use super::{Parsed, Reader};
use crate::model::reverse::is_reverse;
use crate::model::{Address, DomainName, ObjectKey, RecordData, RecordSet};
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
    /// Whether these are all that is meant: with an error in one of them the zone stays as it was published, while mail goes on by this model.
    pub is_whole: bool,
    /// Its mail.
    pub mail: Option<MailModel>,
    /// Its certified mail.
    pub pec: Option<PecModel>,
    /// The indices of the sets whose addresses ask for a PTR.
    pub asks_for_pointer: BTreeSet<usize>,
    /// Whose addresses it takes PTRs of, as a reverse zone.
    pub pointers: Pointers,
    /// How it is signed, as far as it says so.
    pub dnssec: Dnssec,
    /// What its deletion means.
    pub deletion_policy: DeletionPolicy,
}

impl DomainModel {
    /// Reads a Domain.
    pub fn parse(domain: &Domain) -> Parsed<Self> {
        let (meta, spec) = (&domain.metadata, &domain.spec);
        let key = ObjectKey::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
        let mut reader = Reader::new(ObjectRef::new(Kind::Domain, key.clone()));
        let (field, name) = match &spec.zone {
            Some(zone) => ("spec.zone", zone),
            None => ("metadata.name", &key.name),
        };
        let Some(zone) = reader.take(field, zone_name(name)) else {
            return Parsed::new(None, reader);
        };
        let ttl = spec.ttl.unwrap_or(DEFAULT_TTL);
        let sets = record::read_sets(&mut reader, &spec.records, &zone, ttl);
        together::check(&mut reader, &zone, &sets);
        let asks_for_pointer = record::asking_for_pointer(&mut reader, &spec.records);
        if spec.pointers.is_some() && !is_reverse(&zone) {
            reader.invalid("spec.pointers", "only a reverse zone takes pointers: leave it out");
        }
        let errors_of_records = reader.errors();
        let mail = spec.mail.as_ref().map(|written| mail::read_mail(&mut reader, written, &zone));
        let pec = spec.pec.as_ref().and_then(|written| mail::read_pec(&mut reader, written, &zone));
        let is_stopgap = reader.errors() == errors_of_records;
        let model = Self {
            key,
            zone,
            ttl,
            sets,
            is_whole: errors_of_records == 0,
            mail,
            pec,
            asks_for_pointer,
            pointers: spec.pointers.unwrap_or_default(),
            dnssec: spec.dnssec.clone().unwrap_or_default(),
            deletion_policy: spec.deletion_policy.unwrap_or_default(),
        };
        Parsed { is_stopgap, ..Parsed::new(Some(model), reader) }
    }

    /// The sets whose addresses ask for a PTR, with their indices.
    pub fn pointers(&self) -> impl Iterator<Item = (usize, &RecordSet)> {
        let asking = self.sets.iter().filter(|(at, _)| self.asks_for_pointer.contains(at));
        asking.map(|(at, set)| (*at, set))
    }

    /// The reverse names of those addresses.
    pub fn wanted_pointers(&self) -> impl Iterator<Item = DomainName> {
        self.pointers().flat_map(|(_, set)| set.values()).filter_map(RecordData::reverse_name)
    }

    /// The mail domains that it names: of its catch-all, and that it is an alias of.
    pub fn named_mail_domains(&self) -> impl Iterator<Item = &DomainName> {
        let mail = self.mail.iter();
        mail.flat_map(|mail| mail.catch_all.iter().map(Address::domain).chain(&mail.alias_of))
    }

    /// Whether the centre's mail system receives for it.
    pub fn hosts_mail(&self) -> bool {
        self.mail.as_ref().is_some_and(MailModel::is_hosted)
    }
}

fn zone_name(text: &str) -> Result<DomainName, String> {
    let name = DomainName::parse(text).map_err(|e| e.to_string())?;
    if name.labels().count() < 2 {
        return Err(format!("`{text}` is no zone that can be registered: it has a single label"));
    }
    if name.is_wildcard() { Err(format!("`{text}`: a zone is not a wildcard")) } else { Ok(name) }
}
