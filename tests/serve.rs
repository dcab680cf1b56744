//! `cst serve`: every zone of the example answered, and validated by BIND's own resolver and by unbound from its DS.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running `cst serve`, ended with its value.
struct Serve {
    process: Child,
    port: String,
}

impl Drop for Serve {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Serve {
    fn start(example: &str, out: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut process = Command::new(env!("CARGO_BIN_EXE_cst"))
            .args(["serve", example, "--listen", "127.0.0.1:0", "--out", out.to_str().unwrap()])
            .current_dir(root)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let told =
            lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("answering on 127.0.0.1:")?.to_owned()));
        let port = told.expect("it says where it answers").split(' ').next().unwrap().to_owned();
        Self { process, port }
    }

    fn ask(&self, tool: &str, arguments: &[&str]) -> String {
        let command = Command::new(tool).args(["@127.0.0.1", "-p", &self.port]).args(arguments).output();
        let output = command.unwrap_or_else(|error| panic!("{tool}: {error} (install bind9-dnsutils)"));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What the registrar is given: key tag, algorithm and type of the digest; and the digest.
    fn cds(&self, zone: &str) -> (String, String) {
        let cds = self.ask("dig", &["+short", zone, "CDS"]);
        let fields: Vec<&str> = cds.split_whitespace().collect();
        let digest = fields.get(3..).unwrap_or_else(|| panic!("{zone} has no CDS: {cds:?}")).concat();
        (fields[..3].join(" "), digest)
    }

    /// What `delv` says of a question from the anchors that are written: the zone's CDS.
    fn validated(&self, zone: &str, question: &str, out: &Path) -> String {
        let anchors = out.join("anchors");
        let (key, digest) = self.cds(zone);
        let written = format!("trust-anchors {{ \"{zone}\" static-ds {key} \"{digest}\"; }};");
        assert!(std::fs::read_to_string(&anchors).unwrap().lines().any(|line| line == written), "{written}");
        let root = format!("+root={zone}");
        let arguments =
            [&["-a", anchors.to_str().unwrap(), &root][..], &question.split(' ').collect::<Vec<_>>()].concat();
        self.ask("delv", &arguments)
    }
}

/// Unbound's configuration to ask for these zones here, and trust nothing but their CDS.
fn unbound(serve: &Serve, zones: &[String]) -> String {
    let mut text = "server:\n do-not-query-localhost: no\n".to_owned();
    for zone in zones {
        let (key, digest) = serve.cds(zone);
        // Some, as of networks of documentation, it answers by itself unless told otherwise.
        text += &format!(" local-zone: \"{zone}.\" transparent\n trust-anchor: \"{zone}. DS {key} {digest}\"\n");
    }
    for zone in zones {
        text += &format!("stub-zone:\n name: \"{zone}.\"\n stub-addr: 127.0.0.1@{}\n", serve.port);
    }
    text
}

fn zones(out: &Path) -> Vec<String> {
    let files = std::fs::read_dir(out.join("zones")).unwrap().map(|entry| PathBuf::from(entry.unwrap().file_name()));
    files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_zone_of_the_example_is_validated_from_its_ds() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let serve = Serve::start("examples/pesaro-urbino", &out);
    let zones = zones(&out);
    assert!(zones.len() > 20, "{zones:?}");
    let conf = folder.path().join("unbound.conf");
    std::fs::write(&conf, unbound(&serve, &zones)).unwrap();
    for zone in &zones {
        for (name, type_) in [(zone.clone(), "SOA"), (format!("no-such-name.{zone}"), "SSHFP")] {
            let mut host = Command::new("unbound-host");
            let said =
                host.arg("-C").arg(&conf).args(["-v", "-t", type_, &name]).output().expect("unbound-host is installed");
            let said = String::from_utf8_lossy(&said.stdout);
            assert!(said.contains("(secure)") && !said.contains("(insecure)"), "{zone}: {said}");
        }
        let soa = serve.validated(zone, &format!("{zone} SOA"), &out);
        assert!(soa.starts_with("; fully validated"), "{zone}: {soa}");
        let absent = serve.validated(zone, &format!("no-such-name.{zone} SSHFP"), &out);
        assert!(
            absent.contains("; negative response, fully validated") || absent.starts_with("; fully validated"),
            "{zone}: {absent}"
        );
    }
    let www = serve.validated("comune.urbino.pu.it", "www.comune.urbino.pu.it A", &out);
    assert!(www.contains("192.0.2.80"), "{www}");
}

#[test]
fn keys_are_kept_and_nobody_else_reads_them() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let cds = || {
        let serve = Serve::start("examples/minimal", &out);
        let zone = zones(&out).remove(0);
        serve.ask("dig", &["+short", &zone, "CDS"])
    };
    let first = cds();
    assert!(!first.is_empty());
    assert_eq!(cds(), first, "the second start takes the first one's key");
    for key in std::fs::read_dir(out.join("keys")).unwrap().map(|entry| entry.unwrap()) {
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
