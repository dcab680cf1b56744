//! What a server answered. hickory-proto reads the records; whether they answer the question is judged on the octets.

mod denial;
mod record;

use cst_compiler::model::{DomainName, RecordType, Soa};
use hickory_proto::op::Message;

use super::Question;
use crate::message::{AA, AD, HEADER, OPCODE, QR, RA, TC, read_u16};

pub use denial::{Denial, Link};
pub use record::{Data, Dnskey, Record, Rrsig};

/// The response code for a name that there is not.
const NXDOMAIN: u16 = 3;

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the header's flags are just that")]
pub struct Reply {
    /// The response code (IANA DNS parameters), with the upper bits of the OPT record.
    pub rcode: u16,
    /// Whether the server has the zone.
    pub authoritative: bool,
    /// Whether not all fitted.
    pub truncated: bool,
    /// Whether the server asks others for us.
    pub recursion_available: bool,
    /// Whether the server validated what it says (RFC 4035 §3.2.3).
    pub authentic: bool,
    /// The OPT record.
    pub edns: Option<Edns>,
    /// The records of the answer. Those whose owner no zone here could have are left out, as everywhere below.
    pub answers: Vec<Record>,
    /// The records of the authority section.
    pub authorities: Vec<Record>,
    /// The further records.
    pub additionals: Vec<Record>,
}

/// What an OPT record says (RFC 6891 §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns {
    /// How many octets the server takes over UDP.
    pub payload: u16,
    /// The version; 0.
    pub version: u8,
    /// Whether the DO flag came back (RFC 3225 §3).
    pub dnssec_ok: bool,
}

/// Why octets are not the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoReply {
    /// They answer something else: over UDP, somebody else may have sent them.
    Other,
    /// They answer the question with what cannot be read.
    Malformed,
}

impl Reply {
    /// Reads the response to a question that was sent with this id.
    pub(super) fn read(bytes: &[u8], question: &Question, id: u16) -> Result<Self, NoReply> {
        let flags = read_u16(bytes, 2).filter(|_| answers(bytes, question, id)).ok_or(NoReply::Other)?;
        let truncated = flags & TC != 0;
        let read = Message::from_vec(bytes).ok().and_then(|message| Self::of(&message, flags));
        match read {
            Some(reply) => Ok(reply),
            // Cut somewhere, perhaps within a record.
            None if truncated => Ok(Self { rcode: flags & 0xF, truncated, ..Self::default() }),
            None => Err(NoReply::Malformed),
        }
    }

    fn of(message: &Message, flags: u16) -> Option<Self> {
        let edns = message.edns.as_ref().map(|edns| Edns {
            payload: edns.max_payload(),
            version: edns.version(),
            dnssec_ok: edns.flags().dnssec_ok,
        });
        let section = |records: &[hickory_proto::rr::Record]| {
            records.iter().filter_map(Record::read).collect::<Result<Vec<_>, _>>().ok()
        };
        Some(Self {
            rcode: u16::from(message.metadata.response_code),
            authoritative: flags & AA != 0,
            truncated: flags & TC != 0,
            recursion_available: flags & RA != 0,
            authentic: flags & AD != 0,
            edns,
            answers: section(&message.answers)?,
            authorities: section(&message.authorities)?,
            additionals: section(&message.additionals)?,
        })
    }

    /// The mnemonic of the response code.
    pub fn rcode_name(&self) -> String {
        rcode_name(self.rcode)
    }

    /// Whether it says what there is: records, or that there are none.
    pub fn is_answer(&self) -> bool {
        self.rcode == 0 || self.rcode == NXDOMAIN
    }

    /// The records of the answer at a name, of a type.
    pub fn set<'a, 'b>(
        &'a self,
        name: &'b DomainName,
        type_: RecordType,
    ) -> impl Iterator<Item = &'a Record> + use<'a, 'b> {
        self.answers.iter().filter(move |record| record.name == *name && record.data.type_() == type_)
    }

    /// The SOA at a name in the answer.
    pub fn soa(&self, name: &DomainName) -> Option<&Soa> {
        self.answers.iter().filter(|record| record.name == *name).find_map(Record::soa)
    }

    /// The zone whose servers say that there is no such record (RFC 2308 §2).
    pub fn denied_by(&self) -> Option<&DomainName> {
        let is_empty = self.is_answer() && self.answers.is_empty();
        let soa = self.authorities.iter().find(|record| record.soa().is_some());
        soa.filter(|_| is_empty).map(|record| &record.name)
    }

    /// The addresses in the answer, whatever aliases lead to them.
    pub fn addresses(&self) -> impl Iterator<Item = std::net::IpAddr> {
        self.answers.iter().filter_map(Record::address)
    }
}

/// The mnemonic of a response code (IANA DNS parameters).
pub(super) fn rcode_name(rcode: u16) -> String {
    let names = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "", "", "", "NOTAUTH"];
    let name = names.get(usize::from(rcode)).filter(|name| !name.is_empty());
    name.map_or_else(|| format!("RCODE{rcode}"), |name| (*name).to_owned())
}

/// Whether these octets respond to the question with this id. What a server could not read it need not repeat.
fn answers(bytes: &[u8], question: &Question, id: u16) -> bool {
    let asked = question.write(id);
    let end = asked.len() - question.edns.map_or(0, |_| 11);
    let flags = read_u16(bytes, 2).unwrap_or_default();
    let repeats = match read_u16(bytes, 4) {
        Some(1) => bytes.get(HEADER..end).is_some_and(|repeated| repeated.eq_ignore_ascii_case(&asked[HEADER..end])),
        Some(0) => bytes.len() >= HEADER && flags & 0xF != 0,
        _ => false,
    };
    repeats && flags & QR != 0 && flags & OPCODE == 0 && read_u16(bytes, 0) == Some(id)
}

#[cfg(test)]
mod tests;
