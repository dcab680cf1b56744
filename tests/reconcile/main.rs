//! The controller in this process against a real API server: what it makes, tells, keeps and survives.

mod faults;

use cst_api::{Domain, Mailbox, MailboxState, Tenant, WebSite};
use cst_compiler::model::DomainName;
use cst_kubernetes::published::{PublishedZone, config_map_name};
use cst_tests::centre::{Centre, Controller, condition, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Secret};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt as _};

const DOMAIN: &str = "apiVersion: territorial.services/v1alpha1
kind: Domain
metadata: {name: NAME, namespace: t-TENANT}
spec: {records: [{name: www, type: A, values: [\"192.0.2.10\"]}]MORE}";

const MAILBOX: &str = "apiVersion: territorial.services/v1alpha1
kind: Mailbox
metadata: {name: NAME, namespace: t-TENANT}
spec: {address: NAME@DOMAIN}";

fn domain(tenant: &str, name: &str, more: &str) -> String {
    DOMAIN.replace("NAME", name).replace("TENANT", tenant).replace("MORE", more)
}

fn mailbox(tenant: &str, domain: &str, name: &str) -> String {
    MAILBOX.replace("NAME", name).replace("TENANT", tenant).replace("DOMAIN", domain)
}

async fn published(centre: &Centre, zone: &str) -> Option<PublishedZone> {
    let maps: Api<ConfigMap> = centre.api(&centre.namespace);
    let map = maps.get_opt(&config_map_name(&DomainName::parse(zone).unwrap())).await.unwrap()?;
    Some(PublishedZone::from_config_map(&map).unwrap())
}

/// As [`published`], of a zone that is about to be stored.
async fn until_published(centre: &Centre, zone: &str, wanted: impl Fn(&PublishedZone) -> bool) -> PublishedZone {
    let stored = eventually(async || published(centre, zone).await.filter(&wanted)).await;
    stored.unwrap_or_else(|| panic!("{zone} is not stored as wanted"))
}

async fn until_complete(controller: &Controller) {
    let complete = eventually(async || controller.server.is_complete().then_some(())).await;
    complete.expect("the catalog may be served");
}

#[tokio::test]
async fn a_tenant_gets_its_namespace_and_who_may_do_what_there() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre
        .apply(
            "apiVersion: territorial.services/v1alpha1
kind: Tenant
metadata: {name: urbino}
spec: {displayName: Comune di Urbino, entityType: Comune, limits: {cpu: \"8\"}, administrators: [{kind: Group, name: urbino-admins}]}",
        )
        .await;
    let tenants: Api<Tenant> = Api::all(centre.client.clone());
    let tenant = centre.until_reason(&tenants, "urbino", "Ready").await;
    assert_eq!(tenant.status.unwrap().namespace.as_deref(), Some("t-urbino"));
    let namespace = Api::<Namespace>::all(centre.client.clone()).get("t-urbino").await.unwrap();
    assert_eq!(namespace.labels()["pod-security.kubernetes.io/enforce"], "restricted");
    let bindings: Api<RoleBinding> = centre.api("t-urbino");
    let admins = bindings.get("cst-tenant-administrator").await.unwrap();
    assert_eq!(admins.subjects.unwrap()[0].name, "urbino-admins");

    // What the tenant no longer wants goes; the namespace never does.
    let quotas: Api<k8s_openapi::api::core::v1::ResourceQuota> = centre.api("t-urbino");
    let before = quotas.list(&ListParams::default()).await.unwrap().items.len();
    assert!(before > 0);
    centre.delete_tenant("urbino").await;
    controller.stop().await;
    assert!(
        Api::<Namespace>::all(centre.client.clone())
            .get("t-urbino")
            .await
            .unwrap()
            .metadata
            .deletion_timestamp
            .is_none()
    );
}

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
async fn mail_is_named_in_the_zone_only_after_every_agent_acknowledged() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("cagli", "[comune.cagli.pu.it]").await;
    centre.apply(&domain("cagli", "comune.cagli.pu.it", ", mail: {mode: Hosted}")).await;
    centre.apply(&mailbox("cagli", "comune.cagli.pu.it", "protocollo")).await;
    let (domains, boxes): (Api<Domain>, Api<Mailbox>) = (centre.api("t-cagli"), centre.api("t-cagli"));
    let mx = |stored: &PublishedZone| stored.zone.get(stored.apex(), 15).is_some();

    let waiting = centre.until_reason(&boxes, "protocollo", "Waiting").await;
    assert_eq!(condition(&waiting, "Installed").unwrap().status, "False");
    assert!(!mx(&until_published(&centre, "comune.cagli.pu.it", |_| true).await));
    let secret: Secret = centre.api("t-cagli").get("protocollo-password").await.unwrap();
    let data = secret.data.unwrap();
    assert!(data["hash"].0.starts_with(b"{SHA512-CRYPT}$6$") && data["password"].0.len() >= 20);

    centre.agent_installs_all().await;
    let ready = centre.until_reason(&boxes, "protocollo", "Ready").await;
    let status = ready.status.unwrap();
    assert_eq!(status.addresses, ["protocollo@comune.cagli.pu.it"]);
    assert_eq!(
        (status.state, status.quota.as_deref()),
        (Some(MailboxState::Active), Some("1Gi")),
        "the defaults are told"
    );
    let domain = centre.until_reason(&domains, "comune.cagli.pu.it", "Ready").await;
    let stored = published(&centre, "comune.cagli.pu.it").await.unwrap();
    assert!(mx(&stored) && stored.mail_gate_open);
    assert_eq!(domain.status.unwrap().zone.unwrap().serial, stored.serial);

    // One more box: the first one stays ready, whatever the agents are still to do.
    centre.apply(&mailbox("cagli", "comune.cagli.pu.it", "anagrafe")).await;
    centre.until_reason(&boxes, "anagrafe", "Waiting").await;
    assert_eq!(condition(&boxes.get("protocollo").await.unwrap(), "Ready").unwrap().status, "True");
    assert!(mx(&published(&centre, "comune.cagli.pu.it").await.unwrap()));
    centre.agent_installs_all().await;
    centre.until_reason(&boxes, "anagrafe", "Ready").await;
    controller.stop().await;
}

#[tokio::test]
async fn a_site_is_built_and_ready_when_its_pod_runs_and_the_gateway_took_its_routes() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("cantiano", "[comune.cantiano.pu.it]").await;
    centre.apply(&domain("cantiano", "comune.cantiano.pu.it", "")).await;
    let site = |name: &str, more: &str| {
        format!(
            "apiVersion: territorial.services/v1alpha1\nkind: WebSite\nmetadata: {{name: {name}, namespace: t-cantiano}}\n\
             spec: {{application: Static, host: {name}.comune.cantiano.pu.it{more}}}"
        )
    };
    centre.apply(&site("portale", ", aliases: [albo.comune.cantiano.pu.it]")).await;
    centre.apply(&site("archivio", ", deletionPolicy: Delete")).await;
    centre.apply(&site("wiki", "").replace("Static", "Wiki")).await;
    let sites: Api<WebSite> = centre.api("t-cantiano");
    let deployments: Api<Deployment> = centre.api("t-cantiano");
    centre.until_reason(&sites, "portale", "Waiting").await;
    centre.site_runs("t-cantiano", "portale", &["portale", "portale.aliases"]).await;
    centre.site_runs("t-cantiano", "archivio", &["archivio"]).await;
    let waits = |site: &WebSite| {
        condition(site, "Ready").is_some_and(|ready| ready.message.contains("the gateway to answer for portale.comune"))
    };
    let gateway = centre.gateway().await;
    centre.until(&sites, "portale", waits).await;
    eventually(async || (gateway.asked() > 3).then_some(())).await.expect("it is asked again and again");
    gateway.leads();
    let ready = centre.until_reason(&sites, "portale", "Ready").await;
    assert_eq!(ready.status.unwrap().hosts, ["portale.comune.cantiano.pu.it", "albo.comune.cantiano.pu.it"]);
    centre.until_reason(&sites, "archivio", "Ready").await;
    centre.until_reason(&sites, "wiki", "UnknownApplication").await;
    let address = DomainName::parse("albo.comune.cantiano.pu.it").unwrap();
    until_published(&centre, "comune.cantiano.pu.it", |stored| stored.zone.get(&address, 1).is_some()).await;

    // What somebody else removes is made again; what is no longer wanted goes.
    deployments.delete("portale", &DeleteParams::default()).await.unwrap();
    let uid = centre
        .until(&deployments, "portale", |deployment| deployment.metadata.deletion_timestamp.is_none())
        .await
        .uid();
    assert!(uid.is_some());
    centre.apply(&site("portale", "")).await;
    centre.until(&sites, "portale", |site| site.status.as_ref().is_some_and(|status| status.hosts.len() == 1)).await;

    // Deleted with Retain it stays up; with Delete all of it goes.
    for name in ["portale", "archivio"] {
        sites.delete(name, &DeleteParams::default()).await.unwrap();
    }
    eventually(async || deployments.get_opt("archivio").await.unwrap().is_none().then_some(())).await.unwrap();
    let claims: Api<PersistentVolumeClaim> = centre.api("t-cantiano");
    let gone = eventually(async || {
        let claim = claims.get_opt("archivio").await.unwrap();
        claim.is_none_or(|claim| claim.metadata.deletion_timestamp.is_some()).then_some(())
    });
    gone.await.unwrap();
    assert!(deployments.get_opt("portale").await.unwrap().is_some());
    assert!(claims.get("portale").await.unwrap().metadata.deletion_timestamp.is_none());
    controller.stop().await;
}

#[tokio::test]
async fn a_tenant_that_left_or_lost_its_namespace_comes_back_whole() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    let tenants: Api<Tenant> = Api::all(centre.client.clone());
    let bindings: Api<RoleBinding> = centre.api("t-sassocorvaro");
    centre.tenant("sassocorvaro", "[comune.sassocorvaro.pu.it]").await;
    centre.until_reason(&tenants, "sassocorvaro", "Ready").await;
    // Without a controller of namespaces nothing removes what is in one: the test does.
    centre.remove_namespace("t-sassocorvaro").await;
    let there =
        eventually(async || (!bindings.list(&ListParams::default()).await.ok()?.items.is_empty()).then_some(()));
    there.await.expect("the namespace is made again, with its fences");

    centre.delete_tenant("sassocorvaro").await;
    centre.remove_namespace("t-sassocorvaro").await;
    centre.tenant("sassocorvaro", "[comune.sassocorvaro.pu.it]").await;
    let there =
        eventually(async || (!bindings.list(&ListParams::default()).await.ok()?.items.is_empty()).then_some(()));
    there.await.expect("a tenant that comes back has all");
    centre.apply(&domain("sassocorvaro", "comune.sassocorvaro.pu.it", ", mail: {mode: Hosted}")).await;
    centre.apply(&mailbox("sassocorvaro", "comune.sassocorvaro.pu.it", "anagrafe")).await;
    centre.until_reason(&centre.api::<Mailbox>("t-sassocorvaro"), "anagrafe", "Waiting").await;
    controller.stop().await;
}

#[tokio::test]
async fn a_restart_writes_nothing_and_serves_the_same() {
    let centre = Centre::new().await;
    let first = centre.controller("a").await;
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
    centre
        .until(&Api::<Tenant>::all(centre.client.clone()), "pergola", |tenant| {
            let units = tenant.status.as_ref().and_then(|status| status.units);
            units.is_some_and(|units| (units.domains, units.mailboxes, units.web_sites) == (1, 3, 1))
        })
        .await;
    let served = first.server.served("comune.pergola.pu.it").unwrap();
    first.stop().await;
    // What was told to be Ready is believed: nobody has to answer now.
    drop(gateway);

    // The API server counts the first re-apply of a volume claim as a change, whoever does it: that one is over after "b".
    for (replica, tenant) in [("b", "urbania"), ("c", "isola-del-piano")] {
        let before = centre.versions().await;
        let controller = centre.controller(replica).await;
        controller.server.public_servers(false);
        let again = eventually(async || controller.server.served("comune.pergola.pu.it")).await.unwrap();
        assert_eq!((again.serial, again.inception, &again.key), (served.serial, served.inception, &served.key));
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
async fn what_is_deleted_with_retain_is_served_on_and_comes_back_as_it_was() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("gradara", "[comune.gradara.pu.it, turismo.gradara.pu.it]").await;
    centre.apply(&domain("gradara", "comune.gradara.pu.it", "")).await;
    centre.apply(&domain("gradara", "turismo.gradara.pu.it", ", deletionPolicy: Delete")).await;
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
