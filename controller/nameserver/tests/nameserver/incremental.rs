//! Incremental transfers (RFC 1995) as they are sent: what they do to a client's version, and what a real BIND makes of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cst_api::Denial;
use cst_compiler::model::Zone;
use cst_compiler::published::ZoneVersion;
use cst_nameserver::signed_zone_text;

use crate::support::{
    CATALOG, Message, Numbers, Record, Served, Tcp, Udp, config, full_zone, new_key, serve, sole, version, zone,
};

const ZONE: &str = "comune.urbino.pu.it";
const SOA: u16 = 6;
const AXFR: u16 = 252;
/// How long a change may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// The records of an answer, as they came.
fn records(port: u16, message: &Message) -> Vec<Record> {
    let mut tcp = Tcp::to(port);
    tcp.send(&message.0);
    tcp.receive_transfer()
}

fn whole(port: u16, zone: &str) -> Vec<Record> {
    records(port, &Message::signed(zone, AXFR))
}

fn since(port: u16, zone: &str, serial: u32) -> Vec<Record> {
    records(port, &Message::incremental(zone, serial))
}

/// Whether an answer is a sequence of differences: its second record is a SOA too (RFC 1995 §4).
fn is_incremental(answer: &[Record]) -> bool {
    answer.len() > 2 && answer[1].type_number == SOA
}

/// What a client has that applies an answer to its version, as strictly as RFC 1995 §4 allows: only what is there can be removed, and only
/// what is not there added.
fn applied(client: &BTreeSet<Record>, answer: &[Record]) -> BTreeSet<Record> {
    let (last, body) = answer.split_last().unwrap();
    let Some(first) = body.first() else { return client.clone() };
    assert_eq!(first, last, "the newest SOA stands first and last");
    if !is_incremental(answer) {
        return body.iter().cloned().collect();
    }
    let (mut zone, mut is_removing) = (client.clone(), false);
    for record in &body[1..] {
        is_removing ^= record.type_number == SOA;
        let fits = if is_removing { zone.remove(record) } else { zone.insert(record.clone()) };
        assert!(fits, "{record:?} to be removed: {is_removing}");
    }
    assert!(!is_removing && zone.contains(last), "it ends with the newest version");
    zone
}

/// Versions of a zone whose hosts, types, times to live, delegations and SOA change.
struct Edits {
    numbers: Numbers,
    version: ZoneVersion,
    lines: Vec<String>,
}

impl Edits {
    fn new(seed: u64) -> Self {
        let lines = (0..100).map(|host| format!("h{host} A 192.0.2.{host}")).collect();
        let mut edits = Self { numbers: Numbers::new(seed), version: version(zone(ZONE, &[]), 1), lines };
        edits.version.zone = edits.zone();
        edits
    }

    fn zone(&mut self) -> Arc<Zone> {
        let lines: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        let text = zone(ZONE, &lines).to_text(0);
        let ttl = format!(" {} IN SOA", [3600, 1800][self.numbers.index(2)]);
        let minimum = format!(" {}\n", [300, 600][usize::from(self.numbers.below(30) == 0)]);
        Arc::new(Zone::from_text(&text.replacen(" 3600 IN SOA", &ttl, 1).replacen(" 300\n", &minimum, 1)).unwrap().0)
    }

    fn next(&mut self) -> ZoneVersion {
        for _ in 0..=self.numbers.below(4) {
            let host = self.numbers.below(120);
            self.lines.retain(|line| !line.starts_with(&format!("h{host} ")) && !line.contains(&format!(".h{host} ")));
            let address = self.numbers.below(250);
            match self.numbers.below(6) {
                0 => {}
                1 => self.lines.push(format!("h{host} NS ns.h{host}.{ZONE}.")),
                2 => self.lines.push(format!("*.h{host} TXT \"{address}\"")),
                3 => self.lines.push(format!("a.b.h{host} CNAME www.example.org.")),
                4 => self.lines.extend([format!("h{host} A 192.0.2.{address}"), format!("h{host} A 198.51.100.1")]),
                _ => self.lines.push(format!("h{host} A 192.0.2.{address}")),
            }
        }
        self.version.zone = self.zone();
        self.version.serial += 1 + u32::try_from(self.numbers.below(3)).unwrap();
        match self.numbers.below(50) {
            0 => self.version.inception += 1,
            1 => self.version.keys = sole(new_key()),
            2 => self.version.denial = if self.version.denial == Denial::Nsec { Denial::Nsec3 } else { Denial::Nsec },
            _ => {}
        }
        self.version.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_client_has_the_answer_makes_it_the_newest_version() {
    let (mut differences, mut wholes) = (0, 0);
    for seed in 0..4 {
        let served = serve(config(vec![])).await;
        let mut edits = Edits::new(seed);
        served.primary.publish(edits.version.clone()).unwrap();
        let mut clients = vec![(1, whole(served.port, ZONE).into_iter().collect::<BTreeSet<_>>())];
        for _ in 0..25 {
            let next = edits.next();
            served.primary.publish(next.clone()).unwrap();
            if edits.numbers.below(3) == 0 {
                continue;
            }
            let newest: BTreeSet<Record> = whole(served.port, ZONE).into_iter().collect();
            for (serial, zone) in &clients {
                let answer = since(served.port, ZONE, *serial);
                assert_eq!(applied(zone, &answer), newest, "from {serial} to {}", next.serial);
                if is_incremental(&answer) { differences += 1 } else { wholes += 1 }
            }
            clients.push((next.serial, newest));
        }
        let text = signed_zone_text(&edits.version).unwrap();
        assert_eq!(whole(served.port, ZONE).len(), text.lines().count() + 1);
    }
    assert!(differences > 100 && wholes > 100, "{differences} incremental, {wholes} whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_sent_as_what_it_changes_and_over_udp_where_it_fits() {
    let served = serve(config(vec![])).await;
    let publish = |serial, zone| served.primary.publish(version(zone, serial)).unwrap();
    // The parser of these tests does not read data of no octets.
    let text: String = full_zone(ZONE)
        .to_text(0)
        .lines()
        .filter(|line| !line.ends_with("\\# 0"))
        .map(|line| format!("{line}\n"))
        .collect();
    publish(7, Zone::from_text(&text).unwrap().0);
    let old: BTreeSet<Record> = whole(served.port, ZONE).into_iter().collect();
    publish(8, Zone::from_text(&text.replace("192.0.2.3\n", "192.0.2.33\n")).unwrap().0);
    let answer = since(served.port, ZONE, 7);
    // The SOA, the address, and a signature over each, in both versions; and the SOA around it all.
    assert_eq!(answer.len(), 10, "{answer:#?}");
    assert_eq!(applied(&old, &answer), whole(served.port, ZONE).into_iter().collect());
    let udp = Udp::to(served.port);
    assert_eq!(udp.ask(&Message::incremental(ZONE, 7).0).answers, 1, "512 octets are too few");
    assert_eq!(udp.ask(&Message::incremental_with_edns(ZONE, 7).0).answers, 10);
    assert_eq!(udp.ask(&Message::incremental_with_edns(ZONE, 6).0).answers, 1, "unknown: the whole zone goes over TCP");
    assert!(!is_incremental(&since(served.port, ZONE, 6)));
    assert_eq!(since(served.port, ZONE, 8).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_nobody_asked_for_are_passed_over() {
    let served = serve(config(vec![])).await;
    let hosts: Vec<String> = (0..50).map(|host| format!("h{host} A 192.0.2.{host}")).collect();
    let publish = |serial: u32| {
        let edited = format!("www A 192.0.2.{serial}");
        let lines: Vec<&str> = hosts.iter().map(String::as_str).chain([edited.as_str()]).collect();
        served.primary.publish(version(zone(ZONE, &lines), serial)).unwrap();
    };
    publish(1);
    let one: BTreeSet<Record> = whole(served.port, ZONE).into_iter().collect();
    (2..10).for_each(publish);
    let answer = since(served.port, ZONE, 1);
    assert_eq!(answer.iter().filter(|record| record.type_number == SOA).count(), 4, "one difference");
    assert_eq!(applied(&one, &answer), whole(served.port, ZONE).into_iter().collect());
    assert!(!is_incremental(&since(served.port, ZONE, 5)), "nobody can have it from here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_zone_costs_the_catalog_a_few_records() {
    let Served { primary, port, .. } = serve(config(vec![])).await;
    for number in 0..200 {
        primary.publish(version(zone(&format!("z{number}.example"), &[]), 1)).unwrap();
    }
    primary.set_complete();
    let current = || -> Option<u32> { Udp::to(port).ask(&Message::signed(CATALOG, SOA).0).serial };
    let newer_than = |old: Option<u32>| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match current().filter(|serial| Some(*serial) != old) {
                Some(serial) => return serial,
                None => assert!(Instant::now() < deadline, "the catalog's next version"),
            }
        }
    };
    let serial = newer_than(None);
    let old: BTreeSet<Record> = whole(port, CATALOG).into_iter().collect();
    primary.publish(version(zone("new.example", &[]), 1)).unwrap();
    newer_than(Some(serial));
    let answer = since(port, CATALOG, serial);
    assert_eq!(answer.len(), 5, "{answer:#?}");
    assert_eq!(applied(&old, &answer), whole(port, CATALOG).into_iter().collect());
}
