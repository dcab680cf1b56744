//! What others say of zones: BIND's and ldns' validators.

use std::path::Path;
use std::process::Command;

/// Panics unless `named-checkzone` takes the zone and, where it has keys, `dnssec-verify` and `ldns-verify-zone` find all of it signed right.
pub fn judge(apex: &str, text: &str) {
    let file = tempfile::NamedTempFile::new().expect("there is room for a file");
    std::fs::write(file.path(), text).expect("the file can be written");
    run("named-checkzone", &["-q", "-i", "none", apex], file.path());
    let has_keys = text.lines().any(|line| line.split_whitespace().nth(3) == Some("DNSKEY"));
    if has_keys {
        run("dnssec-verify", &["-q", "-z", "-o", apex], file.path());
        run("ldns-verify-zone", &[], file.path());
    }
}

fn run(program: &str, arguments: &[&str], file: &Path) {
    let output = Command::new(program).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error} (tests/cluster/packages installs it)"));
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let text = std::fs::read_to_string(file).unwrap_or_default();
    assert!(output.status.success(), "{program} {arguments:?}: {said}\n{text}");
}
