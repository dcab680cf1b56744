//! Which replica writes: the one that holds the Lease. Losing it is harmless, because whatever must not be written twice is written
//! with the version it replaces.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// After this long without a sign of its holder the Lease is free.
const DURATION: Duration = Duration::from_secs(15);
/// A holder that could not renew for this long stops writing, before another may begin.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often the holder renews and the others look.
const PERIOD: Duration = Duration::from_secs(2);
/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// An election that this replica takes part in.
pub struct Election {
    /// Until when at least this replica leads, anew with each renewal; `None` while it does not.
    pub terms: watch::Receiver<Term>,
    /// How often the API server's store was set back, as by a restore from a backup: the Lease, which is asked for all the time, was an older one.
    pub set_backs: watch::Receiver<u32>,
    /// Ends when the terms are listened to no more and the Lease is given back.
    pub task: JoinHandle<()>,
}

/// Takes part in the election for the Lease `name`.
pub fn elect(client: Client, namespace: &str, name: &str, identity: &str) -> Election {
    let (leads, terms) = watch::channel(None);
    let (set_back, set_backs) = watch::channel(0);
    let candidate = Candidate {
        api: Api::namespaced(client, namespace),
        name: name.into(),
        identity: identity.into(),
        last_seen: None,
        renewed: None,
        newest: 0,
        set_back,
    };
    Election { terms, set_backs, task: tokio::spawn(candidate.run(leads)) }
}

/// Until when no other replica can lead; `None`: this one does not.
pub type Term = Option<Instant>;

struct Candidate {
    api: Api<Lease>,
    name: String,
    identity: String,
    /// The Lease's version and when it was first seen here: its times are another machine's clock, so only its changes count.
    last_seen: Option<(String, Instant)>,
    /// When the request was sent that renewed it last.
    renewed: Option<Instant>,
    /// The newest version of it that was seen.
    newest: u64,
    set_back: watch::Sender<u32>,
}

impl Candidate {
    async fn run(mut self, leads: watch::Sender<Term>) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = leads.closed() => break,
            }
            let asked = Instant::now();
            match tokio::time::timeout(TIMEOUT, self.take_or_renew()).await {
                Ok(Ok(held)) => self.renewed = held.then_some(asked),
                Ok(Err(error)) => tracing::warn!(%error, "the Lease could not be renewed"),
                Err(_) => tracing::warn!("the Lease could not be renewed in time"),
            }
            let term = self.renewed.map(|at| at + RENEW_DEADLINE).filter(|until| Instant::now() < *until);
            leads.send_if_modified(|now| std::mem::replace(now, term) != term);
        }
        self.release().await;
    }

    /// Whether this replica holds the Lease now.
    async fn take_or_renew(&mut self) -> Result<bool, kube::Error> {
        let Some(lease) = self.api.get_opt(&self.name).await? else {
            let created = self.api.create(&PostParams::default(), &self.lease(None)).await;
            return self.written(created);
        };
        self.see(&lease);
        if !self.may_take(&lease, Instant::now()) {
            return Ok(false);
        }
        let next = self.lease(Some(&lease));
        let replaced = self.api.replace(&self.name, &PostParams::default(), &next).await;
        self.written(replaced)
    }

    /// Versions only go up (KEP-5504), and no cache answers here: an older one than before is of a store that was set back.
    fn see(&mut self, lease: &Lease) {
        let Some(version) = lease.metadata.resource_version.as_ref().and_then(|version| version.parse().ok()) else {
            return;
        };
        if version < self.newest {
            tracing::error!(version, newest = self.newest, "the API server's store was set back: all is read anew");
            self.set_back.send_modify(|times| *times += 1);
        }
        self.newest = version;
    }

    /// Ours, released, or without a sign of life for its duration as measured here.
    fn may_take(&mut self, lease: &Lease, now: Instant) -> bool {
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        let since = match &self.last_seen {
            Some((seen, since)) if *seen == version => *since,
            _ => now,
        };
        self.last_seen = Some((version, since));
        match holder(lease) {
            None => true,
            Some(holder) => holder == self.identity || now.duration_since(since) >= DURATION,
        }
    }

    fn lease(&self, last: Option<&Lease>) -> Lease {
        let now = Some(MicroTime(Timestamp::now()));
        let spec = last.and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let ours = last.and_then(holder) == Some(self.identity.as_str());
        Lease {
            metadata: last.map_or_else(
                || ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
                |lease| lease.metadata.clone(),
            ),
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
                acquire_time: if ours { spec.acquire_time } else { now.clone() },
                renew_time: now,
                lease_transitions: Some(spec.lease_transitions.unwrap_or(0) + i32::from(last.is_some() && !ours)),
                ..LeaseSpec::default()
            }),
        }
    }

    fn written(&mut self, result: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
        match result {
            Ok(lease) => {
                self.see(&lease);
                Ok(true)
            }
            // Another one was faster.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.is_already_exists() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets the next one begin at once. What fails here, time mends.
    async fn release(&self) {
        let Ok(Some(mut lease)) = self.api.get_opt(&self.name).await else { return };
        if holder(&lease) == Some(self.identity.as_str()) {
            lease.spec.get_or_insert_default().holder_identity = None;
            self.api.replace(&self.name, &PostParams::default(), &lease).await.ok();
        }
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}
