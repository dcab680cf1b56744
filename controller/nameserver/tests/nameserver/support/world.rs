//! A small Internet on loopback addresses of one port: zones above, zones below, and who resolves. Each server is a view of one BIND by
//! the address asked, or a program of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{Software, free_port};

/// How long a server may take to start, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);
/// Where the resolver is.
const RESOLVER: &str = "127.0.0.1";

/// A server's zones, by their names.
type Zones = BTreeMap<String, String>;

/// What will run.
pub struct World {
    port: u16,
    folder: TempDir,
    servers: BTreeMap<&'static str, (Software, Zones)>,
    /// Which server the resolver asks for which zone.
    asked: BTreeMap<String, &'static str>,
    options: BTreeMap<&'static str, String>,
    running: Vec<Child>,
}

impl World {
    pub fn new() -> Self {
        Self {
            port: free_port(),
            folder: tempfile::tempdir().unwrap(),
            servers: BTreeMap::new(),
            asked: BTreeMap::new(),
            options: BTreeMap::new(),
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
        format!("{host}:{}", self.port).parse().unwrap()
    }

    /// A zone at a server: an SOA of a serial, and the lines in zone-file form, relative to it. The first server that has a zone is
    /// the one that the resolver asks.
    pub fn zone(&mut self, server: &'static str, apex: &str, serial: u32, lines: &[&str]) -> &mut Self {
        let soa = format!("$ORIGIN {apex}.\n$TTL 300\n@ 3600 IN SOA ns1 hostmaster {serial} 3600 900 2419200 300\n");
        self.zone_text(server, apex, &format!("{soa}{}\n", lines.join("\n")))
    }

    /// The same with the text of a zone file.
    pub fn zone_text(&mut self, server: &'static str, apex: &str, text: &str) -> &mut Self {
        self.server(server, Software::Bind920).1.insert(apex.to_owned(), text.to_owned());
        if !self.running.is_empty() {
            std::fs::write(self.file(server, apex), text).unwrap();
        }
        self.asked.entry(apex.to_owned()).or_insert(server);
        self
    }

    /// What runs at an address; BIND 9.20 where nothing else is said.
    pub fn software(&mut self, server: &'static str, software: Software) -> &mut Self {
        self.server(server, software).0 = software;
        self
    }

    /// Lines for a BIND's view.
    pub fn option(&mut self, server: &'static str, lines: &str) -> &mut Self {
        self.server(server, Software::Bind920);
        *self.options.entry(server).or_default() += lines;
        self
    }

    fn server(&mut self, server: &'static str, software: Software) -> &mut (Software, Zones) {
        self.servers.entry(server).or_insert((software, Zones::new()))
    }

    fn file(&self, server: &str, apex: &str) -> PathBuf {
        self.folder.path().join(format!("{server}-{apex}.zone"))
    }

    /// Starts everything, and waits until it runs.
    pub fn start(&mut self) -> &mut Self {
        let servers = self.servers.clone();
        for (server, (_, zones)) in &servers {
            zones.iter().for_each(|(apex, text)| std::fs::write(self.file(server, apex), text).unwrap());
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

    /// Lets the BIND read its zones again, and waits until it has.
    pub fn reload(&self) {
        let count = |log: &str| log.matches("all zones loaded").count();
        let before = count(&std::fs::read_to_string(self.folder.path().join("bind.log")).unwrap());
        let id = self.running[0].id().to_string();
        assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
        self.wait_for("bind", |log| count(log) > before);
    }

    /// Ends everything.
    pub fn stop(&mut self) {
        for mut process in self.running.drain(..) {
            // NSD's children end with their parent only when it is asked to end.
            Command::new("kill").arg(process.id().to_string()).status().ok();
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(5) && matches!(process.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(5));
            }
            process.kill().ok();
            process.wait().ok();
        }
    }

    fn bind_config(&self) -> String {
        let (port, path) = (self.port, self.folder.path().display());
        let views = self.servers.iter().filter(|(_, (software, _))| is_bind(*software));
        let addresses: String = views.clone().map(|(server, _)| format!("{server}; ")).collect();
        let views: String = views.map(|(server, (_, zones))| self.view(server, zones)).collect();
        let forwards: String = self.asked.iter().fold(String::new(), |mut text, (zone, server)| {
            write!(
                text,
                "zone \"{zone}\" {{ type forward; forward only; forwarders {{ {server} port {port}; }}; }};\n"
            )
            .unwrap();
            text
        });
        format!(
            r#"options {{ directory "{path}"; pid-file "{path}/named.pid"; session-keyfile "{path}/session.key";
              listen-on port {port} {{ {RESOLVER}; {addresses} }}; listen-on-v6 {{ none; }}; dnssec-validation no; notify no; minimal-responses no-auth;
              servfail-ttl 0; max-ncache-ttl 0; max-cache-ttl 0; }};
            controls {{ }};
            {views}
            view "resolver" {{ match-destinations {{ {RESOLVER}; }}; recursion yes; empty-zones-enable no; {forwards} }};"#
        )
    }

    fn view(&self, server: &str, zones: &Zones) -> String {
        let options = self.options.get(server).map_or("recursion no; allow-transfer { none; };", String::as_str);
        let mut text = format!("view \"{server}\" {{ match-destinations {{ {server}; }}; {options}\n");
        for apex in zones.keys() {
            let file = self.file(server, apex);
            writeln!(
                text,
                "zone \"{apex}\" {{ type primary; file \"{}\"; check-names ignore; check-integrity no; }};",
                file.display()
            )
            .unwrap();
        }
        text + "};\n"
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

    /// A server that hears everything and says nothing, as long as the value is kept.
    pub fn mute(&self, server: &str) -> UdpSocket {
        UdpSocket::bind(self.address(server)).unwrap()
    }
}

fn is_bind(software: Software) -> bool {
    matches!(software, Software::Bind918 | Software::Bind920)
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop();
    }
}
