//! Requests of no good will over UDP and TCP: what cannot be read, what is signed wrongly, what is sent again.

use std::ops::Range;

use cst_nameserver::PrimaryConfig;

use crate::support::{
    Answer, CATALOG, KEY_NAME, Message, Numbers, Served, Tcp, Udp, config, now, serve, version, zone,
};

const ZONE: &str = "comune.urbino.pu.it";
const SOA: u16 = 6;
const IXFR: u16 = 251;
const AXFR: u16 = 252;
/// The response codes of RFC 1035 §4.1.1 and RFC 8945 §3.
const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const NOTIMP: u16 = 4;
const REFUSED: u16 = 5;
const NOTAUTH: u16 = 9;
const BADSIG: u16 = 16;
const BADKEY: u16 = 17;
const BADTIME: u16 = 18;
const BADTRUNC: u16 = 22;
/// The octets of the header.
const HEADER: usize = 12;
/// The longest request that is taken.
const LONGEST: usize = 4096;

async fn served(plain: bool) -> Served {
    let served = serve(PrimaryConfig { plain, ..config(vec![]) }).await;
    served.primary.publish(version(zone(ZONE, &["www A 192.0.2.1", "* TXT \"w\"", "sub NS ns.example."]), 7)).unwrap();
    served.primary.set_complete();
    served
}

fn answers(port: u16) -> bool {
    let answer = Udp::to(port).ask(&Message::signed(ZONE, SOA).0);
    (answer.rcode, answer.answers) == (NOERROR, 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_holds_for_five_minutes_and_sent_again_gives_what_it_gave() {
    let served = served(false).await;
    let (udp, now) = (Udp::to(served.port), u64::from(now()));
    for time in [now - 280, now + 280] {
        let message = Message::query(ZONE, SOA).sign(time, 32);
        for _ in 0..2 {
            let answer = udp.ask(&message.0);
            assert_eq!((answer.rcode, answer.answers, answer.tsig), (NOERROR, 1, Some((0, 32))), "{answer:?}");
        }
    }
    for time in [0, now - 320, now + 320, (1 << 48) - 1] {
        let answer = udp.ask(&Message::query(ZONE, SOA).sign(time, 32).0);
        assert_eq!((answer.rcode, answer.answers), (NOTAUTH, 0), "{answer:?}");
        assert_eq!(answer.tsig, Some((BADTIME, 32)), "signed, so that the client can believe our time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mac_cut_short_is_refused() {
    let served = served(false).await;
    let udp = Udp::to(served.port);
    let ask = |length| udp.ask(&Message::query(ZONE, SOA).sign(now().into(), length).0);
    for length in [16, 20, 31] {
        let answer = ask(length);
        assert_eq!((answer.rcode, answer.answers, answer.tsig), (NOTAUTH, 0, Some((BADTRUNC, 32))), "{length}");
    }
    for length in [0, 1, 15] {
        let answer = ask(length);
        assert_eq!((answer.rcode, answer.answers, answer.tsig), (FORMERR, 0, None), "{length}");
    }
}

/// Where an octet of a signed request may be another without the request being another.
fn unsigned_octets(unsigned: usize) -> (Range<usize>, Range<usize>) {
    let owner = unsigned..unsigned + KEY_NAME.len() + 2;
    let algorithm = owner.end + 10..owner.end + 10 + "hmac-sha256".len() + 2;
    (owner, algorithm)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_request_with_any_bit_changed_is_another() {
    let served = served(false).await;
    let udp = Udp::to(served.port);
    let unsigned = Message::query(ZONE, SOA);
    let message = unsigned.clone().sign(now().into(), 32);
    let (owner, algorithm) = unsigned_octets(unsigned.0.len());
    // The id may be changed on the way, and names are the same in capitals.
    for position in 2..message.0.len() {
        for bit in 0..8 {
            let mut changed = message.0.clone();
            changed[position] ^= 1 << bit;
            let is_capital = bit == 5 && changed[position].is_ascii_uppercase();
            if (owner.contains(&position) || algorithm.contains(&position)) && is_capital {
                assert_eq!(udp.ask(&changed).rcode, NOERROR);
            } else if changed[2] & 0x80 != 0 {
                udp.send(&changed);
            } else {
                let answer = udp.ask(&changed);
                assert_eq!(answer.answers, 0, "octet {position}, bit {bit}: {answer:?}");
                assert_ne!(answer.rcode, NOERROR, "octet {position}, bit {bit}: {answer:?}");
                let error = answer.tsig.map_or(0, |(error, _)| error);
                assert!([0, BADSIG, BADKEY].contains(&error), "octet {position}, bit {bit}: {answer:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_query_is_refused_and_a_response_is_met_with_silence() {
    let served = served(false).await;
    let udp = Udp::to(served.port);
    for (flags, what) in [(0x2000, "NOTIFY"), (0x2800, "UPDATE"), (0x0800, "IQUERY"), (0x7800, "opcode 15")] {
        let unsigned = Message::query(ZONE, SOA).with_flags(flags);
        for message in [unsigned.clone(), unsigned.sign(now().into(), 32)] {
            assert_eq!(udp.ask(&message.0).rcode, NOTIMP, "{what}");
        }
    }
    // Two servers that answer each other's responses would never end.
    for flags in [0x8000, 0xA000, 0x8005, 0xFFFF] {
        udp.send(&Message::signed(ZONE, SOA).with_flags(flags).0);
    }
    for length in 0..HEADER {
        udp.send(&Message::signed(ZONE, SOA).0[..length]);
    }
    let answer = udp.ask(&Message::signed(ZONE, SOA).with_id(7).0);
    assert_eq!((answer.id, answer.rcode), (7, NOERROR), "nothing came before it");
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_and_the_catalog_are_for_those_with_the_key() {
    for plain in [false, true] {
        let served = served(plain).await;
        let (udp, mut tcp) = (Udp::to(served.port), Tcp::to(served.port));
        for (zone, type_number) in [(ZONE, AXFR), (ZONE, IXFR), (CATALOG, SOA), (CATALOG, AXFR), (CATALOG, IXFR)] {
            let message = Message::query(zone, type_number);
            for answer in [udp.ask(&message.0), tcp.ask(&message.0).unwrap()] {
                assert_eq!((answer.rcode, answer.answers), (REFUSED, 0), "{zone} {type_number}");
            }
        }
        assert_eq!(udp.ask(&Message::signed(ZONE, AXFR).0).rcode, FORMERR, "RFC 5936 §4.2: not over UDP");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_points_into_the_header_is_malformed() {
    let served = served(true).await;
    let mut message = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0].to_vec();
    message.extend_from_slice(&[0xC0, 0, 0, 6, 0, 1]);
    assert_eq!(Udp::to(served.port).ask(&message).rcode, FORMERR);
}

/// Requests of every kind to start from.
fn seeds() -> Vec<Vec<u8>> {
    let mut incremental = Message::query(ZONE, IXFR).0;
    incremental[9] = 1;
    incremental.extend_from_slice(&[0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0, 0, 6]);
    incremental.extend_from_slice(&[0; 16]);
    let mut extended = Message::query(&format!("a.b.{ZONE}"), 255).0;
    extended[11] = 1;
    extended.extend_from_slice(&[0, 0, 41, 4, 0xD0, 0, 0, 0x80, 0, 0, 0]);
    let www = format!("www.{ZONE}");
    vec![
        Message::query(&www, 1).0,
        Message::query(&format!("x.sub.{ZONE}"), 43).0,
        Message::signed(ZONE, SOA).0,
        Message(incremental).sign(now().into(), 32).0,
        extended.clone(),
        Message(extended).sign(now().into(), 32).0,
    ]
}

/// One to four changes, as transmission and malice make them.
fn mutated(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seeds[numbers.index(seeds.len())].clone();
    for _ in 0..=numbers.below(3) {
        if bytes.is_empty() {
            break;
        }
        let position = numbers.index(bytes.len());
        match numbers.below(7) {
            0 => bytes[position] = numbers.octet(),
            1 => bytes[position] = [0, 1, 63, 64, 0xC0, 0xFF][numbers.index(6)],
            2 => bytes.truncate(position),
            3 => bytes.extend((0..numbers.below(300)).map(|_| numbers.octet()).collect::<Vec<_>>()),
            4 => drop(bytes.splice(position..position, seeds[numbers.index(seeds.len())].iter().copied())),
            5 => bytes[position.min(4 + numbers.index(8))] = numbers.octet(),
            _ => bytes.extend(std::iter::repeat_n(numbers.octet(), numbers.index(5000))),
        }
    }
    bytes
}

/// Whether it must be answered: a response, half a header and what is too long are met with silence.
fn wants_answer(request: &[u8]) -> bool {
    (HEADER..=LONGEST).contains(&request.len()) && request[2] & 0x80 == 0
}

fn check(request: &[u8], answer: &Answer) {
    assert_eq!([request[0], request[1]], answer.id.to_be_bytes(), "an answer to {request:02x?}: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_over_udp_is_answered_once() {
    for plain in [false, true] {
        let served = served(plain).await;
        let (udp, seeds, mut numbers) = (Udp::to(served.port), seeds(), Numbers::new(1));
        for id in 0..3000_u16 {
            let mut request = mutated(&seeds, &mut numbers);
            request.iter_mut().zip(id.to_be_bytes()).for_each(|(octet, of_id)| *octet = of_id);
            if wants_answer(&request) {
                check(&request, &udp.ask(&request));
            } else {
                udp.send(&request);
            }
        }
        assert!(answers(served.port));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_over_tcp_is_answered_or_hung_up_on() {
    let served = served(true).await;
    let (mut tcp, seeds, mut numbers) = (Tcp::to(served.port), seeds(), Numbers::new(2));
    for _ in 0..500 {
        let request = mutated(&seeds, &mut numbers);
        match tcp.ask(&request) {
            Some(answer) => check(&request, &answer),
            None => assert!(!wants_answer(&request), "no answer to {request:02x?}"),
        }
        // What follows of a transfer is not read, nor what follows an end.
        tcp = Tcp::to(served.port);
    }
    for _ in 0..100 {
        let mut tcp = Tcp::to(served.port);
        tcp.send_raw(&mutated(&seeds, &mut numbers));
    }
    assert!(answers(served.port));
}
