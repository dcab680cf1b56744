//! The controller: watches and the election in, work out, all around one engine.

mod takeover;

use std::collections::HashMap;
use std::fmt::Debug;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cst_api::{Domain, Mailbox, Tenant, WebSite};
use cst_compiler::desired::mail::{ack, shard};
use cst_compiler::desired::object::{MANAGED_BY, MANAGER, SITE, TENANT};
use cst_compiler::desired::tenancy::Installation;
use cst_compiler::index::Unit;
use cst_compiler::model::ObjectKey;
use cst_compiler::settings::Settings;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{ApiResource, DynamicObject};
use kube::core::{DeserializeGuard, GroupVersionKind, PartialObjectMeta};
use kube::runtime::watcher::Config;
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use crate::applied::Memory;
use crate::clock::Clock;
use crate::database;
use crate::engine::{Effect, Engine, Event, Shell, Trouble, WATCHED, Work, WorkError};
use crate::failure::chain;
use crate::leader::{Election, Term};
use crate::report::Reporter;
use crate::tally::Tally;
use crate::watch::{Seen, follow};
use crate::zone_server::{Observation, ZoneServer};
use crate::{dkim, keys, leader, names};

use takeover::Lead;

/// How many pieces of work are in hand at a time.
const AT_ONCE: usize = 32;
/// How long one piece may take; the largest zone is signed in a fraction of it.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long work may go on after the end was asked for.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often is looked whether what was applied is there, should the watches have missed that it is not.
const LOOK: Duration = Duration::from_hours(1);
/// How many events wait at most.
const EVENTS: usize = 4096;

/// Where the controller runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its namespace, with the published state.
    pub namespace: String,
    /// Its ServiceAccount, which the tenants' namespaces let in.
    pub service_account: String,
    /// The mail system's namespace.
    pub mail_namespace: String,
    /// The mail pods that must acknowledge, by name.
    pub mail_pods: Vec<String>,
    /// This replica's name: its pod's.
    pub identity: String,
}

/// What the controller acts upon, beside the API server.
pub struct Servers {
    /// The hidden primary.
    pub zones: Arc<dyn ZoneServer>,
    /// What public servers answered.
    pub observations: mpsc::Receiver<Observation>,
    /// The server of the sites' databases; `None`: there are none.
    pub databases: Option<database::Server>,
    /// Where it is told how much waits for a human.
    pub tally: Arc<Tally>,
}

/// Why the controller cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The settings name no time zone of the database.
    #[error("timeZone of the settings is `{name}`: write an IANA time zone, such as Europe/Rome")]
    TimeZone {
        /// As written.
        name: String,
        /// Why.
        source: k8s_openapi::jiff::Error,
    },
}

/// Runs the controller until `stop` ends. Whatever fails on the way is tried again.
pub async fn run(
    client: Client,
    settings: Settings,
    options: Options,
    servers: Servers,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let clock = Clock::new(&settings.time_zone)
        .map_err(|source| RunError::TimeZone { name: settings.time_zone.clone(), source })?;
    let (events, inbox) = mpsc::channel(EVENTS);
    let shell = Shell {
        client: client.clone(),
        namespace: options.namespace.clone(),
        mail_namespace: options.mail_namespace.clone(),
        server: servers.zones,
        databases: servers.databases,
        reporter: Reporter::new(client.clone(), &options.identity),
        memory: Memory::default(),
        keys: Mutex::new(HashMap::new()),
    };
    let installation = Installation {
        controller: ObjectKey::new(&options.namespace, &options.service_account),
        mail_namespace: options.mail_namespace.clone(),
    };
    let Election { terms, set_backs, task: election } =
        leader::elect(client.clone(), &options.namespace, "cst-controller", &options.identity);
    let mut watches =
        Watches { client, events, set_backs: set_backs.clone(), tasks: JoinSet::new(), secrets: HashMap::new() };
    watches.begin(&settings, &options);
    let controller = Controller {
        engine: Engine::new(settings, installation, options.mail_pods),
        shell: Arc::new(shell),
        clock,
        watches,
        jobs: JoinSet::new(),
        running: HashMap::new(),
        complete: false,
        tally: servers.tally,
        lead: Lead::default(),
    };
    controller.run(inbox, servers.observations, (terms, set_backs), stop).await;
    tokio::time::timeout(FAREWELL, election).await.ok();
    Ok(())
}

/// What a piece of work comes to.
type Ended = (Vec<Effect>, Result<(), WorkError>);

struct Controller {
    engine: Engine,
    shell: Arc<Shell>,
    clock: Clock,
    watches: Watches,
    jobs: JoinSet<Ended>,
    running: HashMap<Id, Work>,
    complete: bool,
    tally: Arc<Tally>,
    lead: Lead,
}

impl Controller {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Event>,
        mut observations: mpsc::Receiver<Observation>,
        (mut terms, mut set_backs): (watch::Receiver<Term>, watch::Receiver<u32>),
        stop: impl Future<Output = ()>,
    ) {
        tokio::pin!(stop);
        self.load_keys().await;
        let mut batch = Vec::new();
        let mut tomorrow = Instant::now() + self.clock.until_tomorrow();
        let mut look = Instant::now() + LOOK;
        loop {
            let timed = look.min(tomorrow);
            let due = self.engine.next_due().map_or(timed, |due| due.min(timed));
            tokio::select! {
                () = &mut stop => break,
                _ = inbox.recv_many(&mut batch, EVENTS) => {
                    let now = Instant::now();
                    for event in batch.drain(..) {
                        self.forget_what_is_gone(&event);
                        self.engine.take(event, now);
                    }
                }
                Some(observation) = observations.recv() => {
                    self.engine.take(Event::Observed(observation), Instant::now());
                }
                Some(ended) = self.jobs.join_next_with_id() => self.ended(ended),
                Ok(()) = terms.changed() => self.elected(*terms.borrow_and_update()),
                Ok(()) = set_backs.changed() => self.was_set_back(),
                Some(listed) = self.lead.listed() => self.was_listed(listed),
                () = tokio::time::sleep_until(due.into()) => {}
            }
            if Instant::now() >= tomorrow {
                self.engine.tick();
                tomorrow = Instant::now() + self.clock.until_tomorrow();
            }
            if Instant::now() >= look {
                self.shell.memory.clear();
                self.engine.look();
                look = Instant::now() + LOOK;
            }
            self.mind_the_term();
            self.begin_work();
            self.tally.set(self.engine.waiting());
        }
        self.shell.server.keep_catalog(None);
        // The next leader may begin as soon as nothing is in hand here.
        let rest = async { while self.jobs.join_next().await.is_some() {} };
        tokio::time::timeout(FAREWELL, rest).await.ok();
    }

    /// The store was set back: what was applied is applied again, and the keys that were made since are stored again.
    fn was_set_back(&mut self) {
        self.shell.memory.clear();
        self.engine.look();
        let (shell, zones) = (Arc::clone(&self.shell), self.engine.zones_with_keys());
        self.watches.tasks.spawn(async move { shell.restore_keys(zones).await });
    }

    /// A tenant that left has no Secrets to be watched; a namespace that is gone holds nothing that was applied.
    fn forget_what_is_gone(&mut self, event: &Event) {
        match event {
            Event::Tenant(Seen::Gone(key)) => self.watches.end_secrets_of(&cst_api::tenant_namespace(&key.name)),
            Event::Namespace(Seen::Gone(key)) => {
                self.watches.end_secrets_of(&key.name);
                self.shell.memory.forget_namespace(&key.name);
            }
            _ => {}
        }
    }

    fn begin_work(&mut self) {
        while self.jobs.len() < AT_ONCE {
            let Some((work, job)) = self.engine.next(&self.clock.now()) else { break };
            let shell = Arc::clone(&self.shell);
            let task = self.jobs.spawn(async move {
                match tokio::time::timeout(PATIENCE, job.run(&shell)).await {
                    Ok(ended) => ended,
                    Err(_) => (Vec::new(), Err(WorkError::Timeout)),
                }
            });
            self.running.insert(task.id(), work);
        }
        if !self.complete && self.engine.zones_are_complete() {
            tracing::info!("every stored zone was handed to the hidden primary");
            self.shell.server.complete();
            self.complete = true;
        }
        self.learn();
    }

    fn ended(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let (id, effects, result) = match ended {
            Ok((id, (effects, result))) => (id, effects, result),
            Err(error) => (error.id(), Vec::new(), Err(WorkError::Aborted)),
        };
        let Some(work) = self.running.remove(&id) else { return };
        if let Err(error) = &result {
            tracing::warn!(%work, error = %chain(error), "work failed and is tried again");
            if let Work::Unit(Unit::Zone(zone)) = &work {
                self.shell.server.declare(zone);
            }
        }
        for effect in &effects {
            if let Effect::Watch(namespace) = effect {
                self.watches.secrets_of(namespace);
            }
        }
        self.engine.done(&work, effects, result.map_err(|error| Trouble::from(&error)), Instant::now());
    }

    /// All keys at once: thousands of zones are to be served soon after a start.
    async fn load_keys(&self) {
        let mut delay = Duration::from_millis(100);
        loop {
            match keys::load(&self.shell.secrets()).await {
                Ok(keys) => {
                    tracing::info!(keys = keys.len(), "signing keys loaded");
                    self.shell.keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(keys);
                    return;
                }
                Err(error) => tracing::warn!(error = %chain(&error), "the signing keys cannot be loaded yet"),
            }
            tokio::time::sleep(delay).await;
            delay = (delay * 2).min(Duration::from_secs(10));
        }
    }
}

/// The running watches. They end with the controller.
struct Watches {
    client: Client,
    events: mpsc::Sender<Event>,
    set_backs: watch::Receiver<u32>,
    tasks: JoinSet<()>,
    secrets: HashMap<String, AbortHandle>,
}

impl Watches {
    fn begin(&mut self, settings: &Settings, options: &Options) {
        let everything = Config::default();
        self.all::<Tenant>(everything.clone(), Event::Tenant);
        self.all::<Namespace>(Config::default().labels(TENANT), Event::Namespace);
        self.all::<Domain>(everything.clone(), Event::Domain);
        self.all::<Mailbox>(everything.clone(), Event::Mailbox);
        self.all::<WebSite>(everything, Event::WebSite);
        for kind in WATCHED {
            // All that units have carries both labels.
            let ours = Config::default().labels(&format!("{MANAGED_BY}={MANAGER},{TENANT}"));
            let objects: Api<PartialObjectMeta> = Api::all_with(self.client.clone(), &kind.resource());
            self.tasks.spawn(follow(objects, ours, self.set_backs.clone(), self.events.clone(), move |seen| {
                Event::Built(kind, seen)
            }));
        }
        // By their names, not by a label: what lost that is not lost.
        self.within::<ConfigMap>(&options.namespace, Config::default(), Event::Published);
        if settings.mail.is_some() {
            self.within::<Secret>(&options.mail_namespace, Config::default().labels(shard::LABEL), Event::Shard);
            self.within::<ConfigMap>(&options.mail_namespace, Config::default().labels(ack::LABEL), Event::Ack);
            let of_keys = format!("{}={}", names::PUBLISHED, dkim::KIND);
            self.within::<Secret>(&options.namespace, Config::default().labels(&of_keys), Event::DkimKeys);
        }
        if settings.web.is_some() {
            let of_sites = Config::default().labels(&format!("{MANAGED_BY}={MANAGER},{SITE}"));
            self.all::<Deployment>(of_sites.clone(), Event::Deployment);
            let route = ApiResource::from_gvk(&GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute"));
            let routes: Api<DeserializeGuard<DynamicObject>> = Api::all_with(self.client.clone(), &route);
            self.tasks.spawn(follow(routes, of_sites, self.set_backs.clone(), self.events.clone(), Event::Route));
        }
    }

    /// The Secrets of a tenant's namespace, from when the controller may read them.
    fn secrets_of(&mut self, namespace: &str) {
        if !self.secrets.contains_key(namespace) {
            let own = namespace.to_owned();
            let wrap = move |seen: Seen<Secret>| Event::Secret(own.clone(), seen);
            let watch = self.within(namespace, Config::default(), wrap);
            self.secrets.insert(namespace.to_owned(), watch);
        }
    }

    fn end_secrets_of(&mut self, namespace: &str) {
        if let Some(watch) = self.secrets.remove(namespace) {
            watch.abort();
        }
    }

    fn all<K>(&mut self, config: Config, wrap: impl Fn(Seen<K>) -> Event + Send + Sync + 'static)
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
    {
        let api: Api<DeserializeGuard<K>> = Api::all(self.client.clone());
        self.tasks.spawn(follow(api, config, self.set_backs.clone(), self.events.clone(), wrap));
    }

    fn within<K>(
        &mut self,
        namespace: &str,
        config: Config,
        wrap: impl Fn(Seen<K>) -> Event + Send + Sync + 'static,
    ) -> AbortHandle
    where
        K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + Sync
            + 'static,
    {
        let api: Api<DeserializeGuard<K>> = Api::namespaced(self.client.clone(), namespace);
        self.tasks.spawn(follow(api, config, self.set_backs.clone(), self.events.clone(), wrap))
    }
}
