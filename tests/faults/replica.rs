//! A controller as a process of its own, behind an API server of its own.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use cst_tests::api_server;
use cst_tests::centre::eventually;
use cst_tests::proxy::Proxy;
use k8s_openapi::api::coordination::v1::Lease;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::software::free_port;
use crate::world::World;

/// Ended with its value, without a word.
pub struct Replica {
    pub name: String,
    /// What is between it and the API server.
    pub api: Proxy,
    metrics: u16,
    log: PathBuf,
    process: Child,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Replica {
    /// Starts the replica of this name, which has its own port of the hidden primary.
    pub async fn start(world: &World, name: &str) -> Self {
        let api = Proxy::start(api_server::config_of_account(&world.centre.namespace, "cst").await).await;
        let folder = world.folder.path();
        let kubeconfig = folder.join(format!("{name}.kubeconfig"));
        api.write_kubeconfig(&kubeconfig);
        let (metrics, path) = (free_port(), folder.join(format!("{name}.log")));
        let log = File::options().create(true).append(true).open(&path).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_cst"))
            .args(["controller", "--namespace", &world.centre.namespace, "--pod", name])
            .args(["--mail-namespace", &world.centre.mail_namespace])
            .args(["--listen", &format!("127.0.0.1:{}", world.primary(name))])
            .args(["--metrics", &format!("127.0.0.1:{metrics}")])
            .arg("--config")
            .arg(folder.join("cst.yaml"))
            .arg("--keys")
            .arg(folder.join("keys"))
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { name: name.into(), api, metrics, log: path, process }
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How often it stopped leading.
    pub fn times_led_no_more(&self) -> usize {
        self.log().matches("\"leading\":false").count()
    }

    /// Waits until it leads.
    pub async fn until_leads(&self, world: &World) {
        let leases = world.centre.api::<Lease>(&world.centre.namespace);
        let leads = async || {
            let lease = leases.get_opt("cst-controller").await.unwrap()?;
            (lease.spec?.holder_identity? == self.name).then_some(())
        };
        eventually(leads).await.unwrap_or_else(|| panic!("{} leads in time\n{}", self.name, self.log()));
    }

    /// A number of its metrics.
    pub async fn metric(&self, name: &str) -> u64 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.metrics)).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let number = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        number.unwrap_or_else(|| panic!("{name} in {text}"))
    }
}
