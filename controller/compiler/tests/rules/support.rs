//! Small repositories as text.

use cst_compiler::compile::{self, ZoneFacts, ZoneOutcome};
use cst_compiler::manifest::{Repository, Schemas, SourceFile};
use cst_compiler::model::DomainName;
use cst_compiler::problem::Problem;
use cst_compiler::settings::Settings;

pub const TODAY: cst_api::Date = cst_api::Date { year: 2026, month: 11, day: 23 };

const SETTINGS: &str = r#"{"apiVersion": "territorial.services/v1alpha1", "kind": "Settings",
    "dns": {"nameServers": ["ns1.cst.example.net", "ns2.cst.example.net"], "hostmaster": "hostmaster@cst.example.net"},
    "mail": {"hosts": [{"name": "mx.cst.example.net", "preference": 10}], "postmaster": "postmaster@cst.example.net"},
    "web": {"addresses": ["192.0.2.80", "2001:db8::80"], "applications": {"Lamp": {"image": "lamp:1", "storage": {"size": "2Gi"}}}}}"#;

pub fn settings() -> Settings {
    serde_json::from_str(SETTINGS).unwrap()
}

/// Objects in one line each: `Kind namespace/name {spec}` or `Kind namespace/name {spec} status {status}`.
pub fn repository(lines: &str) -> Repository {
    repository_with(lines, settings())
}

/// The same under other settings.
pub fn repository_with(lines: &str, settings: Settings) -> Repository {
    let text: String = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(document).collect();
    let repository = Repository::read(&[SourceFile { path: "test.yaml".into(), text }], settings, &Schemas::new());
    assert_eq!(repository.diagnostics, [], "the test's own manifests are right");
    repository
}

fn document(line: &str) -> String {
    let (kind, rest) = line.split_once(' ').unwrap();
    let (key, rest) = rest.split_once(' ').unwrap();
    let (spec, status) = rest.split_once(" status ").unwrap_or((rest, "{}"));
    let (namespace, name) = key.split_once('/').unwrap();
    let namespace = if namespace.is_empty() { String::new() } else { format!("namespace: {namespace}, ") };
    format!(
        "---\napiVersion: territorial.services/v1alpha1\nkind: {kind}\nmetadata: {{{namespace}name: {name}}}\nspec: {spec}\nstatus: {status}\n"
    )
}

pub fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

pub fn zone(repository: &Repository, zone: &str) -> ZoneOutcome {
    compile::zone(&repository.index, &name(zone), &ZoneFacts::hopeful())
}

/// The records of a zone without SOA and apex NS, as `name type data`.
pub fn records(outcome: &ZoneOutcome) -> Vec<String> {
    let zone = outcome.zone.as_ref().expect("the zone is live");
    let text = zone.to_text(1);
    let lines =
        text.lines().filter(|l| !l.contains(" IN SOA ") && !l.starts_with(&format!("{}. 3600 IN NS ", zone.apex())));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.splitn(5, ' ').collect();
            format!("{} {} {}", fields[0].trim_end_matches('.'), fields[3], fields[4])
        })
        .collect()
}

/// Problems as `severity reason object field`.
pub fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|p| format!("{} {} {} {}", p.severity, p.reason, p.object, p.field)).collect()
}

pub fn problems(repository: &Repository) -> Vec<String> {
    told(&compile::problems(&repository.index, TODAY))
}
