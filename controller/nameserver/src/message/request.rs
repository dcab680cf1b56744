//! Reads a request. hickory-proto reads the records; what we answer with or sign over is taken from the octets themselves.

use cst_compiler::model::DomainName;
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RData};

use super::tsig::TsigRecord;
use super::{HEADER, OPCODE, QR, Rcode, read_u16, skip_name};

/// What a TSIG record has after its owner: the type, the class ANY and no time to live (RFC 8945 §4.2).
const TSIG: [u8; 8] = [0, 250, 0, 255, 0, 0, 0, 0];

/// A query that can be answered.
pub(crate) struct Request<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) id: u16,
    /// The header's second word.
    pub(crate) flags: u16,
    pub(crate) question: Question<'a>,
    pub(crate) edns: Option<Edns>,
    pub(crate) tsig: Option<TsigRecord>,
    /// The serial of the SOA in the authority section: what an IXFR's client has (RFC 1995 §3).
    pub(crate) serial: Option<u32>,
}

/// What is asked.
pub(crate) struct Question<'a> {
    /// The question as it came, which is how it is echoed.
    pub(crate) raw: &'a [u8],
    /// The name's labels in lower case, leftmost first.
    pub(crate) labels: Vec<Vec<u8>>,
    /// The name, when it is one that a zone here can have.
    pub(crate) name: Option<DomainName>,
    pub(crate) type_number: u16,
    pub(crate) class: u16,
}

/// What the OPT record says (RFC 6891 §6.1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
    pub(crate) dnssec_ok: bool,
}

/// Why a request is no query.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too short to be answered, or itself a response.
    Silence,
    /// Answered with a bare header.
    Answer(Rcode),
}

impl<'a> Request<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let malformed = || Refusal::Answer(Rcode::FormErr);
        let (id, flags) = header(bytes).ok_or(Refusal::Silence)?;
        if flags & QR != 0 {
            return Err(Refusal::Silence);
        }
        if flags & OPCODE != 0 {
            return Err(Refusal::Answer(Rcode::NotImp));
        }
        if read_u16(bytes, 4) != Some(1) || read_u16(bytes, 6) != Some(0) {
            return Err(malformed());
        }
        let message = Message::from_vec(bytes).map_err(|_| malformed())?;
        let question = Question::read(bytes, &message).ok_or_else(malformed)?;
        let edns = message.edns.as_ref().map(|edns| Edns {
            payload: edns.max_payload(),
            version: edns.version(),
            dnssec_ok: edns.flags().dnssec_ok,
        });
        let serial = message.authorities.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some(soa.serial),
            _ => None,
        });
        let tsig = read_tsig(bytes, &message).ok_or_else(malformed)?;
        Ok(Self { bytes, id, flags, question, edns, tsig, serial })
    }

    /// The octets that a response over UDP may have: what the client takes, within what passes unfragmented.
    pub(crate) fn udp_limit(&self) -> usize {
        self.edns.map_or(512, |edns| usize::from(edns.payload.clamp(512, 1232)))
    }

    /// Whether DNSSEC records are asked for (RFC 3225).
    pub(crate) fn dnssec_ok(&self) -> bool {
        self.edns.is_some_and(|edns| edns.dnssec_ok)
    }
}

fn header(bytes: &[u8]) -> Option<(u16, u16)> {
    if bytes.len() < HEADER { None } else { Some((read_u16(bytes, 0)?, read_u16(bytes, 2)?)) }
}

impl<'a> Question<'a> {
    fn read(bytes: &'a [u8], message: &Message) -> Option<Self> {
        let [query] = message.queries.as_slice() else { return None };
        let end = skip_name(bytes, HEADER)?;
        // A pointer could only lead to the header before it, which is another one in the response.
        let length = 1 + query.name.iter().map(|label| 1 + label.len()).sum::<usize>();
        let raw = bytes.get(HEADER..end + 4).filter(|_| end - HEADER == length)?;
        let labels: Vec<Vec<u8>> = query.name.iter().map(<[u8]>::to_ascii_lowercase).collect();
        let name = name_of(&labels);
        let (type_number, class) = (read_u16(bytes, end)?, read_u16(bytes, end + 2)?);
        Some(Self { raw, labels, name, type_number, class })
    }
}

/// The name as ours, when every label is of our alphabet.
pub(crate) fn domain_name(name: &Name) -> Option<DomainName> {
    let labels: Vec<&[u8]> = name.iter().collect();
    name_of(&labels)
}

/// The name that labels make.
pub(crate) fn name_of<L: AsRef<[u8]>>(labels: &[L]) -> Option<DomainName> {
    let text = |label: &L| {
        // A dot inside a label would make two of it.
        std::str::from_utf8(label.as_ref())
            .ok()
            .filter(|text| text.is_ascii() && !text.contains('.'))
            .map(str::to_owned)
    };
    let labels: Vec<String> = labels.iter().map(text).collect::<Option<_>>()?;
    if labels.is_empty() { Some(DomainName::ROOT) } else { DomainName::parse(&labels.join(".")).ok() }
}

/// The TSIG record, which is the message's last (RFC 8945 §5.1); `None` when one stands elsewhere or is of
/// another class, or something follows the last record.
pub(crate) fn read_tsig(bytes: &[u8], message: &Message) -> Option<Option<TsigRecord>> {
    let last = last_record(bytes)?;
    let records = message.answers.iter().chain(&message.authorities).chain(&message.additionals);
    let mut found = records.filter_map(|record| match &record.data {
        RData::TSIG(tsig) => Some((&record.name, tsig)),
        _ => None,
    });
    match (found.next(), found.next(), last) {
        (None, ..) => Some(None),
        (Some((owner, data)), None, Some((start, TSIG))) => Some(Some(TsigRecord::new(owner, data, start))),
        _ => None,
    }
}

/// The TSIG record that ends a message, read apart from the others, of which hickory-proto may not know every one.
pub(crate) fn last_tsig(bytes: &[u8]) -> Option<Option<TsigRecord>> {
    let Some((start, TSIG)) = last_record(bytes)? else { return Some(None) };
    let mut alone = vec![0; HEADER];
    alone[11] = 1;
    alone.extend_from_slice(bytes.get(start..)?);
    let message = Message::from_vec(&alone).ok()?;
    message.additionals.iter().find_map(|record| match &record.data {
        RData::TSIG(data) => Some(Some(TsigRecord::new(&record.name, data, start))),
        _ => None,
    })
}

/// Where the last record begins and its type, class and time to live, if there is any; `None` when the message does not end with it.
#[expect(clippy::option_option, reason = "a message without records is not a malformed one")]
fn last_record(bytes: &[u8]) -> Option<Option<(usize, [u8; 8])>> {
    let count = |position| read_u16(bytes, position).map(usize::from);
    let mut position = HEADER;
    for _ in 0..count(4)? {
        position = skip_name(bytes, position)? + 4;
    }
    let mut last = None;
    for _ in 0..count(6)? + count(8)? + count(10)? {
        let fields = skip_name(bytes, position)?;
        last = Some((position, *bytes.get(fields..)?.first_chunk()?));
        position = fields + 10 + usize::from(read_u16(bytes, fields + 8)?);
    }
    (position == bytes.len()).then_some(last)
}
