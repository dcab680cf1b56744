//! The chart as Helm renders it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kube::Client;
use kube::api::DynamicObject;
use serde::Deserialize as _;

use crate::api_server;

/// The namespace of the release.
pub const NAMESPACE: &str = "cst-system";

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The chart's objects for the settings of the example, and `key=value` values beside.
pub fn render(values: &[&str]) -> Vec<DynamicObject> {
    render_with(&root().join("examples/pesaro-urbino/cst.yaml"), values)
}

/// The chart's objects for a settings file, and `key=value` values beside.
pub fn render_with(settings: &Path, values: &[&str]) -> Vec<DynamicObject> {
    let output =
        helm(&["template", "cst", "--namespace", NAMESPACE, "--kube-version", "1.35.4"], Some(settings), values);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    objects(&output.stdout)
}

/// Runs Helm on the chart.
pub fn helm(arguments: &[&str], settings: Option<&Path>, values: &[&str]) -> Output {
    let mut helm = Command::new(binary("helm"));
    helm.args(arguments).arg(root().join("charts/cst"));
    helm.args(settings.map(|file| format!("--set-file=settings={}", file.display())));
    helm.args(values.iter().map(|value| format!("--set={value}")));
    helm.output().expect("helm runs")
}

/// The objects of YAML documents; a field that is written twice is no YAML.
pub fn objects(yaml: &[u8]) -> Vec<DynamicObject> {
    let values = serde_yaml::Deserializer::from_slice(yaml)
        .map(|document| serde_yaml::Value::deserialize(document).expect("this is YAML"));
    let objects = values.filter(|value| !value.is_null());
    objects.map(|value| serde_yaml::from_value(value).expect("this is an object")).collect()
}

/// An object's kind.
pub fn kind_of(object: &DynamicObject) -> &str {
    &object.types.as_ref().expect("an object has a kind").kind
}

/// Installs what the chart says of who may do what: namespaces, accounts, roles and policies.
pub async fn install_rights(client: &Client) {
    api_server::namespace(client, NAMESPACE, [].into()).await;
    let (namespaces, others): (Vec<_>, Vec<_>) =
        render(&[]).into_iter().partition(|object| kind_of(object) == "Namespace");
    let rights = others.into_iter().filter(|object| {
        let kind = kind_of(object);
        kind == "ServiceAccount" || kind.contains("Role") || kind.starts_with("Validating")
    });
    for object in namespaces.into_iter().chain(rights) {
        let name = object.metadata.name.clone().unwrap_or_default();
        api_server::apply(client, &object).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
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
