//! Record data from its wire form (RFC 1035 §4.1.4, RFC 3597 §4): into zone-file text, which is then read and judged as any other.

use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};

use cst_api::RecordType;
use data_encoding::HEXUPPER;

use super::{Loc, strings};

/// How many pointers a compressed name may follow.
const MOST_POINTERS: usize = 128;

/// What is still to be read of a record's data within its message.
#[derive(Clone, Debug)]
pub struct Wire<'a> {
    message: &'a [u8],
    next: usize,
    end: usize,
}

impl<'a> Wire<'a> {
    /// The octets from `start` to `end` of a message; `None` when it has not so many.
    pub fn new(message: &'a [u8], start: usize, end: usize) -> Option<Self> {
        (start <= end && end <= message.len()).then_some(Self { message, next: start, end })
    }

    /// Where the next octet stands in the message.
    pub fn position(&self) -> usize {
        self.next
    }

    /// So many octets.
    pub fn octets(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.next.checked_add(count).filter(|end| *end <= self.end)?;
        let octets = self.message.get(self.next..end)?;
        self.next = end;
        Some(octets)
    }

    /// A number of 8 bits.
    pub fn u8(&mut self) -> Option<u8> {
        self.octets(1)?.first().copied()
    }

    /// A number of 16 bits.
    pub fn u16(&mut self) -> Option<u16> {
        self.octets(2)?.first_chunk().map(|octets| u16::from_be_bytes(*octets))
    }

    /// A number of 32 bits.
    pub fn u32(&mut self) -> Option<u32> {
        self.octets(4)?.first_chunk().map(|octets| u32::from_be_bytes(*octets))
    }

    /// A name, compressed or not, in zone-file form: absolute, with escapes where octets need them.
    pub fn name(&mut self) -> Option<String> {
        let mut text = String::new();
        // Where the labels are, and where the octets go on that are this record's own.
        let (mut at, mut after) = (self.next, None);
        for _ in 0..MOST_POINTERS {
            let length = *self.message.get(at)?;
            match length {
                0 => {
                    self.next = after.unwrap_or(at + 1);
                    text.push_str(if text.is_empty() { "." } else { "" });
                    return (self.next <= self.end).then_some(text);
                }
                1..=63 => {
                    let label = self.message.get(at + 1..at + 1 + usize::from(length))?;
                    text.extend(label.iter().map(|octet| shown(*octet)));
                    text.push('.');
                    at += 1 + label.len();
                }
                0xC0.. => {
                    let low = *self.message.get(at + 1)?;
                    after.get_or_insert(at + 2);
                    let target = usize::from(length & 0x3F) << 8 | usize::from(low);
                    at = Some(target).filter(|target| *target < at)?;
                }
                _ => return None,
            }
            if text.len() > 4 * 255 {
                return None;
            }
        }
        None
    }

    /// Everything that is left.
    fn rest(&mut self) -> Option<&'a [u8]> {
        self.octets(self.end - self.next)
    }

    fn is_empty(&self) -> bool {
        self.next == self.end
    }

    /// A character string, quoted.
    fn string(&mut self) -> Option<String> {
        let length = self.u8()?;
        self.octets(length.into()).map(quoted)
    }
}

/// An octet of a label, escaped where it might mean something else.
fn shown(octet: u8) -> String {
    match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'/' | b'*' => char::from(octet).to_string(),
        _ => format!("\\{octet:03}"),
    }
}

struct Quoted<'a>(&'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        strings::write_quoted(self.0, f)
    }
}

fn quoted(octets: &[u8]) -> String {
    Quoted(octets).to_string()
}

/// The right-hand side of a zone-file line for data in wire form, names absolute; that of RFC 3597 for types without a form of their
/// own. `None` when the octets are not of the type's form.
pub fn text(type_: RecordType, mut wire: Wire<'_>) -> Option<String> {
    let text = match type_ {
        RecordType::A => wire.octets(4)?.first_chunk().map(|octets: &[u8; 4]| Ipv4Addr::from(*octets).to_string())?,
        RecordType::AAAA => {
            wire.octets(16)?.first_chunk().map(|octets: &[u8; 16]| Ipv6Addr::from(*octets).to_string())?
        }
        RecordType::CNAME | RecordType::NS | RecordType::PTR | RecordType::DNAME => wire.name()?,
        RecordType::MX => format!("{} {}", wire.u16()?, wire.name()?),
        RecordType::SOA => soa(&mut wire)?,
        RecordType::SRV => format!("{} {} {} {}", wire.u16()?, wire.u16()?, wire.u16()?, wire.name()?),
        RecordType::TXT => strings(&mut wire)?,
        RecordType::CAA => caa(&mut wire)?,
        RecordType::DS => format!("{} {} {} {}", wire.u16()?, wire.u8()?, wire.u8()?, HEXUPPER.encode(wire.rest()?)),
        RecordType::SSHFP => format!("{} {} {}", wire.u8()?, wire.u8()?, HEXUPPER.encode(wire.rest()?)),
        RecordType::TLSA => format!("{} {} {} {}", wire.u8()?, wire.u8()?, wire.u8()?, HEXUPPER.encode(wire.rest()?)),
        RecordType::NAPTR => {
            let (order, preference) = (wire.u16()?, wire.u16()?);
            format!("{order} {preference} {} {} {} {}", wire.string()?, wire.string()?, wire.string()?, wire.name()?)
        }
        RecordType::URI => format!("{} {} {}", wire.u16()?, wire.u16()?, quoted(wire.rest()?)),
        RecordType::LOC => Loc::from_wire(wire.rest()?)?.to_string(),
        RecordType::HTTPS | RecordType::SVCB => svcb(&mut wire)?,
        _ => {
            let octets = wire.rest()?;
            format!("\\# {} {}", octets.len(), HEXUPPER.encode(octets)).trim_end().to_owned()
        }
    };
    wire.is_empty().then_some(text)
}

fn soa(wire: &mut Wire<'_>) -> Option<String> {
    let mut text = format!("{} {}", wire.name()?, wire.name()?);
    for _ in 0..5 {
        write!(text, " {}", wire.u32()?).ok();
    }
    Some(text)
}

fn strings(wire: &mut Wire<'_>) -> Option<String> {
    let mut all = vec![wire.string()?];
    while !wire.is_empty() {
        all.push(wire.string()?);
    }
    Some(all.join(" "))
}

fn caa(wire: &mut Wire<'_>) -> Option<String> {
    let (flags, length) = (wire.u8()?, wire.u8()?);
    let tag = std::str::from_utf8(wire.octets(length.into())?).ok()?;
    Some(format!("{flags} {tag} {}", quoted(wire.rest()?)))
}

/// Priority, target and parameters, each by its number with its octets: the reader of text knows what may be.
fn svcb(wire: &mut Wire<'_>) -> Option<String> {
    let mut text = format!("{} {}", wire.u16()?, wire.name()?);
    while !wire.is_empty() {
        let (key, length) = (wire.u16()?, wire.u16()?);
        write!(text, " key{key}={}", quoted(wire.octets(length.into())?)).ok();
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RecordData;

    #[test]
    fn every_type_reads_back() {
        let digest = "49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1";
        for (type_, written) in [
            (RecordType::A, "192.0.2.10"),
            (RecordType::AAAA, "2001:db8::10"),
            (RecordType::CAA, "128 issue \"ca.example.net; a=b\""),
            (RecordType::CNAME, "_a.example.org."),
            (RecordType::DS, &format!("12345 13 2 {digest}")),
            (
                RecordType::HTTPS,
                "1 . mandatory=alpn alpn=\"h2,a\\\\,b\" port=8443 ipv4hint=192.0.2.1 ech=AQI= ipv6hint=2001:db8::1 key667=\"x y\"",
            ),
            (RecordType::LOC, "43 43 33.001 N 12 38 11 W -485.25m 1m 90000000.00m 0.05m"),
            (RecordType::MX, "10 mail.example.org."),
            (RecordType::NAPTR, r#"100 10 "u" "E2U+sip" "!^(.*)$!sip:\\1@example.org!i" ."#),
            (RecordType::NS, "ns1.example.org."),
            (RecordType::PTR, "host.example.org."),
            (RecordType::SOA, "ns. h.example. 4294967295 1 2 3 4"),
            (RecordType::SRV, "0 5 5061 ."),
            (RecordType::SSHFP, &format!("4 2 {digest}")),
            (RecordType::SVCB, "0 www.example.org."),
            (RecordType::TLSA, &format!("3 1 1 {digest}")),
            (RecordType::TXT, r#""a\"\\b" "" "\200""#),
            (RecordType::URI, "10 1 \"https://www.example.org/\""),
            (RecordType::from_number(65_280), r"\# 3 0A00FF"),
            (RecordType::from_number(65_280), r"\# 0"),
        ] {
            let data = RecordData::from_zone_text(type_, written).unwrap();
            let mut octets = Vec::new();
            data.write_wire(&mut octets);
            let back = text(type_, Wire::new(&octets, 0, octets.len()).unwrap()).unwrap();
            assert_eq!(RecordData::from_zone_text(type_, &back), Ok(data), "{back}");
            for end in 0..octets.len() {
                let cut = Wire::new(&octets, 0, end).unwrap();
                if let Some(cut) = text(type_, cut) {
                    assert_ne!(cut, back, "{type_} cut at {end}");
                }
            }
        }
    }

    #[test]
    fn a_parameter_of_a_service_with_octets_that_it_cannot_have_is_no_record() {
        for (parameter, is_right) in [
            (&b"\x00\x03\x00\x02\x00\x35"[..], true),
            (b"\x00\x03\x00\x03\x00\x35\x00", false),
            (b"\x00\x04\x00\x05\xC0\x00\x02\x01\x00", false),
            (b"\x00\x01\x00\x03\x02h2", true),
            (b"\x00\x01\x00\x03\x05h2", false),
            (b"\xFF\xFF\x00\x00", false),
        ] {
            let octets = [b"\x00\x01\x00", parameter].concat();
            let told = text(RecordType::HTTPS, Wire::new(&octets, 0, octets.len()).unwrap()).unwrap();
            assert_eq!(RecordData::from_zone_text(RecordType::HTTPS, &told).is_ok(), is_right, "{told}");
        }
    }

    #[test]
    fn compressed_names_end_and_are_escaped() {
        let message = b"\x01a\x03b.c\0\x02*\x07\xC0\x00\xC0\x07";
        let name = |start| {
            let mut wire = Wire::new(message, start, message.len()).unwrap();
            wire.name().map(|name| (name, wire.position()))
        };
        assert_eq!(name(0), Some(("a.b\\046c.".into(), 7)));
        assert_eq!(name(7), Some(("*\\007.a.b\\046c.".into(), 12)));
        assert_eq!(name(12), Some(("*\\007.a.b\\046c.".into(), 14)));
        for hostile in [&b"\xC0\x00"[..], b"\x01a\xC0\x00", b"\x01a\xC0\x02", b"\x40a", b"\x05a", b"\xC0", b""] {
            let start = if hostile.first() == Some(&1) { 2 } else { 0 };
            assert!(
                Wire::new(hostile, start, hostile.len()).unwrap().name().is_none_or(|name| name.len() < 4),
                "{hostile:?}"
            );
        }
    }
}
