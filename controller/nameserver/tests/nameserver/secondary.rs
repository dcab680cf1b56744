//! Real servers as secondaries: what is published is answered, signed; what is edited comes as what has changed; what is withdrawn goes.

use std::sync::Arc;

use cst_compiler::model::Zone;
use cst_compiler::published::ZoneVersion;
use cst_nameserver::{Keyring, PrimaryConfig, Secondary, TsigKey};

use crate::support::{
    CATALOG, Served, ServerKey, Setup, Software, config, dig, free_port, full_zone, name, observed, records, serve,
    version, zone,
};

/// How many edits follow each other.
const EDITS: u32 = 30;

/// A key of an algorithm.
fn key(algorithm: &'static str) -> ServerKey {
    let secret = "b25lIHNlY3JldCBmb3IgYWxsIG9mIHRoZSBzZWNvbmRhcmllcywgb2Ygc2l4dHktZm91ciBvY3RldHMgaW4gYWxs".to_owned();
    ServerKey { name: "servers.example".into(), algorithm, secret }
}

/// A primary that tells one secondary, and how that is started.
async fn primary(software: Software, algorithm: &'static str) -> (Served, Setup) {
    let (key, port) = (key(algorithm), free_port());
    let keys = TsigKey::from_lines(&name(&key.name), &format!("{algorithm}:{}", key.secret)).unwrap();
    let secondary = Secondary { name: "ns1".into(), address: format!("127.0.0.1:{port}"), key: name(&key.name) };
    let served = serve(PrimaryConfig { keys: Keyring::new(keys), ..config(vec![secondary]) }).await;
    let primary = served.primary.addresses()[0];
    (served, Setup { software, port, primary, key, follows_catalog: true, takes_notify: true, zones: Vec::new() })
}

/// Records of a zone as a server hands it over.
fn transferred(port: u16, key: &ServerKey, zone: &str) -> Vec<String> {
    let ServerKey { name, algorithm, secret } = key;
    let text = dig(port, &format!("-y {algorithm}:{name}:{secret} +nosplit axfr {zone}"));
    assert!(!text.contains("failed") && !text.contains("verify"), "{text}");
    records(&text)
}

/// New, edited and withdrawn zones, and a restart, with a server that follows the catalog.
async fn follows(software: Software, algorithm: &'static str) {
    let (Served { primary, mut observations, .. }, setup) = primary(software, algorithm).await;
    primary.publish(version(full_zone("fano.example"), 100)).unwrap();
    primary.publish(version(zone("urbino.example", &["www A 192.0.2.1"]), 7)).unwrap();
    primary.set_complete();
    let mut server = setup.start();

    observed(&server, &mut observations, "urbino.example", 7).await;
    let signed = server.ask("+dnssec +norec www.urbino.example A");
    assert!(signed.contains("192.0.2.1") && signed.contains("RRSIG") && signed.contains(" aa"), "{signed}");
    server.until("+short fano.example SOA", |told| told.contains(" 100 "));

    primary.publish(version(zone("urbino.example", &["www A 192.0.2.2"]), 8)).unwrap();
    observed(&server, &mut observations, "urbino.example", 8).await;
    assert_eq!(server.ask("+short www.urbino.example A"), "192.0.2.2\n");

    primary.publish(version(zone("cagli.example", &["www A 192.0.2.3"]), 1)).unwrap();
    observed(&server, &mut observations, "cagli.example", 1).await;
    primary.withdraw(&name("urbino.example"));
    server.until("urbino.example SOA", |told| told.contains("REFUSED"));
    assert_eq!(server.ask("+short www.cagli.example A"), "192.0.2.3\n", "the others stay");

    server.restart();
    server.until("+short www.cagli.example A", |told| told == "192.0.2.3\n");
    primary.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bind_9_18_follows_the_catalog() {
    follows(Software::Bind918, "hmac-sha256").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bind_9_20_follows_the_catalog() {
    follows(Software::Bind920, "hmac-sha384").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nsd_follows_the_catalog() {
    follows(Software::Nsd, "hmac-sha512").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn knot_follows_the_catalog() {
    follows(Software::Knot, "hmac-sha512").await;
}

/// A zone of hosts in its version of a serial: one host moves, one comes and one goes with each.
fn edited(apex: &str, serial: u32) -> Zone {
    let hosts = (0..100).map(|host| format!("h{host} A 192.0.2.{host}"));
    let changing = (serial..serial + 10).map(|host| format!("x{host} AAAA 2001:db8::{host:x}"));
    let own = format!("www A 198.51.100.{}", serial % 250);
    let lines: Vec<String> = hosts.chain(changing).chain([own]).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    zone(apex, &lines)
}

/// Many edits of one inception, each with a server that has the version before; how many its log says that it took as what has changed.
async fn edits(software: Software, count_incremental: impl Fn(&str) -> usize) {
    let apex = "urbino.example";
    let (Served { primary, mut observations, port }, mut setup) = primary(software, "hmac-sha256").await;
    setup.follows_catalog = false;
    setup.zones = vec![apex.into()];
    let first = version(edited(apex, 1), 1);
    primary.publish(first.clone()).unwrap();
    primary.set_complete();
    let server = setup.start();
    observed(&server, &mut observations, apex, 1).await;
    for serial in 2..=EDITS + 1 {
        primary.publish(ZoneVersion { zone: Arc::new(edited(apex, serial)), serial, ..first.clone() }).unwrap();
        observed(&server, &mut observations, apex, serial).await;
    }
    let (theirs, ours) = (&server.setup, transferred(port, &server.setup.key, apex));
    assert_eq!(transferred(theirs.port, &theirs.key, apex), ours);
    let count = count_incremental(&server.log());
    assert_eq!(count, usize::try_from(EDITS).unwrap(), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn bind_9_18_takes_edits_as_what_has_changed() {
    edits(Software::Bind918, |log| log.matches("got incremental response").count()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bind_9_20_takes_edits_as_what_has_changed() {
    edits(Software::Bind920, |log| log.matches("got incremental response").count()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nsd_takes_edits_as_what_has_changed() {
    // It tells how much it received; the whole zone has more than ten times as much.
    let octets = |line: &str| line.rsplit_once(" of ")?.1.split_once(" bytes in ")?.0.parse::<usize>().ok();
    edits(Software::Nsd, |log| log.lines().filter_map(octets).filter(|octets| *octets < 3000).count()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn knot_takes_edits_as_what_has_changed() {
    let is_taken = |line: &&str| line.contains("IXFR, incoming, remote") && line.contains("finished");
    edits(Software::Knot, |log| log.lines().filter(is_taken).count()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_of_many_messages_is_transferred() {
    let (Served { primary, mut observations, .. }, setup) = primary(Software::Bind918, "hmac-sha256").await;
    let lines: Vec<String> = (0..100_000).map(|n| format!("host{n} A 192.0.2.{}", n % 250)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    // Unsigned: without optimisation signing is slow.
    let large = ZoneVersion { keys: Vec::new(), ..version(zone("large.example", &lines), 5) };
    primary.publish(large).unwrap();
    primary.set_complete();
    let server = setup.start();
    observed(&server, &mut observations, "large.example", 5).await;
    assert_eq!(server.ask("+short host99999.large.example A"), "192.0.2.249\n");
    assert!(server.ask(&format!("{CATALOG} SOA")).contains("ANSWER: 1"));
}
