//! Reads a zone from the messages of a transfer (AXFR, RFC 5936 §2.2).

use cst_api::RecordType;

use super::source::{Collector, ReadZone};
use super::zone_file::{NotHeld, mnemonic, owner};
use crate::manifest::Position;
use crate::model::record::wire::{self, Wire};
use crate::model::{DomainName, RecordData};

/// The server is none of the zone's, or the key is none of the server's (RFC 8945 §5.2, RFC 2136 §2.2).
const NOTAUTH: u16 = 9;
/// The class Internet.
const IN: u16 = 1;

/// A transfer while it comes.
pub struct Transfer {
    apex: DomainName,
    out: Collector,
    records: usize,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    Within,
    Complete,
}

/// Why a message is none of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The server says no.
    #[error("the server refuses with {0}: allow this machine, or the key, to transfer the zone (allow-transfer)")]
    Refused(String),
    /// The server does not have the zone, or does not know the key (RFC 8945 §5.2).
    #[error(
        "the server answers NOTAUTH: it does not serve the zone, or it has no such key, another secret for it, or a clock that differs by minutes"
    )]
    NotAuthoritative,
    /// The octets are no message.
    #[error("the server's message cannot be read: is it a name server?")]
    Malformed,
    /// It does not begin with the zone's SOA.
    #[error("the transfer does not begin with the SOA of the zone")]
    NoSoa,
    /// Something follows the closing SOA.
    #[error("the transfer goes on after its closing SOA")]
    TooMuch,
}

impl Transfer {
    /// A transfer of a zone; `from`: how its source is named in messages.
    pub fn new(from: &str, apex: &DomainName) -> Self {
        Self { apex: apex.clone(), out: Collector::new(from), records: 0, progress: Progress::Nothing }
    }

    /// Takes the next message in; whether the zone is complete.
    pub fn message(&mut self, bytes: &[u8]) -> Result<bool, TransferError> {
        let mut wire = Wire::new(bytes, 0, bytes.len()).ok_or(TransferError::Malformed)?;
        let answers = header(&mut wire)?;
        for _ in 0..answers {
            let record = Record::read(&mut wire, bytes).ok_or(TransferError::Malformed)?;
            self.record(record)?;
        }
        Ok(self.progress == Progress::Complete)
    }

    /// The zone.
    pub fn finish(mut self) -> ReadZone {
        if self.progress != Progress::Complete {
            self.out.error(
                Position { line: 1, column: 1 },
                "the transfer broke off: nothing is made of a part of a zone".into(),
            );
        }
        self.out.finish(Some(&self.apex))
    }

    fn record(&mut self, Record { name, type_, class, ttl, data }: Record<'_>) -> Result<(), TransferError> {
        self.records += 1;
        let at = Position { line: self.records, column: 1 };
        let is_apex = owner(&name).is_ok_and(|name| name == self.apex);
        let is_soa = type_ == RecordType::SOA && is_apex && class == IN;
        self.progress = match (self.progress, is_soa) {
            (Progress::Nothing, false) => return Err(TransferError::NoSoa),
            (Progress::Nothing, true) | (Progress::Within, false) => Progress::Within,
            (Progress::Within, true) => Progress::Complete,
            (Progress::Complete, _) => return Err(TransferError::TooMuch),
        };
        if class != IN || self.out.signed(type_) {
            return Ok(());
        }
        self.out.owner(name.clone());
        let text = wire::text(type_, data).ok_or(TransferError::Malformed)?;
        self.take(at, &name, type_, ttl, &text);
        Ok(())
    }

    fn take(&mut self, at: Position, name: &str, type_: RecordType, ttl: u32, text: &str) {
        let soa = |error| match type_ {
            // A hostmaster with a dot in the address: the settings have another one, so it need not be held.
            RecordType::SOA => RecordData::from_zone_text(type_, &held_soa(text)).map_err(|_| error),
            _ => Err(error),
        };
        match (owner(name), RecordData::from_zone_text(type_, text).or_else(soa)) {
            (Ok(name), Ok(data)) => {
                self.out.record(at, name, ttl, data);
            }
            (Err(NotHeld(why)), _) => self.out.leave_out(at, name.to_owned(), type_, why),
            (Ok(name), Err(_)) if !type_.is_written() => {
                let why = format!("records of the type {} are not held here", mnemonic(type_));
                self.out.leave_out(at, name.to_string(), type_, why);
            }
            (Ok(name), Err(error)) => self.out.leave_out(at, name.to_string(), type_, error.to_string()),
        }
    }
}

/// The data of a SOA with another hostmaster.
fn held_soa(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').collect();
    if let Some(hostmaster) = words.get_mut(1) {
        *hostmaster = "invalid.";
    }
    words.join(" ")
}

/// A record within a message.
struct Record<'a> {
    name: String,
    type_: RecordType,
    class: u16,
    ttl: u32,
    data: Wire<'a>,
}

impl<'a> Record<'a> {
    fn read(wire: &mut Wire<'a>, message: &'a [u8]) -> Option<Self> {
        let name = wire.name()?;
        let (type_, class, ttl, length) = (RecordType::from_number(wire.u16()?), wire.u16()?, wire.u32()?, wire.u16()?);
        let start = wire.position();
        wire.octets(length.into())?;
        Some(Self { name, type_, class, ttl, data: Wire::new(message, start, wire.position())? })
    }
}

/// How many answers follow the header and the questions.
fn header(wire: &mut Wire<'_>) -> Result<u16, TransferError> {
    let mut read = || {
        let (_id, flags, questions, answers) = (wire.u16()?, wire.u16()?, wire.u16()?, wire.u16()?);
        wire.octets(4)?;
        for _ in 0..questions {
            wire.name()?;
            wire.octets(4)?;
        }
        Some((flags, answers))
    };
    let (flags, answers) = read().ok_or(TransferError::Malformed)?;
    match flags & 0xF {
        0 if flags & 0x8000 != 0 => Ok(answers),
        0 => Err(TransferError::Malformed),
        NOTAUTH => Err(TransferError::NotAuthoritative),
        code => Err(TransferError::Refused(rcode(code))),
    }
}

/// A response code's name (RFC 6895 §2.3).
fn rcode(code: u16) -> String {
    const NAMES: [&str; 11] = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH",
        "NOTZONE",
    ];
    NAMES.get(usize::from(code)).map_or_else(|| format!("code {code}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::numbers::Numbers;

    const SOA: &str = "example.org. 3600 IN SOA ns1.example.net. h.example.net. 7 1 2 3 4";

    /// A message of records, each `NAME TTL IN TYPE DATA`.
    fn message(flags: u16, lines: &[&str]) -> Vec<u8> {
        let mut bytes: Vec<u8> = [7, flags, 0, u16::try_from(lines.len()).unwrap(), 0, 0]
            .iter()
            .flat_map(|word: &u16| word.to_be_bytes())
            .collect();
        for line in lines {
            let fields: Vec<&str> = line.splitn(5, ' ').collect();
            let type_: RecordType = fields[3].parse().unwrap();
            let mut data = Vec::new();
            match RecordData::from_zone_text(type_, fields[4]) {
                Ok(value) => value.write_wire(&mut data),
                Err(_) => data.extend([0]),
            }
            DomainName::parse(fields[0]).unwrap().write_wire(&mut bytes);
            bytes.extend(type_.number().to_be_bytes());
            bytes.extend([0, 1]);
            bytes.extend(fields[1].parse::<u32>().unwrap().to_be_bytes());
            bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            bytes.extend(data);
        }
        bytes
    }

    fn transfer() -> Transfer {
        Transfer::new("axfr", &DomainName::parse("example.org").unwrap())
    }

    #[test]
    fn a_zone_is_complete_with_its_second_soa() {
        let mut coming = transfer();
        let first = message(
            0x8400,
            &[
                SOA,
                "a.example.org. 60 IN TXT \"x\" \"y\"",
                "d.example.org. 60 IN DNAME -",
                "a.example.org. 60 IN NSEC -",
            ],
        );
        assert_eq!(coming.message(&first), Ok(false));
        assert_eq!(coming.message(&message(0x8400, &["*.example.org. 60 IN MX 10 mx.example.net.", SOA])), Ok(true));
        let read = coming.finish();
        let source = read.zone.unwrap();
        assert_eq!((source.serial, source.zone.record_count()), (7, 3));
        assert_eq!(source.left_out[0].to_string(), "d.example.org DNAME: records of the type DNAME are not held here");
        assert_eq!(source.signing.len(), 1);
    }

    #[test]
    fn no_message_is_a_panic() {
        let whole = message(
            0x8400,
            &[
                SOA,
                "a.example.org. 60 IN MX 10 mx.example.org.",
                "h.example.org. 60 IN HTTPS 1 . alpn=h2",
                "n.example.org. 60 IN NAPTR 1 1 \"s\" \"x\" \"\" .",
                SOA,
            ],
        );
        let mut numbers = Numbers(0xBEEF);
        let (mut complete, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                bytes[at] = [numbers.octet(), 0xC0, 0, 0xFF][numbers.below(4)];
            }
            let mut coming = transfer();
            match coming.message(&bytes) {
                Ok(true) => complete += 1,
                Ok(false) | Err(_) => refused += 1,
            }
            coming.finish();
        }
        assert!(complete > 1000 && refused > 1000, "{complete} were complete, {refused} were not");
    }

    #[test]
    fn a_part_of_a_zone_is_no_zone() {
        let mut coming = transfer();
        coming.message(&message(0x8400, &[SOA, "a.example.org. 60 IN A 192.0.2.1"])).unwrap();
        let read = coming.finish();
        assert!(read.zone.is_none() && read.problems[0].message.contains("broke off"), "{:?}", read.problems);
        assert_eq!(
            transfer().message(&message(0x8400, &["a.example.org. 60 IN A 192.0.2.1"])),
            Err(TransferError::NoSoa)
        );
        assert_eq!(transfer().message(&message(0x8400, &[SOA, SOA, SOA])), Err(TransferError::TooMuch));
        assert_eq!(transfer().message(&message(0x8405, &[])), Err(TransferError::Refused("REFUSED".into())));
        assert_eq!(transfer().message(&message(0x8409, &[])), Err(TransferError::NotAuthoritative));
        let whole = message(0x8400, &[SOA, SOA]);
        for end in 0..whole.len() {
            assert_eq!(transfer().message(&whole[..end]), Err(TransferError::Malformed), "cut at {end}");
        }
    }
}
