//! Many zones at once, with replicas that end midway; and peace afterwards.

use cst_tests::centre::eventually;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use std::fmt::Debug;

use crate::public::PublicServer;
use crate::replica::Replica;
use crate::world::World;

const TENANTS: [&str; 4] = ["fano", "urbino", "pesaro", "cagli"];

/// How many record sets a zone has. Without optimisation signing is slow.
const SETS: usize = if cfg!(debug_assertions) { 20 } else { 500 };

/// How many zones are stored.
async fn stored(world: &World) -> usize {
    let maps: Api<ConfigMap> = world.centre.api(&world.centre.namespace);
    let zones = ListParams::default().labels("territorial.services/published=zone");
    maps.list_metadata(&zones).await.unwrap().items.len()
}

/// Waits until the Lease was renewed so many times.
pub async fn renewals(world: &World, number: usize) {
    let leases: Api<Lease> = world.centre.api(&world.centre.namespace);
    let mut last = None;
    for _ in 0..=number {
        let renewed = async || {
            let version = leases.get("cst-controller").await.unwrap().resource_version();
            (version != last).then_some(version)
        };
        last = eventually(renewed).await.expect("the Lease is renewed");
    }
}

/// Waits until it stays as it is for longer than a server's catalog goes unasked. A leader raises its catalog at most once over what it
/// finds, so that the third wait is quiet.
async fn until_unchanged<T: PartialEq + Debug>(world: &World, value: &impl AsyncFn() -> T) {
    let mut last = value().await;
    for _ in 0..3 {
        renewals(world, 8).await;
        let now = value().await;
        if now == last {
            return;
        }
        last = now;
    }
    panic!("it does not rest: {last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_centre_that_starts_cold_converges_though_its_leader_ends_midway_and_a_server_is_down() {
    let mut world = World::with(&[]).await;
    let mut zones = Vec::new();
    for tenant in TENANTS {
        zones.extend(world.tenant(tenant, 19, SETS, "").await);
    }
    world.servers[0].start();
    let a = world.replica("a").await;
    // However fast it is, it gets no further than this.
    a.api.faults.away_after_config_maps(30);
    a.until_leads(&world).await;
    let b = world.replica("b").await;
    let serials = world.follow_serials();
    eventually(async || a.api.faults.is_away().then_some(())).await.expect("a part is stored");
    assert_eq!(b.api.faults.writes(), 0, "one writes");
    drop(a);
    let part = stored(&world).await;
    assert!((1..76).contains(&part), "it ended midway: {part}");
    for zone in &zones {
        world.servers[0].until(zone, |_| true).await;
    }
    for zone in &zones {
        let stored = world.stored(zone).await.unwrap();
        world.servers[0].until(zone, |serial| serial == stored.serial).await;
    }
    for tenant in TENANTS {
        world.until_waiting_for("ns2", tenant, 19, "does not answer").await;
    }
    world.servers[1].start();
    for tenant in TENANTS {
        world.until_ready(tenant, 19).await;
    }
    serials.never_went_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_zones_at_once_all_arrive_and_then_there_is_peace() {
    let world = World::new().await;
    let (a, b) = (world.replica("a").await, world.replica("b").await);
    let mut zones = Vec::new();
    for tenant in TENANTS {
        zones.extend(world.tenant(tenant, 125, 2, "").await);
    }
    for tenant in TENANTS {
        world.until_ready(tenant, 125).await;
    }
    let notified = async |replica: &Replica| replica.metric("cst_dns_notifies_total{result=\"sent\"}").await;
    let transfers = |server: &PublicServer| server.log().matches("Transfer status").count();
    let traffic = async || {
        let transferred: Vec<usize> = world.servers.iter().map(transfers).collect();
        (notified(&a).await, notified(&b).await, transferred)
    };
    until_unchanged(&world, &traffic).await;
    let seen = async || (a.api.faults.writes(), b.api.faults.writes(), world.serials(&zones).await, traffic().await);
    let before = seen().await;
    assert!(before.2.values().all(Option::is_some), "every zone is at every server");
    renewals(&world, 10).await;
    assert!(seen().await == before, "a write, another serial, a NOTIFY or a transfer");
}
