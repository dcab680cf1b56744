//! What is counted, by what was done.

use std::collections::BTreeMap;

use cst_nameserver::Primary;

use crate::support::{Message, Tcp, Udp, config, now, serve, version, zone};

const ZONE: &str = "comune.urbino.pu.it";
const SOA: u16 = 6;
const AXFR: u16 = 252;

/// The numbers that are not zero, by name and labels, as Prometheus reads them.
fn numbers(primary: &Primary) -> BTreeMap<String, f64> {
    let text = cst_nameserver::exposition(primary.metrics().samples());
    let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap());
    samples.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).filter(|(_, value)| *value != 0.0).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_answers_and_wrong_signatures_are_counted() {
    let served = serve(config(vec![])).await;
    let publish = |serial, address: &str| {
        let zone = zone(ZONE, &["a A 192.0.2.1", "b A 192.0.2.2", "c A 192.0.2.3", address]);
        served.primary.publish(version(zone, serial)).unwrap();
    };
    publish(7, "www A 192.0.2.7");
    served.primary.set_complete();
    assert_eq!(numbers(&served.primary), BTreeMap::new());
    let mut tcp = Tcp::to(served.port);
    tcp.send(&Message::signed(ZONE, AXFR).0);
    let records = tcp.receive_transfer().len();
    publish(8, "www A 192.0.2.8");
    tcp.send(&Message::incremental(ZONE, 7).0);
    assert!(tcp.receive_transfer().len() < records);
    let udp = Udp::to(served.port);
    for message in [Message::signed(ZONE, SOA), Message::query(ZONE, SOA), Message::query(ZONE, SOA).sign(0, 32)] {
        udp.ask(&message.0);
    }
    let mut wrong = Message::signed(ZONE, SOA).0;
    wrong[3] = 1;
    udp.ask(&wrong);
    // Answered on the same connection, so that the transfer before it has been counted.
    assert_eq!(tcp.ask(&Message::query(ZONE, SOA).sign(u64::from(now()), 32).0).unwrap().answers, 1);
    let numbers = numbers(&served.primary);
    let number = |name: &str| numbers.get(name).copied().unwrap_or_default();
    for (name, expected) in [
        ("cst_dns_transfers_total{kind=\"AXFR\",result=\"complete\"}", 1.0),
        ("cst_dns_transfers_total{kind=\"IXFR\",result=\"complete\"}", 1.0),
        ("cst_dns_transfers_total{kind=\"AXFR\",result=\"broken\"}", 0.0),
        ("cst_dns_responses_total{rcode=\"NOERROR\"}", 2.0),
        ("cst_dns_responses_total{rcode=\"REFUSED\"}", 1.0),
        ("cst_dns_responses_total{rcode=\"NOTAUTH\"}", 2.0),
        ("cst_dns_tsig_errors_total{error=\"BADTIME\"}", 1.0),
        ("cst_dns_tsig_errors_total{error=\"BADSIG\"}", 1.0),
        ("cst_dns_connections", 1.0),
        ("cst_dns_zones_signed_total", 2.0),
    ] {
        assert!((number(name) - expected).abs() < f64::EPSILON, "{name}: {expected}\n{numbers:#?}");
    }
    let octets = |kind: &str| number(&format!("cst_dns_transfer_octets_total{{kind=\"{kind}\"}}"));
    assert!(octets("AXFR") > octets("IXFR") && octets("IXFR") > 500.0);
    assert!(number("cst_dns_signing_seconds_total") > 0.0);
}
