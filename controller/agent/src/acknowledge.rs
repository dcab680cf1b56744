//! Says what is installed, in the agent's own `ConfigMap`.

use std::time::Duration;

use cst_compiler::desired::mail::ack::{self, Ack};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long one write may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest pause between attempts.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Writes each acknowledgement that differs from the one before, until the sender is gone. What fails is tried again, always with the
/// newest.
pub async fn write_all(client: Client, namespace: &str, pod: &str, mut acks: watch::Receiver<Option<Ack>>) {
    let api: Api<ConfigMap> = Api::namespaced(client, namespace);
    let mut written = None;
    let mut pause = Duration::from_millis(100);
    while acks.changed().await.is_ok() {
        loop {
            let newest = acks.borrow_and_update().clone();
            if newest == written {
                break;
            }
            let Some(ack) = &newest else { break };
            match write(&api, pod, ack).await {
                Ok(()) => {
                    written = newest;
                    pause = Duration::from_millis(100);
                }
                Err(error) => {
                    tracing::warn!(error, "cannot write the acknowledgement, trying again");
                    sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }
}

async fn write(api: &Api<ConfigMap>, pod: &str, ack: &Ack) -> Result<(), String> {
    let name = ack::config_map_name(pod);
    let map = serde_json::json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "cst", (ack::LABEL): pod}},
        "data": ack.to_data(),
    });
    let parameters = PatchParams::apply("cst-agent").force();
    match timeout(PATIENCE, api.patch(&name, &parameters, &Patch::Apply(&map))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the API server did not answer in time".into()),
    }
}
