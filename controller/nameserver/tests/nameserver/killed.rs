//! A primary that dies amid a transfer: a BIND goes on with the whole version that it has, and gets the new one whole from who comes after.

use std::io::{BufRead, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cst_compiler::model::Zone;
use cst_compiler::published::ZoneVersion;
use cst_nameserver::{PrimaryConfig, Secondary, signed_zone_text};

use crate::support::{
    KEY_NAME, Proxy, SECRET, ServerKey, Setup, Software, config, dig, free_port, name, now, records, serve, signed,
    version, zone,
};

const ZONE: &str = "large.example";
/// How many hosts the zone has: its transfer takes many messages of 16 KiB.
const HOSTS: u32 = 1000;
/// How many octets a transfer gets: some messages, and half of the next.
const ENOUGH: usize = 50_000;
/// How long what a test waits for may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// What the process of a primary is told by: where it listens, whom it notifies, and when signatures begin.
const VARIABLES: [&str; 3] = ["CST_TEST_LISTEN", "CST_TEST_SECONDARY", "CST_TEST_INCEPTION"];

/// How a version differs from the one before.
#[derive(Clone, Copy)]
enum Change {
    /// In its signatures, all of them: the whole zone is sent.
    Renewed,
    /// In a third of its hosts: they are sent.
    Moved,
}

/// The version of a serial; the first of them is 1.
fn published(serial: u32, change: Change, inception: u32) -> ZoneVersion {
    let moved = |host: u32| matches!(change, Change::Moved) && host.is_multiple_of(3);
    let third = |host: u32| if moved(host) { serial } else { 0 };
    let lines: Vec<String> =
        (0..HOSTS).map(|host| format!("host{host} A 10.{}.{}.{}", third(host), host >> 8, host & 255)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let content: Zone = zone(ZONE, &lines);
    let renewed = if matches!(change, Change::Renewed) { serial } else { 0 };
    ZoneVersion { inception: inception + renewed, ..version(content, serial) }
}

/// The primary's process: this program once more, which does nothing but this test. Each line that it reads names a version to publish.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process of the tests beside it"]
async fn process_of_a_primary() {
    let [listen, secondary, inception] = VARIABLES.map(|variable| std::env::var(variable).unwrap());
    let secondary = Secondary { name: "ns1".into(), address: secondary, key: name(KEY_NAME) };
    let served = serve(PrimaryConfig { listen: vec![listen.parse().unwrap()], ..config(vec![secondary]) }).await;
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (serial, change) = line.split_once(' ').unwrap();
        let change = if change == "renewed" { Change::Renewed } else { Change::Moved };
        served.primary.publish(published(serial.parse().unwrap(), change, inception.parse().unwrap())).unwrap();
        served.primary.set_complete();
    }
}

/// A primary in a process of its own.
struct Process(Arc<Mutex<Child>>);

impl Process {
    fn start(values: &[String; 3]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "killed::process_of_a_primary", "--ignored", "--nocapture"]);
        command.envs(VARIABLES.into_iter().zip(values)).stdin(Stdio::piped()).stdout(Stdio::null());
        Self(Arc::new(Mutex::new(command.spawn().unwrap())))
    }

    fn publish(&self, serial: u32, change: Change) {
        let word = if matches!(change, Change::Renewed) { "renewed" } else { "moved" };
        writeln!(self.0.lock().unwrap().stdin.as_mut().unwrap(), "{serial} {word}").unwrap();
    }

    /// Ends it without a word.
    fn kill(process: &Mutex<Child>) {
        let mut process = process.lock().unwrap();
        process.kill().ok();
        process.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        Self::kill(&self.0);
    }
}

/// Waits for the zone at the primary.
fn until_served(port: u16) {
    let start = Instant::now();
    while dig(port, &format!("{} +short {ZONE} SOA", signed())).is_empty() {
        assert!(start.elapsed() < PATIENCE, "the primary in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a server hands over.
fn transferred(port: u16) -> Vec<String> {
    let text = dig(port, &format!("{} +nosplit axfr {ZONE}", signed()));
    assert!(!text.contains("failed"), "{text}");
    let mut records = records(&text);
    // The SOA stands at both ends.
    records.dedup();
    records
}

/// What it shall hand over.
fn expected(version: &ZoneVersion) -> Vec<String> {
    records(&signed_zone_text(version).unwrap().replace("\\# 0", ""))
}

/// Kills the primary amid the transfer of the second version.
fn killed_amid(change: Change, is_incremental: bool) {
    let (inception, primary_port, port) = (now() - 3600, free_port(), free_port());
    let values = [format!("127.0.0.1:{primary_port}"), format!("127.0.0.1:{port}"), inception.to_string()];
    let proxy = Proxy::to(primary_port);
    let key = ServerKey { name: KEY_NAME.into(), algorithm: "hmac-sha256", secret: SECRET.into() };
    let setup = Setup {
        software: Software::Bind920,
        port,
        primary: proxy.address,
        key,
        follows_catalog: false,
        takes_notify: true,
        zones: vec![ZONE.into()],
    };
    let primary = Process::start(&values);
    primary.publish(1, change);
    until_served(primary_port);
    let server = setup.start();
    let soa = format!("+short {ZONE} SOA");
    server.until(&soa, |told| told.contains(" 1 "));
    let [old, new] = [1, 2].map(|serial| expected(&published(serial, change, inception)));
    assert_eq!(transferred(port), old);

    let victim = Arc::clone(&primary.0);
    let cut = proxy.cut_after(ENOUGH, move || Process::kill(&victim));
    primary.publish(2, change);
    cut.recv_timeout(PATIENCE).expect("a transfer that is long enough");
    server.until_log("Transfer status: ", |log| !log.ends_with("success"));
    assert_eq!(server.log().contains("got incremental response"), is_incremental, "{}", server.log());
    assert_eq!(transferred(port), old, "what it has is what it had");

    let primary = Process::start(&values);
    primary.publish(2, change);
    server.until(&soa, |told| told.contains(" 2 "));
    assert_eq!(transferred(port), new);
}

#[test]
fn amid_a_whole_transfer_a_secondary_keeps_the_version_that_it_has() {
    killed_amid(Change::Renewed, false);
}

#[test]
fn amid_an_incremental_transfer_a_secondary_keeps_the_version_that_it_has() {
    killed_amid(Change::Moved, true);
}
