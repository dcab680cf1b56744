//! Sites: a page changes and outlives its pod, an alias comes, a site goes and comes back with its files and its database.

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret};
use kube::api::{AttachParams, ListParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};

use crate::ask::{dig, page};
use crate::cluster::eventually;
use crate::member::{Member, until};

/// The member's portal: its host, with these fields.
pub async fn portal(member: &Member, more: Value) -> String {
    let host = format!("www.{}", member.zone);
    let mut spec = json!({"application": "Lamp", "host": host});
    spec.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    member.apply("WebSite", "portale", spec).await;
    host
}

/// Writes a page as its author would: into the site's volume.
async fn write(member: &Member, content: &str) {
    let pods: Api<Pod> = member.cluster.api(&member.namespace());
    let pod =
        pods.list(&ListParams::default().labels("territorial.services/site=portale")).await.unwrap().items.remove(0);
    let command = ["sh", "-c", "printf %s \"$1\" >/data/public/pagina.html", "sh", content];
    let mut process = pods.exec(&pod.name_any(), command, &AttachParams::default()).await.unwrap();
    let status = process.take_status().unwrap();
    process.join().await.unwrap();
    assert_eq!(status.await.unwrap().status.as_deref(), Some("Success"));
}

/// How often the page was asked for, as its database knows it.
pub fn visits(member: &Member, host: &str) -> Option<u32> {
    let (code, content) = page(&member.cluster, host, "/");
    let count = content.split("id=\"visits\">").nth(1)?.split('<').next()?.parse().ok()?;
    (code == 200).then_some(count)
}

#[tokio::test]
async fn a_page_changes_and_an_alias_leads_to_it() {
    let member = Member::join().await;
    member.domain(json!([])).await;
    let host = portal(&member, json!({})).await;
    member.ready("WebSite", "portale").await;
    member.ready("Domain", &member.zone).await;
    assert_eq!(dig(&member.cluster.name_servers[0], &host, "A"), ["192.0.2.80"]);
    assert_eq!(page(&member.cluster, &host, "/pagina.html").0, 404);
    write(&member, "<p>Albo pretorio</p>").await;
    assert_eq!(page(&member.cluster, &host, "/pagina.html"), (200, "<p>Albo pretorio</p>".to_owned()));
    member.cluster.replace_pods(&member.namespace(), "territorial.services/site=portale").await;
    until("the page is there again", || page(&member.cluster, &host, "/pagina.html").1 == "<p>Albo pretorio</p>").await;

    let alias = format!("portale.{}", member.zone);
    assert_eq!(page(&member.cluster, &alias, "/").0, 404);
    portal(&member, json!({"aliases": [alias]})).await;
    until("the alias leads to the host", || page(&member.cluster, &alias, "/").0 == 301).await;
    member.leave().await;
}

#[tokio::test]
async fn a_retained_site_comes_back_with_its_files_and_its_database() {
    let member = Member::join().await;
    member.domain(json!([])).await;
    let host = portal(&member, json!({})).await;
    member.ready("WebSite", "portale").await;
    write(&member, "resta").await;
    let before = visits(&member, &host).unwrap();
    member.delete("WebSite", "portale").await;
    let records: Api<ConfigMap> = member.cluster.api("cst-system");
    let record = format!("applied.site.{}.portale", member.namespace());
    let is_retired = |map: &ConfigMap| map.data.as_ref().is_some_and(|data| data["applied"].contains("\"retired\""));
    let noted = eventually(async || records.get(&record).await.ok().filter(is_retired).map(drop));
    noted.await.expect("it is noted since when nobody asks for the site");
    assert_eq!(page(&member.cluster, &host, "/pagina.html"), (200, "resta".to_owned()), "retained, it stays up");
    let meanwhile = visits(&member, &host).expect("with its database");
    assert!(meanwhile > before);
    assert_eq!(dig(&member.cluster.name_servers[0], &host, "A"), ["192.0.2.80"]);
    portal(&member, json!({})).await;
    member.ready("WebSite", "portale").await;
    assert_eq!(page(&member.cluster, &host, "/pagina.html"), (200, "resta".to_owned()));
    assert!(visits(&member, &host).unwrap() > meanwhile, "the database goes on counting");
    member.leave().await;
}

#[tokio::test]
async fn a_site_to_be_deleted_leaves_nothing() {
    let member = Member::join().await;
    member.domain(json!([])).await;
    let host = portal(&member, json!({"deletionPolicy": "Delete"})).await;
    member.ready("WebSite", "portale").await;
    assert_eq!(page(&member.cluster, &host, "/").0, 200);
    member.delete("WebSite", "portale").await;
    until("nobody answers", || page(&member.cluster, &host, "/").0 == 404).await;
    until("its address is gone", || dig(&member.cluster.name_servers[0], &host, "A").is_empty()).await;
    let pods: Api<Pod> = member.cluster.api(&member.namespace());
    let gone = eventually(async || pods.list(&ListParams::default()).await.ok()?.items.is_empty().then_some(()));
    gone.await.expect("its pod is gone");
    let secrets: Api<Secret> = member.cluster.api(&member.namespace());
    let of_site = ListParams::default().labels("territorial.services/site=portale");
    let gone = eventually(async || secrets.list(&of_site).await.ok()?.items.is_empty().then_some(()));
    gone.await.expect("its database's password is gone");
    let volumes: Api<PersistentVolumeClaim> = member.cluster.api(&member.namespace());
    let gone = eventually(async || volumes.list(&ListParams::default()).await.ok()?.items.is_empty().then_some(()));
    gone.await.expect("its volume is gone");
    member.leave().await;
}
