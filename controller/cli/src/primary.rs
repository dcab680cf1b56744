//! The hidden primary in the place of the controller's zone server.

use std::net::SocketAddr;
use std::path::Path;

use cst_compiler::model::{DomainName, Soa};
use cst_compiler::published::{KeyMaterial, ZoneVersion};
use cst_compiler::settings::DnsSettings;
use cst_kubernetes::zone_server::{self, ZoneServer, ZoneServerError};
use cst_nameserver::{Catalog, Clock, Limits, Observations, Primary, PrimaryConfig, Secondary, TsigAlgorithm, TsigKey};
use tokio::sync::mpsc;

use crate::command::Failure;

/// How many observations wait for the controller.
const WAITING: usize = 1024;
/// The catalog's SOA, in seconds: asked for soon when a NOTIFY was lost, kept for 28 days.
const CATALOG_TIMERS: (u32, u32, u32) = (60, 10, 28 * 86_400);

/// A primary's configuration from the settings. `keys`: a folder with a file for each TSIG key, named as the key, holding its secret
/// in base64; the first by name signs what goes to the secondaries.
pub(crate) fn config(dns: &DnsSettings, listen: Vec<SocketAddr>, keys: &Path) -> Result<PrimaryConfig, Failure> {
    let keys = read_keys(keys)?;
    let signer = keys.first().ok_or("there is no TSIG key: put one into the folder of --keys")?.clone();
    let secondaries = dns.secondaries.iter().map(|server| Secondary {
        name: server.name.clone(),
        address: server.address.clone(),
        key: signer.clone(),
    });
    let secondaries = secondaries.collect();
    Ok(PrimaryConfig {
        listen,
        keys,
        secondaries,
        catalog: catalog(dns),
        plain: false,
        limits: Limits::default(),
        clock: Clock::system(),
    })
}

/// The catalog zone of the settings.
pub(crate) fn catalog(dns: &DnsSettings) -> Catalog {
    let (refresh, retry, expire) = CATALOG_TIMERS;
    let nobody = DomainName::parse("invalid").unwrap_or(DomainName::ROOT);
    let soa = Soa { mname: nobody.clone(), rname: nobody, serial: 0, refresh, retry, expire, minimum: 0 };
    Catalog { name: dns.catalog.clone(), soa }
}

fn read_keys(folder: &Path) -> Result<Vec<TsigKey>, Failure> {
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder)?.collect();
    let mut paths: Vec<_> = entries?.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let secret = std::fs::read_to_string(path)?;
            Ok(TsigKey::from_base64(DomainName::parse(name)?, TsigAlgorithm::HmacSha256, secret.trim())?)
        })
        .collect()
}

/// The primary as the controller sees it.
pub(crate) struct Served(pub(crate) Primary);

impl ZoneServer for Served {
    fn new_key(&self) -> Result<KeyMaterial, ZoneServerError> {
        cst_nameserver::key::generate().map_err(ZoneServerError::new)
    }

    fn publish(&self, version: ZoneVersion) -> Result<Vec<String>, ZoneServerError> {
        self.0.publish(version).map_err(ZoneServerError::new)
    }

    fn declare(&self, apex: &DomainName) {
        self.0.declare(apex);
    }

    fn withdraw(&self, apex: &DomainName) {
        self.0.withdraw(apex);
    }

    fn complete(&self) {
        self.0.set_complete();
    }
}

/// Hands the primary's observations on, until one of the two ends.
pub(crate) fn forward(mut observations: Observations) -> mpsc::Receiver<zone_server::Observation> {
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        while let Some(seen) = observations.next().await {
            let seen = zone_server::Observation { zone: seen.zone, server: seen.server, serial: seen.serial };
            if sender.send(seen).await.is_err() {
                return;
            }
        }
    });
    receiver
}
