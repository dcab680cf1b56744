//! What goes wrong between the controller and the API server, and with the controller itself, only delays.

use cst_api::{Domain, Mailbox, Tenant, WebSite};
use cst_compiler::model::{DomainName, RecordType};
use cst_tests::centre::{Centre, condition, eventually};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::ListParams;

use super::{domain, mailbox};

#[tokio::test]
async fn a_status_that_was_refused_is_written_all_the_same() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("serrungarina", "[]").await;
    centre.until_reason(&Api::<Tenant>::all(centre.client.clone()), "serrungarina", "Ready").await;
    controller.faults.of_statuses(3);
    // Nothing but the refusal itself brings the work back: a Domain that is not granted has one status and no other work.
    centre.apply(&domain("serrungarina", "comune.elsewhere.pu.it", "")).await;
    centre.until_reason(&centre.api::<Domain>("t-serrungarina"), "comune.elsewhere.pu.it", "NotGranted").await;
    assert_eq!(controller.faults.statuses_to_refuse(), 0);
    controller.stop().await;
}

#[tokio::test]
async fn refused_writes_lost_answers_and_an_absent_api_server_only_delay() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    controller.faults.of_writes(3);
    centre.tenant("apecchio", "[comune.apecchio.pu.it]").await;
    centre.apply(&domain("apecchio", "comune.apecchio.pu.it", ", mail: {mode: Hosted}")).await;
    for number in 0..10 {
        centre.apply(&mailbox("apecchio", "comune.apecchio.pu.it", &format!("box{number}"))).await;
    }
    let (domains, boxes): (Api<Domain>, Api<Mailbox>) = (centre.api("t-apecchio"), centre.api("t-apecchio"));
    // What is told while a write fails over and over says nothing of what is written: the agent looks again and again, as it does.
    let all_ready = async || {
        centre.agent_installs_all().await;
        let boxes = boxes.list(&ListParams::default()).await.unwrap().items;
        let is_ready = |mailbox: &Mailbox| condition(mailbox, "Ready").is_some_and(|ready| ready.status == "True");
        (boxes.len() == 10 && boxes.iter().all(is_ready)).then_some(())
    };
    eventually(all_ready).await.expect("every box is ready");
    let before = centre.until_reason(&domains, "comune.apecchio.pu.it", "Ready").await.status.unwrap().zone.unwrap();
    assert!(controller.faults.writes() > 20);

    controller.faults.of_writes(0);
    controller.faults.away(true);
    centre.apply(&domain("apecchio", "comune.apecchio.pu.it", ", ttl: 600, mail: {mode: Hosted}")).await;
    let tried = eventually(async || (controller.faults.refused().1 >= 2).then_some(()));
    tried.await.expect("what a watch told is to be stored, and again");
    assert_eq!(controller.server.served("comune.apecchio.pu.it").unwrap().serial, before.serial);

    // Then the watches end too, and each of the ten begins anew several times.
    let reads = controller.faults.refused().0;
    controller.faults.cut();
    centre.apply(&domain("apecchio", "comune.apecchio.pu.it", ", ttl: 900, mail: {mode: Hosted}")).await;
    let tried = eventually(async || (controller.faults.refused().0 >= reads + 30).then_some(()));
    tried.await.expect("the watches begin anew");
    assert_eq!(controller.server.served("comune.apecchio.pu.it").unwrap().serial, before.serial);

    controller.faults.away(false);
    let www = DomainName::parse("www.comune.apecchio.pu.it").unwrap();
    let served =
        async || controller.server.served("comune.apecchio.pu.it")?.zone.get(&www, RecordType::A).map(|set| set.ttl);
    eventually(async || (served().await == Some(900)).then_some(())).await.expect("work resumes by itself");
    assert!(controller.server.served("comune.apecchio.pu.it").unwrap().serial > before.serial);
    controller.stop().await;
}

#[tokio::test]
async fn a_volume_that_cannot_grow_holds_back_nothing_else_of_its_site() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("frontone", "[comune.frontone.pu.it]").await;
    centre.apply(&domain("frontone", "comune.frontone.pu.it", "")).await;
    let site = |more: &str| {
        format!(
            "apiVersion: territorial.services/v1alpha1\nkind: WebSite\nmetadata: {{name: portale, namespace: t-frontone}}\n\
             spec: {{application: Static, host: comune.frontone.pu.it{more}}}"
        )
    };
    let (sites, routes) = (centre.api::<WebSite>("t-frontone"), centre.routes("t-frontone"));
    centre.apply(&site(", storage: 1Gi")).await;
    eventually(async || routes.get_opt("portale").await.unwrap()).await.expect("the site is built");
    // The API server lets no claim grow that is not bound, or whose class does not let it.
    centre.apply(&site(", storage: 2Gi, aliases: [www.comune.frontone.pu.it]")).await;
    eventually(async || routes.get_opt("portale.aliases").await.unwrap()).await.expect("the alias has its route");
    let told = |site: &WebSite| {
        let stalled = condition(site, "Stalled");
        stalled.is_some_and(|c| c.message.contains("PersistentVolumeClaim") && !c.message.contains("Status {"))
    };
    let site = centre.until(&sites, "portale", told).await;
    assert!(condition(&site, "Reconciling").is_none(), "only a human can help");
    let events: Api<Event> = centre.api("t-frontone");
    let warned = async || {
        let mut events = events.list(&ListParams::default()).await.unwrap().items.into_iter();
        let note = |event: Event| event.note.filter(|note| note.contains("PersistentVolumeClaim"));
        events.find_map(note)
    };
    eventually(warned).await.expect("an event tells it");
    controller.stop().await;
}
