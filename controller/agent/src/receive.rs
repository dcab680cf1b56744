//! The watch of the shard Secrets.

use cst_compiler::desired::mail::shard;
use futures_util::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};

use crate::inbox::Event;

/// The events of the shard Secrets, endlessly: a list, then single changes. Errors are logged and waited out; a list that
/// breaks off is nothing.
pub fn events(client: Client, namespace: &str) -> impl Stream<Item = Event> {
    let config = watcher::Config::default().labels(shard::LABEL).page_size(100);
    let stream = watcher(Api::<Secret>::namespaced(client, namespace), config).default_backoff();
    stream.filter_map(|event| std::future::ready(read(event)))
}

fn read(event: Result<watcher::Event<Secret>, watcher::Error>) -> Option<Event> {
    match event {
        Ok(watcher::Event::Init) => Some(Event::Listing),
        Ok(watcher::Event::InitApply(secret)) => Some(Event::Found(secret)),
        Ok(watcher::Event::InitDone) => Some(Event::Listed),
        Ok(watcher::Event::Apply(secret)) => Some(Event::Applied(secret)),
        Ok(watcher::Event::Delete(secret)) => Some(Event::Deleted(secret)),
        Err(error) => {
            tracing::warn!(%error, "the watch of the shard Secrets is interrupted");
            None
        }
    }
}
