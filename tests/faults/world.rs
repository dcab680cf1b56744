//! A centre with its public servers, and who asks these for names without end.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cst_api::Domain;
use cst_compiler::model::{DomainName, RecordType};
use cst_kubernetes::published::{PublishedZone, config_map_name};
use cst_tests::centre::{Centre, condition, eventually};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ListParams;
use kube::{Api, ResourceExt as _};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::public::{PublicServer, ask};
use crate::replica::Replica;
use crate::software::free_port;

/// The catalog zone.
pub const CATALOG: &str = "catalog.cst.example.net";
/// The name of the transfer key.
pub const KEY: &str = "transfer";
/// Its secret.
pub const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";
/// The replicas that there may be. The public servers ask the last one first, so that it can be stopped without hindering them.
const REPLICAS: [&str; 2] = ["b", "a"];

/// A centre with nobody in it, and its public servers.
pub struct World {
    pub centre: Centre,
    pub folder: TempDir,
    pub servers: Vec<PublicServer>,
    primaries: Vec<u16>,
    /// As the settings have them.
    secondaries: String,
}

impl Drop for World {
    /// A test is at its end: what the public servers serve then is judged by others.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let judged = self.servers.iter().filter(|server| server.runs()).map(PublicServer::is_right).max();
            assert_ne!(judged, Some(0), "no zone was judged");
        }
    }
}

impl World {
    /// With two public servers that run.
    pub async fn new() -> Self {
        let mut world = Self::with(&[]).await;
        world.servers.iter_mut().for_each(PublicServer::start);
        world
    }

    /// With two public servers that do not run yet, and others by their name and port.
    pub async fn with(others: &[(&str, u16)]) -> Self {
        let centre = Centre::new().await;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        fs::write(folder.path().join("keys").join(KEY), SECRET).unwrap();
        let primaries = REPLICAS.map(|_| free_port()).to_vec();
        let server = |name| PublicServer::new(name, free_port(), folder.path(), &primaries, SECRET);
        let servers = ["ns1", "ns2"].map(server).into_iter().collect::<Vec<_>>();
        let named = servers.iter().map(|server| (server.name.as_str(), server.port));
        let secondaries: String = named
            .chain(others.iter().copied())
            .map(|(name, port)| format!("    - {{name: {name}, address: \"127.0.0.1:{port}\"}}\n"))
            .collect();
        let world = Self { centre, folder, servers, primaries, secondaries };
        world.write_settings(["ns1.cst.example.net", "ns2.cst.example.net"]);
        world
    }

    /// Writes the settings that a replica starts with, with these names of the public servers.
    pub fn write_settings(&self, [first, second]: [&str; 2]) {
        let settings = format!(
            "apiVersion: territorial.services/v1alpha1\nkind: Settings\ndns:\n  nameServers: [{first}, {second}]\n  \
             hostmaster: hostmaster@cst.example.net\n  catalog: {CATALOG}\n  secondaries:\n{}",
            self.secondaries
        );
        fs::write(self.folder.path().join("cst.yaml"), settings).unwrap();
    }

    /// Where a replica's hidden primary listens.
    pub fn primary(&self, replica: &str) -> u16 {
        self.primaries[REPLICAS.iter().position(|name| *name == replica).unwrap()]
    }

    /// Where all of them would.
    pub fn primaries(&self) -> &[u16] {
        &self.primaries
    }

    /// A replica that runs from now on.
    pub async fn replica(&self, name: &str) -> Replica {
        Replica::start(self, name).await
    }

    /// A tenant with so many Domains `0.NAME.example`, …, each with so many hosts; and their names.
    pub async fn tenant(&self, name: &str, domains: usize, hosts: usize, more: &str) -> Vec<String> {
        self.centre.tenant(name, &format!("[{name}.example]")).await;
        let zones: Vec<String> = (0..domains).map(|number| format!("{number}.{name}.example")).collect();
        for zone in &zones {
            self.domain(name, zone, hosts, more).await;
        }
        zones
    }

    /// A Domain with so many hosts `h0`, ….
    pub async fn domain(&self, tenant: &str, zone: &str, hosts: usize, more: &str) {
        let record = |number: usize| {
            format!("{{name: h{number}, type: A, values: [\"192.0.2.{}\", \"203.0.113.1\"]}}", number % 250)
        };
        let records = (0..hosts).map(record).collect::<Vec<_>>().join(", ");
        let manifest = format!(
            "apiVersion: territorial.services/v1alpha1\nkind: Domain\nmetadata: {{name: {zone}, namespace: t-{tenant}}}\n\
             spec: {{records: [{records}]{more}}}"
        );
        self.centre.apply(&manifest).await;
    }

    /// Waits until so many of a tenant's Domains are Ready, or not, and says why.
    pub async fn until_ready(&self, tenant: &str, number: usize) {
        let api: Api<Domain> = self.centre.api(&format!("t-{tenant}"));
        let mut last = Vec::new();
        let ready = eventually(async || {
            let domains = api.list(&ListParams::default()).await.unwrap().items;
            let is_ready = |domain: &&Domain| {
                let observed = domain.status.as_ref().and_then(|status| status.observed_generation);
                observed == domain.metadata.generation && condition(domain, "Ready").is_some_and(|c| c.status == "True")
            };
            last = domains.iter().filter(|domain| !is_ready(domain)).map(|domain| condition(domain, "Ready")).collect();
            (domains.len() == number && last.is_empty()).then_some(())
        });
        ready.await.unwrap_or_else(|| panic!("{tenant} is not ready: {:#?}", last.first()));
    }

    /// Waits until all of a tenant's Domains say that they wait for this server, with the serials that the others answer.
    pub async fn until_waiting_for(&self, server: &str, tenant: &str, number: usize, why: &str) {
        let api: Api<Domain> = self.centre.api(&format!("t-{tenant}"));
        let mut last = Vec::new();
        let waits = |domain: &Domain| {
            let ready = condition(domain, "Ready").is_some_and(|ready| {
                ready.status == "False"
                    && ready.reason == "Waiting"
                    && ready.message.contains(&format!("waits for {server} to answer"))
                    && ready.message.ends_with(&format!("({server} {why})"))
            });
            let Some(zone) = domain.status.as_ref().and_then(|status| status.zone.as_ref()) else { return false };
            let answers = zone.servers.iter().all(|told| (told.serial == Some(zone.serial)) == (told.name != server));
            ready && answers
        };
        let waiting = eventually(async || {
            let domains = api.list(&ListParams::default()).await.unwrap().items;
            let count = domains.len();
            last = domains.into_iter().filter(|domain| !waits(domain)).collect();
            (count == number && last.is_empty()).then_some(())
        });
        waiting.await.unwrap_or_else(|| panic!("{tenant} waits for {server}: {:#?}", last.first().map(|d| &d.status)));
    }

    /// Follows what is stored from now on.
    pub fn follow_serials(&self) -> Serials {
        let maps: Api<ConfigMap> = self.centre.api(&self.centre.namespace);
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let task = tokio::spawn(async move {
            let (mut last, mut back) = (BTreeMap::<String, u32>::new(), Vec::new());
            while !over.load(Ordering::SeqCst) {
                let zones = ListParams::default().labels("territorial.services/published=zone");
                for map in maps.list(&zones).await.unwrap() {
                    let (name, serial) = (map.name_any(), map.data.unwrap()["serial"].parse().unwrap());
                    let before = last.insert(name.clone(), serial);
                    back.extend(
                        before
                            .filter(|before| serial < *before)
                            .map(|before| format!("{name}: {serial} after {before}")),
                    );
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            back
        });
        Serials { is_over, task }
    }

    /// What is stored of a zone.
    pub async fn stored(&self, zone: &str) -> Option<PublishedZone> {
        let maps: Api<ConfigMap> = self.centre.api(&self.centre.namespace);
        let map = maps.get_opt(&config_map_name(&DomainName::parse(zone).unwrap())).await.unwrap()?;
        Some(PublishedZone::from_config_map(&map).unwrap())
    }

    /// The serials of zones at every public server, by server and zone.
    pub async fn serials(&self, zones: &[String]) -> BTreeMap<(String, String), Option<u32>> {
        let mut serials = BTreeMap::new();
        for server in &self.servers {
            for zone in zones {
                serials.insert((server.name.clone(), zone.clone()), server.serial(zone).await);
            }
        }
        serials
    }

    /// Asks the public servers of these names for the first host of each zone from now on.
    pub fn asks(&self, servers: &[&str], zones: &[String]) -> Asking {
        let named = self.servers.iter().filter(|server| servers.contains(&&*server.name));
        let ports: Vec<u16> = named.map(|server| server.port).collect();
        let (zones, is_over, asked) = (zones.to_vec(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (over, count) = (Arc::clone(&is_over), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            let mut wrong = Vec::new();
            while !over.load(Ordering::SeqCst) {
                for zone in &zones {
                    for port in &ports {
                        let reply = ask(*port, &format!("h0.{zone}"), RecordType::A).await;
                        count.fetch_add(1, Ordering::SeqCst);
                        if reply.as_ref().is_none_or(|reply| reply.addresses().count() != 2) {
                            wrong.push(format!("{zone} at {port}: {reply:?}"));
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(4)).await;
                }
            }
            wrong
        });
        Asking { is_over, asked, task }
    }
}

/// Who follows serials.
pub struct Serials {
    is_over: Arc<AtomicBool>,
    task: JoinHandle<Vec<String>>,
}

impl Serials {
    /// No stored serial was ever lower than the one before.
    pub async fn never_went_back(self) {
        self.is_over.store(true, Ordering::SeqCst);
        assert_eq!(self.task.await.unwrap(), Vec::<String>::new());
    }
}

/// Who asks without end.
pub struct Asking {
    is_over: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<Vec<String>>,
}

impl Asking {
    /// Nobody was told anything but what there is, however few could ask on a busy machine.
    pub async fn was_answered(self) {
        let many = async || (self.asked.load(Ordering::SeqCst) > 20).then_some(());
        eventually(many).await.expect("they ask");
        self.is_over.store(true, Ordering::SeqCst);
        assert_eq!(self.task.await.unwrap(), Vec::<String>::new());
    }
}
