//! The mail agent as the chart lets it: it reads the shards of its namespace and writes what it installed.

use std::collections::BTreeSet;

use cst_compiler::desired::mail::ack::{self, Ack};
use cst_compiler::desired::mail::shard;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::json;

use super::rules::{each, rules};
use super::*;

const NAMESPACE: &str = "cst-mail";
const POD: &str = "mail-0";

async fn agent() -> Client {
    Client::try_from(config_of_account(NAMESPACE, "agent").await).unwrap()
}

#[tokio::test]
async fn reads_shards_and_acknowledges_them() {
    let client = admin().await;
    let root = tempfile::tempdir().unwrap();
    let config = cst_agent::Config { root: root.path().into(), ..cst_agent::Config::in_pod(NAMESPACE, POD) };
    let running = tokio::spawn(cst_agent::serve(config, agent().await));
    let maps: Api<ConfigMap> = Api::namespaced(client, NAMESPACE);
    let acknowledged = async |wanted: &dyn Fn(&Ack) -> bool| {
        let ack = eventually(async || {
            let map = maps.get_opt(&ack::config_map_name(POD)).await.unwrap()?;
            Some(Ack::from_data(&map.data?).unwrap()).filter(|ack| wanted(ack))
        });
        ack.await.expect("the agent acknowledges what was listed and what comes after")
    };
    let empty = acknowledged(&|_| true).await;
    assert_eq!((empty.domains, empty.refused.len()), (0, 0));

    let shards: Api<Secret> = Api::namespaced(controller().await, NAMESPACE);
    let broken = secret("mail-broken", json!({ (shard::LABEL): "broken" }), "Opaque");
    let written = shards.patch("mail-broken", &PatchParams::apply("cst"), &Patch::Apply(&broken)).await.unwrap();
    let version: u64 = written.metadata.resource_version.unwrap().parse().unwrap();
    let told = acknowledged(&|ack| ack.watermark >= version).await;
    assert!(told.refused.contains_key("mail-broken"), "{told:?}");
    running.abort();
}

#[tokio::test]
async fn may_do_nothing_else() {
    admin().await;
    let agent = agent().await;
    let mut wanted = each(&["get", "list", "watch"], &["secrets"]);
    wanted.extend(each(&["get", "patch"], &["configmaps/mail-agent-mail-0"]));
    wanted.insert("create configmaps".into());
    assert_eq!(rules(&agent, NAMESPACE).await, wanted);
    for elsewhere in [chart::NAMESPACE, "cst-dns", "cst-web", "kube-system"] {
        assert_eq!(rules(&agent, elsewhere).await, BTreeSet::new(), "{elsewhere}");
    }
    let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mail-agent-mail-1", "namespace": NAMESPACE}});
    let message = refusal(try_apply(&agent, &manifest(other)).await);
    assert!(message.contains("cannot patch resource \"configmaps\""), "{message}");
    let secrets: Api<Secret> = Api::namespaced(agent.clone(), chart::NAMESPACE);
    let message = refusal(secrets.list(&ListParams::default()).await);
    assert!(message.contains("cannot list resource \"secrets\""), "{message}");
    let message = refusal(try_create(&agent, NAMESPACE, &secret("s", json!({}), "Opaque")).await);
    assert!(message.contains("cannot create resource \"secrets\""), "{message}");
}
