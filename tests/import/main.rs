//! `cst import zone` beside BIND: what BIND reads of odd zone files, what it transfers, and whole configuration folders of its.

mod bind;
mod configuration;
mod folders;
mod output;
mod transfers;
mod zone_files;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

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
