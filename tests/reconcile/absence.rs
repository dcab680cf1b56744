//! Objects that went and that nobody deleted: with their kind, and with their namespace.

use cst_api::{DeletionPolicy, Domain, Mailbox, Tenant};
use cst_tests::api_server;
use cst_tests::centre::{Centre, Controller};
use kube::Api;
use kube::api::{DeleteParams, ListParams};

use super::{domain, mailbox, until_published};

const ZONE: &str = "comune.montelabbate.pu.it";
/// To go at once, and below the size from which the guard counts.
const AT_ONCE: &str = ", mail: {mode: Hosted}, deletionPolicy: Delete, dnssec: {mode: Unsigned}";

fn hasty_box(name: &str) -> String {
    mailbox("montelabbate", ZONE, name).replace("spec: {", "spec: {deletionPolicy: Delete, ")
}

/// A tenant with a Domain and two boxes that go at once when they are deleted.
async fn declare(centre: &Centre) {
    centre.tenant("montelabbate", &format!("[{ZONE}]")).await;
    centre.apply(&domain("montelabbate", ZONE, AT_ONCE)).await;
    for name in ["protocollo", "sindaco"] {
        centre.apply(&hasty_box(name)).await;
    }
}

async fn until_all_ready(centre: &Centre) {
    for name in ["protocollo", "sindaco"] {
        centre.until_installed("t-montelabbate", name).await;
    }
    let domains: Api<Domain> = centre.api("t-montelabbate");
    centre.until_reason(&domains, ZONE, "Ready").await;
}

/// Waits until its Tenant lists so much as retained.
async fn until_retained(centre: &Centre, wanted: &[&str]) {
    let tenants: Api<Tenant> = Api::all(centre.client.clone());
    let listed = |tenant: &Tenant| {
        let retained = tenant.status.iter().flat_map(|status| &status.retained);
        let names: Vec<&str> = retained.map(|unit| unit.name.as_str()).collect();
        names == wanted
    };
    centre.until(&tenants, "montelabbate", listed).await;
}

/// All boxes are deleted one by one, and go.
async fn boxes_go(centre: &Centre) {
    let boxes: Api<Mailbox> = centre.api("t-montelabbate");
    for name in ["protocollo", "sindaco"] {
        boxes.delete(name, &DeleteParams::default()).await.unwrap();
    }
    until_retained(centre, &[]).await;
}

fn is_served(controller: &Controller) -> bool {
    controller.server.lists(ZONE) && controller.server.served(ZONE).is_some()
}

#[tokio::test]
async fn a_zone_and_its_boxes_that_go_with_their_kinds_are_served_on() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    declare(&centre).await;
    until_all_ready(&centre).await;
    let boxes = ["protocollo", "sindaco"].map(|name| format!("{name}@{ZONE}"));

    api_server::delete_crds(&centre.client, &["mailboxes"]).await;
    until_retained(&centre, &[&boxes[0], &boxes[1]]).await;
    api_server::delete_crds(&centre.client, &["domains"]).await;
    until_retained(&centre, &[ZONE, &boxes[0], &boxes[1]]).await;
    assert!(is_served(&controller));
    controller.stop().await;

    // Another controller finds the kinds, and none of their objects.
    api_server::install_crds(&centre.client).await;
    let controller = centre.controller("b").await;
    until_published(&centre, ZONE, |stored| stored.retired.is_some()).await;
    until_retained(&centre, &[ZONE, &boxes[0], &boxes[1]]).await;
    declare(&centre).await;
    until_all_ready(&centre).await;
    until_retained(&centre, &[]).await;
    let stored = until_published(&centre, ZONE, |stored| stored.retired.is_none()).await;
    assert_eq!(stored.deletion_policy, DeletionPolicy::Delete);
    controller.stop().await;

    // And one to which all of that happened while nobody ran.
    api_server::delete_crds(&centre.client, &["mailboxes", "domains"]).await;
    api_server::install_crds(&centre.client).await;
    let controller = centre.controller("c").await;
    until_retained(&centre, &[ZONE, &boxes[0], &boxes[1]]).await;
    declare(&centre).await;
    until_all_ready(&centre).await;
    boxes_go(&centre).await;
    centre.api::<Domain>("t-montelabbate").delete(ZONE, &DeleteParams::default()).await.unwrap();
    let gone = cst_tests::centre::eventually(async || {
        centre.agent_installs_all().await;
        (!controller.server.lists(ZONE)).then_some(())
    });
    gone.await.expect("what somebody deletes goes at once");
    controller.stop().await;
}

#[tokio::test]
async fn a_zone_and_its_boxes_that_go_with_their_namespace_are_served_on() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    declare(&centre).await;
    until_all_ready(&centre).await;
    centre.remove_namespace("t-montelabbate").await;
    assert!(centre.api::<Domain>("t-montelabbate").list(&ListParams::default()).await.unwrap().items.is_empty());
    let boxes = ["protocollo", "sindaco"].map(|name| format!("{name}@{ZONE}"));
    until_retained(&centre, &[ZONE, &boxes[0], &boxes[1]]).await;
    assert!(is_served(&controller));
    declare(&centre).await;
    until_all_ready(&centre).await;
    until_retained(&centre, &[]).await;
    controller.stop().await;
}
