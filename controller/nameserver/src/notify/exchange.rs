//! The messages to a secondary: NOTIFY and the question for the SOA, and what their responses say.

use std::sync::Arc;

use cst_compiler::model::DomainName;
use hickory_proto::op::Message;
use hickory_proto::rr::RData;

use crate::message::request::{domain_name, read_tsig};
use crate::message::tsig::{TsigRecord, TsigSession};
use crate::message::{AA, NOTIFY, OPCODE, QR, question, read_u16};
use crate::rtype;
use crate::tsig::TsigKey;

use super::track::Step;

/// A message that waits for its response.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) zone: DomainName,
    pub(super) step: Step,
    session: Option<TsigSession>,
}

/// What a response says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The NOTIFY was taken.
    Notified,
    /// The NOTIFY was refused, or is for a zone that the server does not have.
    Refused,
    /// The serial it answers with authority.
    Serial(Option<u32>),
    /// It does not know our key.
    UnknownKey,
    /// It knows our key with another secret.
    OtherSecret,
    /// It does not take our time for its own.
    OtherTime,
}

impl Exchange {
    /// Writes the message, signed where a key is given: what is believed of a response decides on serials and on steps of keys.
    pub(super) fn begin(
        id: u16,
        zone: &DomainName,
        step: Step,
        key: Option<&Arc<TsigKey>>,
        now: u64,
    ) -> (Self, Vec<u8>) {
        let flags = if step == Step::Notify { NOTIFY | AA } else { 0 };
        let mut message = question(id, flags, zone, rtype::SOA);
        let session = key.map(|key| TsigSession::request(key, &mut message, now));
        (Self { zone: zone.clone(), step, session }, message)
    }

    #[cfg(any(test, feature = "fuzz"))]
    pub(super) fn session(&self) -> Option<&TsigSession> {
        self.session.as_ref()
    }

    /// Reads what came back under the message's id; `None` when it is not the response to it.
    pub(super) fn end(&self, bytes: &[u8], now: u64) -> Option<Outcome> {
        let flags = read_u16(bytes, 2)?;
        let opcode = if self.step == Step::Notify { NOTIFY } else { 0 };
        if flags & QR == 0 || flags & OPCODE != opcode || read_u16(bytes, 4)? > 1 {
            return None;
        }
        let message = Message::from_vec(bytes).ok()?;
        let is_ours = message.queries.iter().all(|query| domain_name(&query.name).as_ref() == Some(&self.zone));
        let tsig = read_tsig(bytes, &message)?;
        let tells = |what: fn(&TsigRecord) -> bool| self.session.is_some() && tsig.as_ref().is_some_and(what);
        if !is_ours || !self.is_authentic(bytes, &message, tsig.as_ref(), now) {
            return None;
        }
        Some(match self.step {
            _ if tells(TsigRecord::is_key_unknown) => Outcome::UnknownKey,
            _ if tells(TsigRecord::is_secret_other) => Outcome::OtherSecret,
            _ if tells(TsigRecord::is_time_refused) => Outcome::OtherTime,
            Step::Notify if u16::from(message.metadata.response_code) != 0 => Outcome::Refused,
            Step::Notify => Outcome::Notified,
            Step::Ask => Outcome::Serial(self.serial(&message, flags)),
        })
    }

    /// Whether a signed message's response is signed too. A server that refuses our key cannot sign; what it refuses it may say unsigned.
    fn is_authentic(&self, bytes: &[u8], message: &Message, tsig: Option<&TsigRecord>, now: u64) -> bool {
        match (&self.session, tsig.filter(|record| !record.is_error())) {
            (None, _) => true,
            (Some(session), Some(record)) => session.verify(bytes, record, now),
            (Some(_), None) => u16::from(message.metadata.response_code) != 0,
        }
    }

    fn serial(&self, message: &Message, flags: u16) -> Option<u32> {
        let is_answer = flags & AA != 0 && u16::from(message.metadata.response_code) == 0;
        message.answers.iter().filter(|_| is_answer).find_map(|record| match &record.data {
            RData::SOA(soa) if domain_name(&record.name).as_ref() == Some(&self.zone) => Some(soa.serial),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tsig::TsigAlgorithm;

    fn zone() -> DomainName {
        DomainName::parse("fano.pu.it").unwrap()
    }

    fn key() -> Arc<TsigKey> {
        let name = DomainName::parse("k.example").unwrap();
        Arc::new(TsigKey::from_base64(name, TsigAlgorithm::HmacSha256, "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0").unwrap())
    }

    /// The question turned into a response with this flag word.
    fn response(question: &[u8], flags: u16) -> Vec<u8> {
        let mut bytes = question.to_vec();
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        bytes
    }

    #[test]
    fn an_answer_without_authority_or_of_another_kind_gives_no_serial() {
        let (exchange, message) = Exchange::begin(1, &zone(), Step::Ask, None, 0);
        assert_eq!(exchange.end(&response(&message, QR | AA), 0), Some(Outcome::Serial(None)));
        assert_eq!(exchange.end(&response(&message, QR | 5), 0), Some(Outcome::Serial(None)), "REFUSED");
        assert_eq!(exchange.end(&message, 0), None, "a question is no response");
        assert_eq!(exchange.end(&response(&message, QR | NOTIFY), 0), None);
        let (_, other) = Exchange::begin(1, &DomainName::parse("urbino.pu.it").unwrap(), Step::Ask, None, 0);
        assert_eq!(exchange.end(&response(&other, QR | AA), 0), None);
    }

    #[test]
    fn an_unsigned_yes_to_a_signed_notify_is_not_believed() {
        let (exchange, signed) = Exchange::begin(1, &zone(), Step::Notify, Some(&key()), 1000);
        let (_, plain) = Exchange::begin(1, &zone(), Step::Notify, None, 1000);
        assert_eq!(exchange.end(&response(&plain, QR | NOTIFY | AA), 1000), None);
        assert_eq!(exchange.end(&response(&signed, QR | NOTIFY | AA), 1000), None, "the request's own MAC");
        assert_eq!(exchange.end(&response(&plain, QR | NOTIFY | 9), 1000), Some(Outcome::Refused), "NOTAUTH");
    }
}
