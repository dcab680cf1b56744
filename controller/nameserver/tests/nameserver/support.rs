//! What the tests share: zones, keys, and the programs of others that judge.

mod message;
mod primary;
mod proxy;
mod servers;
mod software;
mod world;

pub use message::{Answer, Message, Record, Tcp, Udp, framed};
pub use primary::{CATALOG, KEY_NAME, SECRET, Served, config, dig, records, serve, signed};
pub use proxy::Proxy;
pub use servers::{NameServer, ServerKey, Setup, observed};
pub use software::{Software, free_port};
pub use world::World;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use cst_api::{Denial, DnssecAlgorithm};
use cst_compiler::model::{DomainName, Zone};
use cst_compiler::published::{KeyMaterial, VersionKey, ZoneVersion};

/// A fixed key (RFC 6605 §6.1), so that failures repeat.
const KEY: &str = "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n\
                       PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n";

pub fn key() -> KeyMaterial {
    KeyMaterial::new(KEY.as_bytes().to_vec())
}

pub fn now() -> u32 {
    u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

pub fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

/// A zone with SOA and two name servers elsewhere, and the lines `owner type data` (owner relative, TTL 300).
pub fn zone(apex: &str, lines: &[&str]) -> Zone {
    let mut text = format!(
        "{apex}. 3600 IN SOA ns1.cst.example.net. hostmaster.cst.example.net. 1 3600 900 2419200 300\n\
         {apex}. 3600 IN NS ns1.cst.example.net.\n{apex}. 3600 IN NS ns2.cst.example.net.\n"
    );
    for line in lines {
        let (owner, rest) = line.split_once(' ').unwrap();
        let (type_name, data) = rest.split_once(' ').unwrap();
        let owner = if owner == "@" { format!("{apex}.") } else { format!("{owner}.{apex}.") };
        text += &format!("{owner} 300 IN {type_name} {data}\n");
    }
    Zone::from_text(&text).unwrap().0
}

/// A version signed from an hour ago, like all others of this run.
pub fn version(zone: Zone, serial: u32) -> ZoneVersion {
    static INCEPTION: OnceLock<u32> = OnceLock::new();
    ZoneVersion {
        zone: Arc::new(zone),
        serial,
        inception: *INCEPTION.get_or_init(|| now() - 3600),
        keys: sole(key()),
        denial: Denial::Nsec,
        leaving: false,
    }
}

/// A key that does everything.
pub fn sole(material: KeyMaterial) -> Vec<VersionKey> {
    vec![VersionKey::sole(material)]
}

/// A new key.
pub fn new_key() -> KeyMaterial {
    cst_nameserver::key::generate(DnssecAlgorithm::EcdsaP256Sha256).unwrap()
}

/// One of everything that a zone holds: apex data, empty non-terminals, wildcards, delegations with and without glue, long texts.
pub fn full_zone(apex: &str) -> Zone {
    let long_text = format!("long TXT \"{}\" \"{}\"", "a".repeat(255), "b".repeat(99));
    zone(
        apex,
        &[
            "@ A 192.0.2.80",
            "@ AAAA 2001:db8::80",
            "@ MX 10 mx.cst.example.net.",
            "@ TXT \"v=spf1 mx -all\"",
            "@ CAA 0 issue \"ca.example.net\"",
            "www CNAME @.",
            "www2 A 192.0.2.1",
            "www2 A 192.0.2.2",
            "_sip._tcp SRV 0 5 5061 sip.example.org.",
            "a.b.c.deep A 192.0.2.3",
            "* A 192.0.2.4",
            "*.wild TXT \"w\"",
            "sub NS ns.sub.example.org.",
            "child NS ns1.child.ZONE.",
            "child NS ns.elsewhere.example.",
            "ns1.child A 192.0.2.5",
            "ns1.child AAAA 2001:db8::5",
            "deeper.ns1.child A 192.0.2.6",
            "10 PTR host.example.org.",
            "child DS 12345 13 1 0000000000000000000000000000000000000000",
            "@ LOC 43 43 33.000 N 12 38 11.000 E 485.00m 1m 10000m 10m",
            "@ HTTPS 1 . alpn=\"h2,h3\" port=8443 ipv4hint=192.0.2.1 ech=AQI= ipv6hint=2001:db8::1",
            "_dns SVCB 1 dns.example.net. mandatory=alpn,port alpn=\"dot\" no-default-alpn port=853",
            "alias HTTPS 0 www.example.net.",
            "@ NAPTR 100 10 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.org.",
            "@ NAPTR 100 20 \"u\" \"E2U+sip\" \"!^(.*)$!sip:\\\\1@example.org!i\" .",
            "host SSHFP 4 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1",
            "_443._tcp TLSA 3 1 1 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1",
            "_http._tcp URI 10 1 \"https://www.example.org/a?b=c\"",
            "private TYPE65280 \\# 3 0A00FF",
            "private TYPE65281 \\# 0",
            "quoted TXT \"semi;colon \\\"quote\\\" back\\\\slash \\195\\160\"",
            &long_text,
        ]
        .map(|line| line.replace("ZONE", apex).replace("CNAME @.", &format!("CNAME {apex}.")))
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>(),
    )
}

/// A program of others; where it is missing the test fails and says what to install.
pub fn program(name: &str, package: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    Command::new(found.unwrap_or_else(|| panic!("this test needs `{name}`: apt-get install {package}")))
}

/// Runs to the end; the output of a failure is the panic's text.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

/// Whether BIND loads the zone and finds every signature and denial right, and ldns too.
pub fn verify_signed(apex: &str, text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("zone");
    std::fs::write(&file, text).unwrap();
    run(program("named-checkzone", "bind9-utils").args(["-i", "none", "-q", apex]).arg(&file));
    run(program("dnssec-verify", "bind9-utils").args(["-q", "-z", "-o", apex]).arg(&file));
    run(program("ldns-verify-zone", "ldnsutils").arg(&file));
}

/// Numbers that look random and repeat by their seed (xorshift64*).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    /// One of the first `count` indices.
    pub fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.below(u64::try_from(count).unwrap())).unwrap()
    }

    /// Any octet.
    pub fn octet(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}
