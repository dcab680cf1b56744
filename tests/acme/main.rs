//! Certificates by DNS: a real client (lego) with the key that the chart made proves names to a real authority (pebble), through the
//! public servers as the chart configures them and a resolver that validates; no zone of a member changes.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it is a test")]

mod centre;
mod network;
#[path = "../../controller/nameserver/tests/nameserver/support/software.rs"]
#[expect(dead_code, reason = "shared with the tests of the nameserver")]
mod software;

use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use centre::{Centre, DYNAMIC, ZONES, dig, run, until};
use network::{RESOLVER, SERVERS};
use software::Software;

const NS1: &str = SERVERS[0].1;
const NS2: &str = SERVERS[1].1;

/// Asks for a certificate with a client's key, as the chart's Secret has it.
fn lego(centre: &Centre, directory: &str, client: &str, names: &[&str]) -> Output {
    let secret = |key: &str| centre.data(&format!("acme-{client}"), key).to_owned();
    let mut lego = Command::new("lego");
    lego.args(["--server", directory, "--accept-tos", "--email", "desk@cst.example.net", "--dns", "rfc2136", "--path"]);
    lego.arg(centre.folder.join(client)).args(["--dns.resolvers", &format!("{RESOLVER}:53")]);
    lego.args(names.iter().flat_map(|name| ["--domains", name])).arg("run");
    lego.env("LEGO_CA_CERTIFICATES", centre.folder.join("authority.pem"));
    lego.env("RFC2136_NAMESERVER", "ns1.cst-dns.svc:53").env("RFC2136_TSIG_KEY", secret("name"));
    lego.env("RFC2136_TSIG_ALGORITHM", secret("algorithm") + ".").env("RFC2136_TSIG_SECRET", secret("secret"));
    lego.env("RFC2136_POLLING_INTERVAL", "1")
        .env("RFC2136_SEQUENCE_INTERVAL", "1")
        .env("RFC2136_PROPAGATION_TIMEOUT", "20");
    lego.output().expect("lego runs (apt-get install lego)")
}

/// The names in a certificate that a client got.
fn names_in(centre: &Centre, client: &str, first: &str) -> Vec<String> {
    let file = centre.folder.join(client).join(format!("certificates/{first}.crt"));
    let text = run(Command::new("openssl").args(["x509", "-noout", "-ext", "subjectAltName", "-in"]).arg(file)).stdout;
    let text = String::from_utf8(text).unwrap();
    let mut names: Vec<_> =
        text.split("DNS:").skip(1).map(|name| name.trim().trim_end_matches(',').to_owned()).collect();
    names.sort();
    names
}

/// The serials of every member's zone at every server.
fn serials() -> Vec<String> {
    let ask = |(_, server): &(&str, &str)| ZONES.map(|zone| format!("{server} {:?}", dig(server, &[zone, "SOA"])));
    SERVERS.iter().flat_map(ask).collect()
}

/// The dynamic zone's serial at a server.
fn serial(server: &str) -> u32 {
    let soa = dig(server, &[DYNAMIC, "SOA"]).remove(0);
    soa.split(' ').nth(2).unwrap().parse().unwrap()
}

/// In seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The status that an update of these lines gets: `NOERROR`, `REFUSED`, …
fn update(key: Option<&std::path::Path>, server: &str, zone: &str, lines: &str) -> String {
    let script = format!("server {server}\nzone {zone}\n{lines}\nsend\nanswer\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script).unwrap();
    let key = key.into_iter().flat_map(|key| ["-k".as_ref(), key.as_os_str()]);
    let output = Command::new("nsupdate").args(["-t", "10"]).args(key).arg(file.path()).output().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let status = told.split("status: ").nth(1).and_then(|rest| rest.split(',').next());
    status.unwrap_or_else(|| panic!("{lines}: {told}")).to_owned()
}

fn add(name: &str, token: &str) -> String {
    format!("update add {name}.{DYNAMIC} 60 TXT {token}")
}

async fn issues(test: &str, software: Software) {
    let Some(folder) = network::inside(test) else { return };
    let mut centre = Centre::start(&folder, software).await;
    let directory = centre.start_authority();
    let before = serials();
    let names = ["comune.fano.example", "*.comune.fano.example", "www.comune.fano.example", "comune.xfano.example"];
    let all = lego(&centre, &directory, "cert-manager", &names);
    assert!(all.status.success(), "{}", told(&all, &centre));
    let mut expected = names.map(ToOwned::to_owned);
    expected.sort();
    assert_eq!(names_in(&centre, "cert-manager", "comune.fano.example"), expected);

    let own = lego(&centre, &directory, "fano-vpn", &["vpn.comune.fano.example"]);
    assert!(own.status.success(), "{}", told(&own, &centre));
    assert_eq!(names_in(&centre, "fano-vpn", "vpn.comune.fano.example"), ["vpn.comune.fano.example"]);

    let others = lego(&centre, &directory, "fano", &["comune.xfano.example"]);
    let said = String::from_utf8_lossy(&others.stderr);
    assert!(!others.status.success() && said.contains("REFUSED"), "{}", told(&others, &centre));

    assert_eq!(serials(), before, "no member's zone changed");
    for (_, server) in SERVERS {
        let name = format!("comune.fano.example.{DYNAMIC}");
        until("the client takes its tokens away", || dig(server, &[&name, "TXT"]).is_empty());
    }
}

/// What a client says, and the servers with it.
fn told(output: &Output, centre: &Centre) -> String {
    let client = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    ["ns1", "ns2", "resolver", "authority"]
        .iter()
        .fold(client, |told, name| format!("{told}\n== {name}\n{}", centre.log(name)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_issued_and_no_zone_changes_with_bind_9_20() {
    issues("a_certificate_is_issued_and_no_zone_changes_with_bind_9_20", Software::Bind920).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_issued_and_no_zone_changes_with_bind_9_18() {
    issues("a_certificate_is_issued_and_no_zone_changes_with_bind_9_18", Software::Bind918).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_writes_texts_at_its_own_names_and_nothing_else() {
    let Some(folder) = network::inside("a_key_writes_texts_at_its_own_names_and_nothing_else") else { return };
    let centre = Centre::start(&folder, Software::Bind920).await;
    let [all, fano, vpn] = ["cert-manager", "fano", "fano-vpn"].map(|client| centre.key_file(client));
    for (key, name, status) in [
        (&all, "www.comune.xfano.example", "NOERROR"),
        (&fano, "comune.fano.example", "NOERROR"),
        (&fano, "www.comune.fano.example", "NOERROR"),
        (&fano, "comune.xfano.example", "REFUSED"),
        (&fano, "fano.example", "REFUSED"),
        (&vpn, "vpn.comune.fano.example", "NOERROR"),
        (&vpn, "www.comune.fano.example", "REFUSED"),
        (&vpn, "x.vpn.comune.fano.example", "REFUSED"),
    ] {
        let token = key.file_stem().unwrap().to_str().unwrap();
        assert_eq!(update(Some(key), NS1, DYNAMIC, &add(name, token)), status, "{token} {name}");
        let written = dig(NS1, &[&format!("{name}.{DYNAMIC}"), "TXT"]);
        assert_eq!(written.contains(&format!("\"{token}\"")), status == "NOERROR", "{token} {name}: {written:?}");
    }
    let own = format!("vpn.comune.fano.example.{DYNAMIC}");
    for (key, lines) in [
        (Some(&*vpn), format!("update add {own} 60 A 192.0.2.66")),
        (Some(&*vpn), format!("update add {own} 60 NS ns.example.org.")),
        (Some(&*all), format!("update add x.{DYNAMIC} 60 CNAME www.example.org.")),
        (Some(&*all), format!("update add {DYNAMIC} 60 NS ns.example.org.")),
        (Some(&*vpn), format!("update delete www.comune.fano.example.{DYNAMIC} TXT")),
        (None, add("vpn.comune.fano.example", "token")),
    ] {
        assert_eq!(update(key, NS1, DYNAMIC, &lines), "REFUSED", "{lines}");
    }
    let before = serials();
    for server in [NS1, NS2] {
        for zone in ZONES {
            let lines = format!("update add _acme-challenge.{zone} 60 TXT token");
            let status = update(Some(&all), server, zone, &lines);
            assert_ne!(status, "NOERROR", "{zone} at {server}");
        }
    }
    assert_eq!(serials(), before);
    let transfer = dig(NS1, &[DYNAMIC, "AXFR"]);
    assert_eq!(transfer, Vec::<String>::new(), "nobody else transfers it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_at_every_server_at_once_and_outlives_a_restart() {
    let Some(folder) = network::inside("a_token_is_at_every_server_at_once_and_outlives_a_restart") else { return };
    let mut centre = Centre::start(&folder, Software::Bind920).await;
    let key = centre.key_file("fano");
    let (name, challenge) = (format!("www.comune.fano.example.{DYNAMIC}"), "_acme-challenge.www.comune.fano.example");
    let answers = |server: &str, token: &str| dig(server, &[&name, "TXT"]).contains(&format!("\"{token}\""));
    let told = || centre.log("ns2").matches(&format!("received notify for zone '{DYNAMIC}'")).count();
    for round in 0..5 {
        let (token, before) = (format!("token{round}"), told());
        assert_eq!(update(Some(&key), NS1, DYNAMIC, &add("www.comune.fano.example", &token)), "NOERROR");
        assert!(answers(NS1, &token));
        until("the other server is told", || told() > before);
        until("the other server has it", || answers(NS2, &token));
    }

    // As the authority asks: by the alias in a signed zone, and believed.
    let asked = dig(RESOLVER, &[challenge, "TXT"]);
    assert!(asked.len() == 6 && asked[0] == format!("{name}."), "{asked:?}");

    centre.kill("ns1");
    assert!(answers(NS2, "token4"), "the other server goes on");
    centre.start_server("ns1");
    until("what was written is there after the restart", || answers(NS1, "token4") && answers(NS1, "token0"));
    assert_eq!(update(Some(&key), NS1, DYNAMIC, &add("www.comune.fano.example", "later")), "NOERROR");
    until("and what is written then goes on to the other", || answers(NS2, "later"));

    // Who loses it later has no need to wait for that: an update an hour is many.
    until("the time is ahead of its serial", || u64::from(serial(NS2)) < now());
    centre.kill("ns1");
    centre.lose_volume("ns1");
    centre.start_server("ns1");
    until("a lost zone begins anew, everywhere", || {
        [NS1, NS2]
            .iter()
            .all(|server| dig(server, &[&name, "TXT"]).is_empty() && dig(server, &[DYNAMIC, "NS"]).len() == 2)
    });
    assert_eq!(update(Some(&key), NS1, DYNAMIC, &add("www.comune.fano.example", "new")), "NOERROR");
    until("and takes tokens", || answers(NS2, "new"));
}
