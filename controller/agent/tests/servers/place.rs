//! The servers, running once for all scenarios, and the agent beside them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cst_agent::inbox::Event;
use cst_agent::{Agent, Config};
use cst_compiler::desired::mail::{MailDomain, shard};
use tokio::runtime::Runtime;

use crate::client::Client;
use crate::names;
use crate::support::{address, domain, domain_name, secret};

/// The centre's own postmaster.
pub const CENTRE: &str = "postmaster@cst.example.net";

static PLACE: LazyLock<Mutex<Place>> = LazyLock::new(|| Mutex::new(Place::start()));

/// One mail pod without a cluster.
pub struct Place {
    folder: PathBuf,
    runtime: Runtime,
    agent: Agent,
    servers: BTreeMap<&'static str, Child>,
    /// What judges the header of submissions, while it is there.
    milter: Option<Runtime>,
    version: u64,
    /// Where Rspamd, from its next start, finds the virus scanner.
    pub antivirus: Option<&'static str>,
    /// What port 25 said of a recipient before there were tables.
    pub without_tables: String,
    /// How long it took from the first tables to the first accepted recipient.
    pub healed_in: Duration,
}

/// The place, for one scenario at a time.
pub fn place() -> MutexGuard<'static, Place> {
    PLACE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    fn start() -> Self {
        let folder = PathBuf::from(std::env::var_os("CST_MAIL_PLACE").unwrap());
        let config = Config {
            root: folder.join("tables"),
            master_pid: folder.join("pid/master.pid"),
            doveadm: folder.join("dovecot/run/dovecot/doveadm-server"),
            ..Config::in_pod("cst-mail", "mail-0")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (policy, quota, rates) = (config.policy, config.quota, config.rates);
        let agent = Agent::open(config).unwrap();
        let installed = agent.installed();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let rates = runtime.spawn(cst_agent::policy::rates::serve(rates, installed.clone()));
            runtime.block_on(cst_agent::policy::serve(policy, quota, installed));
            drop(rates);
        });
        let (servers, version) = (BTreeMap::new(), 0);
        let (without_tables, healed_in) = (String::new(), Duration::ZERO);
        let mut place =
            Self { folder, runtime, agent, servers, milter: None, antivirus: None, version, without_tables, healed_in };
        place.servers.insert("named", names::serve(&place.folder));
        place.start_milter();
        place.start_server("rspamd");
        place.start_server("postfix");
        place.start_server("dovecot");
        place.without_tables = Client::smtp(25).rcpt("", CENTRE);
        let start = Instant::now();
        place.agent.take(Event::Listed);
        place.install(&[&domain("cst.example.net", &["postmaster"])]);
        place.healed_in = start.elapsed();
        place
    }

    /// Starts a server and waits until it listens.
    pub fn start_server(&mut self, name: &'static str) {
        let log = File::options().create(true).append(true).open(self.folder.join(format!("{name}.log"))).unwrap();
        let mut command = Command::new(self.folder.join(format!("start-{name}")));
        command.envs(self.antivirus.map(|at| ("MAIL_ANTIVIRUS", at)));
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.servers.insert(name, child);
        let ports: &[u16] = match name {
            "postfix" => &[25, 465, 587],
            "rspamd" => &[11332],
            "clamav" => &[3310],
            _ => &[24, 143, 993, 4190, 10340, 12345],
        };
        let start = Instant::now();
        while !ports.iter().all(|port| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok()) {
            assert!(start.elapsed() < Duration::from_secs(30), "{name} does not listen: see its log");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts what judges the header of submissions, and waits until it listens.
    pub fn start_milter(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let at = Config::in_pod("", "").milter;
        runtime.spawn(cst_agent::milter::serve(at, self.agent.installed()));
        self.milter = Some(runtime);
        let start = Instant::now();
        while std::net::TcpStream::connect(at).is_err() {
            assert!(start.elapsed() < Duration::from_secs(30), "the milter does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it, with its connections.
    pub fn stop_milter(&mut self) {
        self.milter.take().unwrap().shutdown_timeout(Duration::from_secs(30));
    }

    /// Ends a server with SIGKILL, all of its processes at once, as the end of a container does.
    pub fn kill_server(&mut self, name: &'static str) {
        let mut child = self.servers.remove(name).unwrap();
        let start = Instant::now();
        loop {
            let processes = self.processes(name);
            if processes.is_empty() {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "{name} goes on: {processes:?}");
            // One that has ended by itself meanwhile is no failure.
            Command::new("kill").arg("-KILL").args(processes).stderr(Stdio::null()).status().unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        child.wait().unwrap();
    }

    /// The ids of the processes that run in an image, or in a chroot of its own there, as Dovecot's login processes do.
    fn processes(&self, image: &str) -> Vec<OsString> {
        let root = self.folder.join(image);
        let all = std::fs::read_dir("/proc").unwrap().map(Result::unwrap);
        let inside =
            all.filter(|process| std::fs::read_link(process.path().join("root")).is_ok_and(|of| of.starts_with(&root)));
        inside.map(|process| process.file_name()).collect()
    }

    /// Runs a program of an image.
    pub fn in_image(&self, image: &str, command: &[&str]) -> String {
        let output = Command::new("chroot").arg(self.folder.join(image)).args(command).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    }

    /// What a path is below the place.
    pub fn path(&self, path: &str) -> PathBuf {
        Path::new(&self.folder).join(path)
    }

    /// Hands domains over as their Secrets would come, and steps until the agent acknowledges them.
    pub fn install(&mut self, domains: &[&MailDomain]) {
        self.take(domains);
        self.settle();
        let ack = self.agent.ack().unwrap();
        for domain in domains {
            assert!(ack.serves(&domain.domain, self.version), "{}: {ack:?}", domain.domain);
        }
    }

    /// Hands domains over and makes one step.
    pub fn offer(&mut self, domains: &[&MailDomain]) {
        self.take(domains);
        self.step();
    }

    fn take(&mut self, domains: &[&MailDomain]) {
        for domain in domains {
            for shard in domain.shards(&address(CENTRE), 0) {
                self.version += 1;
                self.agent.take(Event::Applied(secret(&shard, self.version)));
            }
        }
    }

    /// Gives a domain up.
    pub fn withdraw(&mut self, domain: &str) {
        self.version += 1;
        let shard = shard::withdrawal(&domain_name(domain));
        self.agent.take(Event::Applied(secret(&shard, self.version)));
        self.settle();
    }

    /// One step of the agent.
    pub fn step(&mut self) {
        self.runtime.block_on(self.agent.step()).unwrap();
    }

    fn settle(&mut self) {
        let start = Instant::now();
        self.step();
        while let Some(pause) = self.agent.next_step() {
            assert!(start.elapsed() < Duration::from_mins(1), "{:?}", self.agent.ack());
            std::thread::sleep(pause);
            self.step();
        }
    }

    /// Whether the agent acknowledges a domain's newest state.
    pub fn serves(&self, domain: &str) -> bool {
        self.agent.ack().unwrap().serves(&domain_name(domain), self.version)
    }
}

/// Waits until the clock's second turns: Dovecot looks at a file once in each.
pub fn next_second() {
    let second = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let now = second();
    while second() == now {
        std::thread::sleep(Duration::from_millis(1));
    }
}
