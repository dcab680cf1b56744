//! A hidden primary that keeps what it is given, and public servers and zones above that answer what they are told to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use cst_api::DnssecAlgorithm;
use cst_compiler::model::DomainName;
use cst_compiler::model::record::Ds;
use cst_compiler::plan::parent::Parent;
use cst_compiler::published::{KeyMaterial, ZoneVersion};
use cst_kubernetes::zone_server::{Observation, ZoneServer, ZoneServerError};
use cst_nameserver::key::{self, SigningKey};
use cst_nameserver::signed_zone_text;
use tokio::sync::mpsc;

use crate::{resolvers, validators};

/// The recording primary.
#[derive(Debug)]
pub struct Recorder {
    served: Mutex<BTreeMap<DomainName, ZoneVersion>>,
    /// The newest version of each zone that was ever served.
    seen: Mutex<BTreeMap<DomainName, ZoneVersion>>,
    declared: Mutex<BTreeSet<DomainName>>,
    answers: mpsc::Sender<Observation>,
    public: AtomicBool,
    parents: Mutex<Parents>,
    keys: AtomicUsize,
    complete: AtomicBool,
}

/// The zones above.
#[derive(Debug, Default)]
struct Parents {
    followed: BTreeSet<DomainName>,
    said: Option<Parent>,
}

/// The public servers of the settings.
pub const SERVERS: [&str; 2] = ["ns1", "ns2"];

impl Recorder {
    /// A primary, and the channel on which its public servers answer.
    pub fn new() -> (Self, mpsc::Receiver<Observation>) {
        let (answers, receiver) = mpsc::channel(10_000);
        let recorder = Self {
            served: Mutex::default(),
            seen: Mutex::default(),
            declared: Mutex::default(),
            answers,
            public: AtomicBool::new(true),
            parents: Mutex::default(),
            keys: AtomicUsize::new(0),
            complete: AtomicBool::new(false),
        };
        (recorder, receiver)
    }

    /// The public servers follow, or are away.
    pub fn public_servers(&self, there: bool) {
        self.public.store(there, Ordering::SeqCst);
        if there {
            self.served.lock().unwrap().values().for_each(|version| self.answer(version));
        }
    }

    /// All zones above say this from now on, asked for or not; `None`: their answers are on their way.
    pub fn parents_say(&self, said: Option<Parent>) {
        let mut parents = self.parents.lock().unwrap();
        parents.said = said;
        parents.followed.iter().for_each(|zone| self.answer_of_parent(zone, &parents));
    }

    fn answer_of_parent(&self, zone: &DomainName, parents: &Parents) {
        if let Some(parent) = parents.said.clone() {
            let observation = Observation::Parent { zone: zone.clone(), parent, asked: Instant::now() };
            self.answers.try_send(observation).ok();
        }
    }

    /// What is served of a zone.
    pub fn served(&self, zone: &str) -> Option<ZoneVersion> {
        self.served.lock().unwrap().get(&DomainName::parse(zone).unwrap()).cloned()
    }

    /// Panics unless validators and resolvers find every zone right that was served.
    pub fn is_right(&self) {
        let text = |version| signed_zone_text(version).expect("it was served");
        let seen = self.seen.lock().unwrap();
        let zones: Vec<_> = seen.iter().map(|(apex, version)| (apex.to_string(), text(version))).collect();
        for (apex, text) in &zones {
            validators::judge(apex, text);
        }
        resolvers::believe_of_texts(&zones);
    }

    /// Whether the catalog lists a zone.
    pub fn lists(&self, zone: &str) -> bool {
        let zone = DomainName::parse(zone).unwrap();
        self.declared.lock().unwrap().contains(&zone) || self.served.lock().unwrap().contains_key(&zone)
    }

    /// How many keys were made.
    pub fn keys_made(&self) -> usize {
        self.keys.load(Ordering::SeqCst)
    }

    /// Whether the catalog may be served.
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::SeqCst)
    }

    fn answer(&self, version: &ZoneVersion) {
        for server in SERVERS {
            let observation = Observation::serial(version.apex().clone(), server, Some(version.serial));
            self.answers.try_send(observation).ok();
        }
    }
}

impl ZoneServer for Recorder {
    fn new_key(&self, algorithm: DnssecAlgorithm) -> Result<KeyMaterial, ZoneServerError> {
        self.keys.fetch_add(1, Ordering::SeqCst);
        key::generate(algorithm).map_err(ZoneServerError::new)
    }

    fn read_key(&self, key: &KeyMaterial, apex: &DomainName) -> Result<(DnssecAlgorithm, Ds), ZoneServerError> {
        let key = SigningKey::load(key).map_err(ZoneServerError::new)?;
        Ok((key.algorithm(), key.ds(apex)))
    }

    fn publish(&self, version: ZoneVersion) -> Result<(), ZoneServerError> {
        if self.public.load(Ordering::SeqCst) {
            self.answer(&version);
        }
        self.seen.lock().unwrap().insert(version.apex().clone(), version.clone());
        self.served.lock().unwrap().insert(version.apex().clone(), version);
        Ok(())
    }

    fn watch_parent(&self, apex: &DomainName, _is_awaited: bool) {
        let mut parents = self.parents.lock().unwrap();
        if parents.followed.insert(apex.clone()) {
            self.answer_of_parent(apex, &parents);
        }
    }

    fn ask_parent(&self, apex: &DomainName) {
        self.answer_of_parent(apex, &self.parents.lock().unwrap());
    }

    fn declare(&self, apex: &DomainName) {
        self.declared.lock().unwrap().insert(apex.clone());
    }

    fn withdraw(&self, apex: &DomainName) {
        self.served.lock().unwrap().remove(apex);
        self.declared.lock().unwrap().remove(apex);
    }

    fn complete(&self) {
        self.complete.store(true, Ordering::SeqCst);
    }

    fn keep_catalog(&self, _until: Option<Instant>) {}
}
