//! BIND itself, and a centre's folder of its.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{run, text};

/// How long BIND may take to start, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);
pub const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";

/// The records of a zone in BIND's own text, one a line, without SOA and NS of the zone.
fn content<'a>(dump: impl Iterator<Item = &'a str>, zone: &str) -> BTreeSet<String> {
    let apex = format!("{zone}.");
    let records = dump.filter(|line| !line.starts_with(';') && !line.is_empty());
    let fields = records.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_own = |fields: &Vec<&str>| !["SOA", "TSIG"].contains(&fields[3]) && (fields[3] != "NS" || fields[0] != apex);
    // Strings of one text may be cut elsewhere.
    let joined = |fields: Vec<&str>| {
        let line = format!("{} {}", fields[0].to_lowercase(), fields[1..].join(" "));
        if fields[3] == "TXT" { line.replace("\" \"", "") } else { line }
    };
    fields.filter(is_own).map(joined).collect()
}

/// What BIND reads of a zone file.
pub fn compiled(zone: &str, file: &str) -> BTreeSet<String> {
    let dump = run(
        "named-compilezone",
        &[
            "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-r", "ignore", "-s", "full", "-F", "text", "-o", "-",
            zone, file,
        ],
    );
    content(dump.lines(), zone)
}

/// A BIND of our own, ended with its value.
pub struct Bind {
    process: Child,
    pub port: u16,
}

impl Drop for Bind {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Bind {
    /// Starts it on a folder with a named.conf, and waits until it answers with authority for a zone.
    pub fn start(folder: &Path, options: &str, zones: &str, sample: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let path = folder.display();
        let conf = format!(
            "key \"transfer\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\noptions {{ directory \"{path}\"; pid-file \"{path}/named.pid\"; \
             session-keyfile \"{path}/session.key\"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; notify no; \
             dnssec-validation no; check-names primary ignore; {options} }};\ncontrols {{ }};\n{zones}"
        );
        fs::write(folder.join("server.conf"), conf).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new("named");
        command.args(["-g", "-c", folder.join("server.conf").to_str().unwrap()]).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("named: {error} (install bind9)"));
        let bind = Self { process, port };
        let start = Instant::now();
        while !bind.dig(&["+norecurse", sample, "SOA"]).contains("flags: qr aa") {
            let log = || fs::read_to_string(folder.join("log")).unwrap();
            assert!(start.elapsed() < PATIENCE, "{}", log());
            std::thread::sleep(Duration::from_millis(50));
        }
        bind
    }

    fn dig(&self, arguments: &[&str]) -> String {
        let command = Command::new("dig")
            .args(["@127.0.0.1", "-p", &self.port.to_string(), "+tries=1", "+time=2"])
            .args(arguments)
            .output();
        text(&command.unwrap_or_else(|error| panic!("dig: {error} (install bind9-dnsutils)")).stdout)
    }

    /// The zone as it is served.
    pub fn served(&self, zone: &str) -> BTreeSet<String> {
        let key = format!("hmac-sha256:transfer:{SECRET}");
        let dump = self.dig(&["-y", &key, "+onesoa", "+nocmd", "+nocomments", "+nostats", zone, "AXFR"]);
        content(dump.lines(), zone)
    }
}

/// A centre's folder, as its server has it in /etc/bind: files that include files, zones below each other, a reverse zone, a secondary one.
pub fn bind_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "named.conf",
        "options { directory \"/var/cache/bind\"; };\ninclude \"/etc/bind/named.conf.local\";\ninclude \"/etc/bind/rndc.key\";\n",
    );
    write("rndc.key", "");
    write(
        "named.conf.local",
        "zone \"urbino.example\" { type master; file \"/etc/bind/zones/db.urbino\"; };\nzone \"scuola.urbino.example\" { type primary; file \"zones/db.scuola\"; };\n\
         zone \"2.0.192.in-addr.arpa\" { type master; file \"/etc/bind/zones/db.192.0.2\"; };\nzone \"other.example\" { type slave; masters { 192.0.2.1; }; file \"x\"; };\n\
         zone \".\" { type hint; file \"/usr/share/dns/root.hints\"; };\nzone \"localhost\" { type master; file \"/etc/bind/db.local\"; };\n",
    );
    let head = "$TTL 86400\n@ SOA ns1.cst.example.net. hostmaster.cst.example.net. 2026010101 7200 900 2419200 300\n NS ns1.cst.example.net.\n NS ns2.cst.example.net.\n";
    let urbino = "; perch\u{e9} s\u{ec}\n MX 10 mx.cst.example.net.\n TXT \"v=spf1 mx ~all\"\n TXT \"verification=1\"\n A 192.0.2.80\n_dmarc TXT \"v=DMARC1; p=none\"\n\
                  pec MX 10 mx.pec.aruba.it.\nwww CNAME @\nsel._domainkey TXT ( \"v=DKIM1; k=rsa; \"\n \"p=AAAA\" )\nscuola 3600 NS ns1.cst.example.net.\nscuola 3600 NS ns2.cst.example.net.\nftp 300 A 192.0.2.81\n";
    // Comments in the encoding that they were written in.
    let latin: Vec<u8> =
        format!("{head}{urbino}").chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect();
    fs::create_dir_all(folder.path().join("zones")).unwrap();
    fs::write(folder.path().join("zones/db.urbino"), latin).unwrap();
    write("zones/db.scuola", &format!("{head}@ A 192.0.2.90\nwww A 192.0.2.90\n"));
    write("zones/db.192.0.2", &format!("{head}$GENERATE 1-20 $ PTR host-$.urbino.example.\n"));
    folder
}

pub const ZONES: [(&str, &str); 3] =
    [("urbino.example", "db.urbino"), ("scuola.urbino.example", "db.scuola"), ("2.0.192.in-addr.arpa", "db.192.0.2")];

pub fn stanzas(folder: &Path, file: impl Fn(&str, &str) -> String) -> String {
    ZONES
        .iter()
        .map(|(zone, name)| {
            format!("zone \"{zone}\" {{ type primary; file \"{}/{}\"; }};\n", folder.display(), file(zone, name))
        })
        .collect()
}
