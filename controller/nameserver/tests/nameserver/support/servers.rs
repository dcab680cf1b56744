//! Name servers of others as secondaries: their configuration, their processes.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use cst_nameserver::{Observation, Observations};
use tempfile::TempDir;

use super::{CATALOG, Software, dig, name};

/// How long a server may take over a change, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// A TSIG key as configurations have it.
#[derive(Clone, Debug)]
pub struct ServerKey {
    pub name: String,
    pub algorithm: &'static str,
    pub secret: String,
}

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub software: Software,
    /// Where it listens on the loopback.
    pub port: u16,
    pub primary: SocketAddr,
    pub key: ServerKey,
    /// Whether it follows the catalog; else it has stanzas for `zones`.
    pub follows_catalog: bool,
    /// Whether NOTIFY is allowed; BIND always takes that of its primaries.
    pub takes_notify: bool,
    pub zones: Vec<String>,
}

/// A process of our own, ended with its value.
pub struct NameServer {
    pub setup: Setup,
    process: Child,
    folder: TempDir,
}

/// Waits until the primary has seen the server answer a zone's serial.
pub async fn observed(server: &NameServer, observations: &mut Observations, zone: &str, serial: u32) {
    let zone = name(zone);
    let wait = async {
        while let Some(seen) = observations.next().await {
            if matches!(seen, Observation::Serial { zone: of, serial: answered, .. } if of == zone && answered == Some(serial))
            {
                return;
            }
        }
        panic!("the observations ended");
    };
    let seen = tokio::time::timeout(PATIENCE, wait).await;
    assert!(seen.is_ok(), "{zone} {serial} at the secondary in time\n{}", server.log());
}

impl Setup {
    fn config(&self, folder: &Path) -> String {
        let Self { port, primary, .. } = self;
        let ServerKey { name, algorithm, secret } = &self.key;
        let (path, primary_port) = (folder.display(), primary.port());
        match self.software {
            Software::Bind918 | Software::Bind920 => self.bind_config(folder),
            Software::Nsd => {
                let notify = if self.takes_notify { name } else { "BLOCKED" };
                let transfer = format!(
                    "request-xfr: 127.0.0.1@{primary_port} {name}\n allow-notify: 127.0.0.1 {notify}\n allow-notify: ::1 {notify}\n \
                     provide-xfr: 127.0.0.1 {name}\n"
                );
                let mut config = format!(
                    "server:\n ip-address: 127.0.0.1@{port}\n server-count: 1\n username: \"\"\n chroot: \"\"\n zonesdir: \"{path}\"\n \
                     pidfile: \"\"\n xfrdfile: \"{path}/xfrd\"\n zonelistfile: \"{path}/list\"\n xfrdir: \"{path}\"\n verbosity: 3\n xfrd-reload-timeout: 0\n\
                     remote-control:\n control-enable: no\n\
                     key:\n name: \"{name}\"\n algorithm: {algorithm}\n secret: \"{secret}\"\n\
                     pattern:\n name: \"member\"\n {transfer}"
                );
                if self.follows_catalog {
                    write!(config, "zone:\n name: \"{CATALOG}\"\n catalog: consumer\n catalog-member-pattern: \"member\"\n {transfer}")
                        .unwrap();
                }
                for zone in &self.zones {
                    write!(config, "zone:\n name: \"{zone}\"\n include-pattern: \"member\"\n").unwrap();
                }
                config
            }
            Software::Knot => {
                let notify = if self.takes_notify { "notify, " } else { "" };
                let mut config = format!(
                    "server:\n  listen: 127.0.0.1@{port}\n  rundir: \"{path}\"\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
                     database:\n  storage: \"{path}\"\nlog:\n  - target: stderr\n    any: info\n\
                     key:\n  - id: {name}\n    algorithm: {algorithm}\n    secret: {secret}\n\
                     remote:\n  - id: primary\n    address: 127.0.0.1@{primary_port}\n    key: {name}\n\
                     acl:\n  - id: primary\n    key: {name}\n    action: [{notify}transfer]\n\
                     template:\n  - id: default\n    storage: \"{path}\"\n    master: primary\n    acl: primary\n  - id: member\n    \
                     storage: \"{path}\"\n    master: primary\n    acl: primary\nzone:\n"
                );
                if self.follows_catalog {
                    write!(
                        config,
                        "  - domain: {CATALOG}\n    catalog-role: interpret\n    catalog-template: member\n"
                    )
                    .unwrap();
                }
                self.zones.iter().for_each(|zone| writeln!(config, "  - domain: {zone}").unwrap());
                config
            }
        }
    }

    fn bind_config(&self, folder: &Path) -> String {
        let Self { port, primary, .. } = self;
        let ServerKey { name, algorithm, secret } = &self.key;
        let path = folder.display();
        let secondary = |zone: &str| {
            let file = zone.replace('/', "_");
            format!("zone \"{zone}\" {{ type secondary; primaries {{ cst; }}; file \"{path}/{file}.db\"; }};\n")
        };
        let mut catalog = String::new();
        let mut zones: String = self.zones.iter().map(|zone| secondary(zone)).collect();
        if self.follows_catalog {
            catalog = format!(
                "catalog-zones {{ zone \"{CATALOG}\" default-primaries {{ cst; }} zone-directory \"{path}\" in-memory no min-update-interval 1; }};"
            );
            zones += &secondary(CATALOG);
        }
        format!(
            r#"key "{name}" {{ algorithm {algorithm}; secret "{secret}"; }};
            primaries cst {{ {} port {} key "{name}"; }};
            options {{ directory "{path}"; pid-file "{path}/named.pid"; session-keyfile "{path}/session.key"; listen-on port {port} {{ 127.0.0.1; }};
              listen-on-v6 {{ none; }}; recursion no; allow-query {{ any; }}; allow-transfer {{ key "{name}"; }}; allow-notify {{ key "{name}"; }};
              notify no; dnssec-validation no; serial-query-rate 5000; transfers-in 200; transfers-per-ns 200; {catalog} }};
            {zones} controls {{ }};"#,
            primary.ip(),
            primary.port(),
        )
    }

    fn spawn(&self, folder: &Path) -> Child {
        let file = folder.join("server.conf");
        std::fs::write(&file, self.config(folder)).unwrap();
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
        let mut command = self.software.command();
        match self.software {
            // At level 3 it says which transfers are incremental.
            Software::Bind918 | Software::Bind920 => command.args(["-g", "-d", "3", "-c"]),
            Software::Nsd => command.args(["-d", "-c"]),
            Software::Knot => command.arg("-c"),
        };
        command.arg(&file).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    pub fn start(self) -> NameServer {
        let folder = tempfile::tempdir().unwrap();
        NameServer { process: self.spawn(folder.path()), folder, setup: self }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop();
    }
}

impl NameServer {
    fn stop(&mut self) {
        // NSD's children end with their parent only when it is asked to end.
        let id = self.process.id().to_string();
        if self.setup.software == Software::Nsd && Command::new("kill").arg(&id).status().is_ok_and(|s| s.success()) {
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(5) && matches!(self.process.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        self.process.kill().ok();
        self.process.wait().ok();
    }

    /// Ends it without a word, and starts it again on what is in its folder.
    pub fn restart(&mut self) {
        self.stop();
        self.process = self.setup.spawn(self.folder.path());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until the last line of the log that has these words is as it should be.
    pub fn until_log(&self, words: &str, right: impl Fn(&str) -> bool) {
        let start = Instant::now();
        while !self.log().lines().rfind(|line| line.contains(words)).is_some_and(&right) {
            assert!(start.elapsed() < PATIENCE, "{words}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn ask(&self, arguments: &str) -> String {
        dig(self.setup.port, arguments)
    }

    /// Waits until what `dig` prints is as it should be.
    pub fn until(&self, arguments: &str, right: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let told = self.ask(arguments);
            if right(&told) {
                return told;
            }
            assert!(start.elapsed() < PATIENCE, "{arguments}: {told}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
