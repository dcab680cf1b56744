//! The milter's protocol, octet by octet over a socket. What it decides is tested where it is decided, and with the real Postfix in
//! `servers`.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use cst_agent::inbox::{Event, Inbox};
use cst_compiler::desired::mail::Domains;
use tokio::sync::watch;

#[path = "../support/mod.rs"]
mod support;
use support::{address, domain, domain_name, secret};

const ANNA: &str = "anna@firma.example";
/// What Postfix 3.10 offers: version 6, all changes, all steps.
const OFFER: &[u8] = &[0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff];

/// Postfix' side of a connection.
struct Postfix(TcpStream);

impl Postfix {
    fn dial(at: SocketAddr) -> Self {
        let start = Instant::now();
        loop {
            if let Ok(stream) = TcpStream::connect(at) {
                stream.set_nodelay(true).unwrap();
                stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
                return Self(stream);
            }
            assert!(start.elapsed() < Duration::from_mins(1), "nobody listens");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn tell(&mut self, command: u8, data: &[u8]) {
        let length = u32::try_from(data.len() + 1).unwrap().to_be_bytes();
        self.0.write_all(&[&length[..], &[command], data].concat()).unwrap();
    }

    fn ask(&mut self, command: u8, data: &[u8]) -> Vec<u8> {
        self.tell(command, data);
        let mut length = [0; 4];
        self.0.read_exact(&mut length).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut answer).unwrap();
        answer
    }

    fn mail(&mut self, login: &str) {
        self.tell(b'D', b"Mi\0QUEUEID\0");
        self.tell(b'D', format!("M{{auth_type}}\0PLAIN\0{{auth_authen}}\0{login}\0{{mail_addr}}\0x@x\0").as_bytes());
        assert_eq!(self.ask(b'M', b"<x@x>\0"), b"c");
    }

    fn header(&mut self, field: &str) {
        let (name, value) = field.split_once(':').unwrap();
        assert_eq!(self.ask(b'L', format!("{name}\0{value}\0").as_bytes()), b"c");
    }

    /// Whether the agent hung up.
    fn ends(mut self) -> bool {
        !matches!(self.0.read(&mut [0]), Ok(1..))
    }
}

/// A milter that knows a domain.
fn milter() -> SocketAddr {
    let mut inbox = Inbox::default();
    for shard in domain("firma.example", &["anna", "sara"]).shards(&address("postmaster@cst.example.net"), 0) {
        inbox.take(Event::Applied(secret(&shard, 1)), &Domains::new());
    }
    let content = inbox.content(&domain_name("firma.example")).unwrap().unwrap();
    let installed = watch::Sender::new(Domains::from([(domain_name("firma.example"), content)]));
    let at = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(cst_agent::milter::serve(at, installed.subscribe()));
    });
    at
}

#[test]
fn messages_of_one_session_are_judged_each_by_itself() {
    let mut postfix = Postfix::dial(milter());
    assert_eq!(postfix.ask(b'O', OFFER), [b"O" as &[u8], &[0, 0, 0, 6], &[0; 4], &[0, 0, 3, 0x1b]].concat());
    postfix.mail(ANNA);
    postfix.header("Subject: x");
    postfix.header("From: sara@firma.example");
    let refused = "y550 5.7.1 From names sara@firma.example, as which this login may not send\0";
    assert_eq!(postfix.ask(b'N', b""), refused.as_bytes());
    postfix.tell(b'A', b"");
    postfix.mail(ANNA);
    postfix.header("FROM: \"Rossi, Anna\"\n <anna@firma.example>");
    assert_eq!(postfix.ask(b'N', b""), b"a");
    postfix.mail(ANNA);
    let missing = postfix.ask(b'E', b"");
    assert!(missing.starts_with(b"y550 5.7.1 The message has no From"), "what was said before is forgotten");
    postfix.tell(b'A', b"");
    postfix.header("From: anna@firma.example");
    assert!(postfix.ask(b'N', b"").starts_with(b"y550 5.7.1 From names anna@"), "nobody is logged in any more");
    postfix.tell(b'Q', b"");
    assert!(postfix.ends());
}

#[test]
fn only_what_is_offered_is_left_out() {
    let mut postfix = Postfix::dial(milter());
    let old = [&OFFER[..8], &[0, 0, 0, 0x11]].concat();
    assert_eq!(postfix.ask(b'O', &old)[9..], [0, 0, 0, 0x11]);
    for command in *b"CHRTBU" {
        assert_eq!(postfix.ask(command, b"x\0"), b"c");
    }
    postfix.tell(b'O', &OFFER[..11]);
    assert!(postfix.ends());
}

#[test]
fn a_broken_packet_ends_its_connection_alone() {
    let at = milter();
    let mut other = Postfix::dial(at);
    other.mail(ANNA);
    for bytes in [&[0, 0, 0, 0][..], &[0xff, 0xff, 0xff, 0xff, b'L'], &[0, 4, 0, 1, b'L']] {
        let mut postfix = Postfix::dial(at);
        postfix.0.write_all(bytes).unwrap();
        assert!(postfix.ends(), "{bytes:?}");
    }
    other.header("From: anna@firma.example");
    assert_eq!(other.ask(b'N', b""), b"a");
}

#[test]
fn random_packets_are_answered() {
    let mut postfix = Postfix::dial(milter());
    let mut state = 0x5eed_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    for _ in 0..5_000 {
        let length = usize::from(random()[0] % 80);
        let data: Vec<u8> = std::iter::repeat_with(|| random()[3]).take(length).collect();
        let data = if random()[2] % 2 == 0 { [b"From\0", &data[..]].concat() } else { data };
        let command = b"LLLMNECHRTBUxyzAKD"[usize::from(random()[1] % 18)];
        if b"AKD".contains(&command) {
            postfix.tell(command, &data);
        } else {
            let answer = postfix.ask(command, &data);
            assert!(matches!(answer[0], b'c' | b'y'), "{answer:?}");
        }
    }
}
