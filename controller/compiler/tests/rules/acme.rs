//! Challenges of certificates: aliases into the dynamic zone, its delegation, and what they never hide.

use cst_compiler::compile::{self, ZoneFacts};
use cst_compiler::manifest::Repository;
use cst_compiler::settings::Settings;
use serde_json::json;

use crate::support::{self, name, problems, records, settings, told, zone};

const TENANT: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example]}\n";
const CENTRE: &str = "Tenant /centre {displayName: Centre, entityType: Provincia, domains: [cst.example.net]}\n";
const SITE: &str =
    "WebSite t-fano/portal {application: Lamp, host: comune.fano.example, aliases: [www.comune.fano.example]}\n";

/// The settings with a dynamic zone.
fn with_zone(zone: &str) -> Settings {
    let mut settings = settings();
    settings.dns.acme = Some(serde_json::from_value(json!({"zone": zone})).unwrap());
    settings
}

fn repository(lines: &str) -> Repository {
    support::repository_with(&format!("{TENANT}{CENTRE}{lines}"), with_zone("acme.cst.example.net"))
}

fn fano(spec: &str) -> String {
    format!("Domain t-fano/comune.fano.example {spec}\n")
}

/// The records of a zone that have to do with challenges.
fn challenges(repository: &Repository, apex: &str) -> Vec<String> {
    records(&zone(repository, apex)).into_iter().filter(|record| record.contains("acme")).collect()
}

#[test]
fn the_challenge_of_every_host_is_an_alias_into_the_dynamic_zone() {
    let repository = repository(&(fano("{}") + SITE));
    assert_eq!(
        challenges(&repository, "comune.fano.example"),
        [
            "_acme-challenge.comune.fano.example CNAME comune.fano.example.acme.cst.example.net.",
            "_acme-challenge.www.comune.fano.example CNAME www.comune.fano.example.acme.cst.example.net.",
        ]
    );
    assert_eq!(problems(&repository), Vec::<String>::new());
}

#[test]
fn the_domain_above_delegates_the_dynamic_zone_and_has_the_alias_of_its_mail_host() {
    let records = "{records: [{name: mx, type: A, values: [192.0.2.25]}]}";
    let own = repository(&format!("Domain t-centre/cst.example.net {records}"));
    assert_eq!(
        challenges(&own, "cst.example.net"),
        [
            "acme.cst.example.net NS ns1.cst.example.net.",
            "acme.cst.example.net NS ns2.cst.example.net.",
            "_acme-challenge.mx.cst.example.net CNAME mx.cst.example.net.acme.cst.example.net.",
        ]
    );
    let mut settings = with_zone("acme.cst.example.net");
    settings.dns.acme.as_mut().unwrap().name_servers = Some(vec![name("ns9.example.org")]);
    let other = support::repository_with(&format!("{CENTRE}Domain t-centre/cst.example.net {{}}"), settings);
    assert_eq!(challenges(&other, "cst.example.net"), ["acme.cst.example.net NS ns9.example.org."]);
}

#[test]
fn a_domain_between_takes_the_delegation_over() {
    let both = "Domain t-centre/cst.example.net {}\nDomain t-centre/b.cst.example.net {}\n";
    let repository = support::repository_with(&format!("{CENTRE}{both}"), with_zone("a.b.cst.example.net"));
    assert_eq!(records(&zone(&repository, "b.cst.example.net")).len(), 2);
    let above = records(&zone(&repository, "cst.example.net"));
    assert!(above.iter().all(|record| record.starts_with("b.cst.example.net NS ")), "{above:?}");
    // The Domain between is gone, its zone is served on: it goes on delegating.
    let alone = "Domain t-centre/cst.example.net {}";
    let repository = support::repository_with(&format!("{CENTRE}{alone}"), with_zone("a.b.cst.example.net"));
    let facts = ZoneFacts { below: [(name("b.cst.example.net"), Vec::new())].into(), ..ZoneFacts::hopeful() };
    let above = records(&compile::zone(&repository.index, &name("cst.example.net"), &facts));
    assert!(above.iter().all(|record| record.starts_with("b.cst.example.net NS ")), "{above:?}");
}

#[test]
fn what_is_written_at_the_challenge_counts_and_the_domain_is_told() {
    for (written, other) in [
        ("{name: _acme-challenge.www, type: TXT, values: [token]}", "TXT"),
        ("{name: _acme-challenge.www, type: CNAME, values: [www.proofs.example.org]}", "CNAME"),
        ("{name: _acme-challenge.www, type: NS, values: [ns.proofs.example.org]}", "NS"),
    ] {
        let repository = repository(&(fano(&format!("{{records: [{written}]}}")) + SITE));
        let outcome = zone(&repository, "comune.fano.example");
        let at: Vec<String> = records(&outcome).into_iter().filter(|r| r.starts_with("_acme-challenge.www.")).collect();
        assert!(matches!(&at[..], [one] if one.contains(other)), "{at:?}");
        assert_eq!(told(&outcome.problems), ["warning RecordConflict Domain t-fano/comune.fano.example spec.records"]);
    }
    let same =
        "{records: [{name: _acme-challenge.www, type: CNAME, values: [www.comune.fano.example.acme.cst.example.net]}]}";
    assert_eq!(problems(&repository(&(fano(same) + SITE))), Vec::<String>::new());
}

#[test]
fn a_wildcard_that_answers_for_a_host_is_not_hidden() {
    let records = "{records: [{name: '*', type: A, values: [192.0.2.25]}]}";
    let repository = repository(&format!("Domain t-centre/cst.example.net {records}"));
    let challenges = challenges(&repository, "cst.example.net");
    assert!(!challenges.iter().any(|record| record.contains("_acme-challenge")), "{challenges:?}");
}

#[test]
fn a_challenge_that_another_zone_answers_has_no_alias() {
    let delegated = "{records: [{name: www, type: NS, values: [ns.example.org]}]}";
    let at_apex = ["_acme-challenge.comune.fano.example CNAME comune.fano.example.acme.cst.example.net."];
    assert_eq!(challenges(&repository(&(fano(delegated) + SITE)), "comune.fano.example"), at_apex);

    let own = "Domain t-fano/challenges {zone: _acme-challenge.www.comune.fano.example}\n";
    let repository = repository(&format!("{}{own}{SITE}", fano("{}")));
    let challenges = challenges(&repository, "comune.fano.example");
    assert!(!challenges.iter().any(|record| record.starts_with("_acme-challenge.www") && record.contains("CNAME")));
    assert_eq!(challenges.len(), 3, "the apex' alias and the delegation: {challenges:?}");

    // That Domain is gone, its zone is served on.
    let below = [(name("_acme-challenge.www.comune.fano.example"), Vec::new())].into();
    let facts = ZoneFacts { below, ..ZoneFacts::hopeful() };
    let repository =
        support::repository_with(&format!("{TENANT}{}{SITE}", fano("{}")), with_zone("acme.cst.example.net"));
    let kept = records(&compile::zone(&repository.index, &name("comune.fano.example"), &facts));
    assert_eq!(kept.iter().filter(|record| record.contains("acme")).count(), 3, "{kept:?}");
}

#[test]
fn nobody_has_names_in_the_dynamic_zone() {
    let repository = repository(
        "Domain t-centre/cst.example.net {records: [{name: x.acme, type: TXT, values: [token]}]}
         Domain t-centre/acme.cst.example.net {}",
    );
    assert_eq!(
        problems(&repository),
        [
            "error NotGranted Domain t-centre/acme.cst.example.net metadata.name",
            "error NotGranted Domain t-centre/cst.example.net spec.records[0].name",
        ]
    );
    assert_eq!(challenges(&repository, "cst.example.net").len(), 2, "its delegation");
}

#[test]
fn a_host_that_is_too_long_for_it_is_told() {
    let long = ["abcdefgh"; 25].join(".");
    let site = format!("WebSite t-fano/portal {{application: Lamp, host: {long}.comune.fano.example}}\n");
    let repository = repository(&(fano("{}") + &site));
    assert_eq!(challenges(&repository, "comune.fano.example"), Vec::<String>::new());
    assert_eq!(problems(&repository), ["warning Invalid Domain t-fano/comune.fano.example metadata.name"]);
}

#[test]
fn the_dynamic_zone_has_a_name_of_its_own() {
    for (zone, is_right) in [
        ("acme.cst.example.net", true),
        ("acme.catalog.example.org", false),
        ("catalog.example.org", false),
        ("example.org", false),
        ("mx.cst.example.net", false),
        ("cst.example.net", false),
        ("acme", false),
    ] {
        let mut settings = with_zone(zone);
        settings.dns.catalog = name("catalog.example.org");
        let fields: Vec<_> = settings.problems(|_| true).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields.is_empty(), is_right, "{zone}: {fields:?}");
        assert!(fields.iter().all(|field| field == "dns.acme.zone"), "{zone}: {fields:?}");
    }
}
