//! Which objects a unit has in the cluster: one ConfigMap per unit, written before the objects are. What a unit no longer wants is found
//! here, never by listing; and it says what stays when the unit's own object is gone.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use cst_api::{Date, DeletionPolicy};
use cst_compiler::index::Unit;
use cst_compiler::model::{DomainName, ObjectKey};
use cst_compiler::plan::departure::Departures;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, ObjectMeta, Patch, PatchParams};
use serde::{Deserialize, Serialize};

use crate::apply::{self, ApplyError, ObjectId};
use crate::engine::{Effect, Shell};
use crate::names::{self, Subject};

/// What a unit has.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Its objects.
    pub objects: BTreeSet<ObjectId>,
    /// A site's hosts, which stay its own while its WebSite is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<DomainName>,
    /// A site's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// What the deletion of the unit's own object means.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// The day on which nobody asked for it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<Date>,
    /// What of a tenant may go, or went of late.
    #[serde(default, skip_serializing_if = "Departures::is_empty")]
    pub departures: Departures,
    /// A tenant's Tenant was Terminated when it was last seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub terminated: bool,
}

/// What this process applied, by digest: when a unit's work fails half-way the next attempt goes on from there.
#[derive(Debug, Default)]
pub struct Memory(Mutex<HashMap<ObjectId, String>>);

impl Memory {
    /// Whether the object was applied as it is.
    fn holds(&self, id: &ObjectId, digest: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).is_some_and(|known| known == digest)
    }

    fn note(&self, id: ObjectId, digest: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, digest);
    }

    /// All of them may be gone or changed.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The objects may be gone or changed.
    pub fn forget<'a>(&self, ids: impl IntoIterator<Item = &'a ObjectId>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.into_iter().for_each(|id| drop(known.remove(id)));
    }

    /// A namespace is gone, and all that was in it.
    pub fn forget_namespace(&self, namespace: &str) {
        let is_it = |id: &ObjectId| id.namespace == namespace || (id.kind == "Namespace" && id.name == namespace);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| !is_it(id));
    }
}

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not what was written here.
    #[error("the record of applied objects is damaged at `{0}`; delete it, and check for objects that nobody wants")]
    Damaged(&'static str),
    /// The API server refused or was away.
    #[error("the record of {unit}'s objects cannot be written; it is tried again")]
    Request {
        /// Whose.
        unit: String,
        /// Why.
        source: Box<kube::Error>,
    },
}

/// Reads a record.
pub fn from_config_map(map: &ConfigMap) -> Result<(Unit, Applied), RecordError> {
    let unit = unit_of(&map.metadata).ok_or(RecordError::Damaged("subject"))?;
    let text = map.data.as_ref().and_then(|data| data.get("applied")).ok_or(RecordError::Damaged("applied"))?;
    let applied = serde_json::from_str(text).map_err(|_| RecordError::Damaged("applied"))?;
    Ok((unit, applied))
}

/// Brings a unit's objects to what is wanted: the record first, then the objects in their order, then what is no longer wanted is
/// removed. A Namespace and a volume with data are never removed here.
pub async fn bring_about(
    shell: &Shell,
    unit: &Unit,
    last: Option<&Applied>,
    objects: &[DynamicObject],
    wanted: Applied,
    effects: &mut Vec<Effect>,
) -> Result<Applied, BringAboutError> {
    let (records, memory) = (shell.config_maps(), &shell.memory);
    let mut wanted = wanted;
    wanted.objects = objects.iter().map(ObjectId::of).collect::<Result<_, ApplyError>>()?;
    let before = last.map(|last| last.objects.clone()).unwrap_or_default();
    let all = Applied { objects: wanted.objects.union(&before).cloned().collect(), ..wanted.clone() };
    if last != Some(&all) {
        write(&records, unit, &all).await?;
        effects.push(Effect::Recorded(unit.clone(), all.clone()));
    }
    let mut refusal = None;
    for object in objects {
        let (id, digest) = (ObjectId::of(object)?, names::hash(serde_json::to_vec(object).unwrap_or_default()));
        if memory.holds(&id, &digest) {
            continue;
        }
        match apply::apply(&shell.client, object).await {
            Ok(_) => {
                memory.note(id, digest);
                effects.push(Effect::Advanced);
            }
            // What the API server does not want of one object, such as a volume that cannot grow, does not hold back the others.
            Err(error) if error.is_refusal() => refusal = refusal.or(Some(error)),
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(refusal) = refusal {
        return Err(refusal.into());
    }
    for gone in before.difference(&wanted.objects).filter(|id| !is_kept(id)) {
        apply::remove(&shell.client, gone, site_of(unit)).await?;
        memory.forget([gone]);
    }
    wanted.objects.extend(before.into_iter().filter(is_kept));
    if wanted != all {
        write(&records, unit, &wanted).await?;
    }
    Ok(wanted)
}

/// The name of the site whose objects these are.
pub fn site_of(unit: &Unit) -> Option<&str> {
    if let Unit::Site(key) = unit { Some(&key.name) } else { None }
}

/// Why a unit's objects are not as wanted.
#[derive(Debug, thiserror::Error)]
pub enum BringAboutError {
    /// The record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// An object.
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

/// Holds what cannot be made again.
pub fn is_kept(id: &ObjectId) -> bool {
    matches!(id.kind.as_str(), "Namespace" | "PersistentVolumeClaim")
}

/// Writes a record.
pub async fn write(api: &Api<ConfigMap>, unit: &Unit, applied: &Applied) -> Result<(), RecordError> {
    let map = to_config_map(unit, applied);
    let name = map.metadata.name.clone().unwrap_or_default();
    let params = PatchParams::apply(names::MANAGER).force().validation_strict();
    let written = api.patch(&name, &params, &Patch::Apply(&map)).await;
    written.map(drop).map_err(|source| RecordError::Request { unit: unit.to_string(), source: Box::new(source) })
}

/// Removes a record.
pub async fn forget(api: &Api<ConfigMap>, unit: &Unit) -> Result<(), RecordError> {
    match api.delete(&record_name(unit), &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(source) => Err(RecordError::Request { unit: unit.to_string(), source: Box::new(source) }),
    }
}

/// The name of a unit's record.
pub fn record_name(unit: &Unit) -> String {
    names::named("applied", &unit.to_string().replace([' ', '/'], "."))
}

/// The object to store.
pub fn to_config_map(unit: &Unit, applied: &Applied) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(record_name(unit)),
            labels: Some(names::published_labels("applied")),
            annotations: Some([(names::SUBJECT.to_owned(), unit.to_string())].into()),
            ..ObjectMeta::default()
        },
        data: Some([("applied".to_owned(), serde_json::to_string(applied).unwrap_or_default())].into()),
        ..ConfigMap::default()
    }
}

/// The unit that a record is of.
fn unit_of(map: &ObjectMeta) -> Option<Unit> {
    let name = map.name.as_deref()?;
    let unit = match names::subject("applied", name)? {
        Subject::Plain(subject) => match subject.split_once('.')? {
            ("tenant", name) => Unit::Tenant(name.to_owned()),
            ("site", key) => site(key.split_once('.')?),
            _ => return None,
        },
        Subject::Hashed => match map.annotations.as_ref()?.get(names::SUBJECT)?.split_once(' ')? {
            ("tenant", name) => Unit::Tenant(name.to_owned()),
            ("site", key) => site(key.split_once('/')?),
            _ => return None,
        },
    };
    (record_name(&unit) == name).then_some(unit)
}

fn site((namespace, name): (&str, &str)) -> Unit {
    Unit::Site(ObjectKey::new(namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        let id = ObjectId {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: "t-urbino".into(),
            name: "portale".into(),
        };
        let applied = Applied {
            objects: [id].into(),
            hosts: vec![DomainName::parse("comune.urbino.pu.it").unwrap()],
            database: Some("urbino_portale".into()),
            deletion_policy: DeletionPolicy::Delete,
            retired: Some(Date::parse("2026-11-23").unwrap()),
            departures: Departures::default(),
            terminated: true,
        };
        let long = "a".repeat(250);
        for site in ["portale", "portale.vecchio", &long] {
            let unit = Unit::Site(ObjectKey::new("t-urbino", site));
            assert_eq!(from_config_map(&to_config_map(&unit, &applied)).unwrap().0, unit);
        }
        for unit in [Unit::Site(ObjectKey::new("t-urbino", "portale")), Unit::Tenant("urbino".into())] {
            assert_eq!(from_config_map(&to_config_map(&unit, &applied)).unwrap(), (unit, applied.clone()));
        }
        assert!(from_config_map(&ConfigMap::default()).is_err());
    }
}
