//! What was published, as the watch of the controller's own namespace tells it: at a start all of it, later what another replica wrote.

use std::time::Instant;

use cst_compiler::index::Unit;
use cst_compiler::model::ObjectKey;
use cst_compiler::plan::serial;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;

use super::word::Words;
use super::zone::Damaged;
use super::{Engine, Source, Work, version_number};
use crate::failure::chain;
use crate::published::{self, PublishedZone};
use crate::watch::Seen;
use crate::{applied, names};

impl Engine {
    pub(super) fn take_published(&mut self, seen: Seen<ConfigMap>, now: Instant) {
        match seen {
            // By the name, which nobody can change.
            Seen::There(map) if names::subject("zone", &map.name_any()).is_some() => self.take_stored_zone(&map, now),
            Seen::There(map) if names::subject("applied", &map.name_any()).is_some() => self.take_applied(&map, now),
            Seen::There(_) => {}
            Seen::Unreadable { metadata, error } => self.take_damaged_zone(&metadata, "", None, None, error),
            Seen::Gone(key) => self.published_gone(&key.name, now),
            Seen::Listed => self.listed(Source::Published),
            Seen::Anew => self.published_anew(),
        }
    }

    fn take_stored_zone(&mut self, map: &ConfigMap, now: Instant) {
        match PublishedZone::from_config_map(map) {
            Ok(stored) => {
                let state = self.zones.get(stored.apex());
                let known = state.and_then(|state| state.published.as_ref());
                // One that was thought lost or damaged is there after all.
                let is_back = state.is_some_and(|state| state.damaged.is_some());
                let version = version_number(&stored.resource_version);
                let is_withdrawn = state.is_some_and(|state| state.is_withdrawn(version));
                let is_news = known.is_none_or(|known| version > version_number(&known.resource_version));
                if self.anew.contains(&Source::Published) {
                    self.take_zone_set_back(stored, map, now);
                } else if !is_withdrawn && (is_back || is_news) {
                    let zone = stored.apex().clone();
                    self.stored_since(Unit::Zone(zone.clone()), &map.metadata);
                    self.zone_stored(stored, now);
                    self.mark(Work::Unit(Unit::Zone(zone)));
                }
            }
            Err(error) => {
                let key = |name: &str| map.data.as_ref()?.get(name).map(String::as_str);
                let serial = key("serial").and_then(|serial| serial.parse().ok());
                let holder = key("holder").and_then(|holder| holder.split_once('/'));
                let holder = holder.map(|(namespace, name)| ObjectKey::new(namespace, name));
                let content = serde_json::to_vec(&(&map.data, &map.binary_data)).unwrap_or_default();
                self.take_damaged_zone(&map.metadata, &names::hash(content), serial, holder, chain(&error));
            }
        }
    }

    /// What is stored is told anew, and may be older than what is known of it.
    fn published_anew(&mut self) {
        self.anew.insert(Source::Published);
        self.zones.values_mut().for_each(|state| state.withdrawn = None);
        // What the records say now is what is there now.
        self.built.clear();
    }

    /// A stored zone, told anew: where an older version is stored than was served, what is known is stored again in its place.
    fn take_zone_set_back(&mut self, stored: PublishedZone, map: &ConfigMap, now: Instant) {
        let zone = stored.apex().clone();
        let state = self.zones.entry(zone.clone()).or_default();
        if state.published.as_ref().is_some_and(|known| serial::is_newer(known.serial, stored.serial)) {
            tracing::warn!(%zone, serial = stored.serial, "an older version is stored than was served");
            state.damaged = Some(Damaged {
                resource_version: stored.resource_version,
                why: "an older version is stored than was served".into(),
                ..Damaged::default()
            });
        } else {
            self.stored_since(Unit::Zone(zone.clone()), &map.metadata);
            self.zone_stored(stored, now);
        }
        self.mark(Work::Unit(Unit::Zone(zone)));
    }

    /// A stored zone that cannot be read is still one of ours: it stays in the catalog, and is neither taken for absent nor for empty.
    fn take_damaged_zone(
        &mut self,
        map: &ObjectMeta,
        content: &str,
        serial: Option<u32>,
        holder: Option<ObjectKey>,
        why: String,
    ) {
        let name = map.name.clone().unwrap_or_default();
        let Some(zone) = PublishedZone::zone_of(map) else {
            tracing::error!(config_map = name, why, "what is stored cannot be read, and of what it is neither");
            return;
        };
        let version = version_number(map.resource_version.as_deref().unwrap_or_default());
        if self.zones.get(&zone).is_some_and(|state| state.is_withdrawn(version)) {
            return;
        }
        tracing::error!(config_map = name, %zone, why, "a stored zone cannot be read");
        let label = map.labels.as_ref().and_then(|labels| labels.get(names::TENANT));
        let of_label = || label.map(|tenant| ObjectKey::new(cst_api::tenant_namespace(tenant), zone.as_str()));
        let holder = holder.or_else(of_label);
        let resource_version = map.resource_version.clone().unwrap_or_default();
        let identity = format!("{} {content}", map.uid.as_deref().unwrap_or_default());
        // With its version, so that an approval is good for this damage and no other.
        let why =
            format!("its stored version (ConfigMap {name}, resourceVersion {resource_version}) cannot be read: {why}");
        let approvals = Words::of(map).approvals;
        self.zones.entry(zone.clone()).or_default().damaged =
            Some(Damaged { resource_version, serial, holder, identity, approvals, why });
        self.mark(Work::Serve(zone.clone()));
        self.mark(Work::Unit(Unit::Zone(zone)));
    }

    fn take_applied(&mut self, map: &ConfigMap, now: Instant) {
        let read = applied::from_config_map(map);
        if let Ok((Unit::Tenant(tenant), _)) = &read {
            self.take_words(tenant, &map.metadata);
        }
        match read {
            // What this process builds, it knows better.
            Ok((unit, _)) if self.leads && self.built.contains_key(&unit) => {}
            Ok((unit, applied)) => {
                self.stored_since(unit.clone(), &map.metadata);
                self.was_recorded(unit, applied, now);
            }
            Err(error) => tracing::error!(config_map = map.name_any(), %error, "a record is not used"),
        }
    }

    /// Published state was removed. Where it was not us, what is known of it is stored again.
    fn published_gone(&mut self, name: &str, now: Instant) {
        let is_set_back = self.anew.contains(&Source::Published);
        if is_set_back && let Some(unit) = self.applied.keys().find(|unit| applied::record_name(unit) == name).cloned()
        {
            // What it recorded is gone with it, and is applied anew.
            return self.was_applied(unit, None, String::new(), now);
        }
        let gone =
            self.zones.iter_mut().find(|(zone, state)| state.is_stored() && published::config_map_name(zone) == name);
        let Some((zone, state)) = gone else { return };
        tracing::info!(%zone, "the stored zone is gone");
        let zone = zone.clone();
        // A follower is told by its leader what becomes of it.
        if (self.leads || is_set_back) && state.published.is_some() {
            state.damaged = Some(Damaged { why: "its stored version is gone".into(), ..Damaged::default() });
        } else {
            state.damaged = None;
            let before = state.published.take().and_then(|last| last.retained());
            self.note_retained(before, None, now);
        }
        self.mark(Work::Unit(Unit::Zone(zone)));
    }
}
