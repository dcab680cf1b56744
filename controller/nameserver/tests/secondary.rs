//! A real BIND as a secondary by catalog zone: what is published is answered, signed; what is withdrawn goes; who has no key gets nothing.

mod support;

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cst_compiler::model::{DomainName, Soa};
use cst_nameserver::{Catalog, Limits, Observations, Primary, PrimaryConfig, Secondary, TsigAlgorithm, TsigKey};
use support::{full_zone, name, version, zone};
use tempfile::TempDir;

const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";
const CATALOG: &str = "catalog.example.net";
const PATIENCE: Duration = Duration::from_secs(20);

fn key() -> TsigKey {
    TsigKey::from_base64(name("transfer"), TsigAlgorithm::HmacSha256, SECRET).unwrap()
}

fn catalog() -> Catalog {
    let soa = Soa {
        mname: name("invalid"),
        rname: name("invalid"),
        serial: 0,
        refresh: 60,
        retry: 10,
        expire: 2_419_200,
        minimum: 0,
    };
    Catalog { name: name(CATALOG), soa }
}

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
            r#"key "transfer" {{ algorithm hmac-sha256; secret "{SECRET}"; }};
            primaries cst {{ {} port {} key "transfer"; }};
            options {{ directory "{path}"; pid-file "{path}/named.pid"; session-keyfile "{path}/session.key"; listen-on port {port} {{ 127.0.0.1; }};
              listen-on-v6 {{ none; }}; recursion no; allow-query {{ any; }}; allow-transfer {{ none; }}; allow-notify {{ key "transfer"; }}; notify no;
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
        Command::new("named")
            .args(["-g", "-c"])
            .arg(folder.path().join("named.conf"))
            .stderr(Stdio::from(log))
            .spawn()
            .expect("named is needed: install bind9")
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

    fn ask(&self, arguments: &[&str]) -> String {
        dig(self.port, arguments)
    }

    /// Waits until what `dig` prints is as it should be.
    fn until(&self, arguments: &[&str], right: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let told = self.ask(arguments);
            if right(&told) {
                return told;
            }
            let log = std::fs::read_to_string(self.folder.path().join("named.log")).unwrap_or_default();
            assert!(start.elapsed() < PATIENCE, "{arguments:?}: {told}\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn dig(port: u16, arguments: &[&str]) -> String {
    let port = port.to_string();
    let command = Command::new("dig").args(["@127.0.0.1", "-p", &port, "+tries=1", "+time=2"]).args(arguments).output();
    String::from_utf8_lossy(&command.expect("dig is needed: install bind9-dnsutils").stdout).into_owned()
}

async fn primary(bind_port: u16) -> (Primary, Observations) {
    let secondary = Secondary { name: "ns1".into(), address: format!("127.0.0.1:{bind_port}"), key: key() };
    let config = PrimaryConfig {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        keys: vec![key()],
        secondaries: vec![secondary],
        catalog: catalog(),
        plain: false,
        limits: Limits::default(),
    };
    Primary::start(config).await.unwrap()
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
    let (primary, mut observations) = primary(port).await;
    primary.publish(version(full_zone("fano.example"), 100)).unwrap();
    let ds = primary.publish(version(zone("urbino.example", &["www A 192.0.2.1"]), 7)).unwrap();
    assert!(ds[0].contains(" 13 2 "), "{ds:?}");
    primary.set_complete();
    let mut bind = Bind::start(port, primary.addresses()[0]);

    observed(&mut observations, &name("urbino.example"), 7).await;
    let signed = bind.ask(&["+dnssec", "+norec", "www.urbino.example", "A"]);
    assert!(signed.contains("192.0.2.1") && signed.contains("RRSIG") && signed.contains(" aa"), "{signed}");
    bind.until(&["+short", "fano.example", "SOA"], |told| told.contains(" 100 "));

    let edit = Instant::now();
    primary.publish(version(zone("urbino.example", &["www A 192.0.2.2"]), 8)).unwrap();
    observed(&mut observations, &name("urbino.example"), 8).await;
    println!("edit answered after {:?}", edit.elapsed());
    assert_eq!(bind.ask(&["+short", "www.urbino.example", "A"]), "192.0.2.2\n");

    primary.publish(version(zone("cagli.example", &["www A 192.0.2.3"]), 1)).unwrap();
    observed(&mut observations, &name("cagli.example"), 1).await;
    primary.withdraw(&name("urbino.example"));
    bind.until(&["urbino.example", "SOA"], |told| told.contains("REFUSED"));
    assert_eq!(bind.ask(&["+short", "www.cagli.example", "A"]), "192.0.2.3\n", "the others stay");

    bind.restart();
    bind.until(&["+short", "www.cagli.example", "A"], |told| told == "192.0.2.3\n");
    primary.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_there_is_no_answer() {
    let (primary, _observations) = primary(free_port()).await;
    primary.publish(version(zone("fano.example", &["www A 192.0.2.1"]), 1)).unwrap();
    primary.set_complete();
    let port = primary.addresses()[0].port();
    let good = format!("hmac-sha256:transfer:{SECRET}");
    let ask = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        tokio::task::spawn_blocking(move || dig(port, &arguments.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let whole = ask(&["-y", &good, "fano.example", "AXFR"]).await.unwrap();
    assert!(whole.contains("192.0.2.1") && whole.contains("NSEC") && whole.contains("XFR size"), "{whole}");
    for refused in [
        ask(&["fano.example", "AXFR"]).await.unwrap(),
        ask(&["-y", "hmac-sha256:transfer:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "fano.example", "AXFR"])
            .await
            .unwrap(),
        ask(&["-y", &format!("hmac-sha256:other:{SECRET}"), "fano.example", "AXFR"]).await.unwrap(),
        ask(&["www.fano.example", "A"]).await.unwrap(),
        ask(&[CATALOG, "SOA"]).await.unwrap(),
    ] {
        assert!(!refused.contains("192.0.2.1") && !refused.contains("XFR size"), "{refused}");
        assert!(
            ["REFUSED", "NOTAUTH", "Transfer failed", "BADKEY", "BADSIG"].iter().any(|r| refused.contains(r)),
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_of_many_messages_is_transferred() {
    let port = free_port();
    let (primary, mut observations) = primary(port).await;
    let lines: Vec<String> = (0..1000).map(|n| format!("host{n} A 192.0.2.{}", n % 250)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    primary.publish(version(zone("large.example", &lines), 5)).unwrap();
    primary.set_complete();
    let bind = Bind::start(port, primary.addresses()[0]);
    observed(&mut observations, &name("large.example"), 5).await;
    assert_eq!(bind.ask(&["+short", "host999.large.example", "A"]), "192.0.2.249\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_comes_in_ends_the_server() {
    use tokio::io::AsyncWriteExt;
    let (primary, _observations) = primary(free_port()).await;
    primary.publish(version(zone("fano.example", &["www A 192.0.2.1"]), 1)).unwrap();
    primary.set_complete();
    let address = primary.addresses()[0];
    let udp = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut state = 0x9E37_79B9_u32;
    for length in (0..400).chain([4096, 20_000]) {
        let garbage: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        udp.send_to(&garbage, address).await.unwrap();
        if length % 20 == 0 {
            let mut tcp = tokio::net::TcpStream::connect(address).await.unwrap();
            tcp.write_all(&garbage).await.ok();
        }
    }
    let good = format!("hmac-sha256:transfer:{SECRET}");
    let port = address.port();
    let told = tokio::task::spawn_blocking(move || dig(port, &["-y", &good, "fano.example", "SOA"])).await.unwrap();
    assert!(told.contains("NOERROR"), "{told}");
}
