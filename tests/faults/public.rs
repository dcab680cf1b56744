//! A public server: BIND 9.20 as the chart configures it, in a folder of this test's; it hands its zones to the test, too.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use cst_compiler::model::{DomainName, RecordType};
use cst_nameserver::lookup::{Client, Question, Reply, Transport};
use cst_tests::centre::eventually;
use cst_tests::{resolvers, validators};

use crate::software::Software;
use crate::world::{CATALOG, KEY, SECRET};

/// How long a server may take for an answer, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(10);

/// Ended with its value.
pub struct PublicServer {
    /// As the settings call it.
    pub name: String,
    pub port: u16,
    folder: PathBuf,
    process: Option<Child>,
}

impl Drop for PublicServer {
    fn drop(&mut self) {
        self.kill();
    }
}

impl PublicServer {
    /// One that does not run yet; it transfers from the first of these ports that answers.
    pub fn new(name: &str, port: u16, folder: &Path, primaries: &[u16], secret: &str) -> Self {
        let folder = folder.join(name);
        fs::create_dir_all(folder.join("cache")).unwrap();
        let primaries: String = primaries.iter().map(|port| format!("127.0.0.1 port {port} key \"{KEY}\"; ")).collect();
        let place = folder.display();
        let config = format!(
            r#"key "{KEY}" {{ algorithm hmac-sha256; secret "{secret}"; }};
            primaries hidden-primary {{ {primaries}}};
            options {{
              directory "{place}/cache"; pid-file "{place}/named.pid"; session-keyfile "{place}/session.key";
              listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
              recursion no; allow-query {{ any; }}; allow-transfer {{ key "{KEY}"; }}; allow-notify {{ key "{KEY}"; }};
              minimal-responses yes; dnssec-validation no; notify no; min-retry-time 2; max-retry-time 10;
              serial-query-rate 5000; transfers-in 200; transfers-per-ns 200; tcp-clients 2000;
              catalog-zones {{ zone "{CATALOG}" default-primaries {{ hidden-primary; }} zone-directory "{place}/cache" in-memory no min-update-interval 1; }};
            }};
            zone "{CATALOG}" {{ type secondary; primaries {{ hidden-primary; }}; file "{place}/cache/catalog.db"; masterfile-format text; }};
            controls {{ }};"#
        );
        fs::write(folder.join("named.conf"), config).unwrap();
        Self { name: name.into(), port, folder, process: None }
    }

    pub fn start(&mut self) {
        self.start_as(Software::Bind920.command());
    }

    /// Starts it by a command that its program and arguments are put behind.
    pub fn start_as(&mut self, mut command: Command) {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).unwrap();
        command.args(["-g", "-n", "1", "-c"]).arg(self.folder.join("named.conf"));
        self.process = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
    }

    /// Where it keeps its zones.
    pub fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    /// The same, on the disks that it sees.
    pub fn cache_inside(&self) -> PathBuf {
        let id = self.process.as_ref().unwrap().id();
        let cache = self.cache();
        Path::new("/proc").join(id.to_string()).join("root").join(cache.strip_prefix("/").unwrap())
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The serial that it answers for a zone.
    pub async fn serial(&self, zone: &str) -> Option<u32> {
        serial(self.port, zone).await
    }

    /// Whether it runs.
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// A zone as a file; empty where it is not served.
    pub fn zone(&self, zone: &str) -> String {
        let port = self.port.to_string();
        let mut dig = Command::new("dig");
        dig.args(["@127.0.0.1", "-p", &port, "-y", &format!("hmac-sha256:{KEY}:{SECRET}"), "+time=60", "+tries=1"]);
        dig.args(["+noall", "+answer", "+onesoa"]).args([zone, "AXFR"]);
        String::from_utf8(dig.output().unwrap().stdout).unwrap()
    }

    /// Panics unless validators and resolvers find every zone right that its catalog lists and it serves. How many these are.
    pub fn is_right(&self) -> usize {
        let catalog = self.zone(CATALOG);
        let members = catalog.lines().filter(|line| line.split_whitespace().nth(3) == Some("PTR"));
        let members = members.filter_map(|line| Some(line.split_whitespace().last()?.trim_end_matches('.')));
        let zones = members.map(|apex| (apex.to_owned(), self.zone(apex))).filter(|(_, text)| text.contains("SOA"));
        let zones: Vec<_> = zones.inspect(|(apex, text)| validators::judge(apex, text)).collect();
        resolvers::believe(self.port, &zones);
        zones.len()
    }

    /// Waits until it answers a serial that is as wanted.
    pub async fn until(&self, zone: &str, wanted: impl Fn(u32) -> bool) -> u32 {
        let serial = eventually(async || self.serial(zone).await.filter(|serial| wanted(*serial))).await;
        serial.unwrap_or_else(|| panic!("{zone} at {} in time\n{}", self.name, self.log()))
    }
}

/// What a server on this machine answers, if it does.
pub async fn ask(port: u16, name: &str, type_: RecordType) -> Option<Reply> {
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let question = Question::new(&DomainName::parse(name).unwrap(), type_);
    Client { timeout: PATIENCE, tries: 2 }.ask(server, &question, Transport::Any).await.ok()
}

/// The serial that a server on this machine answers for a zone.
pub async fn serial(port: u16, zone: &str) -> Option<u32> {
    let reply = ask(port, zone, RecordType::SOA).await?;
    Some(reply.soa(&DomainName::parse(zone).unwrap())?.serial).filter(|_| reply.is_answer())
}
