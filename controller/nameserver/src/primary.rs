//! The hidden primary as a whole: zones go in, the public servers get them and say what they serve.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cst_compiler::model::{DomainName, RecordType};
use cst_compiler::published::ZoneVersion;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::catalog::{Catalog, CatalogKeeper, Changes};
use crate::clock::Clock;
use crate::key::KeyError;
use crate::keyring::{Keyring, Keys};
use crate::metrics::{Counts, Metrics};
use crate::notify::{First, Notifier, Observations, Secondary};
use crate::respond::Responder;
use crate::server::{Limits, Sockets};
use crate::sign::signers;
use crate::zones::{Member, Zones};

/// How long what is in work at the end may take.
const FAREWELL: Duration = Duration::from_secs(10);

/// What a primary is started with.
#[derive(Clone, Debug)]
pub struct PrimaryConfig {
    /// Where it listens, over UDP and TCP; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// The keys that requests may be signed with.
    pub keys: Keyring,
    /// Who is notified and asked.
    pub secondaries: Vec<Secondary>,
    /// The catalog zone.
    pub catalog: Catalog,
    /// Whether unsigned questions are answered, as a public server would: for the command line on loopback.
    pub plain: bool,
    /// Whether there are no other replicas: then it makes the catalog's versions without [`Primary::keep_catalog`].
    pub is_alone: bool,
    /// What the listeners hold at most.
    pub limits: Limits,
    /// The time, for transaction signatures and the catalog's serial.
    pub clock: Clock,
}

/// Why a primary does not start or a zone is not published.
#[derive(Debug, thiserror::Error)]
pub enum PrimaryError {
    /// The address is taken, or not this machine's.
    #[error("cannot listen on {address}: free the address, or choose another")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The catalog's name is not for a zone.
    #[error("{0} is the catalog's name, no zone can have it: choose another catalog name in the settings")]
    CatalogName(DomainName),
    /// A record set that is not the zone's.
    #[error("{name} is not within the zone {apex}: compile its stored version anew")]
    Outside {
        /// The zone.
        apex: DomainName,
        /// The set's name.
        name: DomainName,
    },
    /// Secondaries do not load a zone without name servers.
    #[error(
        "the zone {0} has no NS records at its apex, and no server would load it: set name servers in the settings"
    )]
    NoNameServers(DomainName),
    /// A secondary's key is missing.
    #[error("there is no TSIG key {key}, which {secondary} is bound to: add it, or bind the server to another")]
    NoKey {
        /// [`Secondary::name`].
        secondary: String,
        /// The key's name.
        key: DomainName,
    },
    /// The stored key is none.
    #[error("the signing key of {apex} is unusable: restore its Secret from a backup")]
    Key {
        /// The zone.
        apex: DomainName,
        /// Why.
        source: KeyError,
    },
}

/// A running primary. Dropped, it ends at once; [`Self::shutdown`] lets what is in work finish.
pub struct Primary {
    zones: Arc<Zones>,
    notifier: Notifier,
    changes: Changes,
    keys: Keys,
    /// The secondaries and the keys they are bound to.
    bound: Vec<(String, DomainName)>,
    addresses: Vec<SocketAddr>,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    counts: Arc<Counts>,
    _background: JoinSet<()>,
}

impl Primary {
    /// Starts listening and following the secondaries. Within an asynchronous runtime.
    pub async fn start(config: PrimaryConfig) -> Result<(Self, Observations), PrimaryError> {
        let PrimaryConfig { listen, keys, secondaries, catalog, plain, is_alone, limits, clock } = config;
        let counts = Arc::new(Counts::default());
        let (zones, changes) =
            (Arc::new(Zones::new(catalog.name.clone(), Arc::clone(&counts))), Changes::new(is_alone));
        let bound: Vec<_> = secondaries.iter().map(|server| (server.name.clone(), server.key.clone())).collect();
        check_keys(&bound, &keys)?;
        let keys = Keys::new(keys);
        let mut background = JoinSet::new();
        let (notifier, observations) = Notifier::start(
            secondaries,
            catalog.name.clone(),
            changes.clone(),
            &counts,
            &keys,
            &clock,
            &mut background,
        );
        let keeper = CatalogKeeper {
            catalog,
            zones: Arc::clone(&zones),
            notifier: notifier.clone(),
            changes: changes.clone(),
            clock: clock.clone(),
            published: None,
        };
        background.spawn(keeper.run());
        let responder = Arc::new(Responder {
            zones: Arc::clone(&zones),
            keys: keys.clone(),
            plain,
            clock,
            counts: Arc::clone(&counts),
        });
        let (stop, _) = watch::channel(false);
        let (mut listeners, mut addresses) = (JoinSet::new(), Vec::new());
        for address in listen {
            let listen = |source| PrimaryError::Listen { address, source };
            let sockets = Sockets::bind(address).await.map_err(listen)?;
            addresses.push(sockets.tcp.local_addr().map_err(listen)?);
            listeners.spawn(sockets.serve(Arc::clone(&responder), limits, stop.subscribe()));
        }
        let primary =
            Self { zones, notifier, changes, keys, bound, addresses, stop, listeners, counts, _background: background };
        Ok((primary, observations))
    }

    /// Where it listens, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What it has done so far, and goes on counting.
    pub fn metrics(&self) -> Metrics {
        Metrics(Arc::clone(&self.counts))
    }

    /// Puts other keys in force; transfers that have begun go on. Refused, and the old ones stay, when a secondary's is not among them.
    pub fn set_keys(&self, keys: Keyring) -> Result<(), PrimaryError> {
        check_keys(&self.bound, &keys)?;
        self.keys.replace(keys);
        Ok(())
    }

    /// Serves a version from now on and tells the secondaries. The version that is served already changes nothing. Signing waits until
    /// somebody asks for the zone.
    pub fn publish(&self, version: ZoneVersion) -> Result<(), PrimaryError> {
        let (apex, serial) = (version.apex().clone(), version.serial);
        if self.zones.is_catalog(&apex) {
            return Err(PrimaryError::CatalogName(apex));
        }
        check(&version)?;
        let before = self.zones.member(&apex);
        if before.as_ref().is_some_and(|member| member.version().is_same(&version)) {
            return Ok(());
        }
        signers(&version).map_err(|source| PrimaryError::Key { apex: apex.clone(), source })?;
        let is_new = before.is_none();
        self.zones.insert(Member::new(version, before));
        let first = if is_new { First::Ask } else { First::Notify };
        self.notifier.publish(apex, serial, first);
        if is_new {
            self.changes.announce();
        }
        Ok(())
    }

    /// The zone is one of ours, also while no version of it can be served: the catalog lists it, questions for it fail.
    pub fn declare(&self, apex: &DomainName) {
        if !self.zones.is_catalog(apex) && self.zones.declare(apex) {
            self.changes.announce();
        }
    }

    /// Stops serving a zone and takes it out of the catalog. The last one stays in it: an empty catalog would look like a loss.
    pub fn withdraw(&self, apex: &DomainName) {
        if self.zones.remove(apex) {
            self.notifier.forget(apex.clone());
            self.changes.announce();
        }
    }

    /// Every stored zone has been handed over: what is not here now is none of ours, and the catalog can be whole.
    pub fn set_complete(&self) {
        self.zones.set_complete();
        self.changes.announce();
    }

    /// Until then no other replica makes versions of the catalog, and this one knows every zone: from now on it makes them. Afterwards, and
    /// with `None` at once, the last one is served on as it is. A replica that never made one serves none: its serial would say that it is
    /// newer than it is.
    pub fn keep_catalog(&self, until: Option<Instant>) {
        self.changes.allow(until);
    }

    /// Listens no more; answers and transfers in work are let finish, for ten seconds at most.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        timeout(FAREWELL, async { while self.listeners.join_next().await.is_some() {} }).await.unwrap_or_default();
    }
}

/// Whether every secondary's key is there.
fn check_keys(bound: &[(String, DomainName)], keys: &Keyring) -> Result<(), PrimaryError> {
    match bound.iter().find(|(_, key)| keys.named(key).next().is_none()) {
        Some((secondary, key)) => Err(PrimaryError::NoKey { secondary: secondary.clone(), key: key.clone() }),
        None => Ok(()),
    }
}

/// What no secondary could load.
fn check(version: &ZoneVersion) -> Result<(), PrimaryError> {
    let apex = version.apex();
    if let Some(set) = version.zone.sets().find(|set| !set.name.is_within(apex)) {
        return Err(PrimaryError::Outside { apex: apex.clone(), name: set.name.clone() });
    }
    match version.zone.get(apex, RecordType::NS) {
        Some(_) => Ok(()),
        None => Err(PrimaryError::NoNameServers(apex.clone())),
    }
}
