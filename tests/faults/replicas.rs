//! Two controllers, and such that end or stand still at the worst moment: one writes at a time, and what is stored is never overwritten.

use cst_compiler::model::{DomainName, RecordType};
use cst_kubernetes::published::PublishedZone;
use cst_tests::centre::eventually;
use cst_tests::faults::Broken;
use cst_tests::proxy::Moment;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::DeleteParams;

use crate::api::{break_lists, mend_lists};
use crate::fleet::renewals;
use crate::replica::Replica;
use crate::world::World;

/// Whether a stored zone has the host of this number.
fn has_host(stored: &PublishedZone, number: usize) -> bool {
    let host = DomainName::parse(&format!("h{number}.{}", stored.apex())).unwrap();
    stored.zone.get(&host, RecordType::A).is_some()
}

async fn until_stored(world: &World, zone: &str, wanted: impl Fn(&PublishedZone) -> bool) -> PublishedZone {
    let stored = eventually(async || world.stored(zone).await.filter(&wanted)).await;
    stored.unwrap_or_else(|| panic!("{zone} is not stored as wanted"))
}

/// A leader that was lost gave no Lease back; that another waits for its end is tried elsewhere.
async fn free_the_lease(world: &World) {
    let leases: Api<Lease> = world.centre.api(&world.centre.namespace);
    leases.delete("cst-controller", &DeleteParams::default()).await.unwrap();
}

async fn until_served(world: &World, zone: &str, serial: u32) {
    for server in &world.servers {
        server.until(zone, |answered| answered == serial).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_one_writes_and_one_that_stood_still_writes_over_nothing() {
    let world = World::new().await;
    let a = world.replica("a").await;
    a.until_leads(&world).await;
    let b = world.replica("b").await;
    let zones = world.tenant("fano", 6, 3, "").await;
    world.until_ready("fano", 6).await;
    assert_eq!(b.api.faults.writes(), 0, "who does not lead writes nothing");
    let (asking, serials) = (world.asks(&["ns1", "ns2"], &zones), world.follow_serials());

    // It stands still with a version on its way.
    let zone = &zones[0];
    a.api.hold(&format!("/configmaps/zone.{zone}"), Moment::Before);
    world.domain("fano", zone, 4, "").await;
    a.api.until_held().await;
    a.signal("STOP");
    b.until_leads(&world).await;
    world.domain("fano", zone, 5, "").await;
    let next = until_stored(&world, zone, |stored| has_host(stored, 4)).await;
    until_served(&world, zone, next.serial).await;

    // Then its version arrives, and it goes on as though nothing had been.
    a.api.free();
    a.signal("CONT");
    let told = async || (a.log().contains("stored a version in between") && a.times_led_no_more() > 0).then_some(());
    eventually(told).await.unwrap_or_else(|| panic!("it notices\n{}", a.log()));
    assert_eq!(world.stored(zone).await.unwrap(), next, "nothing was written over");

    // The other one goes on leading.
    let written = a.api.faults.writes();
    world.domain("fano", &zones[1], 4, "").await;
    let changed = until_stored(&world, &zones[1], |stored| has_host(stored, 3)).await;
    until_served(&world, &zones[1], changed.serial).await;
    world.until_ready("fano", 6).await;
    assert_eq!(a.api.faults.writes(), written, "who no longer leads writes nothing");
    asking.was_answered().await;
    serials.never_went_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_ends_at_the_worst_moment_loses_nothing() {
    let world = World::new().await;
    let a = world.replica("a").await;
    let zones = world.tenant("fano", 3, 3, "").await;
    world.until_ready("fano", 3).await;
    let (asking, serials) = (world.asks(&["ns1", "ns2"], &zones), world.follow_serials());
    let zone = &zones[0];
    let before = world.stored(zone).await.unwrap();

    // A version is stored, and nobody was told.
    a.api.hold(&format!("/configmaps/zone.{zone}"), Moment::After);
    world.domain("fano", zone, 4, "").await;
    a.api.until_held().await;
    drop(a);
    let stored = world.stored(zone).await.unwrap();
    assert!(has_host(&stored, 3) && stored.serial != before.serial);
    // It may have heard of its own version by its watch; mostly it is gone before.
    let known = [Some(before.serial), Some(stored.serial)];
    assert!(world.serials(&zones[..1]).await.values().all(|serial| known.contains(serial)));
    let b = world.replica("b").await;
    until_served(&world, zone, stored.serial).await;
    free_the_lease(&world).await;
    b.until_leads(&world).await;
    world.until_ready("fano", 3).await;
    assert_eq!(world.stored(zone).await.unwrap(), stored, "it is served as it was stored, and stored once");

    // A version is served, and its Domain was not told.
    b.api.hold(&format!("/domains/{zone}/status"), Moment::Before);
    world.domain("fano", zone, 5, "").await;
    b.api.until_held().await;
    drop(b);
    let stored = until_stored(&world, zone, |stored| has_host(stored, 4)).await;
    free_the_lease(&world).await;
    let _c: Replica = world.replica("a").await;
    until_served(&world, zone, stored.serial).await;
    world.until_ready("fano", 3).await;
    assert_eq!(world.stored(zone).await.unwrap(), stored, "no version more");
    asking.was_answered().await;
    serials.never_went_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_watches_stand_still_takes_no_zone_while_it_follows_and_when_it_leads() {
    let world = World::new().await;
    let a = world.replica("a").await;
    a.until_leads(&world).await;
    world.tenant("fano", 6, 3, "").await;
    world.until_ready("fano", 6).await;
    let b = world.replica("b").await;
    let serves = async || b.log().contains("every stored zone was handed to the hidden primary").then_some(());
    eventually(serves).await.unwrap_or_else(|| panic!("b serves what is stored\n{}", b.log()));
    break_lists(&b, Broken::Status(500)).await;
    let zones = world.tenant("urbino", 6, 3, "").await;
    world.until_ready("urbino", 6).await;
    let asking = world.asks(&["ns1", "ns2"], &zones);
    // A server's catalog is asked for more often.
    renewals(&world, 10).await;

    drop(a);
    free_the_lease(&world).await;
    b.until_leads(&world).await;
    renewals(&world, 5).await;
    asking.was_answered().await;

    mend_lists(&b).await;
    let asking = world.asks(&["ns1", "ns2"], &zones);
    world.tenant("pesaro", 1, 3, "").await;
    world.until_ready("pesaro", 1).await;
    asking.was_answered().await;
}
