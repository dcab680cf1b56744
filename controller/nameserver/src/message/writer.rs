//! Writes a message record by record, names compressed, within a limit of octets.

use std::collections::HashMap;

use cst_compiler::model::DomainName;

use super::{CD, Edns, HEADER, IN, OPCODE, QR, RD, Rcode, Request, TC};

/// The largest offset a compression pointer has (RFC 1035 §4.1.4).
const MAX_POINTER: usize = 0x3FFF;
/// An OPT record without options.
const OPT: usize = 11;
/// What we take over UDP: what passes unfragmented.
const PAYLOAD: u16 = 1232;

/// The sections that records are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    Answer,
    Authority,
    Additional,
}

/// A record's owner.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'a> {
    Name(&'a DomainName),
    /// The name that was asked for, as it was asked.
    Question,
    /// A name in uncompressed wire form.
    Wire(&'a [u8]),
}

/// A message that grows.
pub(crate) struct MessageWriter<'a> {
    bytes: Vec<u8>,
    limit: usize,
    flags: u16,
    rcode: Rcode,
    counts: [u16; 3],
    edns: Option<Edns>,
    /// Where the question ends.
    records_start: usize,
    /// Where the names that are in the message already begin.
    names: HashMap<&'a str, u16>,
}

impl<'a> MessageWriter<'a> {
    /// The response to a request: its question, and an OPT record if it had one; `limit` is in octets and without the TSIG record.
    pub(crate) fn response(request: &'a Request<'a>, limit: usize) -> Self {
        let mut writer = Self::bare(request.id, QR | request.flags & (OPCODE | RD | CD), limit);
        writer.edns = request.edns;
        writer.bytes.extend_from_slice(request.question.raw);
        writer.bytes[5] = 1;
        writer.records_start = writer.bytes.len();
        if let Some(name) = &request.question.name {
            writer.remember(name);
        }
        writer
    }

    /// A message without question.
    pub(crate) fn bare(id: u16, flags: u16, limit: usize) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[..2].copy_from_slice(&id.to_be_bytes());
        Self {
            bytes,
            limit,
            flags,
            rcode: Rcode::NoError,
            counts: [0; 3],
            edns: None,
            records_start: HEADER,
            names: HashMap::new(),
        }
    }

    /// Notes the question's name for compression. One with upper case is left alone: its spelling would become the records'.
    fn remember(&mut self, name: &'a DomainName) {
        let mut rest = name.as_str();
        let mut offset = HEADER;
        while !rest.is_empty() {
            let (label, after) = rest.split_once('.').unwrap_or((rest, ""));
            let spelled = self.bytes.get(offset + 1..offset + 1 + label.len());
            if spelled == Some(label.as_bytes()) {
                self.names.insert(rest, u16::try_from(offset).unwrap_or(0));
            } else {
                self.names.clear();
            }
            offset += 1 + label.len();
            rest = after;
        }
    }

    pub(crate) fn set_flag(&mut self, flag: u16) {
        self.flags |= flag;
    }

    pub(crate) fn set_rcode(&mut self, rcode: Rcode) {
        self.rcode = rcode;
    }

    /// Lets the message grow further.
    pub(crate) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Whether records are in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.counts == [0; 3]
    }

    /// Adds a record; `false`, and nothing added, when it does not fit. Sections come in their order.
    pub(crate) fn record(
        &mut self,
        section: Section,
        owner: Owner<'a>,
        type_number: u16,
        ttl: u32,
        data: &[u8],
    ) -> bool {
        let start = self.bytes.len();
        match owner {
            Owner::Name(name) => self.name(name),
            Owner::Question => self.bytes.extend_from_slice(&[0xC0, 12]),
            Owner::Wire(name) => self.bytes.extend_from_slice(name),
        }
        self.bytes.extend_from_slice(&type_number.to_be_bytes());
        self.bytes.extend_from_slice(&IN.to_be_bytes());
        self.bytes.extend_from_slice(&ttl.to_be_bytes());
        self.bytes.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.bytes.extend_from_slice(data);
        let fits = self.bytes.len() + self.edns.map_or(0, |_| OPT) <= self.limit;
        if fits {
            self.counts[section as usize] += 1;
        } else {
            self.bytes.truncate(start);
            self.names.retain(|_, offset| usize::from(*offset) < start);
        }
        fits
    }

    fn name(&mut self, name: &'a DomainName) {
        let mut rest = name.as_str();
        while !rest.is_empty() {
            if let Some(offset) = self.names.get(rest) {
                return self.bytes.extend_from_slice(&(0xC000 | offset).to_be_bytes());
            }
            if let Some(offset) = u16::try_from(self.bytes.len()).ok().filter(|o| usize::from(*o) <= MAX_POINTER) {
                self.names.insert(rest, offset);
            }
            let (label, after) = rest.split_once('.').unwrap_or((rest, ""));
            self.bytes.push(u8::try_from(label.len()).unwrap_or(63));
            self.bytes.extend_from_slice(label.as_bytes());
            rest = after;
        }
        self.bytes.push(0);
    }

    /// Takes all records out again and says that the answer did not fit (RFC 2181 §9).
    pub(crate) fn truncate(&mut self) {
        self.bytes.truncate(self.records_start);
        self.counts = [0; 3];
        self.set_flag(TC);
    }

    /// The message's octets.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let rcode = self.rcode as u16;
        if let Some(edns) = self.edns {
            self.bytes.extend_from_slice(&[0, 0, 41]);
            self.bytes.extend_from_slice(&PAYLOAD.to_be_bytes());
            let dnssec_ok = if edns.dnssec_ok { 0x80 } else { 0 };
            self.bytes.extend_from_slice(&[u8::try_from(rcode >> 4).unwrap_or(0), 0, dnssec_ok, 0, 0, 0]);
            self.counts[2] += 1;
        }
        self.bytes[2..4].copy_from_slice(&(self.flags | rcode & 0xF).to_be_bytes());
        for (count, place) in self.counts.iter().zip(self.bytes[6..HEADER].chunks_mut(2)) {
            place.copy_from_slice(&count.to_be_bytes());
        }
        self.bytes
    }
}
