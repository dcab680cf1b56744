//! What is stored is lost, removed or replaced by hand: nothing stops being served, and serials go above what the public servers have.

use std::collections::BTreeSet;
use std::time::Duration;

use cst_api::Domain;
use cst_compiler::model::RecordType;
use cst_tests::api_server;
use cst_tests::centre::{condition, eventually};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::public::ask;
use crate::replica::Replica;
use crate::world::{CATALOG, World};

/// Removes what is stored of every zone.
async fn lose_all(world: &World) {
    let maps: Api<ConfigMap> = world.centre.api(&world.centre.namespace);
    let zones = ListParams::default().labels("territorial.services/published=zone");
    let lost = maps.list(&zones).await.unwrap().items.len();
    assert!(lost > 0);
    maps.delete_collection(&DeleteParams::default(), &zones).await.unwrap();
}

/// The DS of every Domain of a tenant.
async fn signers(world: &World, tenant: &str) -> Vec<Vec<String>> {
    let api: Api<Domain> = world.centre.api(&format!("t-{tenant}"));
    let domains = api.list(&ListParams::default()).await.unwrap();
    domains.into_iter().map(|domain| domain.status.unwrap().zone.unwrap().ds).collect()
}

/// The days on which the keys of a tenant's Domains were made.
async fn made(world: &World, tenant: &str) -> BTreeSet<String> {
    let api: Api<Domain> = world.centre.api(&format!("t-{tenant}"));
    let domains = api.list(&ListParams::default()).await.unwrap();
    domains.into_iter().flat_map(|domain| domain.status.unwrap().zone.unwrap().keys).map(|key| key.made).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_are_deleted_with_all_their_objects_take_nothing_from_any_zone() {
    let world = World::new().await;
    let a = world.replica("a").await;
    let at_once = ", deletionPolicy: Delete, dnssec: {mode: Unsigned}";
    let mut zones = world.tenant("fano", 12, 3, at_once).await;
    zones.extend(world.tenant("pesaro", 4, 3, "").await);
    world.until_ready("fano", 12).await;
    world.until_ready("pesaro", 4).await;
    let asking = world.asks(&["ns1", "ns2"], &zones);
    let before = world.serials(&zones).await;
    let catalog = world.serials(&[CATALOG.to_owned()]).await;

    api_server::delete_crds(&world.centre.client, &["tenants"]).await;
    let noticed = async || (a.log().matches("as when it is only missing").count() == 2).then_some(());
    eventually(noticed).await.unwrap_or_else(|| panic!("{}", a.log()));
    api_server::delete_crds(&world.centre.client, &["domains", "mailboxes", "websites"]).await;
    // All that is done without them is done when what is retained is marked so.
    let maps: Api<ConfigMap> = world.centre.api(&world.centre.namespace);
    let retired = ListParams::default().labels("territorial.services/published=zone,territorial.services/retired");
    let marked = async || (maps.list(&retired).await.unwrap().items.len() == zones.len()).then_some(());
    eventually(marked).await.unwrap_or_else(|| panic!("{}", a.log()));
    assert_eq!(world.serials(&zones).await, before, "{}", a.log());
    assert_eq!(world.serials(&[CATALOG.to_owned()]).await, catalog);

    api_server::install_crds(&world.centre.client).await;
    world.tenant("fano", 12, 3, at_once).await;
    world.tenant("pesaro", 4, 3, "").await;
    world.until_ready("fano", 12).await;
    world.until_ready("pesaro", 4).await;
    assert_eq!(world.serials(&zones).await, before, "{}", a.log());
    assert_eq!(world.serials(&[CATALOG.to_owned()]).await, catalog);
    asking.was_answered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_whose_kind_is_deleted_while_their_tenants_are_there_take_no_zone_along() {
    let world = World::new().await;
    let a = world.replica("a").await;
    // Fewer than the guard counts, and each to go at once.
    let at_once = ", deletionPolicy: Delete, dnssec: {mode: Unsigned}";
    let zones = world.tenant("cagli", 3, 3, at_once).await;
    world.until_ready("cagli", 3).await;
    let asking = world.asks(&["ns1", "ns2"], &zones);
    let seen = async || (world.serials(&zones).await, world.serials(&[CATALOG.to_owned()]).await);
    let before = seen().await;
    let maps: Api<ConfigMap> = world.centre.api(&world.centre.namespace);
    let retired = ListParams::default().labels("territorial.services/published=zone,territorial.services/retired");
    let until_retained = async |number: usize, by: &Replica| {
        let marked = async || (maps.list(&retired).await.unwrap().items.len() == number).then_some(());
        eventually(marked).await.unwrap_or_else(|| panic!("{number} retained\n{}", by.log()));
    };

    api_server::delete_crds(&world.centre.client, &["domains"]).await;
    until_retained(3, &a).await;
    api_server::delete_crds(&world.centre.client, &["tenants", "mailboxes", "websites"]).await;
    api_server::install_crds(&world.centre.client).await;
    assert_eq!(seen().await, before, "{}", a.log());
    world.tenant("cagli", 3, 3, at_once).await;
    world.until_ready("cagli", 3).await;
    until_retained(0, &a).await;
    assert_eq!(seen().await, before, "{}", a.log());

    // The same while no controller runs: the next one finds the kind, another one, and none of its objects.
    drop(a);
    api_server::delete_crds(&world.centre.client, &["domains"]).await;
    api_server::install_crds(&world.centre.client).await;
    let leases: Api<Lease> = world.centre.api(&world.centre.namespace);
    leases.delete("cst-controller", &DeleteParams::default()).await.unwrap();
    let b = world.replica("b").await;
    until_retained(3, &b).await;
    world.tenant("cagli", 3, 3, at_once).await;
    world.until_ready("cagli", 3).await;
    until_retained(0, &b).await;
    assert_eq!(seen().await.0, before.0, "{}", b.log());
    asking.was_answered().await;

    // What somebody deletes goes.
    world.centre.api::<Domain>("t-cagli").delete(&zones[0], &DeleteParams::default()).await.unwrap();
    let gone = async || world.stored(&zones[0]).await.is_none().then_some(());
    eventually(gone).await.unwrap_or_else(|| panic!("{}", b.log()));

    // That a Tenant is missing is told by this controller, and by the next one, which never saw it.
    let is_told = async |by: &Replica| {
        let counted = async || (by.metric("cst_missing_tenants").await == 1).then_some(());
        eventually(counted).await.unwrap_or_else(|| panic!("{}", by.log()));
        assert!(by.log().contains("as when it is only missing"), "{}", by.log());
    };
    assert_eq!(b.metric("cst_missing_tenants").await, 0);
    api_server::delete_crds(&world.centre.client, &["tenants"]).await;
    is_told(&b).await;
    drop(b);
    api_server::install_crds(&world.centre.client).await;
    leases.delete("cst-controller", &DeleteParams::default()).await.unwrap();
    std::fs::remove_file(world.folder.path().join("a.log")).unwrap();
    let a = world.replica("a").await;
    a.until_leads(&world).await;
    is_told(&a).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn published_state_that_is_lost_is_made_anew_above_what_the_servers_have() {
    let world = World::new().await;
    let a = world.replica("a").await;
    let zones = world.tenant("fano", 6, 3, "").await;
    world.until_ready("fano", 6).await;
    let before = signers(&world, "fano").await;
    let asking = world.asks(&["ns1", "ns2"], &zones);

    // Serials that the clock will not reach for years, as after a clock that was wrong.
    let maps: Api<ConfigMap> = world.centre.api(&world.centre.namespace);
    let mut highest = Vec::new();
    for zone in &zones {
        let far = world.stored(zone).await.unwrap().serial + 300_000_000;
        let patch = json!({"data": {"serial": far.to_string()}});
        maps.patch(&format!("zone.{zone}"), &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
        highest.push(far);
    }
    for server in &world.servers {
        for (zone, highest) in zones.iter().zip(&mut highest) {
            *highest = server.until(zone, |serial| serial >= *highest).await;
        }
    }
    lose_all(&world).await;
    for server in &world.servers {
        for (zone, highest) in zones.iter().zip(&mut highest) {
            *highest = server.until(zone, |serial| serial >= *highest).await;
        }
    }
    // Who knows them stores them again.
    for zone in &zones {
        eventually(async || world.stored(zone).await).await.expect("it is stored again");
    }
    world.until_ready("fano", 6).await;
    assert_eq!(signers(&world, "fano").await, before);

    // Now with nobody there who knows. What a Domain wants replaced is judged by the day that stands beside the key.
    drop(a);
    let (day, keys): (_, Api<Secret>) = ("2026-01-02", world.centre.api(&world.centre.namespace));
    for zone in &zones {
        let secret = format!("zone-key.{zone}");
        assert!(keys.get(&secret).await.unwrap().data.unwrap().contains_key("made-1"));
        let patch = json!({"stringData": {"made-1": day}});
        keys.patch(&secret, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    }
    lose_all(&world).await;
    let leases: Api<Lease> = world.centre.api(&world.centre.namespace);
    leases.delete("cst-controller", &DeleteParams::default()).await.unwrap();
    let _b = world.replica("b").await;
    for server in &world.servers {
        for (zone, highest) in zones.iter().zip(&highest) {
            server.until(zone, |serial| serial > *highest).await;
        }
    }
    world.until_ready("fano", 6).await;
    assert_eq!(signers(&world, "fano").await, before, "the keys are where they were");
    let told = async || (made(&world, "fano").await == [day.to_owned()].into()).then_some(());
    eventually(told).await.expect("the days that stand beside the keys");
    asking.was_answered().await;
}

/// The names of a zone's servers, as one of them answers.
async fn name_servers(port: u16, zone: &str) -> BTreeSet<String> {
    let reply = ask(port, zone, RecordType::NS).await.expect("it answers");
    reply.answers.iter().filter_map(|record| record.ns()).map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn name_servers_that_are_all_replaced_wait_for_a_word_and_change_at_once() {
    let world = World::new().await;
    let a = world.replica("a").await;
    let zones = world.tenant("fano", 2, 3, "").await;
    world.until_ready("fano", 2).await;
    a.signal("TERM");
    let lease: Api<Lease> = world.centre.api(&world.centre.namespace);
    let released = async || lease.get("cst-controller").await.unwrap().spec?.holder_identity.is_none().then_some(());
    eventually(released).await.expect("the Lease is given back");
    drop(a);
    let (old, new) = (["ns1.cst.example.net", "ns2.cst.example.net"], ["dns1.example.org", "dns2.example.org"]);
    let set = |names: [&str; 2]| names.map(ToOwned::to_owned).into_iter().collect::<BTreeSet<_>>();
    world.write_settings(new);
    let _b = world.replica("b").await;
    let domains: Api<Domain> = world.centre.api("t-fano");
    let held = world.centre.until_reason(&domains, &zones[0], "PlanHeld").await;
    let message = condition(&held, "PlanHeld").unwrap().message;
    assert!(message.contains("apex NS"), "{message}");
    let port = world.servers[0].port;
    assert_eq!(name_servers(port, &zones[0]).await, set(old));

    let approve = json!({"metadata": {"annotations": {"territorial.services/approve": message.rsplit(' ').next()}}});
    domains.patch(&zones[0], &PatchParams::default(), &Patch::Merge(&approve)).await.unwrap();
    let replaced = eventually(async || {
        let names = name_servers(port, &zones[0]).await;
        assert!(names == set(old) || names == set(new), "{names:?}");
        (names == set(new)).then_some(())
    });
    tokio::time::timeout(Duration::from_secs(30), replaced).await.unwrap().expect("they are replaced");
    world.centre.until_reason(&domains, &zones[1], "PlanHeld").await;
    assert_eq!(name_servers(port, &zones[1]).await, set(old), "the word was on the other one");
}
