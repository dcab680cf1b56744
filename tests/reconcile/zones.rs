//! Zones: stored, then served; kept, held, or taken out, as was asked for.

use cst_api::{Domain, Tenant};
use cst_kubernetes::clock::Clock;
use cst_tests::centre::{Centre, condition, eventually};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::json;

use super::{domain, published, until_complete};

#[tokio::test]
async fn a_domain_is_stored_then_served_and_ready_when_every_public_server_answers() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    controller.server.public_servers(false);
    centre.tenant("fano", "[comune.fano.pu.it]").await;
    centre.apply(&domain("fano", "comune.fano.pu.it", "")).await;
    let domains: Api<Domain> = centre.api("t-fano");

    let waiting = centre.until_reason(&domains, "comune.fano.pu.it", "Waiting").await;
    let zone = waiting.status.clone().unwrap().zone.unwrap();
    assert_eq!((zone.dnssec.as_str(), zone.ds.len(), zone.records), ("Signed", 1, 4));
    assert_eq!(condition(&waiting, "Published").unwrap().status, "False");
    assert_eq!(condition(&waiting, "Reconciling").unwrap().status, "True");
    let stored = published(&centre, "comune.fano.pu.it").await.unwrap();
    assert_eq!(stored.serial, zone.serial);

    controller.server.public_servers(true);
    let ready = centre.until_reason(&domains, "comune.fano.pu.it", "Ready").await;
    let status = ready.status.clone().unwrap();
    assert_eq!(status.observed_generation, ready.metadata.generation);
    assert!(condition(&ready, "Reconciling").is_none() && condition(&ready, "Stalled").is_none());
    assert_eq!(status.zone.unwrap().servers[1].serial, Some(stored.serial));
    until_complete(&controller).await;

    // A change is a new serial, and the DS stays.
    centre.apply(&domain("fano", "comune.fano.pu.it", ", ttl: 600")).await;
    let changed = centre
        .until(&domains, "comune.fano.pu.it", |d| {
            let serial = d.status.as_ref().and_then(|s| s.zone.as_ref()).map(|zone| zone.serial);
            serial.is_some_and(|serial| serial > stored.serial) && condition(d, "Ready").unwrap().reason == "Ready"
        })
        .await;
    assert_eq!(changed.status.unwrap().zone.unwrap().ds, zone.ds);
    assert_eq!(controller.server.keys_made(), 1);
    controller.stop().await;
}

#[tokio::test]
async fn what_is_deleted_with_retain_is_served_on_and_comes_back_as_it_was() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("gradara", "[comune.gradara.pu.it, turismo.gradara.pu.it]").await;
    centre.apply(&domain("gradara", "comune.gradara.pu.it", "")).await;
    centre
        .apply(&domain("gradara", "turismo.gradara.pu.it", ", deletionPolicy: Delete, dnssec: {mode: Unsigned}"))
        .await;
    let domains: Api<Domain> = centre.api("t-gradara");
    let before = centre.until_reason(&domains, "comune.gradara.pu.it", "Ready").await.status.unwrap().zone.unwrap();
    centre.until_reason(&domains, "turismo.gradara.pu.it", "Ready").await;

    for name in ["comune.gradara.pu.it", "turismo.gradara.pu.it"] {
        domains.delete(name, &DeleteParams::default()).await.unwrap();
    }
    eventually(async || controller.server.served("turismo.gradara.pu.it").is_none().then_some(())).await.unwrap();
    assert!(published(&centre, "turismo.gradara.pu.it").await.is_none());
    let kept = eventually(async || published(&centre, "comune.gradara.pu.it").await.filter(|p| p.retired.is_some()));
    assert_eq!(kept.await.unwrap().serial, before.serial);
    let retired = ListParams::default().labels("territorial.services/retired,territorial.services/tenant=gradara");
    let listed = centre.api::<ConfigMap>(&centre.namespace).list(&retired).await.unwrap().items;
    assert_eq!(listed.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["zone.comune.gradara.pu.it"]);
    assert_eq!(controller.server.served("comune.gradara.pu.it").unwrap().serial, before.serial);

    centre.apply(&domain("gradara", "comune.gradara.pu.it", "")).await;
    let after = centre.until_reason(&domains, "comune.gradara.pu.it", "Ready").await.status.unwrap().zone.unwrap();
    assert_eq!((after.serial, after.ds), (before.serial, before.ds));
    assert_eq!(published(&centre, "comune.gradara.pu.it").await.unwrap().retired, None);
    controller.stop().await;
}

#[tokio::test]
async fn a_mistake_is_told_with_an_event_and_harms_nothing_else() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("mondolfo", "[comune.mondolfo.pu.it]").await;
    centre.apply(&domain("mondolfo", "comune.mondolfo.pu.it", "")).await;
    centre.apply(&domain("mondolfo", "comune.elsewhere.pu.it", "")).await;
    let domains: Api<Domain> = centre.api("t-mondolfo");
    let refused = centre.until_reason(&domains, "comune.elsewhere.pu.it", "NotGranted").await;
    assert_eq!(condition(&refused, "Stalled").unwrap().status, "True");
    assert!(refused.status.unwrap().zone.is_none());
    centre.until_reason(&domains, "comune.mondolfo.pu.it", "Ready").await;
    let events: Api<k8s_openapi::api::events::v1::Event> = centre.api("t-mondolfo");
    let told = eventually(async || {
        let list = events.list(&ListParams::default()).await.unwrap();
        list.into_iter().find(|event| event.reason.as_deref() == Some("NotGranted"))
    });
    assert_eq!(told.await.unwrap().regarding.unwrap().name.as_deref(), Some("comune.elsewhere.pu.it"));

    // What was right goes on when it becomes wrong.
    let serial = controller.server.served("comune.mondolfo.pu.it").unwrap().serial;
    let wrong = ", records: [{name: www, type: A, values: [\"192.0.2.300\"]}]";
    let wrong = domain("mondolfo", "comune.mondolfo.pu.it", wrong).replacen(
        "records: [{name: www, type: A, values: [\"192.0.2.10\"]}], ",
        "",
        1,
    );
    centre.apply(&wrong).await;
    centre.until_reason(&domains, "comune.mondolfo.pu.it", "Invalid").await;
    assert_eq!(controller.server.served("comune.mondolfo.pu.it").unwrap().serial, serial);
    controller.stop().await;
    let again = centre.controller("b").await;
    eventually(async || again.server.served("comune.mondolfo.pu.it")).await.unwrap();
    until_complete(&again).await;
    assert_eq!(published(&centre, "comune.mondolfo.pu.it").await.unwrap().retired, None);
    again.stop().await;
}

#[tokio::test]
async fn a_change_that_drops_too_much_waits_for_approval() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("colli", "[colli.pu.it]").await;
    let with = |hosts: usize| {
        let records: Vec<String> =
            (0..hosts).map(|n| format!("{{name: h{n}, type: A, values: [\"192.0.2.{n}\"]}}")).collect();
        format!(
            "apiVersion: territorial.services/v1alpha1\nkind: Domain\nmetadata: {{name: colli.pu.it, namespace: t-colli}}\n\
             spec: {{records: [{}]}}",
            records.join(", ")
        )
    };
    centre.apply(&with(20)).await;
    let domains: Api<Domain> = centre.api("t-colli");
    centre.until_reason(&domains, "colli.pu.it", "Ready").await;
    centre.apply(&with(5)).await;
    let held = centre.until_reason(&domains, "colli.pu.it", "PlanHeld").await;
    assert_eq!(published(&centre, "colli.pu.it").await.unwrap().zone.record_count(), 23);
    let message = condition(&held, "PlanHeld").unwrap().message;
    let digest = message.rsplit(' ').next().unwrap();
    centre
        .apply(&format!(
            "{}\n---\n{}",
            with(5),
            with(5).replace(
                "namespace: t-colli",
                &format!("namespace: t-colli, annotations: {{territorial.services/approve: {digest}}}")
            )
        ))
        .await;
    centre.until_reason(&domains, "colli.pu.it", "Ready").await;
    assert_eq!(published(&centre, "colli.pu.it").await.unwrap().zone.record_count(), 8);
    controller.stop().await;
}

#[tokio::test]
async fn a_domain_deleted_and_created_again_at_once_keeps_its_keys_and_its_serial_goes_up() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("fratte", "[comune.fratte.pu.it]").await;
    // Whenever it is deleted it goes at once: nobody needs to look at its parent.
    let today = Clock::new("Europe/Rome").unwrap().now().today;
    let days = [today, today.plus(1)].map(|day| format!("Domain/comune.fratte.pu.it/{day}")).join(" ");
    let word = json!({"metadata": {"annotations": {"territorial.services/drop": days}}});
    let tenants: Api<Tenant> = Api::all(centre.client.clone());
    tenants.patch("fratte", &PatchParams::default(), &Patch::Merge(&word)).await.unwrap();
    let manifest = |host: u8| {
        let records = format!("records: [{{name: www, type: A, values: [192.0.2.{host}]}}]");
        domain("fratte", "comune.fratte.pu.it", &format!(", deletionPolicy: Delete, {records}"))
    };
    centre.apply(&manifest(0)).await;
    let domains: Api<Domain> = centre.api("t-fratte");
    let mut before = centre.until_reason(&domains, "comune.fratte.pu.it", "Ready").await.status.unwrap().zone.unwrap();
    let mut last = 0;
    // Twice the same: then the zone, if it was not gone in between, need not be another version.
    for host in [1, 2, 2, 3, 4] {
        domains.delete("comune.fratte.pu.it", &DeleteParams::default()).await.unwrap();
        centre.apply(&manifest(host)).await;
        let after = centre.until_reason(&domains, "comune.fratte.pu.it", "Ready").await.status.unwrap().zone.unwrap();
        assert_eq!(after.ds, before.ds);
        assert!(after.serial >= before.serial, "{} after {}", after.serial, before.serial);
        assert!(
            after.serial > before.serial || host == last,
            "{} after {}, with another record",
            after.serial,
            before.serial
        );
        last = host;
        let served = controller.server.served("comune.fratte.pu.it").unwrap().serial;
        assert_eq!(served, after.serial);
        before = after;
    }
    assert_eq!(controller.server.keys_made(), 1);
    controller.stop().await;
}
