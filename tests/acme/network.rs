//! A network of its own for a test: servers on port 53 as in the world, names that are looked up there, and nothing outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The hidden primary.
pub const PRIMARY: &str = "127.0.0.10";
/// The public servers, as the chart has them.
pub const SERVERS: [(&str, &str); 2] = [("ns1", "127.0.0.11"), ("ns2", "127.0.0.12")];
/// Who asks them for everybody else.
pub const RESOLVER: &str = "127.0.0.13";
/// Where the certificate authority is.
pub const AUTHORITY: &str = "127.0.0.14";

const FOLDER: &str = "CST_TEST_ACME";
/// What a process begins with there. BIND listens only at addresses that an interface has.
const ENTER: &str = r#"set -e
ip link set lo up
for host in 10 11 12 13 14; do ip address add "127.0.0.$host/8" dev lo; done
mount --bind "$0/hosts" /etc/hosts
mount --bind "$0/resolv.conf" "$(realpath /etc/resolv.conf)"
exec "$@""#;

/// Within the network: the folder for files. Else the test is run there by this, and there is nothing left to do.
pub fn inside(test: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return Some(PathBuf::from(folder));
    }
    build();
    let folder = tempfile::tempdir().unwrap();
    write_names(folder.path());
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let is_passed = output.status.success() && told.contains("1 passed");
    assert!(is_passed, "{told}\n{}\n{}", String::from_utf8_lossy(&output.stderr), logs(folder.path()));
    None
}

/// What the servers wrote.
fn logs(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let logs = files.filter(|file| file.extension().is_some_and(|extension| extension == "log"));
    logs.map(|log| format!("== {}\n{}\n", log.display(), fs::read_to_string(&log).unwrap_or_default())).collect()
}

/// Who looks a name up gets the Services of the chart at once, and all else from the resolver.
fn write_names(folder: &Path) {
    let services: String = SERVERS.iter().map(|(name, address)| format!("{address} {name}.cst-dns.svc\n")).collect();
    let hosts =
        format!("127.0.0.1 localhost\n{AUTHORITY} acme.example.net\n{PRIMARY} primary.cst-system.svc\n{services}");
    fs::write(folder.join("hosts"), hosts).unwrap();
    fs::write(folder.join("resolv.conf"), format!("nameserver {RESOLVER}\n")).unwrap();
}

/// What is fetched from outside is fetched before.
fn build() {
    let command = cst_tests::chart::root().join("tests/cluster/build");
    let status = Command::new(command).args(["name-servers", "pebble"]).stderr(Stdio::inherit()).status().unwrap();
    assert!(status.success(), "tests/cluster/build name-servers pebble");
}
