//! A zone as another server has it: what is read of a zone file or a transfer, with what is left out and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cst_api::RecordType;

use crate::manifest::{Diagnostic, Position};
use crate::model::{DomainName, RecordData, RecordSet, Soa, Zone};
use crate::problem::Severity;

use super::zone_file::{is_of_signing, mnemonic};

/// How many records a zone may have.
const MOST_RECORDS: usize = 1_000_000;
/// How many problems of one zone are told.
const MOST_PROBLEMS: usize = 100;

/// A zone that was read.
#[derive(Clone, Debug)]
pub struct SourceZone {
    /// Where it was read, as it is named in messages.
    pub from: String,
    /// Its content, with its own SOA and NS.
    pub zone: Zone,
    /// Its SOA's serial.
    pub serial: u32,
    /// Records that are in it and cannot be held here.
    pub left_out: Vec<LeftOut>,
    /// The types of records met that signing made; none: the zone is not signed.
    pub signing: BTreeSet<RecordType>,
}

/// A record that cannot be held here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name as it was written.
    pub name: String,
    /// Its type's mnemonic.
    pub type_: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for LeftOut {
    /// `NAME TYPE: why`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.name, self.type_, self.why)
    }
}

/// What reading gave.
#[derive(Debug)]
pub struct ReadZone {
    /// The zone, when nothing is wrong with it.
    pub zone: Option<SourceZone>,
    /// What is wrong, and what is left out.
    pub problems: Vec<Diagnostic>,
}

/// A zone while it is read.
pub(super) struct Collector {
    file: String,
    soa: Option<(DomainName, u32, Soa)>,
    sets: BTreeMap<(DomainName, RecordType), Collected>,
    /// The how manieth run of records of one owner this is.
    run: usize,
    /// Its owner as it is written.
    owner: Option<String>,
    /// Whether the records that come stand for themselves.
    is_apart: bool,
    records: usize,
    left_out: Vec<LeftOut>,
    signing: BTreeSet<RecordType>,
    problems: Vec<Diagnostic>,
    untold: usize,
    is_wrong: bool,
}

struct Collected {
    at: Position,
    /// In which run of records of one owner the last of it came; 0: it stood for itself.
    run: usize,
    ttl: u32,
    values: Vec<RecordData>,
}

impl Collector {
    /// `file`: how the source is named in messages.
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            soa: None,
            sets: BTreeMap::new(),
            run: 1,
            owner: None,
            is_apart: false,
            records: 0,
            left_out: Vec::new(),
            signing: BTreeSet::new(),
            problems: Vec::new(),
            untold: 0,
            is_wrong: false,
        }
    }

    /// Takes a record in; `false` when there are too many.
    pub(super) fn record(&mut self, at: Position, name: DomainName, ttl: u32, data: RecordData) -> bool {
        if let RecordData::Soa(soa) = data {
            self.start_of_authority(at, name, ttl, soa);
            return true;
        }
        self.records += 1;
        if self.records > MOST_RECORDS {
            self.error(at, format!("the zone has more than {MOST_RECORDS} records: it is too large to be imported"));
            return false;
        }
        self.set(at, name, ttl, data);
        true
    }

    /// The owner of the records that come, as it is written: BIND tells names apart by their case where it looks what stands together.
    pub(super) fn owner(&mut self, written: String) {
        if !self.is_apart && self.owner.as_ref() != Some(&written) {
            self.run += 1;
            self.owner = Some(written);
        }
    }

    /// Whether the records that come stand each for itself, as those of `$GENERATE`: the run around them goes on after them.
    pub(super) fn apart(&mut self, is_apart: bool) {
        self.is_apart = is_apart;
    }

    /// Adds a record to its set. A set has one time to live (RFC 2181 §5.2): that which BIND takes in last. It takes in a run at its end, with
    /// the time of the first record of the set in it, and what stands for itself at once.
    fn set(&mut self, at: Position, name: DomainName, ttl: u32, data: RecordData) {
        let (run, type_) = (if self.is_apart { 0 } else { self.run }, data.type_());
        let set = self.sets.entry((name, type_)).or_insert(Collected { at, run, ttl, values: Vec::new() });
        set.values.push(data);
        let is_of_open_run = set.run == self.run;
        let (taken, other) = if is_of_open_run { (set.ttl, ttl) } else { (ttl, set.ttl) };
        set.ttl = taken;
        if !self.is_apart {
            set.run = run;
        }
        if taken != other {
            self.warning(at, format!("records of one set have one time to live: {taken} is that of this {type_}, not {other}, as servers have it"));
        }
    }

    /// Notes a record that signing made, and whether it is one.
    pub(super) fn signed(&mut self, type_: RecordType) -> bool {
        is_of_signing(type_) && {
            self.signing.insert(type_);
            true
        }
    }

    /// Notes a record that cannot be held.
    pub(super) fn leave_out(&mut self, at: Position, name: String, type_: RecordType, why: String) {
        let type_ = mnemonic(type_);
        self.warning(at, format!("{name} {type_} is left out: {why}"));
        if self.left_out.len() < MOST_RECORDS {
            self.left_out.push(LeftOut { name, type_, why });
        }
    }

    /// Tells something that keeps the zone from being read.
    pub(super) fn error(&mut self, at: Position, message: String) {
        self.is_wrong = true;
        self.tell(at, Severity::Error, message);
    }

    /// Tells something that does not.
    pub(super) fn warning(&mut self, at: Position, message: String) {
        self.tell(at, Severity::Warning, message);
    }

    fn tell(&mut self, at: Position, severity: Severity, message: String) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Diagnostic { file: self.file.clone(), at, severity, message, field: String::new() });
        } else {
            self.untold += 1;
        }
    }

    fn start_of_authority(&mut self, at: Position, name: DomainName, ttl: u32, soa: Soa) {
        match &self.soa {
            Some(first) if *first == (name.clone(), ttl, soa.clone()) => {}
            Some((first, ..)) => {
                let message = format!("a zone has one SOA, and {first} has one above: remove it");
                self.error(at, message);
            }
            None => self.soa = Some((name, ttl, soa)),
        }
    }

    /// The zone, when it has a SOA at `origin` and nothing was wrong.
    pub(super) fn finish(mut self, origin: Option<&DomainName>) -> ReadZone {
        let start = Position { line: 1, column: 1 };
        match (&self.soa, origin) {
            // What could not be read may have been it.
            (None, _) if self.is_wrong => {}
            (None, _) => self.error(start, "there is no SOA record: this is no whole zone".into()),
            (Some((apex, ..)), Some(origin)) if apex != origin => {
                let message =
                    format!("its SOA is that of {apex}, not of {origin}: give the zone's name with --origin {apex}");
                self.error(start, message);
            }
            _ => {}
        }
        let zone = self.soa.take().map(|(apex, ttl, soa)| self.zone(&apex, ttl, soa));
        let from = self.file.clone();
        if self.untold > 0 {
            let message = format!("and {} more of them", self.untold);
            let severity = if self.is_wrong { Severity::Error } else { Severity::Warning };
            self.problems.push(Diagnostic { file: self.file, at: start, severity, message, field: String::new() });
        }
        let zone = zone.filter(|_| !self.is_wrong);
        let zone = zone.map(|(zone, serial)| SourceZone {
            from,
            zone,
            serial,
            left_out: self.left_out,
            signing: self.signing,
        });
        ReadZone { zone, problems: self.problems }
    }

    fn zone(&mut self, apex: &DomainName, ttl: u32, soa: Soa) -> (Zone, u32) {
        let serial = soa.serial;
        let mut zone = Zone::new(apex.clone(), ttl, soa);
        for ((name, type_), Collected { at, ttl, values, .. }) in std::mem::take(&mut self.sets) {
            if name.is_within(apex) {
                RecordSet::new(name, ttl, values).map(|set| zone.insert(set));
            } else {
                self.warning(
                    at,
                    format!("{name} {type_} is left out, as servers do: it lies outside of the zone {apex}"),
                );
            }
        }
        (zone, serial)
    }
}
