//! An existing centre's way in: zones as other servers have them become manifests that render to the same, proved by compiling them.

mod catalog;
mod difference;
mod draft;
#[cfg(test)]
mod fuzz;
pub mod named_conf;
mod notes;
#[cfg(test)]
mod numbers;
mod presets;
mod source;
mod transfer;
mod yaml;
mod zone_file;

use std::collections::BTreeSet;

use cst_api::{EntityType, Tenant, TenantSpec};

pub use difference::Difference;
pub use source::{LeftOut, ReadZone, SourceZone};
pub use transfer::{Transfer, TransferError};
pub use zone_file::read as read_zone_file;

use self::draft::Draft;
use crate::compile::{self, ZoneFacts};
use crate::index::{Authority, Change, Index};
use crate::manifest::{Declared, Schemas, read_documents};
use crate::model::{DomainName, ObjectKey, Zone};
use crate::problem::Problem;

/// How many record sets a Domain holds.
const MOST_SETS: usize = 10_000;

/// Makes Domains of zones, among the objects of a repository.
pub struct Importer {
    index: Index,
    schemas: Schemas,
    tenant: Option<String>,
    now: u32,
}

/// A zone that has become a Domain.
#[derive(Debug)]
pub struct Imported {
    /// The Domain.
    pub key: ObjectKey,
    /// Its zone.
    pub zone: DomainName,
    /// The manifest, with comments that say what is left out.
    pub text: String,
    /// In what the zone that it renders to is another than the one that was read.
    pub differences: Vec<Difference>,
    /// The digest of what it renders to.
    pub digest: String,
    /// How many records it renders to, the SOA with them.
    pub records: usize,
    /// What the compiler says of it that is no difference.
    pub problems: Vec<Problem>,
    /// Whether its Tenant does not have the name yet: the coordinator adds it.
    pub needs_grant: bool,
}

/// Why a zone has become none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Nobody may have it.
    #[error(
        "no Tenant's spec.domains has `{0}`: say whose it is with --tenant, or name the folder of the Tenants with --with"
    )]
    NoTenant(DomainName),
    /// Several may.
    #[error("`{0}` is in spec.domains of several Tenants: leave it in one of them, or say whose it is with --tenant")]
    Contested(DomainName),
    /// It was given twice.
    #[error("the zone {0} is given twice: import one of them (with views, one view)")]
    Twice(DomainName),
    /// More than an object holds.
    #[error("{zone} has {sets} record sets, a Domain holds {MOST_SETS}: delegate parts of it as zones of their own")]
    TooLarge {
        /// The zone.
        zone: DomainName,
        /// How many sets it has.
        sets: usize,
    },
    /// The compiler refuses it.
    #[error("{zone}: {why}")]
    Refused {
        /// The zone.
        zone: DomainName,
        /// Why.
        why: String,
    },
}

impl Importer {
    /// Among the objects of `index`; all zones are of `tenant`, where one is given, else of the Tenant that holds each. `now`: seconds
    /// since 1970, beside which serials are seen.
    pub fn new(index: Index, tenant: Option<&str>, now: u32) -> Self {
        Self { index, schemas: Schemas::new(), tenant: tenant.map(str::to_owned), now }
    }

    /// Makes a Domain of each zone, in their order. They see each other: a zone below another of them is delegated there.
    pub fn import(&mut self, sources: &[SourceZone]) -> Vec<Result<Imported, ImportError>> {
        let mut seen = BTreeSet::new();
        let placed: Vec<Result<(ObjectKey, bool), ImportError>> = sources
            .iter()
            .map(|source| {
                let apex = source.zone.apex();
                if seen.insert(apex) { self.place(&source.zone) } else { Err(ImportError::Twice(apex.clone())) }
            })
            .collect();
        // What a Domain need not write depends on what the others write: seen in the second round.
        for (source, placed) in sources.iter().zip(&placed) {
            placed.as_ref().ok().map(|(key, _)| Draft::of(&mut self.index, source, key));
        }
        let drafts: Vec<_> = sources
            .iter()
            .zip(placed)
            .map(|(source, placed)| {
                placed.map(|(key, needs_grant)| (Draft::of(&mut self.index, source, &key), needs_grant))
            })
            .collect();
        sources
            .iter()
            .zip(drafts)
            .map(|(source, draft)| draft.and_then(|(draft, needs)| self.prove(source, &draft, needs)))
            .collect()
    }

    /// The object that holds a zone, put into the index; and whether its tenant is yet to be granted the name.
    fn place(&mut self, zone: &Zone) -> Result<(ObjectKey, bool), ImportError> {
        let (apex, sets) = (zone.apex(), zone.sets().count());
        if sets > MOST_SETS {
            return Err(ImportError::TooLarge { zone: apex.clone(), sets });
        }
        let (tenant, needs_grant) = match (self.index.authority(apex), &self.tenant) {
            (Authority::Tenant(holder, _), Some(tenant)) if holder == tenant => (tenant.clone(), false),
            (Authority::Tenant(holder, _), None) => (holder.to_owned(), false),
            (_, Some(tenant)) => (tenant.clone(), true),
            (Authority::Contested(..), None) => return Err(ImportError::Contested(apex.clone())),
            (Authority::Nobody, None) => return Err(ImportError::NoTenant(apex.clone())),
        };
        if needs_grant {
            self.grant(&tenant, apex);
        }
        let key = self.free_key(&cst_api::tenant_namespace(&tenant), apex);
        draft::put(&mut self.index, &key, draft::bare_spec(zone, &key.name));
        Ok((key, needs_grant))
    }

    /// The object of a zone: another zone's, whose name is as near, is not overwritten.
    fn free_key(&self, namespace: &str, zone: &DomainName) -> ObjectKey {
        let name = object_name(zone);
        let names = std::iter::once(name.clone()).chain((2_u32..).map(|number| format!("{name}-{number}")));
        let mut keys = names.map(|name| ObjectKey::new(namespace, name));
        let is_free = |key: &ObjectKey| {
            let other =
                self.index.domain(key).filter(|entry| entry.model.as_ref().is_none_or(|model| model.zone != *zone));
            other.is_none()
        };
        keys.find(is_free).unwrap_or_else(|| ObjectKey::new(namespace, name))
    }

    /// Grants a name to a tenant in the index, as the coordinator will have to.
    fn grant(&mut self, tenant: &str, zone: &DomainName) {
        let known = self.index.tenant(tenant).and_then(|entry| entry.model.as_ref());
        let mut spec = known.map_or_else(|| unknown(tenant), |model| model.spec.clone());
        spec.domains.push(zone.to_string());
        self.index.apply(Change::Tenant(tenant.to_owned(), Some(Box::new(Tenant::new(tenant, spec)))));
    }

    /// The manifest, read back, compiled and compared.
    fn prove(&mut self, source: &SourceZone, draft: &Draft, needs_grant: bool) -> Result<Imported, ImportError> {
        let apex = source.zone.apex();
        let refused = |why: String| ImportError::Refused { zone: apex.clone(), why };
        let bare = yaml::domain(&draft.key, &draft.spec, &[]);
        self.index.apply(self.read_back(&bare).map_err(refused)?);
        let outcome = compile::zone(&self.index, apex, &ZoneFacts::hopeful());
        let error = outcome.problems.iter().find(|problem| problem.is_error());
        let zone = outcome.zone.clone().filter(|_| error.is_none() && outcome.holder.as_ref() == Some(&draft.key));
        let Some(zone) = zone else {
            return Err(refused(
                error.map_or_else(|| "another Domain holds it".to_owned(), |problem| problem.message.clone()),
            ));
        };
        let notes = notes::notes(&self.index, source, &zone, draft, self.now);
        let mut differences = difference::differences(&self.index, source, &zone);
        if differences.is_empty() && difference::expected_digest(&self.index, source, &zone) != zone.digest() {
            return Err(refused("what it renders to has another digest, and no difference is found".into()));
        }
        differences.sort_by_key(ToString::to_string);
        Ok(Imported {
            key: draft.key.clone(),
            zone: apex.clone(),
            text: yaml::domain(&draft.key, &draft.spec, &notes),
            differences,
            digest: zone.digest(),
            records: zone.record_count(),
            problems: outcome.problems,
            needs_grant,
        })
    }

    /// The manifest as a repository's files are read, schema and all.
    fn read_back(&self, text: &str) -> Result<Change, String> {
        let read = read_documents(text);
        if let Some((_, message)) = read.problems.first() {
            return Err(message.clone());
        }
        let document = read.documents.first().ok_or("its manifest is empty")?;
        match Declared::read(document, &self.schemas, true) {
            Declared::Ours(_, Some(change), refused) if refused.is_empty() => Ok(change),
            Declared::Ours(_, _, refused) => {
                let told = refused.first().map(|(_, field, message)| format!("{message} ({field})"));
                Err(told.unwrap_or_else(|| "its manifest cannot be read".into()))
            }
            _ => Err("its manifest is no Domain".into()),
        }
    }
}

/// The name of a zone's object: the zone's, or the nearest that the API server takes.
fn object_name(zone: &DomainName) -> String {
    let label = |label: &str| label.replace(['_', '/'], "-").trim_matches('-').to_owned();
    let labels = zone.as_str().split('.').map(label);
    labels.map(|label| if label.is_empty() { "x".to_owned() } else { label }).collect::<Vec<_>>().join(".")
}

/// A Tenant of whom nothing is known but its name.
fn unknown(name: &str) -> TenantSpec {
    TenantSpec {
        display_name: name.to_owned(),
        entity_type: EntityType::EnteTerritoriale,
        ipa_code: None,
        agreement: None,
        domains: Vec::new(),
        limits: None,
        helpdesk: Vec::new(),
        administrators: Vec::new(),
        state: None,
    }
}
