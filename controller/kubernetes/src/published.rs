//! What each zone last published: one ConfigMap per zone, written before the zone is served. It is what a restarted controller and
//! every follower serve, what stays when the Domain is gone, and what the guard compares with.

use std::collections::BTreeMap;
use std::sync::Arc;

use cst_api::{Date, DeletionPolicy};
use cst_compiler::model::{DomainName, ObjectKey, Zone, ZoneTextError};
use cst_compiler::plan::dkim::Dkim;
use cst_compiler::plan::dnssec::{Caches, Signing};
use cst_compiler::plan::history::History;
use cst_compiler::plan::serial;
use cst_compiler::plan::withdrawal::Leave;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ObjectMeta, PostParams};
use kube::{Api, ResourceExt as _};

use crate::compress;
use crate::names::{self, Subject};

/// A zone as it was last published.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedZone {
    /// The content.
    pub zone: Arc<Zone>,
    /// The SOA's serial.
    pub serial: u32,
    /// When its signatures begin to be valid, seconds since 1970.
    pub inception: u32,
    /// The content's digest.
    pub digest: String,
    /// The Domain it was compiled from.
    pub holder: ObjectKey,
    /// What the deletion of that Domain means.
    pub deletion_policy: DeletionPolicy,
    /// Every mail replica has acknowledged the domain once: from then on MX and SPF are published.
    pub mail_gate_open: bool,
    /// The day on which nobody asked for it any more.
    pub retired: Option<Date>,
    /// It is to be withdrawn, and the zone above, one of ours, delegates it no more.
    pub leave: Option<Leave>,
    /// Goes into the digests that the guard holds its changes by: when it was first published or an approval was last used, seconds
    /// since 1970. So an approval is good once.
    pub epoch: u32,
    /// How it is signed.
    pub signing: Signing,
    /// What its mail is signed with.
    pub dkim: Dkim,
    /// For how long anybody may have kept what it held.
    pub caches: Caches,
    /// What is remembered beside.
    pub history: History,
    /// The stored object carries the labels and the annotation that tell what it is.
    pub is_labelled: bool,
    /// The stored object's version; empty before it is stored.
    pub resource_version: String,
}

/// Why a stored zone cannot be read. It is not served, and not taken for absent.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// A key is missing or has another form.
    #[error("its key `{0}` is missing or damaged; restore the object from a backup")]
    Key(&'static str),
    /// The content does not unpack.
    #[error("its content does not unpack; restore the object from a backup")]
    Packed(#[from] std::io::Error),
    /// The content is no zone.
    #[error("its content is no zone; restore the object from a backup")]
    Zone(#[from] ZoneTextError),
    /// The content is another zone's than the object's name says.
    #[error("its content is of the zone {0}; restore the object from a backup")]
    Other(DomainName),
    /// The content is another than the digest says.
    #[error("its content is not what its digest says; restore the object from a backup")]
    Digest,
}

/// Why a zone could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A serial that is not newer than the stored one (RFC 1982): a fault of ours.
    #[error("zone {zone}: serial {next} is not newer than the stored {stored}")]
    Serial {
        /// The zone.
        zone: DomainName,
        /// The stored serial.
        stored: u32,
        /// What was to be stored.
        next: u32,
    },
    /// Another replica stored a version in between.
    #[error("zone {0}: another controller stored a version in between; it is compiled again")]
    Outrun(DomainName),
    /// The API server refused or was away.
    #[error("zone {zone}: storing it failed; it is tried again")]
    Request {
        /// The zone.
        zone: DomainName,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The content does not pack.
    #[error("its content does not pack")]
    Packed(#[from] std::io::Error),
}

impl PublishedZone {
    /// The zone's name.
    pub fn apex(&self) -> &DomainName {
        self.zone.apex()
    }

    /// Whether both are the same to who transfers them, but for the serial.
    pub fn is_served_like(&self, other: &Self) -> bool {
        (&self.digest, self.inception) == (&other.digest, other.inception) && self.signing.signs_like(&other.signing)
    }

    /// Reads a stored zone.
    pub fn from_config_map(map: &ConfigMap) -> Result<Self, StoredError> {
        let data = map.data.as_ref().ok_or(StoredError::Key("data"))?;
        let key = |name: &'static str| data.get(name).ok_or(StoredError::Key(name));
        let number = |name: &'static str| key(name)?.parse().map_err(|_| StoredError::Key(name));
        let packed = map.binary_data.as_ref().and_then(|d| d.get("zone.gz")).ok_or(StoredError::Key("zone.gz"))?;
        let (zone, _) = Zone::from_text(&compress::unpack(&packed.0)?)?;
        if map.metadata.name.as_ref() != Some(&config_map_name(zone.apex())) {
            return Err(StoredError::Other(zone.apex().clone()));
        }
        let digest = key("digest")?.clone();
        if zone.digest() != digest {
            return Err(StoredError::Digest);
        }
        let (namespace, name) = key("holder")?.split_once('/').ok_or(StoredError::Key("holder"))?;
        let retired = data.get("retired").map(|day| Date::parse(day).map_err(|_| StoredError::Key("retired")));
        let leave = data.get("leave").map(|text| serde_json::from_str(text).map_err(|_| StoredError::Key("leave")));
        let stored = Self {
            zone: Arc::new(zone),
            serial: number("serial")?,
            inception: number("inception")?,
            digest,
            holder: ObjectKey::new(namespace, name),
            deletion_policy: policy(key("deletionPolicy")?).ok_or(StoredError::Key("deletionPolicy"))?,
            mail_gate_open: key("mailGate")? == "Open",
            retired: retired.transpose()?,
            leave: leave.transpose()?,
            epoch: number("epoch")?,
            signing: serde_json::from_str(key("signing")?).map_err(|_| StoredError::Key("signing"))?,
            dkim: match data.get("dkim") {
                Some(text) => serde_json::from_str(text).map_err(|_| StoredError::Key("dkim"))?,
                None => Dkim::default(),
            },
            caches: serde_json::from_str(key("caches")?).map_err(|_| StoredError::Key("caches"))?,
            history: match data.get("history") {
                Some(text) => serde_json::from_str(text).map_err(|_| StoredError::Key("history"))?,
                None => History::default(),
            },
            is_labelled: true,
            resource_version: map.resource_version().unwrap_or_default(),
        };
        let is_labelled = is_marked_as(&map.metadata, &stored.metadata());
        Ok(Self { is_labelled, ..stored })
    }

    /// The zone that an object stores, whatever else of it can be read.
    pub fn zone_of(map: &ObjectMeta) -> Option<DomainName> {
        let name = map.name.as_deref()?;
        let told = match names::subject("zone", name)? {
            Subject::Plain(zone) => zone,
            Subject::Hashed => map.annotations.as_ref()?.get(names::SUBJECT)?,
        };
        DomainName::parse(told).ok().filter(|zone| config_map_name(zone) == name)
    }

    /// The object to store.
    pub fn to_config_map(&self) -> Result<ConfigMap, std::io::Error> {
        let mut data: BTreeMap<String, String> = [
            ("serial", self.serial.to_string()),
            ("inception", self.inception.to_string()),
            ("epoch", self.epoch.to_string()),
            ("digest", self.digest.clone()),
            ("holder", self.holder.to_string()),
            ("deletionPolicy", format!("{:?}", self.deletion_policy)),
            ("mailGate", if self.mail_gate_open { "Open" } else { "Closed" }.into()),
            ("signing", serde_json::to_string(&self.signing)?),
            ("caches", serde_json::to_string(&self.caches)?),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into();
        if self.dkim != Dkim::default() {
            data.insert("dkim".into(), serde_json::to_string(&self.dkim)?);
        }
        if !self.history.is_empty() {
            data.insert("history".into(), serde_json::to_string(&self.history)?);
        }
        if let Some(leave) = &self.leave {
            data.insert("leave".into(), serde_json::to_string(leave)?);
        }
        data.extend(self.retired.map(|day| ("retired".to_owned(), day.to_string())));
        let packed = ByteString(compress::pack(&self.zone.to_text(self.serial))?);
        Ok(ConfigMap {
            metadata: self.metadata(),
            data: Some(data),
            binary_data: Some([("zone.gz".to_owned(), packed)].into()),
            immutable: None,
        })
    }

    fn metadata(&self) -> ObjectMeta {
        let mut labels = names::published_labels("zone");
        labels.extend(self.holder.tenant().map(|tenant| (names::TENANT.to_owned(), tenant.to_owned())));
        labels.extend(self.retired.map(|day| (names::RETIRED.to_owned(), day.to_string())));
        ObjectMeta {
            name: Some(config_map_name(self.apex())),
            labels: Some(labels),
            annotations: Some([(names::SUBJECT.to_owned(), self.apex().to_string())].into()),
            resource_version: Some(self.resource_version.clone()).filter(|version| !version.is_empty()),
            ..ObjectMeta::default()
        }
    }
}

/// Whether an object carries the labels and annotations that are wanted, whatever others there are.
fn is_marked_as(there: &ObjectMeta, wanted: &ObjectMeta) -> bool {
    let holds = |there: &Option<BTreeMap<String, String>>, wanted: &Option<BTreeMap<String, String>>| {
        let there = |key| there.as_ref().and_then(|there| there.get(key));
        wanted.iter().flatten().all(|(key, value)| there(key) == Some(value))
    };
    holds(&there.labels, &wanted.labels) && holds(&there.annotations, &wanted.annotations)
}

/// Stores a version in place of the one whose `resource_version` it carries: two writers cannot both succeed. Its serial is newer than that of
/// `last`; facts beside what is served may change under the same serial.
pub async fn store(
    api: &Api<ConfigMap>,
    last: Option<&PublishedZone>,
    next: PublishedZone,
) -> Result<PublishedZone, StoreError> {
    let zone = next.apex().clone();
    if let Some(last) = last {
        let is_same = last.serial == next.serial && last.is_served_like(&next);
        if !(is_same || serial::is_newer(next.serial, last.serial)) {
            return Err(StoreError::Serial { zone, stored: last.serial, next: next.serial });
        }
    }
    let map = next.to_config_map()?;
    let params = PostParams { field_manager: Some(names::MANAGER.into()), ..PostParams::default() };
    let stored = if next.resource_version.is_empty() {
        api.create(&params, &map).await
    } else {
        api.replace(&map.name_any(), &params, &map).await
    };
    match stored {
        Ok(stored) => Ok(PublishedZone { resource_version: stored.resource_version().unwrap_or_default(), ..next }),
        Err(kube::Error::Api(status))
            if status.is_conflict() || status.is_already_exists() || status.is_not_found() =>
        {
            Err(StoreError::Outrun(zone))
        }
        Err(source) => Err(StoreError::Request { zone, source: Box::new(source) }),
    }
}

/// Removes a stored zone, if it still is the version that is known.
pub async fn forget(api: &Api<ConfigMap>, zone: &DomainName, resource_version: String) -> Result<(), StoreError> {
    let preconditions = kube::api::Preconditions { uid: None, resource_version: Some(resource_version) };
    match api.delete(&config_map_name(zone), &DeleteParams::default().preconditions(preconditions)).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(kube::Error::Api(status)) if status.is_conflict() => Err(StoreError::Outrun(zone.clone())),
        Err(source) => Err(StoreError::Request { zone: zone.clone(), source: Box::new(source) }),
    }
}

/// The name of a zone's ConfigMap: a zone's own name may be no object name.
pub fn config_map_name(zone: &DomainName) -> String {
    names::named("zone", zone.as_str())
}

fn policy(text: &str) -> Option<DeletionPolicy> {
    match text {
        "Retain" => Some(DeletionPolicy::Retain),
        "Delete" => Some(DeletionPolicy::Delete),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cst_compiler::model::Soa;

    fn published() -> PublishedZone {
        let name = |text: &str| DomainName::parse(text).unwrap();
        let soa = Soa {
            mname: name("ns1.example.net"),
            rname: name("hostmaster.example.net"),
            serial: 0,
            refresh: 1,
            retry: 2,
            expire: 3,
            minimum: 4,
        };
        let zone = Arc::new(Zone::new(name("comune.urbino.pu.it"), 3600, soa));
        PublishedZone {
            digest: zone.digest(),
            zone,
            serial: 1_795_000_000,
            inception: 1_794_990_000,
            holder: ObjectKey::new("t-urbino", "comune.urbino.pu.it"),
            deletion_policy: DeletionPolicy::Retain,
            mail_gate_open: true,
            retired: Some(Date::parse("2026-11-23").unwrap()),
            leave: Some(Leave::begin(1_794_970_000)),
            epoch: 1_794_980_000,
            signing: Signing { leaving: true, everywhere: Some(7), ..Signing::default() },
            dkim: Dkim { absence: Caches::default().with(300, 1_795_000_000), ..Dkim::default() },
            caches: Caches::default().with(3600, 1_795_000_000),
            history: History::default().with_servers(["ns9".to_owned()].into_iter()),
            is_labelled: true,
            resource_version: String::new(),
        }
    }

    #[test]
    fn a_stored_zone_reads_back() {
        let map = published().to_config_map().unwrap();
        assert_eq!(PublishedZone::from_config_map(&map).unwrap(), published());
        assert_eq!(map.metadata.name.as_deref(), Some("zone.comune.urbino.pu.it"));
        assert_eq!(PublishedZone::zone_of(&map.metadata).as_ref(), Some(published().apex()));
        let mut bare = map.clone();
        bare.metadata.labels.as_mut().unwrap().remove(names::RETIRED);
        assert!(!PublishedZone::from_config_map(&bare).unwrap().is_labelled);
        bare = map;
        bare.metadata.labels.as_mut().unwrap().insert("example.org/more".into(), String::new());
        assert!(PublishedZone::from_config_map(&bare).unwrap().is_labelled);
    }

    #[test]
    fn a_damaged_zone_is_an_error_never_an_empty_zone() {
        let whole = published().to_config_map().unwrap();
        let damages: [fn(&mut ConfigMap); 5] = [
            |map| map.metadata.name = Some("zone.comune.fano.pu.it".into()),
            |map| map.binary_data = None,
            |map| drop(map.data.as_mut().unwrap().remove("serial")),
            |map| drop(map.data.as_mut().unwrap().insert("digest".into(), "0".repeat(32))),
            |map| map.binary_data.as_mut().unwrap().get_mut("zone.gz").unwrap().0.truncate(20),
        ];
        for damage in damages {
            let mut map = whole.clone();
            damage(&mut map);
            assert!(PublishedZone::from_config_map(&map).is_err());
        }
    }
}
