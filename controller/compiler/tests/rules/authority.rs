//! Who may hold which name, and who holds it among those that may.

use crate::support;
use crate::support::{name, problems, repository, zone};
use cst_compiler::model::ObjectKey;

const TENANTS: &str = "
    Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.pu.example]}
    Tenant /provincia {displayName: Provincia, entityType: Provincia, domains: [pu.example]}
";

fn with(lines: &str) -> cst_compiler::manifest::Repository {
    repository(&format!("{TENANTS}{lines}"))
}

#[test]
fn a_site_that_says_no_storage_counts_with_that_of_its_application() {
    let told = problems(&repository(
        "Tenant /fano {displayName: Fano, entityType: Comune, domains: [fano.example], limits: {webStorage: 3Gi}}
         Domain t-fano/fano.example {}
         WebSite t-fano/a {application: Lamp, host: a.fano.example}
         WebSite t-fano/b {application: Lamp, host: b.fano.example}
         WebSite t-fano/c {application: Lamp, host: c.fano.example, storage: 1Gi}",
    ));
    assert_eq!(told, ["error LimitExceeded WebSite t-fano/b spec.host"]);
}

#[test]
fn the_longest_suffix_decides_at_label_boundaries() {
    for (namespace, host, refused) in [
        ("t-fano", "comune.fano.pu.example", false),
        ("t-fano", "WWW.Comune.Fano.PU.example.", false),
        ("t-fano", "xcomune.fano.pu.example", true),
        ("t-fano", "fano.pu.example", true),
        ("t-provincia", "fano.pu.example", false),
        ("t-provincia", "xcomune.fano.pu.example", false),
        ("t-provincia", "comune.fano.pu.example", true),
        ("t-provincia", "protocollo.comune.fano.pu.example", true),
        ("t-provincia", "other.example", true),
    ] {
        let told = problems(&with(&format!("WebSite {namespace}/s {{application: Lamp, host: {host}}}")));
        let expected = format!("error NotGranted WebSite {namespace}/s spec.host");
        assert_eq!(told.contains(&expected), refused, "{namespace} {host}: {told:?}");
    }
}

#[test]
fn a_zone_above_cannot_write_into_another_tenants_name() {
    let repository = with(
        "Domain t-provincia/pu.example {records: [{name: www.comune.fano, type: A, values: [192.0.2.1]}, {name: www, type: A, values: [192.0.2.2]}]}",
    );
    assert_eq!(problems(&repository), ["error NotGranted Domain t-provincia/pu.example spec.records[0].name"]);
    assert_eq!(support::records(&zone(&repository, "pu.example")), ["www.pu.example A 192.0.2.2"]);
}

#[test]
fn a_grant_of_two_tenants_binds_nothing_new_and_keeps_what_was_bound() {
    let second = "Tenant /other {displayName: Other, entityType: Comune, domains: [comune.fano.pu.example]}\n";
    let bound = "status {zone: {name: comune.fano.pu.example, serial: 1, records: 1, dnssec: Signed}}";
    let new = with(&format!("{second}Domain t-fano/comune.fano.pu.example {{}}"));
    assert!(zone(&new, "comune.fano.pu.example").zone.is_none());
    assert_eq!(
        problems(&new),
        [
            "error GrantConflict Tenant fano spec.domains[0]",
            "error GrantConflict Tenant other spec.domains[0]",
            "error GrantConflict Domain t-fano/comune.fano.pu.example metadata.name"
        ]
    );
    let kept = with(&format!("{second}Domain t-fano/comune.fano.pu.example {{}} {bound}"));
    assert!(zone(&kept, "comune.fano.pu.example").zone.is_some());
}

#[test]
fn inside_a_tenant_the_incumbent_keeps_a_name_and_ties_go_to_the_smallest() {
    let site = |name: &str, status: &str| {
        format!("WebSite t-fano/{name} {{application: Lamp, host: comune.fano.pu.example}} status {status}\n")
    };
    let conflict = |loser: &str| format!("error Conflict WebSite t-fano/{loser} spec.host");
    let both = with(&(site("a", "{}") + &site("b", "{}")));
    let host = name("comune.fano.pu.example");
    assert_eq!(both.index.host_holder(&host), Some(&ObjectKey::new("t-fano", "a")));
    let tie = problems(&both);
    assert!(tie.contains(&conflict("b")) && tie.contains(&conflict("a")), "nobody knows who had it: {tie:?}");
    let held = problems(&with(&(site("a", "{}") + &site("b", "{hosts: [comune.fano.pu.example]}"))));
    assert!(held.contains(&conflict("a")) && !held.contains(&conflict("b")), "{held:?}");
}

#[test]
fn a_namespace_without_its_tenant_gets_nothing() {
    let told = problems(&repository("Domain t-nobody/comune.example.org {}"));
    assert_eq!(told, ["error TenantMissing Domain t-nobody/comune.example.org metadata.namespace"]);
}

#[test]
fn after_a_name_that_is_written_twice_the_places_are_still_right() {
    let told = problems(&with(
        "Tenant /other {displayName: Other, entityType: Comune, domains: [a.example, a.example, comune.fano.pu.example]}
         Domain t-provincia/pu.example {mail: {mode: Hosted}}
         Mailbox t-provincia/urp {address: urp@pu.example, aliases: [a@pu.example, a@pu.example, b@c.example]}
         WebSite t-provincia/s {application: Lamp, host: pu.example, aliases: [w.pu.example, w.pu.example, c.example]}",
    ));
    let expected = [
        "error GrantConflict Tenant other spec.domains[2]",
        "error NotGranted Mailbox t-provincia/urp spec.aliases[2]",
        "error NotGranted WebSite t-provincia/s spec.aliases[2]",
    ];
    for expected in expected {
        assert!(told.iter().any(|told| told == expected), "{expected}: {told:#?}");
    }
    let twice = [
        "Tenant other spec.domains[1]",
        "Mailbox t-provincia/urp spec.aliases[1]",
        "WebSite t-provincia/s spec.aliases[1]",
    ];
    assert!(twice.iter().all(|twice| told.contains(&format!("warning Invalid {twice}"))), "{told:#?}");
}
