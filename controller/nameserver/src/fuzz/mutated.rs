//! Good messages with changes, many times as many as the tests over sockets send. The same octets in every run; `CST_FUZZ_ROUNDS` makes it a
//! longer one.

use super::{ALGORITHMS, APEX, Kind, NOW, key, keyring, name, respond, responder};
use crate::message::request::Request;
use crate::message::tsig::{Authentication, TsigSession, authenticate};
use crate::message::{AA, HEADER, NOTIFY, QR};
use crate::notify::fuzz::{Asked, ask};
use crate::respond::Transport;

/// How many octet strings each test makes in a round.
pub(crate) const STRINGS: u64 = 100_000;

pub(crate) fn rounds() -> u64 {
    std::env::var("CST_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// Numbers that look random and repeat (xorshift64*).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % bound
    }

    fn octet(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// A seed with one to four changes: octets, lengths, counts, pointers, cuts, insertions, repetitions.
    pub(crate) fn mutated(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len().max(1));
            match self.below(9) {
                _ if bytes.is_empty() => bytes.push(self.octet()),
                0 => bytes[at] = self.octet(),
                1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes[at] = [0, 1, 0x3F, 0x40, 0xC0, 0xFF][self.below(6)],
                3 => bytes.truncate(at),
                4 => bytes.extend((0..self.below(40)).map(|_| self.octet()).collect::<Vec<_>>()),
                5 => drop(bytes.splice(at..at, seeds[self.below(seeds.len())].iter().copied().take(30))),
                6 => drop(bytes.drain(at..(at + 1 + self.below(12)).min(bytes.len()))),
                7 if bytes.len() > HEADER => bytes[4 + self.below(8)] = [0, 1, 2, 0xFF][self.below(4)],
                _ => {
                    let pointer = [0xC0 | self.octet() & 1, self.octet()];
                    drop(bytes.splice(at..(at + 2).min(bytes.len()), pointer));
                }
            }
        }
        bytes
    }
}

fn query(flags: u16, zone: &str, type_number: u16) -> Vec<u8> {
    let mut bytes: Vec<u8> = [7, flags, 1, 0, 0, 0].iter().flat_map(|word: &u16| word.to_be_bytes()).collect();
    name(zone).write_wire(&mut bytes);
    bytes.extend_from_slice(&type_number.to_be_bytes());
    bytes.extend_from_slice(&[0, 1]);
    bytes
}

/// Requests of every kind, signed and not.
fn requests() -> Vec<Vec<u8>> {
    let mut incremental = query(0, APEX, 251);
    incremental[9] = 1;
    incremental.extend_from_slice(&[0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0, 0, 1]);
    incremental.extend_from_slice(&[0; 16]);
    let mut extended = query(0x0110, "a.b.x.example", 255);
    extended[11] = 1;
    extended.extend_from_slice(&[0, 0, 41, 4, 0xD0, 0, 0, 0x80, 0, 0, 0]);
    let mut seeds = vec![query(0, APEX, 6), query(0, "www.x.example", 1), query(0, APEX, 252), incremental, extended];
    let signed = |(index, seed): (usize, &Vec<u8>)| {
        let mut seed = seed.clone();
        TsigSession::request(&key(ALGORITHMS[index % 3]), &mut seed, NOW);
        seed
    };
    seeds.extend(seeds.iter().enumerate().map(signed).collect::<Vec<_>>());
    seeds
}

/// The message as it is signed: names in it, and its id, may be spelled in other ways.
fn essence(request: &Request<'_>) -> (Vec<u8>, Vec<Vec<u8>>, u16, Option<u32>) {
    let question = &request.question;
    (request.bytes[2..HEADER].to_vec(), question.labels.clone(), question.type_number, request.serial)
}

#[test]
fn no_request_is_believed_that_was_not_signed() {
    let (seeds, keyring) = (requests(), keyring());
    let known: Vec<_> = seeds.iter().filter_map(|seed| Some(essence(&Request::read(seed).ok()?))).collect();
    assert_eq!(known.len(), seeds.len());
    let mut numbers = Numbers(0x5EED);
    let (mut read, mut signed) = (0, 0);
    for _ in 0..STRINGS * rounds() {
        let bytes = numbers.mutated(&seeds);
        let Ok(request) = Request::read(&bytes) else { continue };
        read += 1;
        if let Authentication::Signed(_) = authenticate(&request, &keyring, NOW) {
            signed += 1;
            assert!(known.contains(&essence(&request)), "{bytes:02x?}");
        }
    }
    assert!(read > 1000 && signed > 50, "{read} were read, {signed} of them signed");
}

#[tokio::test]
async fn every_request_has_a_response_that_can_be_read() {
    let (seeds, responder, mut numbers) = (requests(), responder(), Numbers(0xF00D));
    let (mut answered, mut transferred) = (0, 0);
    for _ in 0..STRINGS / 3 * rounds() {
        let bytes = numbers.mutated(&seeds);
        let transport = [Transport::Udp, Transport::Tcp][numbers.below(2)];
        match respond(&responder, &bytes, transport).await {
            Kind::Silence => {}
            Kind::Message => answered += 1,
            Kind::Transfer => transferred += 1,
        }
    }
    assert!(answered > 1000 && transferred > 10, "{answered} answers, {transferred} transfers");
}

#[test]
fn no_response_is_believed_that_was_not_signed() {
    let key = key("hmac-sha256");
    let mut numbers = Numbers(0xCAFE);
    let mut refused = 0;
    for flags in [QR | NOTIFY | AA, QR | AA] {
        let asked = ask(&name(APEX), flags & NOTIFY != 0, &key, NOW);
        let mut plain = query(flags, APEX, 6);
        if flags & NOTIFY == 0 {
            plain[7] = 1;
            plain.extend_from_slice(&[0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0, 0, 9]);
            plain.extend_from_slice(&[0; 16]);
        }
        let mut signed = plain.clone();
        asked.session().unwrap().sign(&mut signed, NOW);
        assert!(matches!(asked.end(&signed, NOW), Asked::Believed));
        let mut refusal = query(flags | 5, APEX, 6);
        refusal[7] = 0;
        let seeds = vec![plain, signed.clone(), refusal];
        for _ in 0..STRINGS / 2 * rounds() {
            let bytes = numbers.mutated(&seeds);
            match asked.end(&bytes, NOW) {
                Asked::Believed => {
                    assert_eq!(bytes[2..HEADER], signed[2..HEADER], "{bytes:02x?}");
                    assert!(bytes[HEADER..].eq_ignore_ascii_case(&signed[HEADER..]), "{bytes:02x?}");
                }
                Asked::Refused => refused += 1,
                Asked::Ignored => {}
            }
        }
    }
    assert!(refused > 100, "{refused} were read as refusals");
}
