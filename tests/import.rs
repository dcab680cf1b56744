//! `cst import zone` beside BIND: what BIND reads of odd zone files, what it transfers, and a whole configuration folder of its.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long BIND may take to start, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);
const SECRET: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0";

/// A settings file, and a Tenant that may hold every zone of these tests.
const SETTINGS: &str = "apiVersion: territorial.services/v1alpha1
kind: Settings
dns: {nameServers: [ns1.cst.example.net, ns2.cst.example.net], hostmaster: hostmaster@cst.example.net}
mail: {hosts: [{name: mx.cst.example.net, preference: 10}], postmaster: postmaster@cst.example.net}
";
const TENANT: &str = "apiVersion: territorial.services/v1alpha1
kind: Tenant
metadata: {name: urbino}
spec: {displayName: Comune di Urbino, entityType: Comune, domains: [urbino.example, 2.0.192.in-addr.arpa]}
";

/// Zones that are legal and odd: every way to write what servers read alike.
const ODD: [&str; 4] = [
    // Names, origins, owners that are left out, parentheses, classes and times in either order.
    "$TTL 1h30m\n$ORIGIN example.\nurbino IN 1D SOA ns.urbino host\\.master.urbino ( 7 8H 2h\n 4w ; a comment with ( and \"\n 1d )\n\
     \tNS ns.urbino\n NS ns2.elsewhere.net.\n$ORIGIN urbino\n@ 60 IN A 192.0.2.1\n IN 120 AAAA 2001:db8::1\nns A 192.0.2.53\nWWW cname @\n\
     \\097\\b A 192.0.2.2\n$ORIGIN sub\n@ TXT x\nmail MX 10 mail\nmail A 192.0.2.3\n$ORIGIN urbino.example.\n*.w A 192.0.2.4\n_sip._tcp SRV 0 5 5061 ns\n",
    // Texts.
    "@ 300 SOA ns root 1 1 1 1 1\n@ NS ns\nns A 192.0.2.53\na TXT \"semi;colon\" (\n \"two\" three\\032words ) four\nb TXT \"\\\"quoted\\\" \\\\ \\065\"\n\
     c TXT \"\"\nd TXT a\\;b\\\"c\ne SPF \"v=spf1 -all\"\ne TXT \"v=spf1 -all\"\nf CAA 0 issue \"ca.example.net; x=y\"\nf CAA 128 iodef \"mailto:a@example.net\"\n\
     g NAPTR 100 10 \"u\" \"E2U+sip\" \"!^(.*)$!sip:\\\\1@example.org!i\" .\nh URI 10 1 \"https://www.example.org/;a\"\n",
    // Types: in their own form and in that of RFC 3597.
    "$TTL 600\n@ SOA ns root 1 1 1 1 1\n@ NS ns\nns A \\# 4 C0000235\na TYPE1 \\# 4 C0 00 02 01\nm TYPE15 \\# 11 000A 03 6D7831 03 6E6574 00\nu CLASS1 TYPE65280 \\# 3 0a 00ff\nz TYPE65281 \\# 0\n\
     l LOC 43 43 33 N 12 38 11.5 E 485m\nl2 LOC 52 S 4 30 W -24m 30m 1m 2.5m\ns SSHFP 4 2 49FD46E6C4B45C55D4AC69CBD3CD34AC 1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1\n\
     _443._tcp.s TLSA 3 1 1 ( 49fd46e6c4b45c55d4ac69cbd3cd34ac\n 1afe51def1d8f8bbbaa2a5b43fc1d4b1 )\nd NS ns.d\nns.d A 192.0.2.9\n\
     d DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1\nh HTTPS 1 . alpn=\"h2,h3\" port=8443 ipv4hint=192.0.2.1\nh2 HTTPS 0 ns\nv SVCB 1 ns alpn=h2 key667=\"a b\"\n",
    // Ranges, and times to live that differ within a set or are given once.
    "@ 3600 SOA ns root 1 1 1 1 1\n@ NS ns\nns A 192.0.2.53\n$GENERATE 1-4/2 h${0,3} 60 A 192.0.2.$\n$GENERATE 0-2 r$ CNAME $.0/25\n$GENERATE 1-2 @ MX \"$ ns\"\n\
     $GENERATE 10-11 n${0,5,n} PTR p-${6,4,x}\n$GENERATE 0-0 t TXT \"\\\"a b\\\" $\"\na 60 A 192.0.2.1\na 120 A 192.0.2.2\nb 120 A 192.0.2.1\nc A 192.0.2.1\nb 60 A 192.0.2.2\nd A 192.0.2.1\n",
];

fn cst(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cst")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{tool}: {error} (install bind9-utils)"));
    assert!(output.status.success(), "{tool} {arguments:?}: {}", text(&[output.stdout, output.stderr].concat()));
    text(&output.stdout)
}

/// A repository of the settings and the Tenant alone.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cst.yaml"), SETTINGS).unwrap();
    fs::create_dir(folder.path().join("tenants")).unwrap();
    fs::write(folder.path().join("tenants/urbino.yaml"), TENANT).unwrap();
    folder
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// The records of a zone in BIND's own text, one a line, without SOA, NS of the zone and what is not held here.
fn content<'a>(dump: impl Iterator<Item = &'a str>, zone: &str) -> BTreeSet<String> {
    let apex = format!("{zone}.");
    let records = dump.filter(|line| !line.starts_with(';') && !line.is_empty());
    let fields = records.map(|line| line.split_whitespace().collect::<Vec<_>>());
    let is_own =
        |fields: &Vec<&str>| !["SOA", "SPF", "TSIG"].contains(&fields[3]) && (fields[3] != "NS" || fields[0] != apex);
    // Strings of one text may be cut elsewhere.
    let joined = |fields: Vec<&str>| {
        let line = format!("{} {}", fields[0].to_lowercase(), fields[1..].join(" "));
        if fields[3] == "TXT" { line.replace("\" \"", "") } else { line }
    };
    fields.filter(is_own).map(joined).collect()
}

/// What BIND reads of a zone file.
fn compiled(zone: &str, file: &str) -> BTreeSet<String> {
    let dump = run(
        "named-compilezone",
        &[
            "-q", "-i", "none", "-k", "ignore", "-n", "ignore", "-r", "ignore", "-s", "full", "-F", "text", "-o", "-",
            zone, file,
        ],
    );
    content(dump.lines(), zone)
}

/// Imports into the repository, which is then rendered; where, and what was said.
fn import_and_render(repository: &TempDir, arguments: &[&str]) -> (PathBuf, String) {
    let root = path(repository, "");
    let output = cst(&[&["import", "zone", "--with", &root, "--out", &root][..], arguments].concat());
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let out = repository.path().join("out");
    let rendered = cst(&["render", &root, "--out", out.to_str().unwrap()]);
    assert!(rendered.status.success(), "{}", text(&rendered.stdout));
    (out.join("zones"), told)
}

#[test]
fn odd_zone_files_are_read_as_bind_reads_them() {
    for (number, odd) in ODD.iter().enumerate() {
        let repository = repository();
        let file = path(&repository, "odd.db");
        fs::write(&file, odd).unwrap();
        let expected = compiled("urbino.example", &file);
        let (zones, told) = import_and_render(&repository, &[&file, "--origin", "urbino.example"]);
        let rendered = compiled("urbino.example", zones.join("urbino.example.zone").to_str().unwrap());
        assert_eq!(rendered, expected, "zone {number}: {told}");
        assert!(expected.len() >= 8, "zone {number}: {expected:?}");
        // The one thing that is not held: the obsolete type of SPF.
        assert_eq!(told.contains("renders to the same zone"), !odd.contains(" SPF "), "zone {number}: {told}");
    }
}

/// A BIND of our own, ended with its value.
struct Bind {
    process: Child,
    port: u16,
}

impl Drop for Bind {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Bind {
    /// Starts it on a folder with a named.conf, and waits until it answers with authority for a zone.
    fn start(folder: &Path, options: &str, zones: &str, sample: &str) -> Self {
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
    fn served(&self, zone: &str) -> BTreeSet<String> {
        let key = format!("hmac-sha256:transfer:{SECRET}");
        let dump = self.dig(&["-y", &key, "+onesoa", "+nocmd", "+nocomments", "+nostats", zone, "AXFR"]);
        content(dump.lines(), zone)
    }
}

/// A centre's folder, as its server has it in /etc/bind: files that include files, zones below each other, a reverse zone, a secondary one.
fn bind_folder() -> TempDir {
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

const ZONES: [(&str, &str); 3] =
    [("urbino.example", "db.urbino"), ("scuola.urbino.example", "db.scuola"), ("2.0.192.in-addr.arpa", "db.192.0.2")];

fn stanzas(folder: &Path, file: impl Fn(&str, &str) -> String) -> String {
    ZONES
        .iter()
        .map(|(zone, name)| {
            format!("zone \"{zone}\" {{ type primary; file \"{}/{}\"; }};\n", folder.display(), file(zone, name))
        })
        .collect()
}

#[test]
fn a_bind_folder_is_served_as_before() {
    let (folder, repository) = (bind_folder(), repository());
    let (zones, told) =
        import_and_render(&repository, &["--named-conf", folder.path().to_str().unwrap(), "--detailed-exitcode"]);
    assert_eq!(told.matches("renders to the same zone").count(), 3, "{told}");
    assert!(told.contains("named.conf.local:4:1: warning: other.example is skipped"), "{told}");
    assert!(told.contains("named.conf:3:1: warning: `/etc/bind/rndc.key` is not in the folder"), "{told}");
    assert!(!told.contains("localhost"), "{told}");
    let written = fs::read_to_string(repository.path().join("members/urbino/urbino.example.yaml")).unwrap();
    assert!(written.ends_with("  mail: {mode: Hosted}\n  pec: {provider: Aruba}\n"), "{written}");
    let allow = "allow-transfer { key \"transfer\"; };";
    let old =
        Bind::start(folder.path(), allow, &stanzas(folder.path(), |_, name| format!("zones/{name}")), "urbino.example");
    let place = tempfile::tempdir().unwrap();
    let new = Bind::start(place.path(), allow, &stanzas(&zones, |zone, _| format!("{zone}.zone")), "urbino.example");
    for (zone, _) in ZONES {
        let served = old.served(zone);
        assert!(served.len() > 1, "{zone}: {served:?}");
        assert_eq!(new.served(zone), served, "{zone}");
    }
    // Imported again, nothing is written anew; a file that somebody changed is left alone.
    let root = path(&repository, "");
    let again = ["import", "zone", "--with", &root, "--out", &root, "--named-conf", folder.path().to_str().unwrap()];
    assert_eq!(cst(&again).status.code(), Some(0));
    fs::write(repository.path().join("members/urbino/urbino.example.yaml"), format!("{written}# mine\n")).unwrap();
    let output = cst(&again);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("says something else"), "{}", text(&output.stderr));
}

#[test]
fn a_transfer_is_the_zone_that_the_server_has() {
    let folder = bind_folder();
    let keys = tempfile::tempdir().unwrap();
    fs::write(keys.path().join("transfer"), format!("hmac-sha256:{SECRET}\n")).unwrap();
    fs::write(keys.path().join("other"), "hmac-sha256:b3RoZXJvdGhlcm90aGVyb3RoZXI=\n").unwrap();
    // Large enough for many messages, in the server's form of them; and every odd zone that has all types.
    let large: String = (0..5000).map(|n| format!("h{n} TXT \"some text of the host number {n}\"\n")).collect();
    fs::write(folder.path().join("zones/db.scuola"), format!("{}{large}", ODD[2])).unwrap();
    let stanzas = stanzas(folder.path(), |_, name| format!("zones/{name}"));
    let bind = Bind::start(folder.path(), "allow-transfer { key \"transfer\"; };", &stanzas, "scuola.urbino.example");
    let server = format!("127.0.0.1:{}", bind.port);
    let key = path(&keys, "transfer");
    for (zone, _) in ZONES {
        let repository = repository();
        let (zones, told) =
            import_and_render(&repository, &["--axfr", &server, "--key", &key, zone, "--detailed-exitcode"]);
        assert!(told.contains("renders to the same zone"), "{told}");
        let rendered = compiled(zone, zones.join(format!("{zone}.zone")).to_str().unwrap());
        let served = bind.served(zone);
        assert!(zone != "scuola.urbino.example" || served.len() > 5000, "{}", served.len());
        assert_eq!(rendered, served, "{zone}");
    }
    let repository = repository();
    let root = path(&repository, "");
    for (arguments, reason) in [
        (vec!["urbino.example"], "REFUSED"),
        (vec!["--key", &path(&keys, "other"), "urbino.example"], "NOTAUTH"),
        (vec!["--key", &key, "elsewhere.example"], "NOTAUTH"),
    ] {
        let output = cst(&[&["import", "zone", "--with", &root, "--axfr", &server][..], &arguments].concat());
        let told = text(&output.stderr);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{told}");
        assert!(told.contains(reason) && !told.contains(SECRET), "{told}");
    }
}

#[test]
fn what_is_wrong_is_told_at_its_place_and_nothing_is_written() {
    let repository = repository();
    let (root, file) = (path(&repository, ""), path(&repository, "bad.db"));
    fs::write(&file, "$INCLUDE /etc/passwd\n@ 60 SOA ns root 1 2 3 4 5\na ( A 192.0.2.1\n").unwrap();
    let out = path(&repository, "");
    let output = cst(&["import", "zone", "--with", &root, "--out", &out, &file, "--origin", "urbino.example"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{told}");
    let places: Vec<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix(&file))
        .map(|line| line.split(" error: ").next().unwrap())
        .collect();
    assert_eq!(places, [":1:1:", ":3:3:"], "{told}");
    assert!(!repository.path().join("members").exists());
    // The exit code of a difference is asked for.
    fs::write(&file, "@ 60 SOA ns root 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nx HINFO a b\n").unwrap();
    let import = ["import", "zone", "--with", &root, &file, "--origin", "urbino.example"];
    assert_eq!(cst(&import).status.code(), Some(0));
    let output = cst(&[&import[..], &["--detailed-exitcode"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("kind: Domain"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("- x.urbino.example HINFO: "), "{}", text(&output.stderr));
    assert_eq!(cst(&["import", "zone"]).status.code(), Some(64));
}

/// The one document that a command prints, whatever came of it.
fn document(arguments: &[&str], code: i32) -> Value {
    let output = cst(&[arguments, &["-o", "json"]].concat());
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

#[test]
fn as_json_it_is_one_document_also_when_it_fails() {
    let repository = repository();
    let (root, file) = (path(&repository, ""), path(&repository, "zone.db"));
    let import = ["import", "zone", "--with", &root, &file, "--origin", "urbino.example"];
    fs::write(&file, "@ 60 SOA ns root 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\nx HINFO a b\n").unwrap();
    let told = document(&import, 0);
    let zone = &told["zones"][0];
    assert_eq!((&told["version"], &told["errors"], &zone["zone"]), (&json!(1), &json!(0), &json!("urbino.example")));
    assert_eq!((&zone["same"], &zone["file"]), (&json!(false), &Value::Null));
    assert!(zone["differences"][0].as_str().unwrap().starts_with("- x.urbino.example HINFO"), "{zone}");
    assert!(zone["manifest"].as_str().unwrap().contains("kind: Domain"), "{zone}");
    assert_eq!(told["diagnostics"][0]["line"], json!(4), "{told}");

    let elsewhere = tempfile::tempdir().unwrap();
    let out = [&import[..], &["--out", elsewhere.path().to_str().unwrap()]].concat();
    let zone = document(&out, 0)["zones"][0].clone();
    let written = zone["file"].as_str().unwrap();
    assert!(zone["manifest"].is_null() && fs::read_to_string(written).unwrap().contains("kind: Domain"), "{zone}");
    fs::write(written, "other").unwrap();
    let told = document(&out, 3);
    assert_eq!((&told["errors"], &told["diagnostics"][1]["file"]), (&json!(1), &json!(written)), "{told}");

    fs::write(&file, "@ 60 SOA ns root 1 2 3 4 5\na ( A 192.0.2.1\n").unwrap();
    let told = document(&import, 3);
    assert_eq!((&told["zones"], &told["diagnostics"][0]["line"]), (&json!([]), &json!(2)), "{told}");
    fs::remove_file(&file).unwrap();
    let failure = document(&import, 1)["failure"].as_str().unwrap().to_owned();
    assert!(failure.contains("zone.db"), "{failure}");

    let rendered = path(&repository, "rendered");
    assert_eq!(document(&["render", &root, "--out", &rendered], 0)["errors"], json!(0));
    let failure = document(&["render", &path(&repository, "nowhere"), "--out", &rendered], 1);
    assert!(failure["failure"].as_str().unwrap().contains("nowhere"), "{failure}");
}

#[test]
fn a_zone_whose_file_does_not_tell_all_is_warned_of() {
    let (folder, repository) = (bind_folder(), repository());
    let (root, place) = (path(&repository, ""), folder.path().to_str().unwrap());
    let conf = "zone \"urbino.example\" { type primary; file \"zones/db.urbino\"; update-policy local; dnssec-policy default; };\n\
                zone \"2.0.192.in-addr.arpa\" { type master; file \"zones/db.192.0.2\"; };\n";
    fs::write(folder.path().join("named.conf"), conf).unwrap();
    fs::write(folder.path().join("zones/db.192.0.2.jnl"), "").unwrap();
    let output = cst(&["import", "zone", "--with", &root, "--named-conf", place]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for expected in [
        "named.conf:1:1: warning: urbino.example changes without its file (`update-policy`)",
        "named.conf:1:1: warning: the server signs urbino.example (`dnssec-policy`)",
        "named.conf:2:1: warning: 2.0.192.in-addr.arpa changes without its file (its journal `zones/db.192.0.2.jnl`)",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
}

#[test]
fn files_that_include_each_other_come_to_an_end() {
    let (folder, repository) = (bind_folder(), repository());
    let (root, conf) = (path(&repository, ""), folder.path().to_str().unwrap());
    let import = || {
        let mut import = Command::new("timeout");
        let output = import.arg("60").arg(env!("CARGO_BIN_EXE_cst")).args([
            "import",
            "zone",
            "--with",
            &root,
            "--named-conf",
            conf,
        ]);
        let output = output.output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let chain = |includes: usize, length: usize, is_closed: bool| {
        for number in 0..length {
            let next = format!("include \"/etc/bind/{}.conf\";\n", (number + 1) % length);
            let is_end = number + 1 == length && !is_closed;
            let text = if is_end { String::new() } else { next.repeat(includes) };
            fs::write(folder.path().join(format!("{number}.conf")), text).unwrap();
        }
        fs::write(folder.path().join("named.conf"), "include \"/etc/bind/0.conf\";\n").unwrap();
    };
    let ends = [
        ((1, 3, true), "2.conf:1:1: error: `/etc/bind/0.conf` includes itself", 1),
        ((50, 1, true), "0.conf:50:1: error: `/etc/bind/0.conf` includes itself", 50),
        ((1, 30, false), "is included by 16 files in a row", 1),
        ((50, 10, false), "is one included over and over", 1),
    ];
    for ((includes, length, is_closed), says, errors) in ends {
        chain(includes, length, is_closed);
        let (code, told) = import();
        assert_eq!(code, Some(3), "{told}");
        assert!(told.contains(says), "{told}");
        assert_eq!(told.matches("error: ").count(), errors, "{told}");
    }
}

#[test]
fn views_are_taken_one_by_one() {
    let (folder, repository) = (bind_folder(), repository());
    let root = path(&repository, "");
    let conf = "view \"inside\" { match-clients { 10.0.0.0/8; }; zone \"urbino.example\" { type master; file \"zones/db.urbino\"; }; };\n\
                view \"outside\" { zone \"urbino.example\" { type master; file \"zones/db.scuola\"; }; zone \"in.example\" { in-view \"inside\"; }; zone \"out.example\" { type master; file \"../../etc/passwd\"; }; };\n";
    fs::write(folder.path().join("named.conf"), conf).unwrap();
    let import = |more: &[&str]| {
        let conf = folder.path().to_str().unwrap();
        let output = cst(&[&["import", "zone", "--with", &root, "--named-conf", conf][..], more].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, written, told) = import(&[]);
    assert_eq!((code, written.as_str()), (Some(3), ""));
    assert!(told.contains("the views inside, outside") && told.contains("--view"), "{told}");
    let (code, written, told) = import(&["--view", "inside"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(written.contains("verification=1"), "{written}");
    let (code, written, told) = import(&["--view", "outside"]);
    assert!(told.contains("in.example is skipped: the view `inside` has it"), "{told}");
    assert_eq!(code, Some(3));
    assert!(written.contains("192.0.2.90") && told.contains("named.conf:2:"), "{written}{told}");
    assert!(told.contains("`../../etc/passwd` of out.example is not in the folder"), "{told}");
    let (code, _, told) = import(&["--view", "other"]);
    assert!(code == Some(3) && told.contains("there is no view other"), "{told}");
    fs::remove_file(folder.path().join("named.conf")).unwrap();
    let (code, _, told) = import(&[]);
    assert!(code == Some(1) && told.contains("there is no named.conf in") && told.contains("name the"), "{told}");
}
