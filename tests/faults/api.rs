//! An API server that answers wrongly, or not at all: that is no news of anything.

use cst_api::Domain;
use cst_tests::api_server;
use cst_tests::centre::eventually;
use cst_tests::faults::Broken;

use kube::Api;
use kube::api::ListParams;

use crate::replica::Replica;
use crate::world::{CATALOG, World};

/// Every list is broken like this, again and again.
pub async fn break_lists(replica: &Replica, how: Broken) {
    let faults = &replica.api.faults;
    faults.of_lists(Some(how));
    faults.cut();
    let met = eventually(async || {
        let broken = faults.broken_lists();
        (broken.values().filter(|times| **times > 1).count() > 10).then_some(())
    });
    met.await.unwrap_or_else(|| panic!("{how:?}: {:#?}\n{}", faults.broken_lists(), replica.log()));
}

/// Every list is whole again, and was seen so.
pub async fn mend_lists(replica: &Replica) {
    let faults = &replica.api.faults;
    faults.of_lists(None);
    faults.cut();
    let mended = eventually(async || faults.broken_lists().is_empty().then_some(())).await;
    mended.unwrap_or_else(|| panic!("{:#?}\n{}", faults.broken_lists(), replica.log()));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_are_refused_cut_partial_or_empty_take_nothing_from_any_zone() {
    let world = World::new().await;
    let a = world.replica("a").await;
    let mut zones = Vec::new();
    for (number, tenant) in ["fano", "urbino", "pesaro", "cagli"].into_iter().enumerate() {
        let more = if number % 2 == 0 { "" } else { ", deletionPolicy: Delete, dnssec: {mode: Unsigned}" };
        zones.extend(world.tenant(tenant, 19, 5, more).await);
    }
    for tenant in ["fano", "urbino", "pesaro", "cagli"] {
        world.until_ready(tenant, 19).await;
    }
    zones.push(CATALOG.into());
    let before = world.serials(&zones).await;
    assert!(before.values().all(Option::is_some), "{before:?}");
    let asking = world.asks(&["ns1", "ns2"], &zones[..76]);

    let status = [500, 410].map(Broken::Status);
    for how in status.into_iter().chain([Broken::Cut, Broken::HalfThenGone, Broken::Empty]) {
        break_lists(&a, how).await;
        // A version that changes nothing else is the witness that there is none: serials only go up.
        assert_eq!(world.serials(&zones).await, before, "{how:?}");
        mend_lists(&a).await;
    }
    // What somebody asked for meanwhile comes about, and nothing else does.
    break_lists(&a, Broken::Empty).await;
    world.domain("fano", &zones[0], 6, "").await;
    mend_lists(&a).await;
    for server in &world.servers {
        let old = before[&(server.name.clone(), zones[0].clone())].unwrap();
        server.until(&zones[0], |serial| serial > old).await;
    }
    for tenant in ["fano", "urbino", "pesaro", "cagli"] {
        world.until_ready(tenant, 19).await;
    }
    let mut after = world.serials(&zones).await;
    for server in &world.servers {
        let changed = (server.name.clone(), zones[0].clone());
        after.insert(changed.clone(), before[&changed]);
    }
    assert_eq!(after, before);
    asking.was_answered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_api_server_or_its_store_stands_still_zones_are_served_and_then_work_goes_on() {
    let world = World::new().await;
    let a = world.replica("a").await;
    let zones = world.tenant("fano", 3, 3, "").await;
    world.until_ready("fano", 3).await;
    let (asking, mut hosts) = (world.asks(&["ns1", "ns2"], &zones), 4);
    for process in ["etcd", "kube-apiserver"] {
        let before = world.servers[0].serial(&zones[0]).await.unwrap();
        let told = a.times_led_no_more();
        api_server::signal(process, "STOP");
        let steps_down = async || (a.times_led_no_more() > told).then_some(());
        let down = eventually(steps_down).await;
        api_server::signal(process, "CONT");
        down.unwrap_or_else(|| panic!("without {process} it stops writing\n{}", a.log()));
        a.until_leads(&world).await;
        world.domain("fano", &zones[0], hosts, "").await;
        for server in &world.servers {
            server.until(&zones[0], |serial| serial > before).await;
        }
        world.until_ready("fano", 3).await;
        hosts += 1;
    }
    asking.was_answered().await;
}

/// The DS of a Domain.
async fn ds(world: &World, tenant: &str, zone: &str) -> Vec<String> {
    let api: Api<Domain> = world.centre.api(&format!("t-{tenant}"));
    api.get(zone).await.unwrap().status.unwrap().zone.unwrap().ds
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_set_back_under_a_running_controller_takes_no_zone_and_no_key_along_and_work_goes_on() {
    let world = World::new().await;
    let a = world.replica("a").await;
    let zones = world.tenant("fano", 3, 3, "").await;
    world.until_ready("fano", 3).await;
    api_server::store("save").await;
    let domains: Api<Domain> = world.centre.api("t-fano");
    let is_back = async || domains.list(&ListParams::default()).await.ok().map(drop);
    eventually(is_back).await.expect("the API server is back");

    // What the backup does not have: a change, and two Domains, of which one goes at once when it is deleted.
    let (signed, hasty) = ("signed.fano.example", "hasty.fano.example");
    let declare = async || {
        world.domain("fano", signed, 3, "").await;
        world.domain("fano", hasty, 3, ", deletionPolicy: Delete, dnssec: {mode: Unsigned}").await;
    };
    world.domain("fano", &zones[0], 6, "").await;
    declare().await;
    world.until_ready("fano", 5).await;
    let all: Vec<String> = zones.iter().cloned().chain([signed.into(), hasty.into()]).collect();
    let (before, key) = (world.serials(&all).await, ds(&world, "fano", signed).await);
    let asking = world.asks(&["ns1", "ns2"], &all);

    api_server::store("restore").await;
    eventually(is_back).await.expect("the API server is back");
    let is_stored = async |zone: &str| {
        let stored = async || world.stored(zone).await.filter(|stored| stored.retired.is_some()).map(drop);
        eventually(stored).await.unwrap_or_else(|| panic!("{zone} is stored again\n{}", a.log()));
    };
    is_stored(signed).await;
    is_stored(hasty).await;
    assert!(a.log().contains("the API server's store was set back"), "{}", a.log());
    // What is declared now comes about, above what was served.
    for server in &world.servers {
        let old = before[&(server.name.clone(), zones[0].clone())].unwrap();
        server.until(&zones[0], |serial| serial > old).await;
    }
    world.domain("fano", &zones[1], 4, "").await;
    declare().await;
    world.until_ready("fano", 5).await;
    for server in &world.servers {
        let old = before[&(server.name.clone(), zones[1].clone())].unwrap();
        server.until(&zones[1], |serial| serial > old).await;
    }
    assert_eq!(ds(&world, "fano", signed).await, key);

    // All of it is stored again, its key too: another controller goes on from there.
    let settled = world.serials(&all).await;
    drop(a);
    let b = world.replica("b").await;
    b.until_leads(&world).await;
    world.domain("fano", signed, 4, "").await;
    for server in &world.servers {
        let old = settled[&(server.name.clone(), signed.to_owned())].unwrap();
        server.until(signed, |serial| serial > old).await;
    }
    world.until_ready("fano", 5).await;
    assert_eq!(ds(&world, "fano", signed).await, key);
    asking.was_answered().await;
}
