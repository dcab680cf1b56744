//! What is remembered and what is not. That differences lead from every version to the newest is tested with what is sent.

use cst_compiler::model::{DomainName, Zone};

use super::*;
use crate::rtype;

const HEAD: &str = "x.example. 3600 IN SOA ns.example. h.example. 1 1 1 1 300\nx.example. 3600 IN NS ns.example.\n";

fn served(serial: u32, lines: &str) -> ServedZone {
    heavy(serial, lines, 2)
}

/// A version with so many texts of 200 octets.
fn heavy(serial: u32, lines: &str, texts: usize) -> ServedZone {
    let text = format!(" \"{}\"", "w".repeat(200)).repeat(texts);
    ServedZone::unsigned(&Zone::from_text(&format!("{HEAD}{lines}w.x.example. 300 IN TXT{text}\n")).unwrap().0, serial)
}

/// So many hosts, the first one's address made from a number.
fn hosts(count: u32, number: u32) -> String {
    let address = |host| if host == 0 { number % 250 } else { 1 };
    (0..count).map(|host| format!("h{host}.x.example. 300 IN A 192.0.2.{}\n", address(host))).collect()
}

fn told(history: &History, serial: u32) -> Vec<(u16, String, u32)> {
    let differences = history.since(serial).unwrap_or_else(|| panic!("{serial} is not remembered"));
    let records = differences.iter().flat_map(|difference| difference.records());
    records.map(|record| (record.type_number, record.owner.to_string(), record.ttl)).collect()
}

#[test]
fn a_difference_is_the_old_soa_what_goes_the_new_soa_and_what_comes() {
    let old =
        served(1, "a.x.example. 300 IN A 192.0.2.1\na.x.example. 300 IN A 192.0.2.2\nb.x.example. 300 IN TXT \"b\"\n");
    let new = served(
        2,
        "a.x.example. 300 IN A 192.0.2.2\na.x.example. 300 IN A 192.0.2.3\nb.x.example. 60 IN TXT \"b\"\nc.x.example. 300 IN AAAA ::1\n",
    );
    let history = History::default().followed_by(&old, &new);
    let name = |label: &str| format!("{label}x.example");
    assert_eq!(
        told(&history, 1),
        [
            (rtype::SOA, name(""), 3600),
            (1, name("a."), 300),
            (16, name("b."), 300),
            (rtype::SOA, name(""), 3600),
            (1, name("a."), 300),
            (16, name("b."), 60),
            (28, name("c."), 300),
        ]
    );
    assert!(history.since(2).is_none() && history.since(0).is_none());
}

#[test]
fn history_takes_no_more_room_than_its_zone_and_the_oldest_goes_first() {
    let (mut zone, mut history) = (served(1, &hosts(20, 1)), History::default());
    for serial in 2..200 {
        let next = served(serial, &hosts(20, serial));
        history = history.followed_by(&zone, &next);
        zone = next;
        let octets: usize = history.0.iter().map(|difference| difference.octets()).sum();
        assert!(octets <= zone.octets(), "{octets}");
    }
    let remembered = history.0.len();
    assert!((3..20).contains(&remembered), "{remembered}");
    assert_eq!(history.since(198).map(<[_]>::len), Some(1));
    assert!(history.since(1).is_none());
    assert!(history.since(198 - u32::try_from(remembered).unwrap()).is_none());
}

#[test]
fn in_a_large_zone_a_hundred_versions_are_remembered() {
    let (mut zone, mut history) = (heavy(1, &hosts(1, 1), 150), History::default());
    for serial in 2..=150 {
        let next = heavy(serial, &hosts(1, serial), 150);
        history = history.followed_by(&zone, &next);
        zone = next;
    }
    assert_eq!(history.0.len(), VERSIONS);
    assert_eq!(history.since(50).map(<[_]>::len), Some(VERSIONS));
    assert!(history.since(49).is_none());
}

#[test]
fn a_difference_larger_than_the_zone_or_to_no_later_serial_ends_history() {
    let small = |serial| served(serial, &hosts(3, serial));
    let history = History::default().followed_by(&small(1), &small(2));
    assert!(history.since(1).is_some());
    assert!(history.followed_by(&small(2), &served(3, &hosts(3, 9))).since(1).is_some());
    let large = served(3, &hosts(200, 9));
    assert!(history.followed_by(&large, &served(4, &hosts(3, 9))).since(3).is_none(), "nearly all is removed");
    for serial in [2, 1, 0] {
        assert!(history.followed_by(&small(2), &small(serial)).0.is_empty(), "{serial} after 2");
    }
    let wrapped = History::default().followed_by(&small(u32::MAX), &small(1));
    assert!(wrapped.since(u32::MAX).is_some(), "RFC 1982");
}

#[test]
fn a_name_is_compared_with_itself_alone() {
    let name = |text| DomainName::parse(text).unwrap();
    let old = served(1, &format!("{}b.x.example. 300 IN A 192.0.2.1\n", hosts(9, 1)));
    let new = served(2, &format!("{}a.b.x.example. 300 IN A 192.0.2.1\n", hosts(9, 1)));
    let history = History::default().followed_by(&old, &new);
    let told = told(&history, 1);
    assert_eq!(told.len(), 4);
    assert_eq!((&told[1].1, &told[3].1), (&name("b.x.example").to_string(), &name("a.b.x.example").to_string()));
}
