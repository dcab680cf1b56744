//! What is served: the published version of every zone, and the catalog of them.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::Instant;

use cst_compiler::model::{DomainName, Zone};
use cst_compiler::published::ZoneVersion;
use tokio::sync::{OnceCell, Semaphore};

use crate::history::History;
use crate::metrics::Counts;
use crate::served::ServedZone;
use crate::sign::{Seal, SignError, sign};

/// From how many record sets on a zone's signed form is kept; below, it is made anew of its signatures, in well under a millisecond.
const LARGE: usize = 200;

/// A version as it is transferred, and how it came to be.
#[derive(Clone)]
pub(crate) struct Served {
    pub(crate) zone: Arc<ServedZone>,
    pub(crate) history: History,
}

/// What is kept of a version that was signed: all of a large one; of a small one, of which there are many, its signatures.
enum Kept {
    Whole(Served),
    Sealed(Seal, History),
}

/// A published version. It is signed when it is first asked for.
pub(crate) struct Member {
    version: ZoneVersion,
    /// Whether somebody has asked for it, and may have it one day.
    is_wanted: AtomicBool,
    signed: OnceCell<Kept>,
    /// The last wanted version before: its signatures are taken over, and its history goes on. Let go once that is done.
    previous: RwLock<Option<Arc<Self>>>,
}

/// A zone that is asked about.
pub(crate) enum Source {
    Member(Arc<Member>),
    Catalog(Served),
}

/// All zones. A change to one touches that one alone.
pub(crate) struct Zones {
    members: RwLock<HashMap<DomainName, Arc<Member>>>,
    /// Zones of ours of which no version can be served.
    declared: RwLock<BTreeSet<DomainName>>,
    catalog: RwLock<Option<Served>>,
    catalog_name: DomainName,
    is_complete: AtomicBool,
    /// How many zones are signed at once: one a core.
    signers: Semaphore,
    counts: Arc<Counts>,
}

impl Served {
    /// A version that comes after another, or is the first.
    fn after(previous: Option<&Self>, zone: ServedZone) -> Self {
        let history = previous.map(|previous| previous.history.followed_by(&previous.zone, &zone));
        Self { zone: Arc::new(zone), history: history.unwrap_or_default() }
    }
}

impl Kept {
    fn of(served: &Served) -> Self {
        let Served { zone, history } = served;
        let sets: usize = zone.nodes.iter().map(|node| node.sets.len()).sum();
        if sets >= LARGE { Self::Whole(served.clone()) } else { Self::Sealed(Seal::of(zone), history.clone()) }
    }

    fn served(&self, version: &ZoneVersion) -> Result<Served, SignError> {
        match self {
            Self::Whole(served) => Ok(served.clone()),
            Self::Sealed(seal, history) => Ok(Served { zone: Arc::new(seal.open(version)?), history: history.clone() }),
        }
    }
}

impl Member {
    /// A version that comes after another.
    pub(crate) fn new(version: ZoneVersion, before: Option<Arc<Self>>) -> Self {
        let previous = before.and_then(|before| if before.is_wanted() { Some(before) } else { before.previous() });
        let is_wanted = AtomicBool::new(false);
        Self { version, is_wanted, signed: OnceCell::new(), previous: RwLock::new(previous) }
    }

    fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Acquire)
    }

    fn previous(&self) -> Option<Arc<Self>> {
        read(&self.previous).clone()
    }

    fn sign_after(&self, previous: Option<&Served>) -> Result<Served, SignError> {
        let zone = sign(&self.version, previous.map(|previous| &*previous.zone))?;
        Ok(Served::after(previous, zone))
    }

    pub(crate) fn version(&self) -> &ZoneVersion {
        &self.version
    }
}

impl Source {
    pub(crate) fn serial(&self) -> u32 {
        match self {
            Self::Member(member) => member.version.serial,
            Self::Catalog(catalog) => catalog.zone.serial(),
        }
    }

    /// The zone's SOA and nothing else: what secondaries ask for most must not cost a signing.
    pub(crate) fn soa_only(&self) -> Arc<ServedZone> {
        match self {
            Self::Catalog(catalog) => Arc::clone(&catalog.zone),
            Self::Member(member) => {
                let zone = &member.version.zone;
                let bare = Zone::new(zone.apex().clone(), zone.soa_ttl(), zone.soa().clone());
                Arc::new(ServedZone::unsigned(&bare, member.version.serial))
            }
        }
    }
}

impl Zones {
    pub(crate) fn new(catalog_name: DomainName, counts: Arc<Counts>) -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            members: RwLock::default(),
            declared: RwLock::default(),
            catalog: RwLock::default(),
            catalog_name,
            is_complete: AtomicBool::new(false),
            signers: Semaphore::new(cores),
            counts,
        }
    }

    pub(crate) fn member(&self, apex: &DomainName) -> Option<Arc<Member>> {
        read(&self.members).get(apex).cloned()
    }

    pub(crate) fn insert(&self, member: Member) {
        let apex = member.version.apex().clone();
        write(&self.members).insert(apex.clone(), Arc::new(member));
        write(&self.declared).remove(&apex);
    }

    /// A zone of ours, served or not; whether that is news.
    pub(crate) fn declare(&self, apex: &DomainName) -> bool {
        self.member(apex).is_none() && write(&self.declared).insert(apex.clone())
    }

    /// Whether it is a zone of ours that cannot be served, or the catalog while it is another replica's to make.
    pub(crate) fn is_declared(&self, apex: &DomainName) -> bool {
        if self.is_catalog(apex) {
            return read(&self.catalog).is_none();
        }
        read(&self.declared).contains(apex) && self.member(apex).is_none()
    }

    /// Takes a zone out; whether it was there. The last one stays.
    pub(crate) fn remove(&self, apex: &DomainName) -> bool {
        let was_declared = write(&self.declared).remove(apex);
        let mut members = write(&self.members);
        was_declared || members.len() > 1 && members.remove(apex).is_some()
    }

    pub(crate) fn names(&self) -> BTreeSet<DomainName> {
        read(&self.members).keys().cloned().chain(read(&self.declared).iter().cloned()).collect()
    }

    pub(crate) fn set_catalog(&self, catalog: ServedZone) {
        let before = read(&self.catalog).clone();
        *write(&self.catalog) = Some(Served::after(before.as_ref(), catalog));
    }

    pub(crate) fn set_complete(&self) {
        self.is_complete.store(true, Ordering::Release);
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Acquire)
    }

    /// The zone of exactly this name.
    pub(crate) fn get(&self, name: &DomainName) -> Option<Source> {
        if *name == self.catalog_name {
            return read(&self.catalog).clone().map(Source::Catalog);
        }
        self.member(name).map(Source::Member)
    }

    pub(crate) fn is_catalog(&self, name: &DomainName) -> bool {
        *name == self.catalog_name
    }

    /// The zone in its signed form; a member is signed once, away from the network's threads.
    pub(crate) async fn served(&self, source: &Source) -> Result<Served, SignError> {
        match source {
            Source::Catalog(catalog) => Ok(catalog.clone()),
            Source::Member(member) => self.signed(member).await,
        }
    }

    async fn signed(&self, member: &Arc<Member>) -> Result<Served, SignError> {
        member.is_wanted.store(true, Ordering::Release);
        let mut fresh = None;
        let sign = async || {
            let served = self.sign(member).await?;
            let kept = Kept::of(&served);
            fresh = Some(served);
            Ok(kept)
        };
        let kept = member.signed.get_or_try_init(sign).await?;
        if member.previous().is_some() {
            *write(&member.previous) = None;
        }
        fresh.map_or_else(|| kept.served(&member.version), Ok)
    }

    /// Signs a member after the one before it, which may be at it still.
    async fn sign(&self, member: &Arc<Member>) -> Result<Served, SignError> {
        let previous = match member.previous() {
            Some(previous) => Box::pin(self.signed(&previous)).await.ok(),
            None => None,
        };
        let _permit = self.signers.acquire().await;
        let (task, start) = (Arc::clone(member), Instant::now());
        let signing = tokio::task::spawn_blocking(move || task.sign_after(previous.as_ref()));
        let signed = signing.await.unwrap_or_else(|_| Err(SignError::Interrupted(member.version.apex().clone())))?;
        self.counts.signed(start.elapsed());
        Ok(signed)
    }
}

/// The locks guard whole values that are put in at once, so a panic elsewhere leaves none half-written.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
