//! A real BIND as a secondary by catalog zone: what is published is answered, signed; what is withdrawn goes; who has no key gets nothing.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use cst_compiler::model::DomainName;
use cst_nameserver::{Observations, Secondary};
use tempfile::TempDir;

use crate::support::{
    CATALOG, KEY_NAME, SECRET, Served, config, dig, full_zone, name, program, serve, tsig_key, version, zone,
};

/// How long BIND may take over a change.
const PATIENCE: Duration = Duration::from_secs(20);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A named process of our own, ended with its value.
struct Bind {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl Drop for Bind {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Bind {
    fn configure(folder: &TempDir, port: u16, primary: SocketAddr) {
        let path = folder.path().display();
        let config = format!(
            r#"key "{KEY_NAME}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
            primaries cst {{ {} port {} key "{KEY_NAME}"; }};
            options {{ directory "{path}"; pid-file "{path}/named.pid"; session-keyfile "{path}/session.key"; listen-on port {port} {{ 127.0.0.1; }};
              listen-on-v6 {{ none; }}; recursion no; allow-query {{ any; }}; allow-transfer {{ none; }}; allow-notify {{ key "{KEY_NAME}"; }}; notify no;
              dnssec-validation no; serial-query-rate 5000; transfers-in 200; transfers-per-ns 200;
              catalog-zones {{ zone "{CATALOG}" default-primaries {{ cst; }} zone-directory "{path}" in-memory no min-update-interval 1; }}; }};
            zone "{CATALOG}" {{ type secondary; primaries {{ cst; }}; file "{path}/catalog.db"; }};
            controls {{ }};"#,
            primary.ip(),
            primary.port(),
        );
        std::fs::write(folder.path().join("named.conf"), config).unwrap();
    }

    fn spawn(folder: &TempDir) -> Child {
        let log = std::fs::File::create(folder.path().join("named.log")).unwrap();
        program("named", "bind9")
            .args(["-g", "-c"])
            .arg(folder.path().join("named.conf"))
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap()
    }

    fn start(port: u16, primary: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::configure(&folder, port, primary);
        Self { process: Self::spawn(&folder), folder, port }
    }

    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = Self::spawn(&self.folder);
    }

    fn ask(&self, arguments: &str) -> String {
        dig(self.port, arguments)
    }

    /// Waits until what `dig` prints is as it should be.
    fn until(&self, arguments: &str, right: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let told = self.ask(arguments);
            if right(&told) {
                return told;
            }
            let log = std::fs::read_to_string(self.folder.path().join("named.log")).unwrap_or_default();
            assert!(start.elapsed() < PATIENCE, "{arguments}: {told}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A primary that tells one secondary on this port.
async fn primary(bind_port: u16) -> Served {
    let secondary = Secondary { name: "ns1".into(), address: format!("127.0.0.1:{bind_port}"), key: tsig_key() };
    serve(config(vec![secondary])).await
}

async fn observed(observations: &mut Observations, zone: &DomainName, serial: u32) {
    let wait = async {
        while let Some(seen) = observations.next().await {
            if seen.zone == *zone && seen.serial == Some(serial) {
                return;
            }
        }
        panic!("the observations ended");
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the secondary answers the serial in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn published_edited_and_withdrawn_zones_reach_bind() {
    let port = free_port();
    let Served { primary, mut observations, .. } = primary(port).await;
    primary.publish(version(full_zone("fano.example"), 100)).unwrap();
    let ds = primary.publish(version(zone("urbino.example", &["www A 192.0.2.1"]), 7)).unwrap();
    assert!(ds[0].contains(" 13 2 "), "{ds:?}");
    primary.set_complete();
    let mut bind = Bind::start(port, primary.addresses()[0]);

    observed(&mut observations, &name("urbino.example"), 7).await;
    let signed = bind.ask("+dnssec +norec www.urbino.example A");
    assert!(signed.contains("192.0.2.1") && signed.contains("RRSIG") && signed.contains(" aa"), "{signed}");
    bind.until("+short fano.example SOA", |told| told.contains(" 100 "));

    let edit = Instant::now();
    primary.publish(version(zone("urbino.example", &["www A 192.0.2.2"]), 8)).unwrap();
    observed(&mut observations, &name("urbino.example"), 8).await;
    println!("edit answered after {:?}", edit.elapsed());
    assert_eq!(bind.ask("+short www.urbino.example A"), "192.0.2.2\n");

    primary.publish(version(zone("cagli.example", &["www A 192.0.2.3"]), 1)).unwrap();
    observed(&mut observations, &name("cagli.example"), 1).await;
    primary.withdraw(&name("urbino.example"));
    bind.until("urbino.example SOA", |told| told.contains("REFUSED"));
    assert_eq!(bind.ask("+short www.cagli.example A"), "192.0.2.3\n", "the others stay");

    bind.restart();
    bind.until("+short www.cagli.example A", |told| told == "192.0.2.3\n");
    primary.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_of_many_messages_is_transferred() {
    let port = free_port();
    let Served { primary, mut observations, .. } = primary(port).await;
    let lines: Vec<String> = (0..1000).map(|n| format!("host{n} A 192.0.2.{}", n % 250)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    primary.publish(version(zone("large.example", &lines), 5)).unwrap();
    primary.set_complete();
    let bind = Bind::start(port, primary.addresses()[0]);
    observed(&mut observations, &name("large.example"), 5).await;
    assert_eq!(bind.ask("+short host999.large.example A"), "192.0.2.249\n");
}
