//! Octets of no good will, and what must hold whatever comes: the readers of requests, responses and TSIG records neither panic nor believe it.
//! `controller/fuzz` looks for such octets by what they reach; the tests here change good ones, the same in every run.

#[cfg(test)]
mod mutated;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use cst_api::Denial;
use cst_compiler::model::{DomainName, Zone};
use cst_compiler::published::{KeyMaterial, VersionKey, ZoneVersion};
use hickory_proto::op::Message;

use crate::clock::Clock;
use crate::keyring::{Keyring, Keys};
use crate::lookup::fuzz::read_reply;
use crate::message::request::Request;
use crate::message::tsig::{Authentication, TsigSession, authenticate};
use crate::message::{HEADER, QR, read_u16};
use crate::notify::fuzz::{Asked, ask};
use crate::respond::{Responder, Response, Transport};
use crate::tsig::TsigKey;
use crate::zones::{Member, Zones};

#[cfg(test)]
pub(crate) use mutated::{Numbers, STRINGS, rounds};

const APEX: &str = "x.example";
const NOW: u64 = 1_800_000_000;
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const ALGORITHMS: [&str; 3] = ["hmac-sha256", "hmac-sha384", "hmac-sha512"];
/// A fixed key (RFC 6605 §6.1).
const KEY: &str = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n\
                   PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n";

/// Of the first octet, what is done with the others.
const OVER_TCP: u8 = 1;
const SIGNED: u8 = 2;
const OF_NOTIFY: u8 = 4;

/// A request: over UDP or TCP, signed or not by the first octet, by a key of each algorithm.
///
/// # Panics
///
/// Where something does not hold that must.
pub fn request(octets: &[u8]) {
    let Some((how, octets)) = octets.split_first() else { return };
    let transport = if how & OVER_TCP == 0 { Transport::Udp } else { Transport::Tcp };
    let is_signed = how & SIGNED != 0 && octets.len() >= HEADER;
    let mut octets = octets.to_vec();
    if is_signed {
        TsigSession::request(&key(ALGORITHMS[usize::from(how >> 2) % 3]), &mut octets, NOW);
    } else if let Ok(request) = Request::read(&octets) {
        let authentication = authenticate(&request, &keyring(), NOW);
        assert!(!matches!(authentication, Authentication::Signed(_)), "{octets:02x?}");
    }
    RUNTIME.with(|(runtime, responder)| runtime.block_on(respond(responder, &octets, transport)));
}

/// A response to a NOTIFY or a question of ours, signed or not by the first octet.
///
/// # Panics
///
/// Where one that is not signed is believed.
pub fn response(octets: &[u8]) {
    let Some((how, octets)) = octets.split_first() else { return };
    let asked = ask(&name(APEX), how & OF_NOTIFY != 0, &key(ALGORITHMS[0]), NOW);
    let mut octets = octets.to_vec();
    match asked.session() {
        Some(mut session) if how & SIGNED != 0 && octets.len() >= HEADER => {
            session.sign(&mut octets, NOW);
            asked.end(&octets, NOW);
        }
        _ => assert!(!matches!(asked.end(&octets, NOW), Asked::Believed), "{octets:02x?}"),
    }
}

/// A reply of a server that we ask about a zone above.
///
/// # Panics
///
/// Where one is taken for the reply to what was not asked.
pub fn reply(octets: &[u8]) {
    read_reply(octets);
}

thread_local! {
    static RUNTIME: (tokio::runtime::Runtime, Responder) =
        (tokio::runtime::Builder::new_current_thread().build().unwrap(), responder());
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn key(algorithm: &str) -> Arc<TsigKey> {
    let line = format!("{algorithm}:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0");
    Arc::new(TsigKey::from_lines(&name("k.example"), &line).unwrap().remove(0))
}

fn keyring() -> Keyring {
    let keys = ALGORITHMS.map(|algorithm| TsigKey::clone(&key(algorithm)));
    Keyring::new(keys)
}

fn responder() -> Responder {
    let text = "x.example. 300 IN SOA ns.example. h.example. 1 1 1 1 300\nx.example. 300 IN NS ns.example.\n\
                www.x.example. 300 IN A 192.0.2.1\n*.b.x.example. 300 IN TXT \"w\"\nsub.x.example. 300 IN NS ns.sub.x.example.\n";
    let (zone, zones) = (Zone::from_text(text).unwrap().0, Zones::new(name("catalog.example"), Arc::default()));
    let key = KeyMaterial::new(KEY.as_bytes().to_vec());
    let inception = u32::try_from(NOW).unwrap();
    let version = ZoneVersion {
        zone: Arc::new(zone),
        serial: 7,
        inception,
        keys: vec![VersionKey::sole(key)],
        denial: Denial::Nsec,
        leaving: false,
    };
    zones.insert(Member::new(version, None));
    zones.set_complete();
    let clock = Clock::new(|| NOW);
    Responder { zones: Arc::new(zones), keys: Keys::new(keyring()), plain: true, clock, counts: Arc::default() }
}

/// A response is under the request's id, within its limit, and readable.
fn check(request: &[u8], response: &[u8], limit: usize) {
    assert_eq!(response[..2], request[..2]);
    assert!(response.len() <= limit, "{} octets to {request:02x?}", response.len());
    assert!(read_u16(response, 2).unwrap() & QR != 0);
    if let Err(error) = Message::from_vec(response) {
        panic!("{error}: {response:02x?} to {request:02x?}");
    }
}

/// Answers, and looks at what is answered.
async fn respond(responder: &Responder, octets: &[u8], transport: Transport) -> Kind {
    // What is not signed has no room to be given: a response without EDNS has 512 octets, one with it no more than 1232.
    let limit = if transport == Transport::Udp { 1232 } else { 65_535 };
    match responder.respond(octets, CLIENT, transport).await {
        Response::Silence => {
            assert!(octets.len() < HEADER || octets[2] & 0x80 != 0, "{octets:02x?}");
            Kind::Silence
        }
        Response::Message(message) => {
            check(octets, &message, limit);
            Kind::Message
        }
        Response::Transfer(mut transfer) => {
            transfer.messages(&responder.clock).for_each(|message| check(octets, &message, limit));
            Kind::Transfer
        }
    }
}

/// What was answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Silence,
    Message,
    Transfer,
}
