//! Several keys, keys that are replaced while all goes on, keys that are good from some addresses only.

use cst_compiler::model::Network;
use cst_nameserver::{Keyring, Primary, PrimaryConfig, Secondary, TsigKey};

use crate::support::{
    KEY_NAME, Message, NameServer, SECRET, Served, ServerKey, Setup, Software, Tcp, config, dig, free_port, name,
    observed, serve, version, zone,
};

const ZONE: &str = "comune.urbino.pu.it";
const SOA: u16 = 6;
const AXFR: u16 = 252;
const NEW: &str = "YW5vdGhlciBzZWNyZXQsIHdoaWNoIGNvbWVzIGFmdGVyIGl0";

/// The keys of one name with these lines.
fn keyring(lines: &str) -> Keyring {
    Keyring::new(TsigKey::from_lines(&name(KEY_NAME), lines).unwrap())
}

async fn served(keys: Keyring) -> Served {
    let served = serve(PrimaryConfig { keys, ..config(vec![]) }).await;
    served.primary.publish(version(zone(ZONE, &["www A 192.0.2.1"]), 7)).unwrap();
    served.primary.set_complete();
    served
}

/// What is answered to a question and a transfer signed so.
fn answered(port: u16, key: &str) -> [String; 2] {
    ["+tcp soa", "+nocomments axfr"].map(|how| dig(port, &format!("-y {key} {how} {ZONE}")))
}

fn is_answered(port: u16, key: &str) -> bool {
    let told = answered(port, key);
    told.iter().all(|told| told.contains("hostmaster.cst.example.net") && !told.contains("verify"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_algorithm_signs_requests_answers_and_transfers() {
    for algorithm in ["hmac-sha256", "hmac-sha384", "hmac-sha512"] {
        let served = served(keyring(&format!("{algorithm}:{NEW}"))).await;
        assert!(is_answered(served.port, &format!("{algorithm}:{KEY_NAME}:{NEW}")), "{algorithm}");
        let other = if algorithm == "hmac-sha256" { "hmac-sha512" } else { "hmac-sha256" };
        let [soa, _] = answered(served.port, &format!("{other}:{KEY_NAME}:{NEW}"));
        assert!(soa.contains("BADKEY"), "{soa}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_replaced_both_hold_and_then_the_new_one_alone() {
    let served = served(keyring(SECRET)).await;
    let [old, new] = [SECRET, NEW].map(|secret| format!("hmac-sha256:{KEY_NAME}:{secret}"));
    let holds = || [is_answered(served.port, &old), is_answered(served.port, &new)];
    assert_eq!(holds(), [true, false]);
    served.primary.set_keys(keyring(&format!("{NEW}\n{SECRET}"))).unwrap();
    assert_eq!(holds(), [true, true]);
    served.primary.set_keys(keyring(NEW)).unwrap();
    assert_eq!(holds(), [false, true]);
    let [soa, _] = answered(served.port, &old);
    assert!(soa.contains("NOTAUTH") && soa.contains("BADSIG"), "{soa}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_has_begun_ends_with_the_key_that_it_began_with() {
    let served = served(keyring(SECRET)).await;
    // More octets than the buffers between the two hold.
    let text = format!(" \"{}\"", "t".repeat(200)).repeat(20);
    let hosts: Vec<String> = (0..2000).map(|n| format!("host{n} TXT{text}")).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    served.primary.publish(version(zone("large.example", &hosts), 1)).unwrap();
    let mut tcp = Tcp::to(served.port);
    tcp.send(&Message::signed("large.example", AXFR).0);
    let mut records = tcp.receive().unwrap().answers;
    served.primary.set_keys(keyring(NEW)).unwrap();
    // A text and a denial for every host, seven records at the apex, the signatures of all sets, and the SOA at the end.
    let all = 2000 * 4 + 14;
    while records < all {
        let answer = tcp.receive().expect("the transfer goes on");
        assert_eq!((answer.rcode, answer.tsig), (0, Some((0, 32))));
        records += answer.answers;
    }
    assert_eq!(records, all);
    assert_eq!(tcp.ask(&Message::signed(ZONE, SOA).0).unwrap().tsig, Some((16, 0)), "BADSIG on the same connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_bound_to_addresses_is_refused_elsewhere() {
    let network = |text: &str| vec![Network::parse(text).unwrap()];
    let bound =
        keyring(SECRET).bound(name(KEY_NAME), network("127.0.0.2")).bound(name(KEY_NAME), network("127.0.0.4/31"));
    let served = served(bound).await;
    for (host, rcode) in [(1, 5), (2, 0), (3, 5), (4, 0), (5, 0), (6, 5)] {
        for type_number in [SOA, AXFR] {
            let mut tcp = Tcp::from(host, served.port).await;
            let answer = tcp.ask(&Message::signed(ZONE, type_number).0).unwrap();
            assert_eq!((answer.rcode, answer.tsig), (rcode, Some((0, 32))), "127.0.0.{host}: {answer:?}");
            assert_eq!(answer.answers > 0, rcode == 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_without_a_secondarys_own_are_refused_and_the_old_ones_stay() {
    let secondary = Secondary { name: "ns1".into(), address: "127.0.0.1:1".into(), key: name(KEY_NAME) };
    let served = serve(config(vec![secondary.clone()])).await;
    served.primary.publish(version(zone(ZONE, &[]), 7)).unwrap();
    let others = || Keyring::new(TsigKey::from_lines(&name("other.example"), NEW).unwrap());
    let error = served.primary.set_keys(others()).unwrap_err().to_string();
    assert!(error.contains("transfer.cst.example") && error.contains("ns1"), "{error}");
    assert!(is_answered(served.port, &format!("hmac-sha256:{KEY_NAME}:{SECRET}")));
    let error = Primary::start(PrimaryConfig { keys: others(), ..config(vec![secondary]) }).await.err().unwrap();
    assert!(error.to_string().contains("there is no TSIG key transfer.cst.example"), "{error}");
}

/// A secret is replaced in the order in which people do it: first here beside the old one, then there, then the old one goes.
#[tokio::test(flavor = "multi_thread")]
async fn bind_gets_a_new_secret_without_missing_a_version() {
    let port = free_port();
    let secondary = Secondary { name: "ns1".into(), address: format!("127.0.0.1:{port}"), key: name(KEY_NAME) };
    let Served { primary, mut observations, .. } = serve(config(vec![secondary])).await;
    let publish = |serial: u32| {
        let address = format!("www A 192.0.2.{serial}");
        primary.publish(version(zone(ZONE, &[&address]), serial)).unwrap();
    };
    publish(1);
    primary.set_complete();
    let key = ServerKey { name: KEY_NAME.into(), algorithm: "hmac-sha256", secret: SECRET.into() };
    let (software, primary_address) = (Software::Bind920, primary.addresses()[0]);
    let setup = Setup {
        software,
        port,
        primary: primary_address,
        key,
        follows_catalog: true,
        takes_notify: true,
        zones: vec![],
    };
    let mut server: NameServer = setup.start();
    observed(&server, &mut observations, ZONE, 1).await;

    primary.set_keys(keyring(&format!("{NEW}\n{SECRET}"))).unwrap();
    for serial in 2..5 {
        publish(serial);
        observed(&server, &mut observations, ZONE, serial).await;
    }
    let refused = server.log().matches("failed: BADSIG").count() + server.log().matches("tsig verify failure").count();
    assert!((1..4).contains(&refused), "the new secret is tried, and then the old one: {refused}\n{}", server.log());

    server.setup.key.secret = NEW.into();
    server.restart();
    publish(5);
    observed(&server, &mut observations, ZONE, 5).await;
    primary.set_keys(keyring(NEW)).unwrap();
    publish(6);
    observed(&server, &mut observations, ZONE, 6).await;
    primary.shutdown().await;
}
