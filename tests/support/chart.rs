//! The chart as Helm renders it.

use std::path::{Path, PathBuf};
use std::process::Command;

use kube::api::DynamicObject;
use serde::Deserialize as _;

/// The chart's objects for a release in this namespace with the settings of the example, and `key=value` values beside.
pub fn render(namespace: &str, values: &[&str]) -> Vec<DynamicObject> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut helm = Command::new(binary("helm"));
    let settings = root.join("examples/pesaro-urbino/cst.yaml");
    helm.args(["template", "cst"]).arg(root.join("charts/cst")).args([
        "--namespace",
        namespace,
        "--kube-version",
        "1.35.4",
        "--set-file",
        &format!("settings={}", settings.display()),
    ]);
    for value in values {
        helm.args(["--set", value]);
    }
    let output = helm.output().expect("helm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let documents = serde_yaml::Deserializer::from_slice(&output.stdout);
    let objects =
        documents.map(|document| Option::<DynamicObject>::deserialize(document).expect("the chart renders objects"));
    objects.flatten().collect()
}

/// A third party's program, built by `tests/cluster/build`.
pub fn binary(name: &str) -> PathBuf {
    let command = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/bin");
    let output = Command::new(command).arg(name).output().expect("tests/cluster/bin runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// The folder of a third party's part, built by `tests/cluster/build`.
pub fn part(name: &str) -> PathBuf {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/lib.sh");
    let output = Command::new("bash").args(["-c", "source \"$0\"; part_dir \"$1\""]).arg(library).arg(name).output();
    PathBuf::from(String::from_utf8_lossy(&output.expect("bash runs").stdout).trim())
}
