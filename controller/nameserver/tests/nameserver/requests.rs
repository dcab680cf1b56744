//! Who may ask for what, as `dig` sees it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cst_compiler::model::Zone;
use cst_compiler::published::{KeyMaterial, ZoneVersion};
use cst_nameserver::{Clock, PrimaryConfig, signed_zone_text};

use crate::support::{CATALOG, config, dig, full_zone, name, now, records, serve, signed, sole, version, zone};

const ZONE: &str = "comune.urbino.pu.it";

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_transfer_is_the_whole_signed_zone() {
    let served = serve(config(vec![])).await;
    let version = version(full_zone(ZONE), 7);
    served.primary.publish(version.clone()).unwrap();
    let transferred = dig(served.port, &format!("{} +nosplit +onesoa axfr {ZONE}", signed()));
    assert_eq!(records(&transferred), records(&signed_zone_text(&version).unwrap()));
    assert!(!transferred.contains("verify") && !transferred.contains("failed"), "{transferred}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unsigned_or_wrongly_signed_is_refused_with_the_reason() {
    let served = serve(config(vec![])).await;
    served.primary.publish(version(zone(ZONE, &[]), 7)).unwrap();
    served.primary.set_complete();
    let wrong_secret = "-y hmac-sha256:transfer.cst.example:d3JvbmcgIHNlY3JldCB3cm9uZyAgc2VjcmV0";
    let wrong_name = signed().replace("transfer.", "other.");
    let wrong_algorithm = signed().replace("hmac-sha256", "hmac-sha512");
    for question in ["soa", "axfr", "ixfr=1", "+tcp soa", "a", "any"] {
        let ask = |how: &str| dig(served.port, &format!("{how} +comments +noidnout {question} {ZONE}"));
        for (how, expected) in [
            ("+noedns", ["REFUSED", "ANSWER: 0"]),
            (wrong_secret, ["NOTAUTH", "BADSIG"]),
            (wrong_name.as_str(), ["NOTAUTH", "BADKEY"]),
            (wrong_algorithm.as_str(), ["NOTAUTH", "BADKEY"]),
        ] {
            let answer = ask(how);
            // `dig` says of a refused transfer only that it failed.
            let is_transfer = question.contains("xfr");
            let is_refused =
                expected.iter().all(|word| answer.contains(word)) || is_transfer && answer.contains("failed");
            assert!(is_refused && !answer.contains("cst.example.net"), "{question} {how}: {answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ten_minutes_off_is_badtime() {
    let late = Clock::new(|| u64::from(now()) + 600);
    let served = serve(PrimaryConfig { clock: late, ..config(vec![]) }).await;
    served.primary.publish(version(zone(ZONE, &[]), 7)).unwrap();
    let answer = dig(served.port, &format!("{} soa {ZONE}", signed()));
    assert!(answer.contains("NOTAUTH") && answer.contains("BADTIME"), "{answer}");
    assert!(!answer.contains("cst.example.net"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_request_gets_the_soa_when_up_to_date_else_the_zone() {
    let served = serve(config(vec![])).await;
    served.primary.publish(version(full_zone(ZONE), 7)).unwrap();
    let ask = |serial: u32, how: &str| {
        records(&dig(served.port, &format!("{} {how} +nocomments ixfr={serial} {ZONE}", signed())))
    };
    assert_eq!(ask(7, "+tcp").len(), 1);
    assert_eq!(ask(8, "+tcp").len(), 1, "a client ahead of us is not set back");
    let all = ask(6, "+tcp");
    assert!(all.len() > 40 && all.iter().filter(|record| record.contains(" IN SOA ")).count() == 2, "{all:?}");
    assert_eq!(ask(6, "+notcp").len(), 1, "over UDP the SOA says that TCP is needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_not_there_is_unknown_until_all_are_loaded() {
    let served = serve(config(vec![])).await;
    let ask = |zone: &str| dig(served.port, &format!("{} +tcp soa {zone}", signed()));
    assert!(ask("fano.pu.it").contains("SERVFAIL"));
    assert!(ask(CATALOG).contains("SERVFAIL"));
    served.primary.set_complete();
    assert!(ask("fano.pu.it").contains("REFUSED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_is_never_empty() {
    let served = serve(config(vec![])).await;
    let members = || -> Vec<String> {
        let transferred = dig(served.port, &format!("{} axfr {CATALOG}", signed()));
        let member = |record: &String| Some(record.split_once(" PTR ")?.1.to_owned());
        let mut members: Vec<String> = records(&transferred).iter().filter_map(member).collect();
        members.sort();
        members
    };
    let until = |expected: &[&str]| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while members() != *expected {
            assert!(Instant::now() < deadline, "{:?} instead of {expected:?}", members());
        }
    };
    served.primary.set_complete();
    assert!(members().is_empty(), "without zones there is no catalog");
    let catalog = dig(served.port, &format!("{} soa {CATALOG}", signed()));
    assert!(catalog.contains("SERVFAIL"), "{catalog}");
    for apex in [ZONE, "fano.pu.it"] {
        served.primary.publish(version(zone(apex, &[]), 7)).unwrap();
    }
    served.primary.withdraw(&name(ZONE));
    until(&["fano.pu.it."]);
    served.primary.withdraw(&name("fano.pu.it"));
    served.primary.withdraw(&name("fano.pu.it"));
    served.primary.publish(version(zone("pesaro.pu.it", &[]), 7)).unwrap();
    until(&["fano.pu.it.", "pesaro.pu.it."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_never_led_fails_when_asked_for_the_catalog() {
    let served = serve(PrimaryConfig { is_alone: false, ..config(vec![]) }).await;
    // The zone above the catalog's name could answer that it does not exist.
    served.primary.publish(version(zone("cst.example", &[]), 7)).unwrap();
    served.primary.set_complete();
    for question in ["soa", "axfr"] {
        let answer = dig(served.port, &format!("{} +tcp {question} {CATALOG}", signed()));
        assert!(answer.contains("SERVFAIL") || answer.contains("Transfer failed"), "{question}: {answer}");
    }
    served.primary.keep_catalog(Some(Instant::now() + Duration::from_mins(1)));
    let deadline = Instant::now() + Duration::from_secs(20);
    let listed = || records(&dig(served.port, &format!("{} axfr {CATALOG}", signed()))).join("\n");
    while !listed().contains(" PTR cst.example.") {
        assert!(Instant::now() < deadline, "no catalog");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_version_again_changes_nothing_and_a_newer_one_is_served() {
    let served = serve(config(vec![])).await;
    let seven = version(zone(ZONE, &["www A 192.0.2.1"]), 7);
    served.primary.publish(seven.clone()).unwrap();
    served.primary.publish(seven.clone()).unwrap();
    let changed = Arc::new(zone(ZONE, &["www A 192.0.2.2"]));
    served.primary.publish(ZoneVersion { zone: changed, serial: 8, ..seven }).unwrap();
    let answer = dig(served.port, &format!("{} +short soa {ZONE}", signed()));
    assert!(answer.contains(" 8 3600 900 "), "{answer}");
    let answer = dig(served.port, &format!("{} +short a www.{ZONE}", signed()));
    assert!(answer.contains("192.0.2.2") && !answer.contains("192.0.2.1"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_secondaries_would_choke_on_is_not_published() {
    let served = serve(config(vec![])).await;
    let error = |zone: Zone| served.primary.publish(version(zone, 1)).unwrap_err().to_string();
    let bare = Zone::from_text("x.example. 3600 IN SOA ns.x.example. h.x.example. 1 1 1 1 1\n").unwrap().0;
    assert!(error(bare).contains("x.example has no NS records"));
    assert!(error(zone(CATALOG, &[])).contains("is the catalog's name"));
    let mut foreign = zone(ZONE, &[]);
    let set =
        zone("fano.pu.it", &["www A 192.0.2.1"]).get(&name("www.fano.pu.it"), cst_api::RecordType::A).unwrap().clone();
    foreign.insert(set);
    assert!(error(foreign).contains("www.fano.pu.it is not within the zone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_cannot_be_served_stays_in_the_catalog_and_fails_when_asked_for() {
    let served = serve(config(vec![])).await;
    served.primary.publish(version(zone(ZONE, &[]), 7)).unwrap();
    let broken = ZoneVersion { keys: sole(KeyMaterial::new(b"bad".to_vec())), ..version(zone("fano.pu.it", &[]), 7) };
    served.primary.declare(&name("fano.pu.it"));
    assert!(served.primary.publish(broken).unwrap_err().to_string().contains("restore its Secret"));
    served.primary.set_complete();
    let listed = || records(&dig(served.port, &format!("{} axfr {CATALOG}", signed()))).join("\n");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !listed().contains(ZONE) {
        assert!(Instant::now() < deadline, "no catalog");
    }
    assert!(listed().contains(" PTR fano.pu.it."), "{}", listed());
    for question in ["soa", "axfr", "a"] {
        let answer = dig(served.port, &format!("{} +tcp {question} fano.pu.it", signed()));
        assert!(answer.contains("SERVFAIL") || answer.contains("Transfer failed"), "{question}: {answer}");
    }
    served.primary.publish(version(zone("fano.pu.it", &[]), 8)).unwrap();
    let answer = dig(served.port, &format!("{} +short soa fano.pu.it", signed()));
    assert!(answer.contains(" 8 3600 900 "), "{answer}");
}
