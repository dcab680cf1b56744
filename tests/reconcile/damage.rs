//! What somebody does by hand to what is stored: nothing stops being served, and it is told.

use cst_api::{Domain, Mailbox};
use cst_compiler::desired::mail::shard;
use cst_compiler::model::DomainName;
use cst_tests::centre::{Centre, condition, eventually};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt as _};
use serde_json::json;

use super::{domain, mailbox, published, until_complete, until_published};

#[tokio::test]
async fn what_lost_its_labels_is_served_after_a_restart_and_goes_on() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("piagge", "[comune.piagge.pu.it]").await;
    centre.apply(&domain("piagge", "comune.piagge.pu.it", "")).await;
    let domains: Api<Domain> = centre.api("t-piagge");
    centre.until_reason(&domains, "comune.piagge.pu.it", "Ready").await;
    let before = published(&centre, "comune.piagge.pu.it").await.unwrap();
    let maps: Api<ConfigMap> = centre.api(&centre.namespace);
    let bare = json!({"metadata": {"labels": null, "annotations": null}});
    maps.patch("zone.comune.piagge.pu.it", &PatchParams::default(), &Patch::Merge(&bare)).await.unwrap();
    controller.stop().await;

    let controller = centre.controller("b").await;
    until_complete(&controller).await;
    assert_eq!(controller.server.served("comune.piagge.pu.it").unwrap().serial, before.serial);
    centre.apply(&domain("piagge", "comune.piagge.pu.it", ", ttl: 600")).await;
    until_published(&centre, "comune.piagge.pu.it", |stored| stored.serial > before.serial).await;
    let stored = maps.get("zone.comune.piagge.pu.it").await.unwrap();
    assert!(stored.labels().contains_key("territorial.services/published"), "and has its labels again");
    controller.stop().await;
}

#[tokio::test]
async fn a_serial_that_was_set_back_by_hand_goes_beyond_what_the_servers_answer() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("peglio", "[comune.peglio.pu.it]").await;
    centre.apply(&domain("peglio", "comune.peglio.pu.it", "")).await;
    let domains: Api<Domain> = centre.api("t-peglio");
    centre.until_reason(&domains, "comune.peglio.pu.it", "Ready").await;
    let before = published(&centre, "comune.peglio.pu.it").await.unwrap();
    let maps: Api<ConfigMap> = centre.api(&centre.namespace);
    let lower = json!({"data": {"serial": "5"}});
    maps.patch("zone.comune.peglio.pu.it", &PatchParams::default(), &Patch::Merge(&lower)).await.unwrap();
    let after = until_published(&centre, "comune.peglio.pu.it", |stored| stored.serial > before.serial).await;
    let served = async || (controller.server.served("comune.peglio.pu.it")?.serial == after.serial).then_some(());
    eventually(served).await.expect("it is served");
    controller.stop().await;
}

#[tokio::test]
async fn a_shard_that_cannot_be_written_is_told_to_who_waits_for_it() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("lunano", "[comune.lunano.pu.it, turismo.lunano.pu.it]").await;
    for name in ["comune.lunano.pu.it", "turismo.lunano.pu.it"] {
        centre.apply(&domain("lunano", name, ", mail: {mode: Hosted}")).await;
    }
    let boxes: Api<Mailbox> = centre.api("t-lunano");
    centre.apply(&mailbox("lunano", "comune.lunano.pu.it", "sindaco")).await;
    let shards: Api<Secret> = centre.api(&centre.mail_namespace);
    let secret = shard::secret_name(&DomainName::parse("comune.lunano.pu.it").unwrap(), 0);
    centre.until_reason(&boxes, "sindaco", "Waiting").await;
    centre.agent_installs_all().await;
    centre.until_reason(&boxes, "sindaco", "Ready").await;
    let immutable = json!({"immutable": true});
    shards.patch(&secret, &PatchParams::default(), &Patch::Merge(&immutable)).await.unwrap();

    centre.apply(&mailbox("lunano", "comune.lunano.pu.it", "anagrafe")).await;
    centre.apply(&mailbox("lunano", "turismo.lunano.pu.it", "info")).await;
    let told = |mailbox: &Mailbox| {
        let stalled = condition(mailbox, "Stalled");
        stalled.is_some_and(|c| c.message.contains("immutable") && c.message.contains(&secret))
    };
    centre.until(&boxes, "anagrafe", told).await;
    centre.until_reason(&boxes, "info", "Waiting").await;
    centre.agent_installs_all().await;
    centre.until_reason(&boxes, "info", "Ready").await;
    let untouched = boxes.get("sindaco").await.unwrap();
    assert_eq!(condition(&untouched, "Ready").unwrap().status, "True", "it is installed as it was");

    shards.delete(&secret, &DeleteParams::default()).await.unwrap();
    let again = async || shards.get_opt(&secret).await.unwrap().filter(|made| made.immutable.is_none());
    eventually(again).await.expect("out of the way, it is made");
    centre.until_reason(&boxes, "anagrafe", "Waiting").await;
    centre.agent_installs_all().await;
    centre.until_reason(&boxes, "anagrafe", "Ready").await;
    controller.stop().await;
}
