//! A zone's content, and its one text form: the zone file that servers, tests and the published state share.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use cst_api::RecordType;
use sha2::{Digest, Sha256};

use super::name::{DomainName, NameError};
use super::record::{RecordData, RecordError, RecordSet, Soa};

/// The unsigned content of a zone without its SOA's serial: what decides whether there is a new version.
///
/// Sets are keyed by name (in DNSSEC order) and type; the SOA is kept apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    apex: DomainName,
    soa_ttl: u32,
    soa: Soa,
    sets: BTreeMap<(DomainName, RecordType), RecordSet>,
}

/// Why a text is not a zone that [`Zone::to_text`] wrote.
#[derive(Debug, thiserror::Error)]
pub enum ZoneTextError {
    /// A line without name, TTL, class, type and data.
    #[error("line {0} is not `name ttl IN type data`")]
    Line(usize),
    /// A name that is none.
    #[error("line {line}: {source}")]
    Name {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: NameError,
    },
    /// Data that the type refuses.
    #[error("line {line}: {source}")]
    Data {
        /// The line, from 1.
        line: usize,
        /// Why.
        source: RecordError,
    },
    /// No SOA in the first line.
    #[error("the first record is not the SOA")]
    NoSoa,
}

impl Zone {
    /// An empty zone. The SOA's serial counts for nothing here; a version gets its own.
    pub fn new(apex: DomainName, soa_ttl: u32, soa: Soa) -> Self {
        Self { apex, soa_ttl, soa: Soa { serial: 0, ..soa }, sets: BTreeMap::new() }
    }

    /// The zone's name.
    pub fn apex(&self) -> &DomainName {
        &self.apex
    }

    /// The SOA, serial 0.
    pub fn soa(&self) -> &Soa {
        &self.soa
    }

    /// The SOA's time to live in seconds.
    pub fn soa_ttl(&self) -> u32 {
        self.soa_ttl
    }

    /// For how long it may be kept that something is not in the zone, in seconds (RFC 2308 §5, RFC 9077 §3).
    pub fn negative_ttl(&self) -> u32 {
        self.soa.minimum.min(self.soa_ttl)
    }

    /// The longest time to live of its records, in seconds.
    pub fn longest_ttl(&self) -> u32 {
        self.sets.values().map(|set| set.ttl).fold(self.soa_ttl, u32::max)
    }

    /// Puts a set in, in place of one of the same name and type, which is returned.
    pub fn insert(&mut self, set: RecordSet) -> Option<RecordSet> {
        self.sets.insert((set.name.clone(), set.type_()), set)
    }

    /// The set of a type at a name.
    pub fn get(&self, name: &DomainName, type_: RecordType) -> Option<&RecordSet> {
        self.sets.get(&(name.clone(), type_))
    }

    /// The sets at one name.
    pub fn at(&self, name: &DomainName) -> impl Iterator<Item = &RecordSet> {
        let [first, last] = [u16::MIN, u16::MAX].map(|number| (name.clone(), RecordType::from_number(number)));
        self.sets.range(first..=last).map(|(_, set)| set)
    }

    /// Whether there is anything at a name or below it (RFC 4592 §2.2.2: then the name exists); the SOA counts for nothing.
    pub fn has(&self, name: &DomainName) -> bool {
        let first = (name.clone(), RecordType::from_number(u16::MIN));
        self.sets.range(first..).next().is_some_and(|((found, _), _)| found.is_within(name))
    }

    /// The sets without the SOA, in DNSSEC order of names, then by type.
    pub fn sets(&self) -> impl Iterator<Item = &RecordSet> {
        self.sets.values()
    }

    /// How many records there are, the SOA with them.
    pub fn record_count(&self) -> usize {
        1 + self.sets.values().map(|set| set.values().len()).sum::<usize>()
    }

    /// The SOA as a set, with a version's serial.
    pub fn soa_data(&self, serial: u32) -> RecordData {
        RecordData::Soa(Soa { serial, ..self.soa.clone() })
    }

    /// The whole zone as a zone file (RFC 1035 §5): absolute names, one record a line, the SOA first, in canonical order; the same content
    /// always gives the same bytes.
    pub fn to_text(&self, serial: u32) -> String {
        let mut text = String::new();
        line(&mut text, &self.apex, self.soa_ttl, &self.soa_data(serial));
        for set in self.sets() {
            for value in set.values() {
                line(&mut text, &set.name, set.ttl, value);
            }
        }
        text
    }

    /// Reads what [`Self::to_text`] wrote; the serial is returned beside it.
    pub fn from_text(text: &str) -> Result<(Self, u32), ZoneTextError> {
        let mut records = text.lines().enumerate().map(|(index, line)| read_line(index + 1, line));
        let Some((apex, soa_ttl, RecordData::Soa(soa))) = records.next().transpose()? else {
            return Err(ZoneTextError::NoSoa);
        };
        let serial = soa.serial;
        let mut grouped: BTreeMap<(DomainName, RecordType), (u32, Vec<RecordData>)> = BTreeMap::new();
        // All sets of a name share it.
        let mut owner = apex.clone();
        for record in records {
            let (name, ttl, data) = record?;
            if name != owner {
                owner = name;
            }
            grouped.entry((owner.clone(), data.type_())).or_insert((ttl, Vec::new())).1.push(data);
        }
        let mut zone = Self::new(apex, soa_ttl, soa);
        for ((name, _), (ttl, values)) in grouped {
            RecordSet::new(name, ttl, values).map(|set| zone.insert(set));
        }
        Ok((zone, serial))
    }

    /// The content's digest, serial aside: 32 hexadecimal digits.
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(self.to_text(0));
        hash.iter().take(16).fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").ok();
            hex
        })
    }
}

fn line(text: &mut String, name: &DomainName, ttl: u32, data: &RecordData) {
    writeln!(text, "{}. {ttl} IN {} {data}", name.as_str(), data.type_()).ok();
}

fn read_line(number: usize, line: &str) -> Result<(DomainName, u32, RecordData), ZoneTextError> {
    let mut fields = line.splitn(5, ' ');
    let mut next = || fields.next().ok_or(ZoneTextError::Line(number));
    let (name, ttl, _class, type_name, data) = (next()?, next()?, next()?, next()?, next()?);
    let name = DomainName::parse(name).map_err(|source| ZoneTextError::Name { line: number, source })?;
    let ttl = ttl.parse().map_err(|_| ZoneTextError::Line(number))?;
    let type_ = type_name.parse().map_err(|_| ZoneTextError::Line(number))?;
    let data =
        RecordData::from_zone_text(type_, data).map_err(|source| ZoneTextError::Data { line: number, source })?;
    Ok((name, ttl, data))
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> Zone {
        let name = |text: &str| DomainName::parse(text).unwrap();
        let soa = Soa {
            mname: name("ns1.example.net"),
            rname: name("hostmaster.example.net"),
            serial: 7,
            refresh: 1,
            retry: 2,
            expire: 3,
            minimum: 4,
        };
        let mut zone = Zone::new(name("example.org"), 3600, soa);
        for (owner, type_, values) in [
            ("www.example.org", RecordType::A, vec!["192.0.2.2", "192.0.2.1", "192.0.2.2"]),
            ("example.org", RecordType::TXT, vec!["v=spf1; \"a\" -all", ""]),
            ("_sip._tcp.example.org", RecordType::SRV, vec!["0 5 5061 sip.example.org"]),
        ] {
            let values = values.into_iter().map(|v| RecordData::from_value(type_, v).unwrap()).collect();
            zone.insert(RecordSet::new(name(owner), 300, values).unwrap());
        }
        zone
    }

    #[test]
    fn text_is_canonical_and_reads_back() {
        let text = zone().to_text(2_026_112_301);
        assert_eq!(
            text,
            "example.org. 3600 IN SOA ns1.example.net. hostmaster.example.net. 2026112301 1 2 3 4\n\
             example.org. 300 IN TXT \"\"\n\
             example.org. 300 IN TXT \"v=spf1; \\\"a\\\" -all\"\n\
             _sip._tcp.example.org. 300 IN SRV 0 5 5061 sip.example.org.\n\
             www.example.org. 300 IN A 192.0.2.1\n\
             www.example.org. 300 IN A 192.0.2.2\n"
        );
        assert_eq!(Zone::from_text(&text).unwrap(), (zone(), 2_026_112_301));
    }

    #[test]
    fn the_digest_is_of_content_alone() {
        let mut other = zone();
        assert_eq!(zone().digest(), Zone::from_text(&zone().to_text(99)).unwrap().0.digest());
        let name = DomainName::parse("www.example.org").unwrap();
        other.insert(RecordSet::new(name, 301, vec![RecordData::A([192, 0, 2, 1].into())]).unwrap());
        assert_ne!(zone().digest(), other.digest());
    }
}
