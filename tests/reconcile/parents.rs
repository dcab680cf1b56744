//! What the zones above say, and what is done by it.

use cst_api::{Domain, Tenant};
use cst_compiler::model::record::Ds;
use cst_compiler::plan::parent::{Parent, ParentAnswer};
use cst_tests::centre::{Centre, condition, eventually, settings};
use kube::Api;
use kube::api::DeleteParams;

use super::{domain, published, until_published};

/// One server, with the DS of these keys.
fn parent(tags: &[u16]) -> Parent {
    let ds = |tag: &u16| Ds { key_tag: *tag, algorithm: 13, digest_type: 2, digest: vec![7; 32] };
    let answer = ParentAnswer { ds: tags.iter().map(ds).collect(), ttl: 3600, ..ParentAnswer::default() };
    Parent { servers: [("a.dns.example".to_owned(), Some(answer))].into() }
}

#[tokio::test]
async fn a_zone_goes_by_an_answer_that_was_asked_for_when_it_was_to_go() {
    let zone = "comune.gradara.pu.it";
    let centre = Centre::new().await;
    let mut settings = settings();
    settings.dns.resolvers = vec!["192.0.2.53:53".into()];
    let controller = centre.controller_with("a", settings).await;
    controller.server.parents_say(Some(parent(&[])));
    centre.tenant("gradara", "[comune.gradara.pu.it]").await;
    centre.apply(&domain("gradara", zone, ", deletionPolicy: Delete")).await;
    until_published(&centre, zone, |_| true).await;
    let (domains, tenants): (Api<Domain>, Api<Tenant>) = (centre.api("t-gradara"), Api::all(centre.client.clone()));
    centre.until_reason(&domains, zone, "Ready").await;

    controller.server.parents_say(None);
    domains.delete(zone, &DeleteParams::default()).await.unwrap();
    let waits_for = |tenant: &Tenant| tenant.status.as_ref()?.retained.first()?.waits_for.clone();
    let tenant = centre.until(&tenants, "gradara", |tenant| waits_for(tenant).is_some()).await;
    assert_eq!(waits_for(&tenant).as_deref(), Some("the parent to say once more what DS it has"));
    assert!(condition(&tenant, "Ready").unwrap().status == "True" && published(&centre, zone).await.is_some());

    controller.server.parents_say(Some(parent(&[1])));
    let tenant = centre.until(&tenants, "gradara", |tenant| condition(tenant, "PlanHeld").is_some()).await;
    assert!(condition(&tenant, "PlanHeld").unwrap().message.starts_with("the parent has a DS of comune.gradara.pu.it"));
    assert!(published(&centre, zone).await.is_some());

    // That lets go of it, and then it is asked.
    controller.server.parents_say(Some(parent(&[])));
    let gone = async || (published(&centre, zone).await.is_none() && !controller.server.lists(zone)).then_some(());
    eventually(gone).await.expect("it is withdrawn");
    controller.stop().await;
}
