//! The controller in this process against a real API server: what it makes, tells, keeps and survives.

mod absence;
mod damage;
mod dkim;
mod faults;
mod parents;
mod passwords;
mod restarts;
mod sites;
mod tenants;
mod zones;

use cst_api::{Domain, Mailbox, MailboxState, Tenant, WebSite};
use cst_compiler::model::{DomainName, RecordType};
use cst_kubernetes::published::{PublishedZone, config_map_name};
use cst_tests::centre::{Centre, Controller, condition, eventually};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service};
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
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
async fn mail_is_named_in_the_zone_only_after_every_agent_acknowledged() {
    let centre = Centre::new().await;
    let controller = centre.controller("a").await;
    centre.tenant("cagli", "[comune.cagli.pu.it]").await;
    centre.apply(&domain("cagli", "comune.cagli.pu.it", ", mail: {mode: Hosted}")).await;
    centre.apply(&mailbox("cagli", "comune.cagli.pu.it", "protocollo")).await;
    let (domains, boxes): (Api<Domain>, Api<Mailbox>) = (centre.api("t-cagli"), centre.api("t-cagli"));
    let mx = |stored: &PublishedZone| stored.zone.get(stored.apex(), RecordType::MX).is_some();

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
    until_published(&centre, "comune.cantiano.pu.it", |stored| stored.zone.get(&address, RecordType::A).is_some())
        .await;

    // What somebody else removes or changes is made again; what is no longer wanted goes.
    let uid = deployments.get("portale").await.unwrap().uid();
    deployments.delete("portale", &DeleteParams::default()).await.unwrap();
    centre.until(&deployments, "portale", |deployment| deployment.uid() != uid).await;
    let none = serde_json::json!({"spec": {"replicas": 0}});
    deployments.patch("portale", &PatchParams::default(), &Patch::Merge(&none)).await.unwrap();
    let services: Api<Service> = centre.api("t-cantiano");
    let uid = services.get("site-portale").await.unwrap().uid();
    services.delete("site-portale", &DeleteParams::default()).await.unwrap();
    centre.until(&services, "site-portale", |service| service.uid() != uid).await;
    let replicas = |deployment: &Deployment| deployment.spec.as_ref().and_then(|spec| spec.replicas);
    centre.until(&deployments, "portale", |deployment| replicas(deployment) == Some(1)).await;
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
    centre.apply(&domain("sassocorvaro", "comune.sassocorvaro.pu.it", ", mail: {mode: Hosted}")).await;
    centre.apply(&mailbox("sassocorvaro", "comune.sassocorvaro.pu.it", "anagrafe")).await;
    let secrets: Api<Secret> = centre.api("t-sassocorvaro");
    let password =
        async || Some(secrets.get_opt("anagrafe-password").await.unwrap()?.data.unwrap()["password"].clone());
    let before = eventually(password).await.expect("a password is generated");

    centre.delete_tenant("sassocorvaro").await;
    let left = async || bindings.get_opt("cst-tenant-administrator").await.unwrap().is_none().then_some(());
    eventually(left).await.expect("the tenant has left");
    centre.remove_namespace("t-sassocorvaro").await;
    centre.tenant("sassocorvaro", "[comune.sassocorvaro.pu.it]").await;
    let there =
        eventually(async || (!bindings.list(&ListParams::default()).await.ok()?.items.is_empty()).then_some(()));
    there.await.expect("a tenant that comes back has all");
    centre.apply(&domain("sassocorvaro", "comune.sassocorvaro.pu.it", ", mail: {mode: Hosted}")).await;
    centre.apply(&mailbox("sassocorvaro", "comune.sassocorvaro.pu.it", "anagrafe")).await;
    assert_eq!(eventually(password).await.expect("the password is where its owner finds it"), before);
    centre.until_reason(&centre.api::<Mailbox>("t-sassocorvaro"), "anagrafe", "Waiting").await;
    controller.stop().await;
}
