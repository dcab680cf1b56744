//! A small Internet on loopback addresses of one port: zones above, zones below, and who resolves. BIND listens on addresses that an
//! interface has, so it is the resolver at 127.0.0.1 and a server at `::1`; elsewhere in 127.0.0.0/8 are Knot and NSD.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::Software;

/// How long a server may take to start, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);
/// Where the resolver is.
const RESOLVER: &str = "127.0.0.1";
/// Where the BIND is that has zones.
const BIND: &str = "::1";

/// A port that is free at every address: below those that the system gives to whoever asks others, so that it stays so.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 180).unwrap() * 100;
    let mut ports = std::iter::repeat_with(|| 10_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000);
    let is_free = |port: &u16| {
        let any = (Ipv4Addr::UNSPECIFIED, *port);
        TcpListener::bind(any).is_ok() && UdpSocket::bind(any).is_ok()
    };
    ports.find(is_free).unwrap()
}

/// A server's zones, by their names.
type Zones = BTreeMap<String, String>;

/// What will run.
pub struct World {
    port: u16,
    folder: TempDir,
    servers: BTreeMap<&'static str, (Software, Zones)>,
    /// Which server the resolver asks for which zone.
    asked: BTreeMap<String, &'static str>,
    open: BTreeSet<&'static str>,
    running: Vec<Child>,
}

impl World {
    pub fn new() -> Self {
        Self {
            port: free_port(),
            folder: tempfile::tempdir().unwrap(),
            servers: BTreeMap::new(),
            asked: BTreeMap::new(),
            open: BTreeSet::new(),
            running: Vec::new(),
        }
    }

    /// The port of all servers.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn resolver(&self) -> String {
        format!("{RESOLVER}:{}", self.port)
    }

    pub fn address(&self, host: &str) -> SocketAddr {
        SocketAddr::new(host.parse().unwrap(), self.port)
    }

    /// A zone at a server: an SOA of a serial, and the lines in zone-file form, relative to it. The first server that has a zone is
    /// the one that the resolver asks.
    pub fn zone(&mut self, server: &'static str, apex: &str, serial: u32, lines: &[&str]) -> &mut Self {
        let soa = format!("$ORIGIN {apex}.\n$TTL 300\n@ 3600 IN SOA ns1 hostmaster {serial} 3600 900 2419200 300\n");
        self.zone_text(server, apex, &format!("{soa}{}\n", lines.join("\n")))
    }

    /// The same with the text of a zone file.
    pub fn zone_text(&mut self, server: &'static str, apex: &str, text: &str) -> &mut Self {
        self.server(server).1.insert(apex.to_owned(), text.to_owned());
        if !self.running.is_empty() {
            std::fs::write(self.file(server, apex), text).unwrap();
        }
        self.asked.entry(apex.to_owned()).or_insert(server);
        self
    }

    /// Lets an NSD hand its zones to everybody.
    pub fn open(&mut self, server: &'static str) -> &mut Self {
        self.open.insert(server);
        self.software(server, Software::Nsd)
    }

    /// What runs at an address; Knot where nothing else is said.
    pub fn software(&mut self, server: &'static str, software: Software) -> &mut Self {
        self.server(server).0 = software;
        self
    }

    fn server(&mut self, server: &'static str) -> &mut (Software, Zones) {
        let software = if server == BIND { Software::Bind920 } else { Software::Knot };
        self.servers.entry(server).or_insert((software, Zones::new()))
    }

    fn file(&self, server: &str, apex: &str) -> PathBuf {
        self.folder.path().join(format!("{server}-{apex}.zone"))
    }

    /// Starts everything, and waits until it runs.
    pub fn start(&mut self) -> &mut Self {
        let servers = self.servers.clone();
        for (server, (_, zones)) in &servers {
            for (apex, text) in zones {
                std::fs::write(self.file(server, apex), text).unwrap();
            }
        }
        let config = self.bind_config();
        self.spawn(Software::Bind920, "bind", &config, " running\n");
        for (server, (software, zones)) in servers {
            match software {
                Software::Nsd => self.spawn(software, server, &self.nsd_config(server, &zones), "nsd started"),
                Software::Knot => self.spawn(software, server, &self.knot_config(server, &zones), "server started"),
                Software::Bind918 | Software::Bind920 => {}
            }
        }
        self
    }

    fn spawn(&mut self, software: Software, name: &str, config: &str, started: &str) {
        let (file, log) =
            (self.folder.path().join(format!("{name}.conf")), self.folder.path().join(format!("{name}.log")));
        std::fs::write(&file, config).unwrap();
        let out = std::fs::File::create(&log).unwrap();
        let mut command = software.command();
        match software {
            Software::Bind918 | Software::Bind920 => command.args(["-g", "-n", "1", "-c"]),
            Software::Nsd => command.args(["-d", "-c"]),
            Software::Knot => command.arg("-c"),
        };
        command.arg(&file).stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out);
        self.running.push(command.spawn().unwrap());
        self.wait_for(name, |log| log.contains(started));
    }

    fn wait_for(&self, name: &str, right: impl Fn(&str) -> bool) {
        let start = Instant::now();
        loop {
            let log = std::fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default();
            if right(&log) {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{name}: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Lets the servers read their zones again. When they have, their answers tell.
    pub fn reload(&self) {
        for process in &self.running {
            assert!(Command::new("kill").args(["-HUP", &process.id().to_string()]).status().unwrap().success());
        }
    }

    /// Ends everything.
    pub fn stop(&mut self) {
        self.running.drain(..).for_each(end);
    }

    /// Ends the server of the highest address.
    pub fn stop_last(&mut self) {
        end(self.running.pop().unwrap());
    }

    /// What nobody here has, nobody is asked for: the real Internet never is.
    fn bind_config(&self) -> String {
        let (port, path) = (self.port, self.folder.path().display());
        let zones: String = self
            .servers
            .get(BIND)
            .iter()
            .flat_map(|(_, zones)| zones.keys())
            .map(|apex| {
                let file = self.file(BIND, apex);
                format!("zone \"{apex}\" {{ type primary; file \"{}\"; check-integrity no; }};\n", file.display())
            })
            .collect();
        let forwards: String = self.asked.iter().fold(String::new(), |mut text, (zone, server)| {
            writeln!(
                text,
                "zone \"{zone}\" {{ type forward; forward only; forwarders {{ {server} port {port}; }}; }};"
            )
            .unwrap();
            text
        });
        format!(
            r#"options {{ directory "{path}"; pid-file "{path}/named.pid"; session-keyfile "{path}/session.key"; listen-on port {port} {{ {RESOLVER}; }};
              listen-on-v6 port {port} {{ {BIND}; }}; dnssec-validation no; notify no; minimal-responses no-auth; servfail-ttl 0; max-ncache-ttl 0;
              max-cache-ttl 0; }};
            controls {{ }};
            view "authority" {{ match-destinations {{ {BIND}; }}; recursion no; allow-transfer {{ none; }}; {zones} }};
            view "resolver" {{ match-destinations {{ {RESOLVER}; }}; recursion yes; empty-zones-enable no; forward only;
              forwarders {{ {RESOLVER} port 9; }}; {forwards} }};"#
        )
    }

    fn nsd_config(&self, server: &str, zones: &Zones) -> String {
        let (port, folder) = (self.port, self.own_folder(server));
        let path = folder.display();
        let mut config = format!(
            "server:\n ip-address: {server}@{port}\n server-count: 1\n username: \"\"\n chroot: \"\"\n zonesdir: \"{path}\"\n pidfile: \"\"\n \
             xfrdfile: \"{path}/xfrd\"\n zonelistfile: \"{path}/list\"\n xfrdir: \"{path}\"\n verbosity: 2\nremote-control:\n control-enable: no\n"
        );
        for apex in zones.keys() {
            write!(config, "zone:\n name: \"{apex}\"\n zonefile: \"{}\"\n", self.file(server, apex).display()).unwrap();
            if self.open.contains(server) {
                config += " provide-xfr: 127.0.0.0/8 NOKEY\n";
            }
        }
        config
    }

    fn knot_config(&self, server: &str, zones: &Zones) -> String {
        let (port, folder) = (self.port, self.own_folder(server));
        let path = folder.display();
        let mut config = format!(
            "server:\n  listen: {server}@{port}\n  rundir: \"{path}\"\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
             database:\n  storage: \"{path}\"\nlog:\n  - target: stderr\n    any: info\nzone:\n"
        );
        for apex in zones.keys() {
            write!(
                config,
                "  - domain: {apex}\n    file: \"{}\"\n    zonefile-sync: -1\n",
                self.file(server, apex).display()
            )
            .unwrap();
        }
        config
    }

    fn own_folder(&self, server: &str) -> PathBuf {
        let folder = Path::new(self.folder.path()).join(server);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// What the servers wrote.
    pub fn logs(&self) -> String {
        let files = std::fs::read_dir(self.folder.path()).unwrap().flatten().map(|entry| entry.path());
        let logs = files.filter(|file| file.extension().is_some_and(|extension| extension == "log"));
        logs.map(|log| format!("{}\n{}", log.display(), std::fs::read_to_string(&log).unwrap_or_default())).collect()
    }

    /// A server that hears everything and says nothing, as long as the value is kept.
    pub fn mute(&self, server: &str) -> UdpSocket {
        UdpSocket::bind(self.address(server)).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
    }
}

fn end(mut process: Child) {
    // NSD's children end with their parent only when it is asked to end.
    Command::new("kill").arg(process.id().to_string()).status().ok();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) && matches!(process.try_wait(), Ok(None)) {
        std::thread::sleep(Duration::from_millis(5));
    }
    process.kill().ok();
    process.wait().ok();
}
