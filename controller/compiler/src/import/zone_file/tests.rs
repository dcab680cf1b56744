use super::*;
use crate::import::numbers::Numbers;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn problems(text: &str) -> Vec<String> {
    let read = read("z", text.as_bytes(), Some(&name("example.org")));
    assert_eq!(read.zone.is_none(), read.problems.iter().any(|p| p.severity == crate::problem::Severity::Error));
    read.problems.iter().map(ToString::to_string).collect()
}

/// The zone's lines, or what is wrong with it.
fn lines(text: &str, origin: Option<&str>) -> Vec<String> {
    let read = read("z", text.as_bytes(), origin.map(name).as_ref());
    match read.zone {
        Some(source) => source.zone.to_text(source.serial).lines().map(str::to_owned).collect(),
        None => read.problems.iter().map(ToString::to_string).collect(),
    }
}

const SOA: &str = "@ 3600 IN SOA ns root 1 2h 15M 4w 300\n";

/// RFC 1035 §5.3, its example as it stands.
#[test]
fn the_example_of_rfc_1035() {
    let text = "\
@   IN  SOA     VENERA      Action\\.domains (
                                 20     ; SERIAL
                                 7200   ; REFRESH
                                 600    ; RETRY
                                 3600000; EXPIRE
                                 60)    ; MINIMUM

        NS      A.ISI.EDU.
        NS      VENERA
        NS      VAXA
        MX      10      VENERA
        MX      20      VAXA

A       A       26.3.0.103

VENERA  A       10.1.0.52
        A       128.9.0.32

VAXA    A       10.2.0.27
        A       128.9.0.33
";
    assert_eq!(
        lines(text, Some("isi.edu")),
        [
            "isi.edu. 60 IN SOA venera.isi.edu. invalid. 20 7200 600 3600000 60",
            "isi.edu. 60 IN NS a.isi.edu.",
            "isi.edu. 60 IN NS vaxa.isi.edu.",
            "isi.edu. 60 IN NS venera.isi.edu.",
            "isi.edu. 60 IN MX 10 venera.isi.edu.",
            "isi.edu. 60 IN MX 20 vaxa.isi.edu.",
            "a.isi.edu. 60 IN A 26.3.0.103",
            "vaxa.isi.edu. 60 IN A 10.2.0.27",
            "vaxa.isi.edu. 60 IN A 128.9.0.33",
            "venera.isi.edu. 60 IN A 10.1.0.52",
            "venera.isi.edu. 60 IN A 128.9.0.32",
        ]
    );
}

#[test]
fn heads_in_every_order() {
    let text = "$ORIGIN example.org.\n$TTL 1h\n@ SOA ns root 1 2 3 4 5\na 1m IN A 192.0.2.1\nb in 2m a 192.0.2.2\nc A 192.0.2.3\nin in in\n\tTXT \"x\"";
    let all = lines(text, None);
    assert_eq!(all, ["z:7:7: error: `in` is no record type: write its mnemonic, such as MX, or TYPE and its number"]);
    assert_eq!(
        lines(&text.replace("in in in\n", "in in 7 Ns @\n"), None)[1..],
        [
            "a.example.org. 60 IN A 192.0.2.1",
            "b.example.org. 120 IN A 192.0.2.2",
            "c.example.org. 3600 IN A 192.0.2.3",
            "in.example.org. 7 IN NS example.org.",
            "in.example.org. 3600 IN TXT \"x\"",
        ]
    );
}

#[test]
fn origins_and_relative_names_everywhere() {
    let text = format!(
        "{SOA}$ORIGIN sub\n@ MX 10 @\n _sip._tcp SRV 0 5 5061 sip\n_sip._tcp SRV 0 5 5061 sip\n$ORIGIN .\norg.example.org.example.org. CNAME www.example.org\n\
         $ORIGIN example.org.\nn NAPTR 1 1 \"s\" \"x\" \"\" next\nh HTTPS 1 . alpn=\"h2,h3\"\nh2 HTTPS 0 www\nt TXT a=\"b c\" \\100\\\"\n"
    );
    let errors = lines(&text, Some("example.org"));
    assert!(
        errors[0].starts_with("z:4:2: error: `_sip._tcp` is no record type"),
        "an indented line has no name: {errors:?}"
    );
    let all = lines(&text.replace(" _sip", "_sip"), Some("example.org"));
    assert_eq!(
        all[1..],
        [
            "h.example.org. 3600 IN HTTPS 1 . alpn=\"h2,h3\"",
            "h2.example.org. 3600 IN HTTPS 0 www.example.org.",
            "n.example.org. 3600 IN NAPTR 1 1 \"s\" \"x\" \"\" next.example.org.",
            "org.example.org.example.org. 3600 IN CNAME www.example.org.",
            "sub.example.org. 3600 IN MX 10 sub.example.org.",
            "_sip._tcp.sub.example.org. 3600 IN SRV 0 5 5061 sip.sub.example.org.",
            "t.example.org. 3600 IN TXT \"a=b cd\\\"\"",
        ]
    );
}

#[test]
fn generic_forms_are_those_of_their_types() {
    let text = format!("{SOA}a A \\# 4 C0 000201\nm TYPE15 \\# 6 000A 016D 0000\n");
    assert_eq!(
        lines(&text, Some("example.org")),
        ["z:3:1: error: write `\\# `, the number of octets and the octets of the MX in hexadecimal"]
    );
    let text = format!("{SOA}a A \\# 4 C0 000201\nm CLASS1 TYPE15 \\# 5 000A 016D 00\nu TYPE65280 \\# 3 0a 00ff\n");
    assert_eq!(
        lines(&text, Some("example.org"))[1..],
        [
            "a.example.org. 3600 IN A 192.0.2.1",
            "m.example.org. 3600 IN MX 10 m.",
            "u.example.org. 3600 IN TYPE65280 \\# 3 0A00FF"
        ]
    );
}

#[test]
fn ranges_are_generated() {
    let text = format!(
        "{SOA}$GENERATE 1-3/2 h${{0,3}} 60 A 192.0.2.$\n$GENERATE 1-2 @ MX \"$ mx$\"\n$GENERATE 0-0 t TXT \"\\\"a b\\\" $\"\n"
    );
    assert_eq!(
        lines(&text, Some("example.org"))[1..],
        [
            "example.org. 60 IN MX 1 mx1.example.org.",
            "example.org. 60 IN MX 2 mx2.example.org.",
            "h001.example.org. 60 IN A 192.0.2.1",
            "h003.example.org. 60 IN A 192.0.2.3",
            "t.example.org. 60 IN TXT \"a b0\"",
        ]
    );
    assert_eq!(
        problems(&format!("{SOA}$GENERATE 1-2000000000 a$ A 192.0.2.1\n$GENERATE 1-9 a${{x}} A 192.0.2.1\n")).len(),
        2
    );
}

/// As `named-checkzone -D` shows: the owner is that of before, a time to live that none says is that of the last record.
#[test]
fn after_a_range_the_owner_is_that_of_before_it() {
    let zone = |soa: &str| {
        format!("{soa}www 100 A 192.0.2.1\n$GENERATE 1-2 host-$ 200 A 10.0.0.$\n MX 10 mail.example.net.\n")
    };
    for (text, ttl) in [(zone(SOA), 200), (zone(&format!("$TTL 50\n{SOA}")), 50)] {
        assert_eq!(
            lines(&text, Some("example.org"))[1..],
            [
                "host-1.example.org. 200 IN A 10.0.0.1".to_owned(),
                "host-2.example.org. 200 IN A 10.0.0.2".to_owned(),
                "www.example.org. 100 IN A 192.0.2.1".to_owned(),
                format!("www.example.org. {ttl} IN MX 10 mail.example.net."),
            ]
        );
    }
}

/// As `named-checkzone -D` shows.
#[test]
fn the_time_to_live_of_a_set_is_the_one_taken_in_last() {
    for (records, expected) in [
        ("a 300 MX 1 x.\na 60 MX 2 x.\n", 300),
        ("a 300 MX 1 x.\nb A 192.0.2.1\na 60 MX 2 x.\n", 60),
        // Names are told apart by their case, which is not that of their escapes.
        ("A 300 MX 1 x.\na 60 MX 2 x.\n", 60),
        ("A 300 MX 1 x.\na TXT x\nA 60 MX 2 x.\n", 60),
        ("\\097 300 MX 1 x.\na 60 MX 2 x.\n", 300),
        ("$ORIGIN Example.org.\na 300 MX 1 x.\n$ORIGIN example.org.\na 60 MX 2 x.\n", 60),
        ("a.example.org. 300 MX 1 x.\na 60 MX 2 x.\n", 300),
        // What is left out is a record, too.
        ("a 300 MX 1 x.\nb\\.c TXT x\na 60 MX 2 x.\n", 60),
        // What a range makes is taken in at once, the records around it together afterwards.
        ("a 300 MX 1 x.\n$GENERATE 1-1 b A 192.0.2.$\na 60 MX 2 x.\n", 300),
        ("a 300 MX 1 x.\n$GENERATE 3-3 a 9 MX \"$ x.\"\na 60 MX 2 x.\n", 300),
        ("$GENERATE 3-3 a 9 MX \"$ x.\"\na 60 MX 2 x.\n", 60),
        ("a 300 MX 1 x.\nb A 192.0.2.1\n$GENERATE 3-4 a 9 MX \"$ x.\"\n", 9),
    ] {
        let all = lines(&format!("{SOA}{records}"), Some("example.org"));
        let of_set: Vec<&String> =
            all.iter().filter(|line| line.starts_with("a.example.org.") && line.contains("MX")).collect();
        assert!(
            !of_set.is_empty() && of_set.iter().all(|line| line.contains(&format!(" {expected} IN "))),
            "{records}: {all:?}"
        );
    }
}

#[test]
fn only_texts_that_are_cut_anew_are_said_to_be() {
    let full = format!("FF{}", "61".repeat(255));
    for (data, is_cut) in [
        ("\"a\"".to_owned(), false),
        ("\"a\" \"b\"".into(), true),
        ("\\# 2 0161".into(), false),
        ("\\# 2 01 61".into(), false),
        ("\\# 4 01610162".into(), true),
        ("\\#".into(), false),
        ("\\# a".into(), true),
        (format!("\\# 258 {full} 0161"), false),
    ] {
        assert_eq!(problems(&format!("{SOA}t TXT {data}\n")).len(), usize::from(is_cut), "{data}");
    }
}

#[test]
fn everything_wrong_is_told_at_its_place() {
    let text = format!(
        "{SOA}$INCLUDE /etc/passwd\na 1x A 192.0.2.1\nb CH TXT x\nc A\nd..e A 192.0.2.1\n$ORIGIN\n$FOO\nf \"x\nlong{} A 192.0.2.1\n",
        "x".repeat(64)
    );
    let told = problems(&text);
    let places: Vec<String> = told.iter().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        places,
        [
            "z:2:1 error",
            "z:3:3 error",
            "z:4:6 error",
            "z:5:1 error",
            "z:6:1 error",
            "z:7:1 error",
            "z:8:1 error",
            "z:9:3 error",
            "z:10:1 error"
        ]
    );
    assert!(told[0].contains("named-compilezone"), "{}", told[0]);
    assert_eq!(problems("a A 192.0.2.1\n").len(), 1, "no TTL");
    assert_eq!(problems("a 60 A 192.0.2.1\n"), ["z:1:1: error: there is no SOA record: this is no whole zone"]);
    assert_eq!(
        problems(&SOA.replace('@', "sub")),
        [
            "z:1:1: error: its SOA is that of sub.example.org, not of example.org: give the zone's name with --origin sub.example.org"
        ]
    );
    assert_eq!(problems(&format!("{SOA}{}", "x y z\n".repeat(1000))).len(), 101);
}

#[test]
fn what_servers_take_and_cannot_be_held_is_left_out() {
    let text = format!(
        "{SOA}first\\.last TXT x\n TXT y\nd DNAME example.net.\nh HINFO a\nm MX 10 a\\.b\no.example.net. A 192.0.2.1\na A 192.0.2.1\na 5 A 192.0.2.2\n"
    );
    let read = read("z", text.as_bytes(), Some(&name("example.org")));
    let source = read.zone.unwrap();
    let left: Vec<String> = source.left_out.iter().map(|left| format!("{} {}", left.name, left.type_)).collect();
    assert_eq!(
        left,
        ["first\\.last TXT", "first\\.last TXT", "d.example.org DNAME", "h.example.org HINFO", "m.example.org MX"]
    );
    assert_eq!(source.zone.record_count(), 3);
    assert_eq!(read.problems.len(), 7, "{:?}", read.problems);
    assert!(source.signing.is_empty());
}

#[test]
fn what_signing_made_is_no_content() {
    let text = format!(
        "{SOA} NSEC a SOA NSEC\n DNSKEY 257 3 13 AAAA\n TYPE65534 \\# 5 0D00000001\n RRSIG SOA 13 2 3600 (\n 20301010101010 20201010101010 1 example.org. AAAA )\n"
    );
    let source = read("z", text.as_bytes(), None)
        .zone
        .unwrap_or_else(|| read("z", text.as_bytes(), Some(&name("example.org"))).zone.unwrap());
    assert_eq!(source.signing.iter().map(|type_| type_.number()).collect::<Vec<_>>(), [46, 47, 48, 65_534]);
    assert_eq!(source.zone.record_count(), 1);
}

/// A zone of every type, with names and texts that need care.
fn any_zone(numbers: &mut Numbers) -> String {
    const DATA: [&str; 14] = [
        "A 192.0.2.1",
        "AAAA 2001:db8::1",
        "CAA 0 issue \"ca.example.net; a=b\"",
        "NS ns.example.net.",
        "DS 1 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1",
        "HTTPS 1 . alpn=\"h2,h3\" port=8443 key667=\"x y;\"",
        "LOC 43 43 33.000 N 12 38 11.000 E 485.00m 1m 10000m 10m",
        "MX 10 @.",
        "NAPTR 100 10 \"u\" \"E2U+sip\" \"!^(.*)$!sip:\\\\1@example.org!i\" .",
        "SRV 0 5 5061 sip.example.org.",
        "TXT \"a;(b\\\"\\\\\\200\"",
        "TYPE65280 \\# 3 0A00FF",
        "URI 10 1 \"https://www.example.org/;a\"",
        "PTR host.example.org.",
    ];
    const NAMES: [&str; 8] = [
        "example.org.",
        "*.example.org.",
        "a.example.org.",
        "0/27.example.org.",
        "in.example.org.",
        "a.example.org.",
        "1h.example.org.",
        "_a._b.example.org.",
    ];
    let mut text = String::from("example.org. 3600 IN SOA ns. h. 7 1 2 3 4\n");
    for _ in 0..numbers.below(20) {
        let (name, data) =
            (NAMES[numbers.below(NAMES.len())], DATA[numbers.below(DATA.len())].replace('@', "mx.example.org"));
        text += &format!("{name} {} IN {data}\n", 30 + numbers.below(3));
    }
    text
}

#[test]
fn what_a_zone_writes_of_itself_reads_back() {
    let mut numbers = Numbers(0x5EED);
    for _ in 0..300 {
        let (zone, serial) = crate::model::Zone::from_text(&any_zone(&mut numbers)).unwrap();
        let read = read("z", zone.to_text(serial).as_bytes(), None);
        let source = read.zone.unwrap_or_else(|| panic!("{:?}\n{zone}", read.problems));
        assert_eq!((source.zone, source.serial), (zone, serial));
    }
}

/// As the fuzz tests of the nameserver: the same octets in every run; `CST_FUZZ_ROUNDS` makes it a longer one.
#[test]
fn no_file_is_a_panic_or_endless() {
    const PIECES: [&[u8]; 16] = [
        b"(",
        b")",
        b"\"",
        b"\\",
        b"\n",
        b";",
        b"$GENERATE 0-99999 $ A 192.0.2.$\n",
        b"$ORIGIN a\n",
        b"$TTL 1w\n",
        b"${0,9,n}",
        b"\0",
        b"\xFF",
        b" IN ",
        b"\\# 4 ",
        b"@",
        b"\\999",
    ];
    #[expect(clippy::disallowed_methods, reason = "how long the test runs is its environment's word")]
    let rounds = std::env::var("CST_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let mut numbers = Numbers(0xF00D);
    let (mut whole, mut told) = (0, 0);
    for _ in 0..5000 * rounds {
        let mut bytes = any_zone(&mut numbers).into_bytes();
        for _ in 0..numbers.below(4) {
            let at = numbers.below(bytes.len());
            match numbers.below(4) {
                0 => bytes[at] = numbers.octet(),
                1 => bytes.truncate(at),
                2 => drop(bytes.drain(at..(at + numbers.below(12)).min(bytes.len()))),
                _ => drop(bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].iter().copied())),
            }
            bytes.push(b'\n');
        }
        let read = read("z", &bytes, Some(&name("example.org")));
        assert!(read.zone.is_some() || !read.problems.is_empty());
        whole += usize::from(read.zone.is_some());
        told += usize::from(read.zone.is_none());
    }
    assert!(whole > 500 && told > 500, "{whole} were whole, {told} were not");
}
