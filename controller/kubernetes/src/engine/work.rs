//! Work that was decided on, carried out against the API server, the hidden primary and the databases; and what came of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::absence::Found;
use cst_compiler::plan::dnssec::{Signing, StoredKey};
use cst_compiler::problem::ObjectRef;
use cst_compiler::published::VersionKey;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client};

use super::{absence, dkim, mail, site, tenant, zone};
use crate::applied::{Applied, BringAboutError, Memory, RecordError};
use crate::apply::ApplyError;
use crate::database::{self, DatabaseError};
use crate::dkim::{DkimError, DkimKeys};
use crate::failure;
use crate::gateway::{NoAnswer, Question};
use crate::keys::{self, KeyError, Keys};
use crate::password::PasswordError;
use crate::passwords::StoreError as PasswordStoreError;
use crate::published::{PublishedZone, StoreError};
use crate::report::{Report, ReportError, Reported, Reporter};
use crate::shards::{ShardError, StoredShard};
use crate::zone_server::{ZoneServer, ZoneServerError};

/// Whatever work reaches out with.
pub struct Shell {
    /// The API server.
    pub client: Client,
    /// The controller's namespace.
    pub namespace: String,
    /// The mail system's namespace.
    pub mail_namespace: String,
    /// The hidden primary.
    pub server: Arc<dyn ZoneServer>,
    /// The sites' databases; `None`: there are none.
    pub databases: Option<database::Server>,
    /// Statuses and events.
    pub reporter: Reporter,
    /// What was applied.
    pub memory: Memory,
    /// The zones' keys by the name of their Secret.
    pub keys: Mutex<HashMap<String, Keys>>,
}

/// Work ready to be carried out.
pub enum Job {
    /// A tenant's objects.
    Tenant(Box<tenant::TenantJob>),
    /// A zone's next version.
    Zone(Box<zone::ZoneJob>),
    /// A mail domain's shards.
    Mail(Box<mail::MailJob>),
    /// A site's objects and database.
    Site(Box<site::SiteJob>),
    /// Statuses.
    Report(Vec<Report>),
    /// Asking for a site.
    Ask(site::AskJob),
    /// Asking what an absence means.
    Absence(absence::AbsenceJob),
    /// The keys that sign a domain's mail.
    Dkim(Box<dkim::DkimJob>),
    /// Serving a stored zone.
    Serve(Box<zone::ServeJob>),
}

/// What came of work.
#[derive(Debug)]
pub enum Effect {
    /// A version was stored.
    ZoneStored(PublishedZone),
    /// A stored version was removed.
    ZoneForgotten(DomainName),
    /// A version of this serial is served, or the zone no longer is.
    ZoneServed(DomainName, Option<u32>),
    /// The keys that there are of a zone without state.
    ZoneKeys(DomainName, Vec<StoredKey>),
    /// A stored version cannot be served, and why.
    ZoneUnserved(DomainName, String),
    /// These keys that sign a domain's mail are stored.
    DkimKeys(DomainName, DkimKeys),
    /// Shards were written, or removed.
    Shards(DomainName, BTreeMap<u32, Option<StoredShard>>),
    /// A Secret of a tenant's namespace was written.
    Secret(ObjectKey, BTreeMap<String, Vec<u8>>),
    /// The password of a box of the domain cannot be put into this Secret, and why.
    PasswordRefused(DomainName, ObjectKey, String),
    /// An object of a unit was applied that a further attempt need not apply.
    Advanced,
    /// What a unit is about to have, beside what it had, was written down.
    Recorded(Unit, Applied),
    /// A unit's objects were applied, with a digest of what was wanted; `None`: they were removed.
    Applied(Unit, Option<Applied>, String),
    /// A site answered through the gateway.
    Answered(ObjectKey, Question),
    /// A status was written.
    Reported(Reported),
    /// What the API server has where an object was missed, for the time of this number.
    Missed(ObjectRef, u64, Found),
    /// The Secrets of this namespace may be watched from now on.
    Watch(String),
}

/// Why work failed. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// An object.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The record of applied objects.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A unit's objects.
    #[error(transparent)]
    BringAbout(#[from] BringAboutError),
    /// A site's application wants a database and there is no server for it.
    #[error("the installation has no database server; set one in the chart's values")]
    NoDatabases,
    /// A stored zone.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key that signs mail.
    #[error(transparent)]
    Dkim(#[from] DkimError),
    /// The hidden primary.
    #[error("the hidden primary does not serve the zone")]
    Server(#[from] ZoneServerError),
    /// A shard.
    #[error(transparent)]
    Shard(#[from] ShardError),
    /// A password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A kept password.
    #[error(transparent)]
    PasswordStore(#[from] PasswordStoreError),
    /// A database.
    #[error("the site's database is not ready")]
    Database(#[from] DatabaseError),
    /// A site does not answer.
    #[error("the site does not answer yet")]
    NoAnswer(#[from] NoAnswer),
    /// A status.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// It took too long.
    #[error("the work took too long and was broken off")]
    Timeout,
    /// The program is ending.
    #[error("the work was broken off")]
    Aborted,
}

/// What to do about an object that somebody made immutable: nothing can take that back.
const IMMUTABLE: &str =
    "; somebody made that object immutable, which cannot be taken back: delete it, and it is written again";

impl WorkError {
    /// What the API server does not want of a unit's object: the field it follows from, and what it says.
    pub fn refusal(&self) -> Option<(&'static str, String)> {
        if let Self::Apply(error @ ApplyError::Foreign(_)) = self {
            return Some(("metadata.name", error.to_string()));
        }
        let refusal = failure::refusal(self)?;
        let Self::BringAbout(BringAboutError::Apply(ApplyError::Request { object, .. })) = self else {
            let hint = if refusal.contains("`immutable` is set") { IMMUTABLE } else { "" };
            return Some(("spec", format!("the API server refuses what it needs: {}{hint}", failure::chain(self))));
        };
        let field = if object.kind == "PersistentVolumeClaim" { "spec.storage" } else { "spec" };
        Some((field, format!("the API server refuses {object}: {refusal}")))
    }
}

impl Job {
    /// Carries the work out. Effects are told even when it fails half-way.
    pub async fn run(self, shell: &Shell) -> (Vec<Effect>, Result<(), WorkError>) {
        let mut effects = Vec::new();
        let result = match self {
            Self::Tenant(job) => job.run(shell, &mut effects).await,
            Self::Zone(job) => job.run(shell, &mut effects).await,
            Self::Mail(job) => job.run(shell, &mut effects).await,
            Self::Site(job) => job.run(shell, &mut effects).await,
            Self::Report(reports) => shell.report(reports, &mut effects).await,
            Self::Ask(job) => job.run(shell, &mut effects).await,
            Self::Absence(job) => job.run(shell, &mut effects).await,
            Self::Dkim(job) => job.run(shell, &mut effects).await,
            Self::Serve(job) => job.run(shell, &mut effects).await,
        };
        (effects, result)
    }
}

impl Shell {
    /// The ConfigMaps of the controller's namespace.
    pub fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The Secrets of the controller's namespace.
    pub fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// A zone's keys, as they are known, or as they are stored where one that is needed is not known.
    pub async fn version_keys(&self, zone: &DomainName, signing: &Signing) -> Result<Vec<VersionKey>, WorkError> {
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&keys::secret_name(zone)).cloned();
        if let Some(Ok(keys)) = known.map(|keys| keys.of_version(self.server.as_ref(), zone, signing)) {
            return Ok(keys);
        }
        let stored = keys::read(&self.secrets(), zone).await?;
        let keys = stored.of_version(self.server.as_ref(), zone, signing)?;
        self.remember_keys(zone, stored);
        Ok(keys)
    }

    /// A zone's keys that were of no use are read again.
    pub fn forget_keys(&self, zone: &DomainName) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&keys::secret_name(zone));
    }

    /// Stores again the keys that are known here and that the store lost. Asks until it is done.
    pub async fn restore_keys(&self, zones: Vec<DomainName>) {
        let mut delay = Duration::from_millis(100);
        for zone in zones {
            let known =
                self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&keys::secret_name(&zone)).cloned();
            let Some(known) = known else { continue };
            while let Err(error) = keys::restore(&self.secrets(), &zone, &known).await {
                tracing::warn!(%zone, error = %failure::chain(&error), "its signing keys cannot be stored again yet");
                tokio::time::sleep(delay).await;
                delay = (delay * 2).min(Duration::from_secs(10));
            }
        }
    }

    /// Keeps a zone's keys for later.
    pub fn remember_keys(&self, zone: &DomainName, keys: Keys) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(keys::secret_name(zone), keys);
    }

    /// Writes statuses.
    pub async fn report(&self, reports: Vec<Report>, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
        let (reported, result) = self.reporter.report(reports).await;
        effects.extend(reported.into_iter().map(Effect::Reported));
        Ok(result?)
    }
}
