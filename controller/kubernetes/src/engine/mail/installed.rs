//! The shards as they are stored, and whether every mail replica serves them.

use std::collections::BTreeMap;
use std::time::Instant;

use cst_compiler::desired::mail::ack::{self, Ack};
use cst_compiler::desired::mail::shard;
use cst_compiler::index::Unit;
use cst_compiler::model::DomainName;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt as _;

use super::super::{Engine, Source, Work};
use super::MailState;
use crate::shards::{self, StoredShard};
use crate::watch::Seen;

impl Engine {
    pub(in super::super) fn take_shard(&mut self, seen: Seen<Secret>, now: Instant) {
        match seen {
            Seen::There(secret) => {
                let Some((domain, bucket, stored)) = shards::read(&secret) else {
                    return self.shard_lost(&secret.name_any(), now);
                };
                self.stored_since(Unit::Mail(domain.clone()), &secret.metadata);
                let is_set_back = self.anew.contains(&Source::Shards);
                let state = self.mail.entry(domain.clone()).or_default();
                let known = state.shards.get(&bucket);
                if let Some(known) = known.filter(|known| is_set_back && known.content.is_some()) {
                    // What was known is newer, and is written again where it is another.
                    let intact = stored.intact && known.content == stored.content;
                    let content = known.content.clone();
                    state.shards.insert(bucket, StoredShard { content, intact, ..stored });
                    self.shards_changed(&domain, now);
                } else if known.is_none_or(|known| stored.version > known.version) {
                    let content = stored.content.or_else(|| known?.content.clone());
                    state.shards.insert(bucket, StoredShard { content, ..stored });
                    self.shards_changed(&domain, now);
                }
            }
            Seen::Unreadable { metadata, .. } => tracing::error!(secret = metadata.name, "a shard cannot be read"),
            Seen::Gone(key) => self.shard_lost(&key.name, now),
            Seen::Listed => self.listed(Source::Shards),
            Seen::Anew => {
                self.anew.insert(Source::Shards);
                self.mail.values_mut().flat_map(|state| state.shards.values_mut()).for_each(|shard| shard.version = 0);
            }
        }
    }

    /// A Secret is gone, or no longer says whose it is. Of a domain that was given up it may go; otherwise it is written anew.
    fn shard_lost(&mut self, name: &str, now: Instant) {
        let named = |(domain, state): (&DomainName, &MailState)| {
            let bucket = state.shards.keys().find(|bucket| shard::secret_name(domain, **bucket) == name)?;
            Some((domain.clone(), *bucket))
        };
        let Some((domain, bucket)) = self.mail.iter().find_map(named) else { return };
        let Some(state) = self.mail.get_mut(&domain) else { return };
        let given_up = state.is_withdrawn();
        match state.shards.get_mut(&bucket) {
            Some(shard) if !given_up && shard.content.is_some() => shard.intact = false,
            _ => drop(state.shards.remove(&bucket)),
        }
        self.shards_changed(&domain, now);
    }

    pub(in super::super) fn shards_written(
        &mut self,
        domain: &DomainName,
        written: BTreeMap<u32, Option<StoredShard>>,
        now: Instant,
    ) {
        let state = self.mail.entry(domain.clone()).or_default();
        for (bucket, stored) in written {
            match stored {
                Some(stored) => drop(state.shards.insert(bucket, stored)),
                None => drop(state.shards.remove(&bucket)),
            }
        }
        state.since = Some(now);
        self.shards_changed(domain, now);
    }

    fn shards_changed(&mut self, domain: &DomainName, now: Instant) {
        let state = self.mail.entry(domain.clone()).or_default();
        state.since.get_or_insert(now);
        self.judge_acknowledgement(domain);
        self.mark(Work::Unit(Unit::Mail(domain.clone())));
        // A zone may wait for its mail to be gone.
        let zone = Unit::Zone(domain.clone());
        if self.held.contains_key(&zone) || self.zones.get(domain).is_some_and(|state| state.awaits_mail) {
            self.mark(Work::Unit(zone));
        }
    }

    pub(in super::super) fn take_ack(&mut self, seen: Seen<ConfigMap>) {
        match seen {
            Seen::There(map) => {
                let Some(pod) = map.labels().get(ack::LABEL).cloned() else { return };
                match Ack::from_data(&map.data.unwrap_or_default()) {
                    Ok(ack) => drop(self.acks.insert(pod, ack)),
                    Err(error) => tracing::error!(pod, %error, "an acknowledgement cannot be read"),
                }
            }
            Seen::Unreadable { metadata, error } => {
                tracing::error!(config_map = metadata.name, error, "an acknowledgement cannot be read");
            }
            Seen::Gone(key) => self.acks.retain(|pod, _| ack::config_map_name(pod) != key.name),
            Seen::Listed => self.listed(Source::Acks),
            Seen::Anew => {}
        }
        let open: Vec<DomainName> =
            self.mail.iter().filter(|(_, state)| !state.acknowledged).map(|(domain, _)| domain.clone()).collect();
        for domain in open {
            if self.judge_acknowledgement(&domain) || self.is_refused(&domain) {
                self.mark(Work::Unit(Unit::Mail(domain)));
            }
        }
    }

    pub(in super::super) fn is_refused(&self, domain: &DomainName) -> bool {
        self.mail_pods.iter().any(|pod| self.acks.get(pod).is_some_and(|ack| ack.refusal(domain).is_some()))
    }

    /// Judges whether every configured mail replica serves the newest shards. No replica is no success. With the first
    /// acknowledgement the zone may name the mail servers.
    fn judge_acknowledgement(&mut self, domain: &DomainName) -> bool {
        let Some(state) = self.mail.get_mut(domain) else { return false };
        let newest = state.newest();
        let serves = |pod: &String| self.acks.get(pod).is_some_and(|ack| ack.serves(domain, newest));
        let acknowledged = newest > 0 && !self.mail_pods.is_empty() && self.mail_pods.iter().all(serves);
        let began = acknowledged && !state.acknowledged;
        state.acknowledged = acknowledged;
        if acknowledged {
            state.pending.clear();
        }
        let closed = self
            .zones
            .get(domain)
            .and_then(|zone| zone.published.as_ref())
            .is_some_and(|published| !published.mail_gate_open);
        // What signed may be kept only for a time from now on.
        let retires = began && self.has_retired_keys(domain);
        if acknowledged && closed || retires {
            self.mark(Work::Unit(Unit::Zone(domain.clone())));
        }
        began
    }
}
