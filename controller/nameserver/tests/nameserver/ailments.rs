//! Real servers that do not follow: each says why, as far as it can be seen from the primary, and says so until it follows.

use cst_compiler::model::DomainName;
use cst_compiler::status::ailment::Ailment;
use cst_nameserver::{Clock, Keyring, Observation, PrimaryConfig, Secondary, TsigKey};

use crate::support::{
    KEY_NAME, SECRET, Served, ServerKey, Setup, Software, config, free_port, name, serve, version, zone,
};

const OTHER: &str = "YW5vdGhlciBzZWNyZXQsIHdoaWNoIGNvbWVzIGFmdGVyIGl0";

/// A primary whose clock is so many seconds ahead, and a server that may follow it.
async fn pair(software: Software, secret: &str, ahead: u64) -> (Served, Setup) {
    let port = free_port();
    let secondary = Secondary { name: "ns1".into(), address: format!("127.0.0.1:{port}"), key: name(KEY_NAME) };
    let clock = Clock::new(move || Clock::system().now() + ahead);
    let served = serve(PrimaryConfig { clock, ..config(vec![secondary]) }).await;
    let key = ServerKey { name: KEY_NAME.into(), algorithm: "hmac-sha256", secret: secret.into() };
    let primary = served.primary.addresses()[0];
    served.primary.publish(version(zone("urbino.example", &["www A 192.0.2.1"]), 7)).unwrap();
    served.primary.set_complete();
    (served, Setup { software, port, primary, key, follows_catalog: true, takes_notify: true, zones: Vec::new() })
}

/// What ails the server next.
async fn next(served: &mut Served) -> Option<Ailment> {
    loop {
        let seen = tokio::time::timeout(std::time::Duration::from_mins(1), served.observations.next()).await;
        if let Observation::Health { ailment, .. } = seen.expect("a change is told in time").expect("the primary runs")
        {
            return ailment;
        }
    }
}

/// What the server answers for a zone next.
async fn next_serial(served: &mut Served, zone: &DomainName) -> Option<u32> {
    loop {
        let seen = tokio::time::timeout(std::time::Duration::from_mins(1), served.observations.next()).await;
        match seen.expect("it is told in time").expect("the primary runs") {
            Observation::Serial { zone: of, serial, .. } if of == *zone => return serial,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_silent_until_it_is_back() {
    let (mut served, setup) = pair(Software::Bind920, SECRET, 0).await;
    assert_eq!(next(&mut served).await, Some(Ailment::Silent));
    let _server = setup.start();
    // Until it has fetched the catalog it may be without.
    while next(&mut served).await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_secret_is_told_apart_until_it_is_the_same() {
    for software in [Software::Bind920, Software::Nsd, Software::Knot] {
        let (mut served, setup) = pair(software, OTHER, 0).await;
        let _server = setup.start();
        while next(&mut served).await != Some(Ailment::OtherSecret) {}
        let both = TsigKey::from_lines(&name(KEY_NAME), &format!("{SECRET}\n{OTHER}")).unwrap();
        served.primary.set_keys(Keyring::new(both)).unwrap();
        while next(&mut served).await.is_some() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_know_the_key_is_told_apart() {
    // Knot refuses without saying why, and has no catalog then.
    for (software, told) in [
        (Software::Bind920, Ailment::UnknownKey),
        (Software::Nsd, Ailment::UnknownKey),
        (Software::Knot, Ailment::NoCatalog),
    ] {
        let (mut served, setup) = pair(software, SECRET, 0).await;
        let key = ServerKey { name: "another.key.example".into(), ..setup.key.clone() };
        let _server = Setup { key, ..setup }.start();
        while next(&mut served).await != Some(told) {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_notify_is_told_apart() {
    for software in [Software::Nsd, Software::Knot] {
        let (mut served, setup) = pair(software, SECRET, 0).await;
        let _server = Setup { takes_notify: false, ..setup }.start();
        // Of the first version it learns by the catalog.
        let zone_name = name("urbino.example");
        while next_serial(&mut served, &zone_name).await != Some(7) {}
        served.primary.publish(version(zone("urbino.example", &["www A 192.0.2.2"]), 8)).unwrap();
        while next(&mut served).await != Some(Ailment::NotifyRefused) {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_time_is_told_apart() {
    let (mut served, setup) = pair(Software::Bind920, SECRET, 600).await;
    let _server = setup.start();
    while next(&mut served).await != Some(Ailment::Clock) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_catalog_is_told_apart() {
    let (mut served, setup) = pair(Software::Bind920, SECRET, 0).await;
    let _server = Setup { follows_catalog: false, ..setup }.start();
    while next(&mut served).await != Some(Ailment::NoCatalog) {}
}
