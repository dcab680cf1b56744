//! From a request's octets to the response: who may ask, what is asked, what is sent.

use std::net::IpAddr;
use std::sync::Arc;

use cst_compiler::model::DomainName;
use cst_compiler::plan::serial::is_newer;
use tracing::{debug, warn};

use crate::answer::answer;
use crate::clock::Clock;
use crate::keyring::Keys;
use crate::message::request::name_of;
use crate::message::tsig::{Authentication, TsigSession, authenticate};
use crate::message::{
    AA, HEADER, IN, MessageWriter, OPCODE, Owner, QR, RD, Rcode, Refusal, Request, Section, read_u16,
};
use crate::metrics::Counts;
use crate::rtype;
use crate::sign::SignError;
use crate::transfer::{Content, Transfer};
use crate::zones::{Served, Source, Zones};

/// Types that are no data: OPT, and TKEY to MAILA (RFC 6895 §3.1); IXFR and AXFR apart, ANY aside.
const META: std::ops::RangeInclusive<u16> = 249..=254;
const OPT: u16 = 41;
const IXFR: u16 = 251;
pub(crate) const AXFR: u16 = 252;

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// What is sent back.
pub(crate) enum Response {
    Silence,
    Message(Vec<u8>),
    /// Several messages, over TCP.
    Transfer(Transfer),
}

/// Answers requests.
pub(crate) struct Responder {
    pub(crate) zones: Arc<Zones>,
    pub(crate) keys: Keys,
    /// Whether unsigned questions are answered, the catalog and transfers excepted.
    pub(crate) plain: bool,
    pub(crate) clock: Clock,
    pub(crate) counts: Arc<Counts>,
}

impl Responder {
    /// Answers one request. Nothing that comes in is trusted, and nothing makes this fail.
    pub(crate) async fn respond(&self, bytes: &[u8], client: IpAddr, transport: Transport) -> Response {
        let response = self.response(bytes, client, transport).await;
        if let Response::Message(message) = &response {
            self.counts.response(message);
        }
        response
    }

    async fn response(&self, bytes: &[u8], client: IpAddr, transport: Transport) -> Response {
        let request = match Request::read(bytes) {
            Ok(request) => request,
            Err(Refusal::Silence) => return Response::Silence,
            Err(Refusal::Answer(rcode)) => return Response::Message(bare(bytes, rcode)),
        };
        let keys = self.keys.get();
        match authenticate(&request, &keys, self.clock.now()) {
            Authentication::Malformed => Response::Message(bare(bytes, Rcode::FormErr)),
            Authentication::Unsigned => self.respond_to(&request, None, transport).await,
            Authentication::Signed(session) if !keys.allows(session.key().name(), client) => {
                self.counts.tsig_error("address");
                warn!(%client, key = %session.key().name(), "a key is used from an address that it is not bound to");
                self.exchange(&request, Some(session), transport).refuse(Rcode::Refused)
            }
            Authentication::Signed(session) => self.respond_to(&request, Some(session), transport).await,
            Authentication::Rejected(rejection) => {
                self.counts.tsig_error(rejection.reason());
                debug!(reason = rejection.reason(), "a request's signature does not hold");
                let mut message = refuse(&request, Rcode::NotAuth);
                rejection.finish(&mut message);
                Response::Message(message)
            }
        }
    }

    async fn respond_to(&self, request: &Request<'_>, session: Option<TsigSession>, transport: Transport) -> Response {
        let exchange = self.exchange(request, session, transport);
        if request.edns.is_some_and(|edns| edns.version != 0) {
            return exchange.refuse(Rcode::BadVers);
        }
        let question = &request.question;
        match question.type_number {
            OPT => exchange.refuse(Rcode::FormErr),
            _ if question.class != IN => exchange.refuse(Rcode::Refused),
            AXFR | IXFR => self.transfer(exchange).await,
            number if META.contains(&number) => exchange.refuse(Rcode::NotImp),
            _ => self.answer(exchange).await,
        }
    }

    fn exchange<'a>(
        &self,
        request: &'a Request<'a>,
        session: Option<TsigSession>,
        transport: Transport,
    ) -> Exchange<'a> {
        Exchange { request, session, transport, now: self.clock.now() }
    }

    async fn transfer(&self, exchange: Exchange<'_>) -> Response {
        let request = exchange.request;
        let is_incremental = request.question.type_number == IXFR;
        let Some(session) = exchange.session.clone() else { return exchange.refuse(Rcode::Refused) };
        if exchange.transport == Transport::Udp && !is_incremental {
            return exchange.refuse(Rcode::FormErr);
        }
        let Some(source) = request.question.name.as_ref().and_then(|name| self.zones.get(name)) else {
            let is_ours = request.question.name.as_ref().is_some_and(|name| self.zones.is_declared(name));
            return exchange.refuse(if is_ours { Rcode::ServFail } else { self.unknown(Rcode::NotAuth) });
        };
        let is_current = request.serial.is_some_and(|theirs| !is_newer(source.serial(), theirs));
        if is_incremental && is_current {
            return exchange.answer_soa(&source);
        }
        let Served { zone, history } = match self.zones.served(&source).await {
            Ok(served) => served,
            Err(error) => return exchange.fail(&error),
        };
        let theirs = request.serial.filter(|_| is_incremental);
        let differences = theirs.and_then(|serial| history.since(serial)).map(<[_]>::to_vec);
        let content = Content { zone, differences };
        match exchange.transport {
            Transport::Tcp => Response::Transfer(Transfer { content, request: request.bytes.to_vec(), session }),
            Transport::Udp => exchange.answer_incremental(&content, &source),
        }
    }

    async fn answer(&self, exchange: Exchange<'_>) -> Response {
        let request = exchange.request;
        if exchange.session.is_none() && !self.plain {
            return exchange.refuse(Rcode::Refused);
        }
        if request.question.name.as_ref().is_some_and(|name| self.zones.is_declared(name)) {
            return exchange.refuse(Rcode::ServFail);
        }
        let Some((apex, source)) = self.closest(request, exchange.session.is_some()) else {
            return exchange.refuse(self.unknown(Rcode::Refused));
        };
        let asks_for_soa = request.question.type_number == rtype::SOA && request.question.name.as_ref() == Some(&apex);
        if asks_for_soa && !request.dnssec_ok() {
            return exchange.answer_soa(&source);
        }
        match self.zones.served(&source).await {
            Ok(Served { zone, .. }) => {
                let mut writer = exchange.writer();
                answer(&zone, &request.question, request.dnssec_ok()).write(&mut writer);
                exchange.send(writer.finish())
            }
            Err(error) => exchange.fail(&error),
        }
    }

    /// The zone that answers: the closest above the name; for a DS the one above that, which has it (RFC 4035 §3.1.4.1).
    fn closest(&self, request: &Request<'_>, is_signed: bool) -> Option<(DomainName, Source)> {
        let labels = &request.question.labels;
        let asks_for_ds = request.question.type_number == rtype::DS;
        let find = |skip: usize| {
            let name = name_of(&labels[skip..])?;
            let source = self.zones.get(&name).filter(|_| is_signed || !self.zones.is_catalog(&name))?;
            Some((name, source))
        };
        let above = || (usize::from(asks_for_ds)..labels.len()).find_map(find);
        above().or_else(|| find(0))
    }

    /// The code for a zone that is not here; until all are loaded, nobody knows whether it is one of ours.
    fn unknown(&self, rcode: Rcode) -> Rcode {
        if self.zones.is_complete() { rcode } else { Rcode::ServFail }
    }
}

/// One request on its way to its response.
struct Exchange<'a> {
    request: &'a Request<'a>,
    session: Option<TsigSession>,
    transport: Transport,
    now: u64,
}

impl<'a> Exchange<'a> {
    fn writer(&self) -> MessageWriter<'a> {
        let limit = if self.transport == Transport::Udp { self.request.udp_limit() } else { usize::from(u16::MAX) };
        let overhead = self.session.as_ref().map_or(0, TsigSession::overhead);
        MessageWriter::response(self.request, limit - overhead)
    }

    fn answer_soa(self, source: &Source) -> Response {
        let zone = source.soa_only();
        let (apex, soa) = zone.soa();
        let mut writer = self.writer();
        writer.set_flag(AA);
        for data in soa.data.iter() {
            let owner = Owner::Name(&apex.name);
            writer.record(Section::Answer, owner, rtype::SOA, soa.ttl, data);
        }
        self.send(writer.finish())
    }

    /// All that has changed, where it fits into a datagram; else the SOA, which says that TCP is needed (RFC 1995 §2).
    fn answer_incremental(self, content: &Content, source: &Source) -> Response {
        let mut writer = self.writer();
        if content.differences.is_some() && content.write(&mut writer) {
            let message = writer.finish();
            return self.send(message);
        }
        self.answer_soa(source)
    }

    fn refuse(self, rcode: Rcode) -> Response {
        let message = refuse(self.request, rcode);
        self.send(message)
    }

    fn fail(self, error: &SignError) -> Response {
        warn!(%error, "a zone cannot be served");
        self.refuse(Rcode::ServFail)
    }

    fn send(mut self, mut message: Vec<u8>) -> Response {
        if let Some(session) = &mut self.session {
            session.sign(&mut message, self.now);
        }
        Response::Message(message)
    }
}

/// A response of nothing but its code.
fn refuse(request: &Request<'_>, rcode: Rcode) -> Vec<u8> {
    let mut writer = MessageWriter::response(request, usize::from(u16::MAX));
    writer.set_rcode(rcode);
    writer.finish()
}

/// The response to what cannot be read: a header.
fn bare(bytes: &[u8], rcode: Rcode) -> Vec<u8> {
    let (id, flags) = (read_u16(bytes, 0).unwrap_or(0), read_u16(bytes, 2).unwrap_or(0));
    let mut writer = MessageWriter::bare(id, QR | flags & (OPCODE | RD), HEADER);
    writer.set_rcode(rcode);
    writer.finish()
}
