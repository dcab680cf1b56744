//! DNS messages (RFC 1035 §4): reading of requests, writing of responses, signing of both.

pub(crate) mod request;
pub(crate) mod tsig;
pub(crate) mod writer;

use cst_compiler::model::DomainName;

pub(crate) use request::{Edns, Question, Refusal, Request};
pub(crate) use writer::{MessageWriter, Owner, Section};

/// Response codes (IANA DNS parameters).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Rcode {
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
    NotAuth = 9,
    BadVers = 16,
}

/// A message is a response (RFC 1035 §4.1.1).
pub(crate) const QR: u16 = 0x8000;
/// The answer is authoritative.
pub(crate) const AA: u16 = 0x0400;
/// The answer did not fit.
pub(crate) const TC: u16 = 0x0200;
/// The server offers recursion.
pub(crate) const RA: u16 = 0x0080;
/// The server finds the answer authentic (RFC 4035 §3.2.3).
pub(crate) const AD: u16 = 0x0020;
/// Recursion is desired: copied.
pub(crate) const RD: u16 = 0x0100;
/// Checking is disabled (RFC 4035 §3.1.6): copied.
pub(crate) const CD: u16 = 0x0010;
/// The opcode's bits.
pub(crate) const OPCODE: u16 = 0x7800;
/// The opcode NOTIFY (RFC 1996 §3.1) in its place.
pub(crate) const NOTIFY: u16 = 4 << 11;
/// A message's header in octets.
pub(crate) const HEADER: usize = 12;
/// The class Internet.
pub(crate) const IN: u16 = 1;

/// A message that asks one thing, without further records.
pub(crate) fn question(id: u16, flags: u16, name: &DomainName, type_number: u16) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER + 64);
    for word in [id, flags, 1, 0, 0, 0] {
        message.extend_from_slice(&word.to_be_bytes());
    }
    name.write_wire(&mut message);
    message.extend_from_slice(&type_number.to_be_bytes());
    message.extend_from_slice(&IN.to_be_bytes());
    message
}

/// Where a name that begins at `position` ends (RFC 1035 §4.1.4).
pub(crate) fn skip_name(bytes: &[u8], mut position: usize) -> Option<usize> {
    loop {
        match *bytes.get(position)? {
            0 => return Some(position + 1),
            length @ 1..=63 => position += 1 + usize::from(length),
            0xC0.. => return (position + 2 <= bytes.len()).then_some(position + 2),
            _ => return None,
        }
    }
}

/// Two octets at a position.
pub(crate) fn read_u16(bytes: &[u8], position: usize) -> Option<u16> {
    bytes.get(position..)?.first_chunk().map(|octets| u16::from_be_bytes(*octets))
}
