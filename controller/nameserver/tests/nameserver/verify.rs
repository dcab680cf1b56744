//! `verify` at real servers: a zone that is right in all, and one fault at a time.

mod trust;

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cst_nameserver::lookup::{Client, ParentLookup, Resolvers};
use cst_nameserver::verify::{Finding, Severity, verify};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::support::{World, name, program, run};

const ZONE: &str = "comune.fano.pu.it";
const PARENT: &str = "127.0.0.2";
const PARENT2: &str = "127.0.0.3";
const ONE: &str = "127.0.0.4";
const TWO: &str = "::1";
/// The zone but for its SOA.
const CONTENT: [&str; 6] =
    ["@ NS ns1", "@ NS ns2", "ns1 A 127.0.0.4", "ns2 AAAA ::1", "@ MX 10 mail", "mail A 192.0.2.25"];
/// What the zone above says of it.
const DELEGATION: [&str; 4] = [
    "comune.fano.pu NS ns1.comune.fano.pu",
    "comune.fano.pu NS ns2.comune.fano.pu",
    "ns1.comune.fano.pu A 127.0.0.4",
    "ns2.comune.fano.pu AAAA ::1",
];
/// A DS that names no key.
const STALE: &str = "comune.fano.pu DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1";

/// The zone above with a delegation and some lines more.
fn parent(world: &mut World, delegation: &[&str], more: &[&str]) {
    let servers = ["@ NS ns1", "@ NS ns2", "ns1 A 127.0.0.2", "ns2 A 127.0.0.3"];
    let lines = [&servers, delegation, more].concat();
    world.zone(PARENT, "it", 1, &lines).zone(PARENT2, "it", 1, &lines);
}

/// The zone at both of its servers, unsigned.
fn unsigned(world: &mut World) {
    world.zone(ONE, ZONE, 7, &CONTENT).zone(TWO, ZONE, 7, &CONTENT);
}

/// The zone signed from and until so many seconds from now, and its DS in the zone above.
fn signed(from: i64, until: i64) -> (String, String) {
    signed_by(&["13"], from, until)
}

/// The same with a key of an algorithm, and perhaps with further arguments for it.
fn signed_by(kind: &[&str], from: i64, until: i64) -> (String, String) {
    signed_with(kind, &[], &CONTENT, from, until)
}

/// The same with further arguments for the signer, and other content.
fn signed_with(kind: &[&str], more: &[&str], content: &[&str], from: i64, until: i64) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &mut Command| String::from_utf8(run(command.current_dir(folder.path())).stdout).unwrap();
    let key = run(program("dnssec-keygen", "bind9-utils").args(["-q", "-f", "KSK", "-a"]).args(kind).arg(ZONE));
    let soa = format!("$ORIGIN {ZONE}.\n$TTL 300\n@ 3600 IN SOA ns1 hostmaster 7 3600 900 2419200 300\n");
    let public = std::fs::read_to_string(folder.path().join(format!("{}.key", key.trim()))).unwrap();
    std::fs::write(folder.path().join("zone"), format!("{soa}{}\n{public}", content.join("\n"))).unwrap();
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let time =
        |offset: i64| run(Command::new("date").args(["-u", "+%Y%m%d%H%M%S", "-d", &format!("@{}", now + offset)]));
    run(program("dnssec-signzone", "bind9-utils").args(more).args([
        "-z",
        "-P",
        "-s",
        time(from).trim(),
        "-e",
        time(until).trim(),
        "-o",
        ZONE,
        "-f",
        "signed",
        "zone",
        key.trim(),
    ]));
    let ds = run(program("dnssec-dsfromkey", "bind9-utils").args(["-2", key.trim()]));
    let ds = ds.trim().replace(&format!("{ZONE}. IN"), "comune.fano.pu");
    (std::fs::read_to_string(folder.path().join("signed")).unwrap(), ds)
}

const DAYS: i64 = 86_400;

async fn findings(world: &World) -> Vec<Finding> {
    let client = Client { timeout: Duration::from_millis(700), tries: 2 };
    let lookup = ParentLookup { resolvers: Resolvers::new([world.resolver()], client), client, port: world.port() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let begin = Instant::now();
    let findings = verify(&name(ZONE), None, &lookup, now).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    findings
}

/// Starts the world and asserts that just these checks find errors, and these warn. Gives what they say, one a line.
async fn faults(world: &mut World, errors: &[&str], warnings: &[&str]) -> String {
    world.start();
    let findings = findings(world).await;
    let of = |severity| {
        let mut checks: Vec<_> = findings.iter().filter(|found| found.severity == severity).map(|f| f.check).collect();
        checks.dedup();
        checks
    };
    let text = findings.iter().filter(|found| found.severity != Severity::Ok).map(|found| format!("{found}\n"));
    let text: String = text.collect();
    assert_eq!(
        (of(Severity::Error), of(Severity::Warning)),
        (errors.to_vec(), warnings.to_vec()),
        "{text}\n{}",
        world.logs()
    );
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_zone_that_is_right_passes_every_check() {
    let (text, ds) = signed(-3600, 30 * DAYS);
    let mut world = World::new();
    world.zone_text(ONE, ZONE, &text).zone_text(TWO, ZONE, &text);
    parent(&mut world, &DELEGATION, &[&ds]);
    world.start();
    let findings = findings(&world).await;
    let text: String = findings.iter().map(|found| format!("{found}\n")).collect();
    assert!(findings.iter().all(|found| found.severity == Severity::Ok), "{text}");
    let checks: Vec<_> = findings.iter().map(|found| found.check).collect();
    let own = [
        "parent",
        "delegation",
        "ns",
        "glue",
        "addresses",
        "udp",
        "tcp",
        "authority",
        "edns",
        "serial",
        "recursion",
        "transfer",
    ];
    let registry = [
        "NameserversResolvableTest",
        "NameserversAnswerTest",
        "NameserverReturnCodeTest",
        "AATest",
        "NSCompareTest",
        "NSCountTest",
        "CNAMEHostTest",
        "IPCompareTest",
        "MXCompareTest",
        "MXRecordIsPresentTest",
        "SOAMasterCompareTest",
        "IPSoaTest",
    ];
    let all = [&own[..], &["soa", "ds", "signatures", "denial", "name"], &registry].concat();
    assert_eq!(checks, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsigned_zone_without_ds_is_right() {
    let mut world = World::new();
    unsigned(&mut world);
    parent(&mut world, &DELEGATION, &[]);
    faults(&mut world, &[], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_zone_is_lame() {
    let mut world = World::new();
    world.zone(ONE, ZONE, 7, &CONTENT).zone(TWO, "other.example", 1, &["@ NS ns1", "ns1 AAAA ::1"]);
    parent(&mut world, &DELEGATION, &[]);
    let told = faults(&mut world, &["authority", "NameserverReturnCodeTest", "AATest"], &[]).await;
    assert!(told.contains("ns2.comune.fano.pu.it (::1): answers REFUSED"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_serial_is_told_with_who_has_it() {
    let mut world = World::new();
    world.zone(ONE, ZONE, 7, &CONTENT).zone(TWO, ZONE, 6, &CONTENT);
    parent(&mut world, &DELEGATION, &[]);
    let told = faults(&mut world, &["serial", "IPSoaTest"], &[]).await;
    assert!(told.contains("6 at ns2.comune.fano.pu.it (::1); 7 at ns1.comune.fano.pu.it (127.0.0.4)"), "{told}");
}

/// Hands datagrams on, and no connections; `plain`: without their OPT record, which is the last here.
fn relay(from: SocketAddr, to: SocketAddr, plain: bool) -> JoinHandle<()> {
    tokio::spawn(async move {
        let socket = UdpSocket::bind(from).await.unwrap();
        let mut buffer = [0; 4096];
        while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
            let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let mut question = buffer[..length].to_vec();
            if plain && question[11] == 1 {
                question[11] = 0;
                question.truncate(length - 11);
            }
            server.send_to(&question, to).await.unwrap();
            let length = server.recv(&mut buffer).await.unwrap();
            socket.send_to(&buffer[..length], client).await.unwrap();
        }
    })
}

/// The zone at one server, and another that only hands on to it.
async fn relayed(plain: bool, errors: &[&str]) -> String {
    let content = CONTENT.map(|line| line.replace("AAAA ::1", "A 127.0.0.6"));
    let delegation = DELEGATION.map(|line| line.replace("AAAA ::1", "A 127.0.0.6"));
    let mut world = World::new();
    world.zone(ONE, ZONE, 7, &content.each_ref().map(String::as_str));
    parent(&mut world, &delegation.each_ref().map(String::as_str), &[]);
    let relay = relay(world.address("127.0.0.6"), world.address(ONE), plain);
    let told = faults(&mut world, errors, &[]).await;
    relay.abort();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tcp_is_told() {
    let told = relayed(false, &["tcp"]).await;
    assert!(told.contains("ns2.comune.fano.pu.it (127.0.0.6): does not answer over TCP"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_edns_is_told() {
    let told = relayed(true, &["tcp", "edns"]).await;
    assert!(told.contains("ns2.comune.fano.pu.it (127.0.0.6): does not answer with EDNS"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_is_told_in_time() {
    let content = CONTENT.map(|line| line.replace("AAAA ::1", "A 127.0.0.6"));
    let delegation = DELEGATION.map(|line| line.replace("AAAA ::1", "A 127.0.0.6"));
    let mut world = World::new();
    world.zone(ONE, ZONE, 7, &content.each_ref().map(String::as_str));
    parent(&mut world, &delegation.each_ref().map(String::as_str), &[]);
    let _mute = world.mute("127.0.0.6");
    let told = faults(&mut world, &["udp", "tcp", "NameserversAnswerTest"], &[]).await;
    assert!(told.contains("ns2.comune.fano.pu.it (127.0.0.6): does not answer over UDP (no answer in time)"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_servers_in_the_zone_than_above_it_are_told() {
    let content = [&CONTENT[..], &["@ NS ns3", "ns3 A 127.0.0.4"]].concat();
    let mut world = World::new();
    world.zone(ONE, ZONE, 7, &content).zone(TWO, ZONE, 7, &content);
    parent(&mut world, &DELEGATION, &[]);
    let told = faults(&mut world, &["ns", "NSCompareTest"], &[]).await;
    assert!(
        told.contains("the zone names ns1.comune.fano.pu.it, ns2.comune.fano.pu.it, ns3.comune.fano.pu.it, "),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn glue_that_is_wrong_and_glue_that_is_missing_are_told() {
    let wrong = DELEGATION.map(|line| line.replace("127.0.0.4", "127.0.0.5"));
    let mut world = World::new();
    unsigned(&mut world);
    parent(&mut world, &wrong.each_ref().map(String::as_str), &[]);
    let told = faults(&mut world, &["glue", "IPCompareTest"], &[]).await;
    assert!(told.contains("ns1.comune.fano.pu.it is said to have 127.0.0.5, in the zone it has 127.0.0.4"), "{told}");

    let mut world = World::new();
    unsigned(&mut world);
    parent(&mut world, &DELEGATION[..3], &[]);
    let told = faults(&mut world, &["glue", "IPCompareTest"], &[]).await;
    assert!(told.contains("no address of ns2.comune.fano.pu.it is given"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_the_zone_above_that_never_answers_is_named_and_the_rest_is_judged() {
    let mut world = World::new();
    unsigned(&mut world);
    let servers = ["@ NS ns1", "@ NS ns2", "ns1 A 127.0.0.2", "ns2 A 127.0.0.6"];
    world.zone(PARENT, "it", 1, &[&servers[..], &DELEGATION].concat());
    let _mute = world.mute("127.0.0.6");
    let told = faults(&mut world, &[], &["parent"]).await;
    assert!(told.contains("ns2.it of `it`, the zone above, did not answer"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_nobody_delegates_is_told() {
    let mut world = World::new();
    unsigned(&mut world);
    parent(&mut world, &[], &[]);
    let told = faults(&mut world, &["delegation"], &[]).await;
    assert!(told.contains("`it` does not delegate the zone"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn open_recursion_open_transfers_and_an_alias_are_told() {
    let content = ["@ NS ns1", "@ NS alias.it.", "ns1 A 127.0.0.4", "@ MX 10 mail", "mail CNAME alias.it."];
    let delegation =
        ["comune.fano.pu NS ns1.comune.fano.pu", "comune.fano.pu NS alias", "ns1.comune.fano.pu A 127.0.0.4"];
    let mut world = World::new();
    world.zone(ONE, ZONE, 7, &content).open(ONE);
    // The alias leads to the resolver.
    parent(&mut world, &delegation, &["alias CNAME resolver", "resolver A 127.0.0.1"]);
    let errors = ["addresses", "authority", "AATest", "CNAMEHostTest", "MXCompareTest"];
    let told = faults(&mut world, &errors, &["recursion", "transfer"]).await;
    assert!(told.contains("ns1.comune.fano.pu.it (127.0.0.4): hands the whole zone"), "{told}");
    assert!(told.contains("alias.it (127.0.0.1): asks others"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_soa_that_makes_no_sense_and_a_zone_without_exchanger_are_warned_of() {
    let soa = "@ 3600 IN SOA nowhere hostmaster 7 100 200 3000 172800";
    let text = format!("$ORIGIN {ZONE}.\n$TTL 300\n{soa}\n{}\n", CONTENT[..4].join("\n"));
    let mut world = World::new();
    world.zone_text(ONE, ZONE, &text).zone_text(TWO, ZONE, &text);
    parent(&mut world, &DELEGATION, &[]);
    let told = faults(&mut world, &[], &["soa", "MXRecordIsPresentTest", "SOAMasterCompareTest"]).await;
    for wrong in
        ["nowhere.comune.fano.pu.it has no address", "retry 200", "refresh 100", "expire 3000", "minimum 172800"]
    {
        assert!(told.contains(wrong), "{wrong}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_the_zone_above_that_differ_are_told_with_what_they_say() {
    let (text, ds) = signed(-3600, 30 * DAYS);
    let mut world = World::new();
    world.zone_text(ONE, ZONE, &text).zone_text(TWO, ZONE, &text);
    parent(&mut world, &DELEGATION, &[&ds]);
    let servers = ["@ NS ns1", "@ NS ns2", "ns1 A 127.0.0.2", "ns2 A 127.0.0.3"];
    world.zone(PARENT2, "it", 1, &[&servers[..], &DELEGATION].concat());
    let told = faults(&mut world, &[], &["parent"]).await;
    assert!(told.contains("ns2.it says NS ns1.comune.fano.pu.it, ns2.comune.fano.pu.it; DS none"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_server_is_too_few() {
    let content = ["@ NS ns1", "ns1 A 127.0.0.4", "@ MX 10 mail", "mail A 192.0.2.25"];
    let mut world = World::new();
    world.zone(ONE, ZONE, 7, &content);
    parent(&mut world, &["comune.fano.pu NS ns1.comune.fano.pu", "ns1.comune.fano.pu A 127.0.0.4"], &[]);
    faults(&mut world, &["NSCountTest"], &["delegation"]).await;
}
