//! One watch: objects as they come and go, and whether all have been listed. An error is never an absence.

use std::collections::HashSet;
use std::fmt::Debug;
use std::time::Duration;

use cst_compiler::model::ObjectKey;
use futures_util::StreamExt as _;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::error_boundary::InvalidObject;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::watcher::{self, Config, watcher};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;

use crate::failure::chain;

const FIRST_DELAY: Duration = Duration::from_millis(50);
const LAST_DELAY: Duration = Duration::from_secs(30);

/// What a watch saw.
#[derive(Clone, Debug)]
pub enum Seen<K> {
    /// An object, new or changed.
    There(Box<K>),
    /// An object that this program cannot read; what it stood for goes on as it was.
    Unreadable {
        /// Which.
        metadata: Box<ObjectMeta>,
        /// What is wrong.
        error: String,
    },
    /// An object that is no more, or no longer carries the label.
    Gone(ObjectKey),
    /// Everything there is has been told.
    Listed,
    /// The API server's store was set back: everything is told once more, and is as it is told, however new what was told before.
    Anew,
}

/// Follows a watch for good and hands on what it sees. It begins anew by itself after every failure; what had been listed before and
/// is not there then is told as gone. So it does when `set_backs` says that the store was set back: a watch that goes on from a version that
/// the store has not reached again is told nothing. Ends when nobody listens.
pub async fn follow<T: Told, E>(
    api: Api<T>,
    config: Config,
    mut set_backs: tokio::sync::watch::Receiver<u32>,
    to: mpsc::Sender<E>,
    wrap: impl Fn(Seen<T::Object>) -> E,
) {
    let url = api.resource_url().to_owned();
    let begin = || Box::pin(watcher(api.clone(), config.clone()));
    let mut stream = begin();
    let mut known = Known::default();
    let mut delay = FIRST_DELAY;
    loop {
        let event = tokio::select! {
            Some(event) = stream.next() => event,
            Ok(()) = set_backs.changed() => {
                stream = begin();
                if to.send(wrap(Seen::Anew)).await.is_err() {
                    return;
                }
                continue;
            }
            else => return,
        };
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%url, error = %chain(&error), "the watch failed and begins anew");
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(LAST_DELAY);
                continue;
            }
        };
        if !matches!(event, watcher::Event::Init) {
            delay = FIRST_DELAY;
        }
        for seen in known.take(event) {
            if to.send(wrap(seen)).await.is_err() {
                return;
            }
        }
    }
}

/// What the API server tells of an object.
pub trait Told: Resource<DynamicType: Clone> + Clone + Debug + DeserializeOwned + Send + 'static {
    /// What is made of it.
    type Object;

    /// The object, if it can be read.
    fn read(self) -> Result<Box<Self::Object>, Box<InvalidObject>>;
}

impl<K> Told for DeserializeGuard<K>
where
    K: Resource<DynamicType: Clone> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    type Object = K;

    fn read(self) -> Result<Box<K>, Box<InvalidObject>> {
        self.0.map(Box::new).map_err(Box::new)
    }
}

/// Behind the guard the API server would be asked for whole objects.
impl Told for PartialObjectMeta {
    type Object = Self;

    fn read(self) -> Result<Box<Self>, Box<InvalidObject>> {
        Ok(Box::new(self))
    }
}

/// The keys that were told, to know after another list which are gone.
#[derive(Default)]
struct Known {
    told: HashSet<ObjectKey>,
    listing: Option<HashSet<ObjectKey>>,
}

impl Known {
    fn take<T: Told>(&mut self, event: watcher::Event<T>) -> Vec<Seen<T::Object>> {
        match event {
            watcher::Event::Init => {
                self.listing = Some(HashSet::new());
                Vec::new()
            }
            watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
                let key = key(&object);
                self.listing.as_mut().map(|listing| listing.insert(key.clone()));
                self.told.insert(key);
                vec![match object.read() {
                    Ok(object) => Seen::There(object),
                    Err(invalid) => Seen::Unreadable { metadata: Box::new(invalid.metadata), error: invalid.error },
                }]
            }
            watcher::Event::Delete(object) => {
                let key = key(&object);
                self.told.remove(&key);
                vec![Seen::Gone(key)]
            }
            watcher::Event::InitDone => {
                let listed = self.listing.take().unwrap_or_default();
                let gone: Vec<ObjectKey> = self.told.difference(&listed).cloned().collect();
                self.told = listed;
                gone.into_iter().map(Seen::Gone).chain([Seen::Listed]).collect()
            }
        }
    }
}

fn key(object: &impl Resource) -> ObjectKey {
    ObjectKey::new(object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use watcher::Event;

    fn object(name: &str) -> DeserializeGuard<ConfigMap> {
        serde_json::from_value(serde_json::json!({"metadata": {"namespace": "n", "name": name}})).unwrap()
    }

    fn told(known: &mut Known, events: Vec<Event<DeserializeGuard<ConfigMap>>>) -> Vec<String> {
        let seen = events.into_iter().flat_map(|event| known.take(event));
        seen.map(|seen| match seen {
            Seen::There(object) => format!("+{}", object.name_any()),
            Seen::Unreadable { metadata, .. } => format!("?{}", metadata.name.unwrap_or_default()),
            Seen::Gone(key) => format!("-{}", key.name),
            Seen::Listed => "listed".into(),
            Seen::Anew => "anew".into(),
        })
        .collect()
    }

    #[test]
    fn what_a_second_list_lacks_is_gone_only_when_the_list_is_whole() {
        let mut known = Known::default();
        let first = vec![Event::Init, Event::InitApply(object("a")), Event::InitApply(object("b")), Event::InitDone];
        assert_eq!(told(&mut known, first), ["+a", "+b", "listed"]);
        let broken = vec![Event::Init, Event::InitApply(object("b")), Event::Init, Event::InitApply(object("b"))];
        assert_eq!(told(&mut known, broken), ["+b", "+b"]);
        assert_eq!(told(&mut known, vec![Event::InitDone, Event::Apply(object("c"))]), ["-a", "listed", "+c"]);
        assert_eq!(told(&mut known, vec![Event::Init, Event::InitDone]).len(), 3);
    }

    #[test]
    fn an_object_that_cannot_be_read_is_told_and_is_there() {
        let mut known = Known::default();
        let broken: DeserializeGuard<ConfigMap> =
            serde_json::from_value(serde_json::json!({"metadata": {"namespace": "n", "name": "a"}, "data": 5}))
                .unwrap();
        assert_eq!(told(&mut known, vec![Event::Init, Event::InitApply(broken), Event::InitDone]), ["?a", "listed"]);
        assert_eq!(told(&mut known, vec![Event::Delete(object("a"))]), ["-a"]);
    }
}
