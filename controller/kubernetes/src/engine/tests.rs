//! Events in, work out: no client, no clock.

mod absence;
mod damage;
mod departures;
mod dnssec;
mod doubts;
mod mail;
mod order;
mod site;
mod tenant;
mod withdrawal;
mod zone;

use std::time::Instant;

use cst_api::Date;
use cst_compiler::desired::tenancy::Installation;
use cst_compiler::model::record::Ds;
use cst_compiler::plan::absence::{Found, Home};
use cst_compiler::plan::dnssec::ZoneKey;
use cst_compiler::plan::serial;
use cst_compiler::settings::Settings;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::clock::Now;
use crate::engine::zone::Heard;
use crate::published::PublishedZone;
use crate::watch::Seen;
use crate::zone_server::Observation;

const BEGIN: u32 = 1_795_000_000;

/// The settings of the tests, with these keys in their sections.
fn settings(changes: &Value) -> Settings {
    let mut settings = json!({
        "apiVersion": "territorial.services/v1alpha1",
        "kind": "Settings",
        "dns": {
            "nameServers": ["ns1.cst.example.net"],
            "hostmaster": "hostmaster@cst.example.net",
            "secondaries": [{"name": "ns1", "address": "127.0.0.1:1053"}],
        },
        "mail": {"hosts": [{"name": "mx.cst.example.net", "preference": 10}], "postmaster": "postmaster@cst.example.net"},
    });
    for (section, keys) in changes.as_object().unwrap() {
        for (key, value) in keys.as_object().unwrap() {
            settings[section][key] = value.clone();
        }
    }
    serde_json::from_value(settings).unwrap()
}

/// A Domain that goes at once when it is deleted, whatever its parent has: there is no DS to ask for.
fn short_lived() -> Value {
    json!({"deletionPolicy": "Delete", "dnssec": {"mode": "Unsigned"}})
}

/// An engine with a clock that the test turns on, and an API server that stores what it is told.
struct Play {
    engine: Engine,
    now: Now,
    version: u64,
    /// Zones above that are asked anew say at once what they said.
    parents_answer: bool,
    /// What the API server has where something is missed.
    found: Found,
}

impl Play {
    fn new() -> Self {
        Self::with(settings(&json!({})))
    }

    fn with(settings: Settings) -> Self {
        let now = Now {
            seconds: BEGIN,
            time: Time("2026-11-18T12:00:00Z".parse().unwrap()),
            today: Date::parse("2026-11-18").unwrap(),
            instant: Instant::now(),
        };
        let engine = Engine::new(settings, Installation::default(), vec!["mail-0".into()]);
        let home = Some(Home { since: 0, ends: false });
        let found = Found { object: false, kind: home, namespace: home };
        Self { engine, now, version: 0, parents_answer: true, found }
    }

    /// A leader that has seen everything there is.
    fn leading() -> Self {
        let mut play = Self::new();
        play.engine.lead(true);
        play.listed();
        play
    }

    fn listed(&mut self) {
        for event in [
            Event::Tenant(Seen::Listed),
            Event::Domain(Seen::Listed),
            Event::Mailbox(Seen::Listed),
            Event::WebSite(Seen::Listed),
            Event::Published(Seen::Listed),
            Event::Shard(Seen::Listed),
            Event::Ack(Seen::Listed),
        ] {
            self.take(event);
        }
    }

    fn take(&mut self, event: Event) {
        self.engine.take(event, self.now.instant);
    }

    fn there<K: DeserializeOwned>(
        &mut self,
        wrap: fn(Seen<K>) -> Event,
        name: &str,
        tenant: Option<&str>,
        spec: &Value,
    ) {
        self.version += 1;
        let object = json!({
            "apiVersion": "territorial.services/v1alpha1",
            "kind": "",
            "metadata": {
                "name": name,
                "namespace": tenant.map(cst_api::tenant_namespace),
                "uid": name,
                "generation": 1,
                "resourceVersion": self.version.to_string(),
                "creationTimestamp": self.now.time,
            },
            "spec": spec,
        });
        self.take(wrap(Seen::There(serde_json::from_value(object).unwrap())));
    }

    fn tenant(&mut self, name: &str, domains: &[&str]) {
        let spec = json!({"displayName": name, "entityType": "Comune", "domains": domains});
        self.there(Event::Tenant, name, None, &spec);
        self.take(Event::Secret(cst_api::tenant_namespace(name), Seen::Listed));
    }

    /// Puts an object there as it is written, beside what the API server adds.
    fn object<K: DeserializeOwned>(&mut self, wrap: fn(Seen<K>) -> Event, mut object: Value) {
        self.version += 1;
        object["apiVersion"] = "territorial.services/v1alpha1".into();
        object["kind"] = "".into();
        object["metadata"]["uid"] = object["metadata"]["name"].clone();
        object["metadata"]["generation"] = 1.into();
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        object["metadata"]["creationTimestamp"] = json!(self.now.time);
        self.take(wrap(Seen::There(serde_json::from_value(object).unwrap())));
    }

    /// A condition's message; `None`: it is not there or does not hold.
    fn told(&self, kind: Kind, key: &ObjectKey, condition: &str) -> Option<String> {
        let known = self.engine.known.get(&ObjectRef::new(kind, key.clone()))?;
        let found = known.status.conditions().iter().find(|c| c.type_ == condition && c.status == "True")?;
        Some(found.message.clone())
    }

    fn domain(&mut self, tenant: &str, name: &str, spec: &Value) {
        self.there(Event::Domain, name, Some(tenant), spec);
    }

    fn mailbox(&mut self, tenant: &str, address: &str) {
        let (name, _) = address.split_once('@').unwrap();
        let spec = json!({"address": address, "passwordSecretRef": {"name": "passwords"}});
        self.there(Event::Mailbox, name, Some(tenant), &spec);
    }

    /// The time so many seconds from now, as statuses write it.
    fn time_after(&self, seconds: u32) -> String {
        let time = k8s_openapi::jiff::Timestamp::from_second(i64::from(self.now.seconds + seconds));
        time.unwrap().to_string()
    }

    fn turn(&mut self, seconds: u32) {
        self.now.seconds += seconds;
        self.now.instant += Duration::from_secs(seconds.into());
    }

    /// Takes all work there is, with nothing done about it.
    fn all_work(&mut self) -> Vec<(Work, Job)> {
        let mut all = Vec::new();
        while let Some((work, job)) = self.engine.next(&self.now) {
            self.engine.done(&work, Vec::new(), Ok(()), self.now.instant);
            all.push((work, job));
        }
        all
    }

    /// Does all work there is, as if every write succeeded; the work that was done.
    fn settle(&mut self) -> Vec<Work> {
        let mut done = Vec::new();
        while let Some((work, job)) = self.engine.next(&self.now) {
            let asked = if let Job::Zone(job) = &job { job.asks_anew().cloned() } else { None };
            let effects = self.carry_out(job);
            self.engine.done(&work, effects, Ok(()), self.now.instant);
            if let Some(zone) = asked {
                self.is_asked(zone);
            }
            done.push(work);
            assert!(done.len() < 10_000, "work goes in circles: {:?}", done.last());
        }
        done
    }

    /// The zone above is asked for a zone.
    fn is_asked(&mut self, zone: DomainName) {
        let heard = self.engine.zones.get(&zone).and_then(|state| state.parent.clone());
        if let Some(Heard { parent, .. }) = heard.filter(|_| self.parents_answer) {
            self.take(Event::Observed(Observation::Parent { zone, parent, asked: self.now.instant }));
        }
    }

    fn carry_out(&mut self, job: Job) -> Vec<Effect> {
        self.version += 1;
        let version = self.version;
        match job {
            Job::Zone(job) => job.pretend(version),
            Job::Mail(job) => job.pretend(version),
            Job::Serve(job) => {
                vec![Effect::ZoneServed(job.zone, job.version.map(|stored| stored.serial))]
            }
            Job::Site(job) => job.pretend(),
            Job::Tenant(job) => job.pretend(),
            Job::Absence(job) => job.pretend(self.found),
            Job::Dkim(job) => job.pretend(version),
            Job::Ask(_) | Job::Report(_) => Vec::new(),
        }
    }

    fn published(&self, zone: &str) -> Option<PublishedZone> {
        self.engine.zones.get(&name(zone))?.published.clone()
    }

    fn answers(&mut self, zone: &str, serial: u32) {
        self.take(Event::Observed(Observation::serial(name(zone), "ns1", Some(serial))));
    }
}

/// Why work failed, where that does not matter.
fn broken() -> Trouble {
    Trouble { why: "the API server is away".into(), refusal: None }
}

/// Makes a key as far as the engine knows of it.
pub(super) fn pretend_key(key: &mut ZoneKey) {
    let (key_tag, algorithm) = (key.id, key.algorithm.number());
    key.ds.get_or_insert_with(|| Ds { key_tag, algorithm, digest_type: 2, digest: vec![0xAA; 32] });
}

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn units(work: &[Work]) -> Vec<&Unit> {
    work.iter()
        .filter_map(|work| match work {
            Work::Unit(unit) => Some(unit),
            Work::Object(_) | Work::Ask(_) | Work::Absence(_) | Work::Dkim(_) | Work::Serve(_) => None,
        })
        .collect()
}
