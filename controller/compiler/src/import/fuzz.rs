//! Zone files and configurations of no good will: whatever comes, the readers end soon, without a panic, and say what they did not read. The same
//! octets in every run; `CST_FUZZ_ROUNDS` makes it a longer one.

use std::time::{Duration, Instant};

use super::numbers::Numbers;
use super::{named_conf, read_zone_file};
use crate::model::DomainName;

/// What a file of a MiB may take without optimisation on a busy machine; a reader of quadratic cost would take hours.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many octets a file of these tests has at most.
const LARGEST: usize = 1 << 20;

/// What zone files are made of, and what breaks them: nesting, quotes, escapes, ranges, times, texts that are not UTF-8.
const ZONE: [&[u8]; 34] = [
    b"(",
    b")",
    b"\"",
    b"\\",
    b"\n",
    b" ",
    b";",
    b".",
    b"@",
    b"\0",
    b"\xFF\xFE",
    b"\xC3\xA8",
    b"\r\n",
    b"\\255",
    b"\\999",
    b"\\#",
    b"$GENERATE 0-255 ",
    b"$GENERATE 0-2147483647/1 a$ A ",
    b"${0,63,n}",
    b"${-2147483648,9,x}",
    b"$",
    b"$TTL 99999999999w\n",
    b"$TTL 2147483648\n",
    b"$ORIGIN a.\n",
    b"$ORIGIN \n",
    b"$INCLUDE /etc/passwd\n",
    b" IN ",
    b" 1h1h1h ",
    b" A 192.0.2.1\n",
    b" TXT ",
    b" TYPE65280 \\# 4 ",
    b" NAPTR 1 1 \"u\" \"a\" ",
    b"example.org. 60 IN SOA ns. h. 1 2 3 4 5\n",
    b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];

/// The same of configurations.
const CONF: [&[u8]; 22] = [
    b"{",
    b"}",
    b";",
    b"\"",
    b"\\",
    b"/*",
    b"*/",
    b"//",
    b"#",
    b"\n",
    b" ",
    b"\0",
    b"\xFF",
    b"\xC3\xA8",
    b"zone ",
    b"\"a.example\" ",
    b" { type master; file \"a\"; };",
    b"view a ",
    b"include \"a\";",
    b"options { directory \"/\"; };",
    b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    b"!",
];

fn rounds() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how long the test runs is its environment's word")]
    let rounds = std::env::var("CST_FUZZ_ROUNDS");
    rounds.ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1)
}

/// Fewer pieces than `most` in any order; now and then one of them many times.
fn pieces(numbers: &mut Numbers, pieces: &[&[u8]], most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..numbers.below(most) {
        let piece = pieces[numbers.below(pieces.len())];
        let often = if numbers.below(20) == 0 { numbers.below(300) } else { 1 };
        bytes.extend(piece.repeat(often));
    }
    bytes
}

/// Reads within the time; what the reader gives.
#[expect(clippy::disallowed_methods, reason = "the time that a reader takes is what is tested")]
fn timed<T>(bytes: &[u8], read: impl FnOnce(&[u8]) -> T) -> T {
    let start = Instant::now();
    let given = read(bytes);
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    assert!(start.elapsed() < PATIENCE, "{:?} for {} octets: {head}", start.elapsed(), bytes.len());
    given
}

fn read_zone(bytes: &[u8]) -> bool {
    let origin = DomainName::parse("example.org").unwrap();
    let read = timed(bytes, |bytes| read_zone_file("z", bytes, Some(&origin)));
    assert!(read.zone.is_some() || !read.problems.is_empty());
    read.zone.is_some()
}

#[test]
fn no_pieces_of_a_zone_file_are_a_panic_or_endless() {
    let mut numbers = Numbers(0x5EED);
    let mut whole = 0;
    for round in 0..600 * rounds() {
        let mut bytes = pieces(&mut numbers, &ZONE, if round % 4 < 2 { 4 } else { 60 });
        if round % 2 == 0 {
            bytes.splice(0..0, b"example.org. 60 IN SOA ns. h. 1 2 3 4 5\n".iter().copied());
        }
        whole += usize::from(read_zone(&bytes));
    }
    assert!(whole > 20, "{whole} were whole");
}

#[test]
fn no_pieces_of_a_configuration_are_a_panic_or_endless() {
    let mut numbers = Numbers(0xCAFE);
    let (mut whole, mut wrong) = (0, 0);
    for _ in 0..600 * rounds() {
        let bytes = pieces(&mut numbers, &CONF, 60);
        if timed(&bytes, named_conf::read).is_ok() { whole += 1 } else { wrong += 1 }
    }
    assert!(whole > 5 && wrong > 50, "{whole} were whole, {wrong} were not");
}

#[test]
fn one_thing_over_and_over_is_read_or_refused_soon() {
    for piece in ZONE {
        for head in [&b""[..], b"example.org. 60 IN SOA ns. h. 1 2 3 4 5\n", b"a TXT ", b"a TXT \"", b"a 60 TXT (\n"] {
            read_zone(&[head, &piece.repeat(LARGEST / 32 / piece.len())].concat());
        }
    }
    for piece in CONF {
        let bytes = piece.repeat(LARGEST / piece.len());
        timed(&bytes, named_conf::read).ok();
    }
}

#[test]
fn what_ranges_make_is_bounded_in_octets() {
    let origin = DomainName::parse("example.org").unwrap();
    let soa = "example.org. 60 IN SOA ns. h. 1 2 3 4 5\n";
    let text = "x".repeat(60_000);
    let octets = "\u{e8}".repeat(60_000);
    for (line, is_refused) in [
        ("$GENERATE 1-20000 host$ 60 A 192.0.2.1".to_owned(), false),
        (format!("$GENERATE 1-65000 host$ 60 TXT \"{text}\""), true),
        // Names that cannot be held are left out one by one, and each is told.
        (format!("$GENERATE 1-65000 {octets}$ 60 A 192.0.2.1"), true),
    ] {
        let bytes = format!("{soa}{line}\n");
        let read = timed(bytes.as_bytes(), |bytes| read_zone_file("z", bytes, Some(&origin)));
        let told = read.problems.iter().filter(|told| told.message.contains("octets of text")).count();
        assert_eq!(
            (read.zone.is_none(), told),
            (is_refused, usize::from(is_refused)),
            "{}",
            line.chars().take(60).collect::<String>()
        );
    }
}

#[test]
fn a_configuration_of_too_many_words_is_refused() {
    let error = named_conf::read("a;".repeat(2_000_000).as_bytes()).unwrap_err();
    assert!(error.message.contains("split it"), "{error}");
}
