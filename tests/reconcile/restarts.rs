//! Another process in the place of the first: what was made and told is believed, and nothing is written twice.

use cst_api::{Domain, Mailbox, Tenant, WebSite};
use cst_tests::centre::{Centre, eventually};
use kube::Api;

use super::{domain, mailbox, until_complete};

/// A tenant with a domain, boxes and a site, all of them ready. Its gateway is gone at the end.
async fn one_of_everything(centre: &Centre) {
    centre.tenant("pergola", "[comune.pergola.pu.it]").await;
    centre.apply(&domain("pergola", "comune.pergola.pu.it", ", mail: {mode: Hosted}")).await;
    for name in ["sindaco", "protocollo", "tributi"] {
        centre.apply(&mailbox("pergola", "comune.pergola.pu.it", name)).await;
    }
    centre
        .apply(
            "apiVersion: territorial.services/v1alpha1\nkind: WebSite\nmetadata: {name: portale, namespace: t-pergola}\n\
             spec: {application: Static, host: comune.pergola.pu.it}",
        )
        .await;
    let gateway = centre.gateway().await;
    gateway.leads();
    centre.site_runs("t-pergola", "portale", &["portale"]).await;
    centre.until_reason(&centre.api::<WebSite>("t-pergola"), "portale", "Ready").await;
    let boxes: Api<Mailbox> = centre.api("t-pergola");
    let domains: Api<Domain> = centre.api("t-pergola");
    for name in ["sindaco", "protocollo", "tributi"] {
        centre.until_reason(&boxes, name, "Waiting").await;
    }
    centre.agent_installs_all().await;
    for name in ["sindaco", "protocollo", "tributi"] {
        centre.until_reason(&boxes, name, "Ready").await;
    }
    centre.until_reason(&domains, "comune.pergola.pu.it", "Ready").await;
    // The keys of its mail are made meanwhile; from then on only time is waited for.
    let ages = |domain: &Domain| {
        let next = domain.status.as_ref().and_then(|status| status.mail.as_ref()?.next.as_ref());
        next.is_some_and(|next| next.waits_for.contains("caches to forget that there were no keys"))
    };
    centre.until(&domains, "comune.pergola.pu.it", ages).await;
    centre
        .until(&Api::<Tenant>::all(centre.client.clone()), "pergola", |tenant| {
            let units = tenant.status.as_ref().and_then(|status| status.units);
            units.is_some_and(|units| (units.domains, units.mailboxes, units.web_sites) == (1, 3, 1))
        })
        .await;
}

#[tokio::test]
async fn a_restart_writes_nothing_and_serves_the_same() {
    let centre = Centre::new().await;
    let first = centre.controller("a").await;
    one_of_everything(&centre).await;
    let served = first.server.served("comune.pergola.pu.it").unwrap();
    first.stop().await;

    // The API server counts the first re-apply of a volume claim as a change, whoever does it: that one is over after "b".
    for (replica, tenant) in [("b", "urbania"), ("c", "isola-del-piano")] {
        let before = centre.versions().await;
        let controller = centre.controller(replica).await;
        controller.server.public_servers(false);
        let again = eventually(async || controller.server.served("comune.pergola.pu.it")).await.unwrap();
        assert_eq!((again.serial, again.inception, &again.keys), (served.serial, served.inception, &served.keys));
        assert_eq!(again.zone, served.zone);
        // Changes elsewhere come through: the controller has judged everything by then. What it puts off longest is a tenant's
        // numbers; this one's come after all that it had put off when it began.
        let tenants: Api<Tenant> = Api::all(centre.client.clone());
        centre.tenant(tenant, "[]").await;
        centre.until_reason(&tenants, tenant, "Ready").await;
        centre.apply(&domain(tenant, "comune.elsewhere.pu.it", "")).await;
        centre
            .until_reason(&centre.api::<Domain>(&format!("t-{tenant}")), "comune.elsewhere.pu.it", "NotGranted")
            .await;
        let counted = |tenant: &Tenant| tenant.status.as_ref().and_then(|s| s.units).is_some_and(|u| u.domains == 1);
        centre.until(&tenants, tenant, counted).await;
        let mut after = centre.versions().await;
        let claims = replica == "b";
        after.retain(|name, _| before.contains_key(name) && !(claims && name.starts_with("PersistentVolumeClaim ")));
        let written: Vec<&String> =
            after.iter().filter(|(name, version)| before[*name] != **version).map(|(n, _)| n).collect();
        assert_eq!(written, Vec::<&String>::new(), "written again");
        until_complete(&controller).await;
        controller.stop().await;
    }
}

#[tokio::test]
async fn a_follower_serves_and_takes_over() {
    let centre = Centre::new().await;
    let leader = centre.controller("a").await;
    centre.tenant("frontone", "[comune.frontone.pu.it]").await;
    centre.apply(&domain("frontone", "comune.frontone.pu.it", "")).await;
    let domains: Api<Domain> = centre.api("t-frontone");
    let zone = centre.until_reason(&domains, "comune.frontone.pu.it", "Ready").await.status.unwrap().zone.unwrap();
    let follower = centre.controller("b").await;
    let version = eventually(async || follower.server.served("comune.frontone.pu.it")).await.unwrap();
    assert_eq!((version.serial, follower.server.keys_made()), (zone.serial, 0));
    assert_eq!(follower.faults.writes(), 0, "a follower writes nothing");

    leader.kill();
    centre.apply(&domain("frontone", "comune.frontone.pu.it", ", ttl: 600")).await;
    eventually(async || follower.server.served("comune.frontone.pu.it").filter(|z| z.serial > zone.serial))
        .await
        .expect("the follower takes over");
    follower.stop().await;
}
