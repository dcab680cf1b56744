//! Which headers a login may send.

use cst_api::DelegateRights;

use super::*;
use crate::desired::mail::postfix::{Table, Tables};
use crate::desired::mail::sender::{Authors, Field, Refusal, may_send_as};
use crate::desired::mail::{BoxRole, Delegation, Domains};
use crate::model::Recipient;

const ANNA: &str = "anna@comune.fano.pu.it";

/// Anna with an alias, Sara, two offices of which she may send as the first, and a domain that is an alias of theirs.
fn all() -> Domains {
    let at = |local: &str| format!("{local}@comune.fano.pu.it");
    let office = |local: &str, send_as: bool| {
        let delegates = vec![Delegation { user: address(ANNA), rights: DelegateRights::Write, send_as }];
        let office = mailbox(&at(local), MailboxState::Active);
        MailBox { role: BoxRole::Shared, password: None, delegates, ..office }
    };
    let person = |local: &str, state| mailbox(&at(local), state);
    let mut fano = MailDomain::empty(domain("comune.fano.pu.it"));
    fano.boxes = vec![
        person("anna", MailboxState::Active),
        person("sara", MailboxState::Active),
        person("via", MailboxState::Suspended),
        office("urp", true),
        office("albo", false),
    ];
    fano.aliases = aliases(&[(&at("a.rossi"), ANNA)]);
    fano.catch_all = Some(address(ANNA));
    let mut old = MailDomain::empty(domain("comune.fano.ps.it"));
    old.alias_of = Some(domain("comune.fano.pu.it"));
    fleet(&[fano, old])
}

/// A header by its lines, as Postfix tells it.
fn authors(header: &str) -> Authors {
    let mut authors = Authors::default();
    for field in header.replace("\n ", "\0 ").replace("\n\t", "\0\t").lines() {
        let (name, value) = field.split_once(':').unwrap();
        authors.add(name.as_bytes(), value.replace('\0', "\n").as_bytes());
    }
    authors
}

fn judged(header: &str) -> Result<(), Refusal> {
    authors(header).judge(&all(), ANNA)
}

#[test]
fn what_mail_programs_write_is_taken() {
    for header in [
        "From: anna@comune.fano.pu.it",
        "From: <anna@comune.fano.pu.it>",
        "FROM:Anna Rossi <ANNA@Comune.Fano.pu.it>",
        "From : Anna M. Rossi <anna@comune.fano.pu.it>",
        "From: \"Rossi, Anna\"\n <anna@comune.fano.pu.it>",
        "From: \"Anna \\\"la Rossa\\\" (URP)\" <anna@comune.fano.pu.it>",
        "From: anna@comune.fano.pu.it (Anna Rossi (URP))",
        "From: \t anna+albo@comune.fano.pu.it",
        "From: \"anna\"@comune.fano.pu.it",
        "From: a.rossi@comune.fano.pu.it",
        "From: Ufficio <urp@comune.fano.pu.it>",
        "From: anna@comune.fano.ps.it",
        "From: urp@comune.fano.ps.it",
        "From: =?UTF-8?Q?Niccol=C3=B2_Rossi?= <anna@comune.fano.pu.it>",
        "From: =?utf-8?B?Tmljb2zDsg==?=\n =?iso-8859-1?Q?_Rossi?= <anna@comune.fano.pu.it>",
        "From: Niccolò Rossi <anna@comune.fano.pu.it>",
        "From: \"anna@comune.fano.pu.it\" <anna@comune.fano.pu.it>",
        "From: \"'anna@comune.fano.pu.it'\" <anna@comune.fano.pu.it>",
        "From: \"Comune di Fano, comune.fano@pec.example\" <anna@comune.fano.pu.it>",
        "From: \"Anna @ Fano\" <anna@comune.fano.pu.it>",
        "From: urp@comune.fano.pu.it\nSender: anna@comune.fano.pu.it",
        "From: Anna <anna@comune.fano.pu.it>, urp@comune.fano.pu.it\nSender: anna@comune.fano.pu.it",
        "From: anna@comune.fano.pu.it\nResent-From: anna@comune.fano.pu.it\nResent-From: urp@comune.fano.pu.it",
        "From: anna@comune.fano.pu.it\nTo: sara@comune.fano.pu.it\nReply-To: sara@comune.fano.pu.it\nX-From: x",
    ] {
        assert_eq!(judged(header), Ok(()), "{header}");
    }
}

#[test]
fn what_names_another_is_refused() {
    for (header, text) in [
        ("From: sara@comune.fano.pu.it", "From names sara@comune.fano.pu.it, as which this login may not send"),
        ("From: albo@comune.fano.pu.it", "From names albo@"),
        ("From: sara@comune.fano.ps.it", "From names sara@"),
        ("From: via@comune.fano.pu.it", "From names via@"),
        ("From: chiunque@comune.fano.pu.it", "From names chiunque@"),
        ("From: a@elsewhere.example", "From names a@elsewhere.example"),
        ("From: Anna <sara@comune.fano.pu.it>", "From names sara@"),
        ("From: anna@comune.fano.pu.it <sara@comune.fano.pu.it>", "From cannot be read: write Name"),
        ("From: \"anna@comune.fano.pu.it\" <SARA+x@comune.fano.pu.it>", "From names SARA+x@"),
        ("From: Anna\n <sara@comune.fano.pu.it>", "From names sara@"),
        ("From: sara@comune.fano.pu.it (anna@comune.fano.pu.it)", "From names sara@"),
        ("From: \"sara\"@comune.fano.pu.it", "From names sara@"),
        ("From: \"sa\\ra\"@comune.fano.pu.it", "From names sara@"),
        ("From: anna%x@comune.fano.pu.it", "From names an address, as which"),
        ("From: +anna@comune.fano.pu.it", "From names +anna@"),
        ("From: anna@comune.fano.pu.it, sara@comune.fano.pu.it\nSender: anna@comune.fano.pu.it", "From names sara@"),
        ("From: anna@comune.fano.pu.it\nSender: sara@comune.fano.pu.it", "Sender names sara@"),
        ("From: anna@comune.fano.pu.it\nResent-From: sara@comune.fano.pu.it", "Resent-From names sara@"),
        ("From: anna@comune.fano.pu.it\nresent-sender: sara@comune.fano.pu.it", "Resent-Sender names sara@"),
        ("From: sara@comune.fano.pu.it\nResent-From: anna@comune.fano.pu.it", "From names sara@"),
        ("From: =?utf-8?q?anna=40comune.fano.pu.it?=@comune.fano.pu.it", "From names an address"),
    ] {
        let refusal = judged(header).unwrap_err().to_string();
        assert!(refusal.starts_with(text), "{header}: {refusal}");
    }
    let authors = authors("From: anna@comune.fano.pu.it");
    for login in ["", "sara@comune.fano.pu.it", "urp@comune.fano.pu.it", "anna", "anna@comune.fano.ps.it"] {
        assert!(matches!(authors.judge(&all(), login), Err(Refusal::NotTheirs(Field::From, Some(_)))), "{login}");
    }
    assert_eq!(authors.judge(&all(), "Anna@comune.Fano.pu.it"), Ok(()));
}

#[test]
fn what_programs_read_in_several_ways_is_refused() {
    for (header, text) in [
        ("To: anna@comune.fano.pu.it", "The message has no From"),
        ("Sender: anna@comune.fano.pu.it", "The message has no From"),
        ("From: anna@comune.fano.pu.it\nfrom: anna@comune.fano.pu.it", "The message has From twice"),
        (
            "From: anna@comune.fano.pu.it\nSender: anna@comune.fano.pu.it\nSender : anna@comune.fano.pu.it",
            "The message has Sender twice",
        ),
        ("From: anna@comune.fano.pu.it, urp@comune.fano.pu.it", "From names several addresses: a Sender"),
        (
            "From: anna@comune.fano.pu.it\nSender: anna@comune.fano.pu.it, urp@comune.fano.pu.it",
            "Sender names several addresses",
        ),
        ("From:", "From cannot be read: write Name"),
        ("From: Anna", "From cannot be read: write Name"),
        ("From: <>", "From cannot be read: write Name"),
        ("From: Anna <anna>", "From cannot be read: write Name"),
        ("From: anna@", "From cannot be read: write Name"),
        ("From: anna@comune.fano.pu.it.", "From cannot be read: write Name"),
        ("From: Rossi, Anna <anna@comune.fano.pu.it>", "From cannot be read: write Name"),
        ("From: anna@comune.fano.pu.it,", "From cannot be read: write Name"),
        ("From: <anna@comune.fano.pu.it", "From cannot be read: write Name"),
        ("From: >anna@comune.fano.pu.it<", "From cannot be read: write Name"),
        ("From: <anna@comune.fano.pu.it> <sara@comune.fano.pu.it>", "From cannot be read: write Name"),
        ("From: <anna@comune.fano.pu.it> Anna", "From cannot be read: write Name"),
        ("From: <@x.example,@y.example:anna@comune.fano.pu.it>", "From cannot be read: one of"),
        ("From: <anna@comune.fano.pu.it,sara@comune.fano.pu.it>", "From cannot be read: write Name"),
        ("From: anna @comune.fano.pu.it", "From cannot be read: write Name"),
        ("From: anna(sara@comune.fano.pu.it)@comune.fano.pu.it", "From cannot be read: write Name"),
        ("From: anna@comune.fano.pu.it@x.example", "From cannot be read: write Name"),
        ("From: \"anna@comune.fano.pu.it\"@x.example", "From cannot be read: write Name"),
        ("From: \"\"@comune.fano.pu.it", "From cannot be read: write Name"),
        ("From: anna@cömune.fano.pu.it", "From cannot be read: write Name"),
        ("From: anna@[192.0.2.1]", "From cannot be read: one of"),
        ("From: Ufficio: anna@comune.fano.pu.it, sara@comune.fano.pu.it;", "From cannot be read: one of"),
        ("From: nessuno:;", "From cannot be read: one of"),
        ("From: \"anna@comune.fano.pu.it", "From cannot be read: a quotation mark"),
        ("From: anna@comune.fano.pu.it (Anna", "From cannot be read: a quotation mark"),
        ("From: anna@comune.fano.pu.it (Anna\\", "From cannot be read: a quotation mark"),
        ("From: anna@comune.fano.pu.it\u{0}", "From cannot be read: it has a control"),
        ("From: anna@comune.fano.pu.it\u{7f}", "From cannot be read: it has a control"),
        ("From: =?utf-7?Q?sara+AEA-comune?= <anna@comune.fano.pu.it>", "From cannot be read: write its name in UTF-8"),
        ("From: =?utf-8?B?c2Fy!?= <anna@comune.fano.pu.it>", "From cannot be read: write its name in UTF-8"),
        ("From: =?utf-8?Q?sara=4?= <anna@comune.fano.pu.it>", "From cannot be read: write its name in UTF-8"),
        ("From: =?utf-8?Q?sara=00?= <anna@comune.fano.pu.it>", "From cannot be read: it has a control"),
    ] {
        let refusal = judged(header).unwrap_err().to_string();
        assert!(refusal.starts_with(text), "{header}: {refusal}");
    }
    let mut bare = Authors::default();
    bare.add(b"From", b" anna@comune.fano.pu.it\nFrom: sara@comune.fano.pu.it");
    assert!(matches!(bare.judge(&all(), ANNA), Err(Refusal::Unreadable(Field::From, _))));
    let mut many = Authors::default();
    (0..100_000).for_each(|_| many.add(b"Resent-From", b""));
    assert_eq!(many.judge(&all(), ANNA), Err(Refusal::TooLong));
}

#[test]
fn a_name_may_not_show_an_address_of_the_centre_that_is_not_theirs() {
    for name in [
        "\"sara@comune.fano.pu.it\"",
        "\"Sara <sara@comune.fano.pu.it>\"",
        "\"Sindaco (Sara+x@Comune.Fano.pu.it.)\"",
        "\"sindaco@comune.fano.ps.it\"",
        "(sara@comune.fano.pu.it)",
        "=?utf-8?Q?sara=40comune=2Efano=2Epu=2Eit?=",
        "=?ISO-8859-1*it?q?sara?= =?utf-8?b?QGNvbXVuZS5mYW5vLnB1Lml0?=",
        "\"=?utf-8?q?sara=40comune.fano.pu.it?=\"",
        "\"sara＠comune.fano.pu.it\"",
        "\"sa\u{200b}ra@comune.\u{ad}fano.pu.it\"",
    ] {
        let refusal = judged(&format!("From: {name} <anna@comune.fano.pu.it>"));
        assert!(matches!(refusal, Err(Refusal::Shown(Field::From, _))), "{name}: {refusal:?}");
    }
    let after = judged("From: anna@comune.fano.pu.it (sara@comune.fano.pu.it)").unwrap_err();
    assert!(after.to_string().starts_with("The name in From shows the address sara@comune.fano.pu.it"), "{after}");
}

#[test]
fn the_header_follows_the_table_of_the_envelope() {
    let all = all();
    let tables = Tables::of(&all);
    let locals = ["anna", "sara", "via", "urp", "albo", "a.rossi", "nessuno", "postmaster"];
    let mut theirs = 0;
    for local in locals {
        for at in ["comune.fano.pu.it", "comune.fano.ps.it", "elsewhere.example"] {
            let address = format!("{local}@{at}");
            let entry = tables.entries(Table::Senders).iter().find(|(key, _)| *key == address);
            for login in locals.map(|local| format!("{local}@comune.fano.pu.it")) {
                let listed = entry.is_some_and(|(_, logins)| logins.split(',').any(|one| one == login));
                let recipient = Recipient::parse(&address).unwrap();
                assert_eq!(may_send_as(&all, &login, &recipient), listed, "{login} as {address}");
                theirs += usize::from(listed);
            }
        }
    }
    assert_eq!(theirs, 8, "anna as herself, her alias and the office; sara; at both domains");
}

/// A fixed sequence without order (xorshift64).
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }
}

#[test]
fn random_octets_break_nothing() {
    let (all, mut dice) = (all(), Dice(0x5eed));
    for _ in 0..20_000 {
        let octets: Vec<u8> = (0..dice.throw(60)).map(|_| u8::try_from(dice.throw(256)).unwrap()).collect();
        let mut authors = Authors::default();
        authors.add(b"From", &octets);
        authors.add(&octets, b"sara@comune.fano.pu.it");
        assert!(authors.judge(&all, ANNA).is_err(), "{octets:?}");
    }
}

#[test]
fn however_a_header_is_put_together_it_never_shows_another() {
    const SARA: &str = "sara@comune.fano.pu.it";
    let pieces = [
        ANNA,
        ANNA,
        ANNA,
        SARA,
        SARA,
        "<",
        ">",
        "<",
        ">",
        "\"",
        "\"",
        "(",
        ")",
        ",",
        ".",
        "@",
        ":",
        ";",
        "\\",
        " ",
        " ",
        "\r\n ",
        "\n\t",
        "Anna",
        "ò",
        "=?utf-8?q?",
        "=?utf-8?b?",
        "?=",
        "=40",
        "'",
    ];
    let (all, mut dice, mut taken) = (all(), Dice(0xd1ce), 0);
    for _ in 0..100_000 {
        let value: String = (0..=dice.throw(9)).map(|_| pieces[dice.throw(pieces.len())]).collect();
        let mut authors = Authors::default();
        authors.add(b"From", value.as_bytes());
        authors.add(b"Sender", ANNA.as_bytes());
        if authors.judge(&all, ANNA).is_err() {
            continue;
        }
        taken += 1;
        let goes_on = |c: char| c.is_alphanumeric() || c == '-';
        let shows = value.split(SARA).skip(1).any(|after| !after.starts_with(goes_on));
        assert!(!shows && value.contains(ANNA), "{value:?}");
    }
    assert!(taken > 1_000, "{taken}");
}
