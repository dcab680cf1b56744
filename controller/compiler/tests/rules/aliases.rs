//! Aliases in circles, and hosts that are aliases: told with the record that names them, of one Domain or of two.

use cst_compiler::compile;
use cst_compiler::manifest::Repository;

use crate::support::{TODAY, repository, told, zone};

const TENANTS: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example]}\n\
    Tenant /cagli {displayName: Cagli, entityType: Comune, domains: [comune.cagli.example]}\n";

/// Fano's Domain with these records, and Cagli's with those.
fn domains(fano: &str, cagli: &str) -> Repository {
    let domain = |tenant: &str, spec: &str| format!("Domain t-{tenant}/comune.{tenant}.example {spec}\n");
    repository(&format!("{TENANTS}{}{}", domain("fano", fano), domain("cagli", cagli)))
}

/// What is said of the whole repository, as `object field: message`.
fn said(repository: &Repository) -> Vec<String> {
    let problems = compile::problems(&repository.index, TODAY);
    assert!(problems.iter().all(|problem| !problem.is_error()), "{problems:?}");
    problems.iter().map(|told| format!("{} {}: {}", told.object.key.namespace, told.field, told.message)).collect()
}

const NONE: &str = "{records: []}";

#[test]
fn a_host_that_a_wildcard_or_a_service_makes_an_alias_is_told_in_the_cluster_too() {
    for records in [
        "{name: '*', type: CNAME, values: [host.example.net]}, {name: '@', type: MX, values: [10 mail.comune.fano.example]}",
        "{name: '*.in', type: CNAME, values: [host.example.net]}, {name: _s._tcp, type: SRV, values: ['0 0 5061 a.b.in.comune.fano.example']}",
        "{name: '*', type: CNAME, values: [host.example.net]}, {name: sub, type: NS, values: [ns.comune.fano.example]}",
    ] {
        let spec = format!("{{records: [{records}]}}");
        let fano = zone(&domains(&spec, NONE), "comune.fano.example");
        assert_eq!(
            told(&fano.problems),
            ["warning Invalid Domain t-fano/comune.fano.example spec.records[1]"],
            "{records}"
        );
        let all = said(&domains(&spec, NONE));
        assert!(all.len() == 1 && all[0].contains(".comune.fano.example` an alias for `host.example.net`"), "{all:?}");
    }
    let exchangers = "{mail: {mode: External, hosts: [{name: mail.comune.fano.example}]}, pec: {hosts: [{name: a.example.net}, {name: pec.in.comune.fano.example}]}, \
         records: [{name: '*', type: CNAME, values: [host.example.net]}, {name: '*.in', type: CNAME, values: [host.example.net]}]}";
    let fano = zone(&domains(exchangers, NONE), "comune.fano.example");
    let field = |field: &str| format!("warning Invalid Domain t-fano/comune.fano.example {field}");
    assert_eq!(told(&fano.problems), [field("spec.mail.hosts[0].name"), field("spec.pec.hosts[1].name")]);
    let autodiscover = "{mail: {mode: External, provider: Microsoft365}, records: [{name: _s._tcp, type: SRV, values: [0 0 1 autodiscover.comune.fano.example]}]}";
    let fano = zone(&domains(autodiscover, NONE), "comune.fano.example");
    assert_eq!(told(&fano.problems), [field("spec.records[0]")]);
}

#[test]
fn what_is_no_alias_is_not_told() {
    for records in [
        // It is there itself, or something below it is.
        "{name: '*', type: CNAME, values: [host.example.net]}, {name: mail, type: A, values: [192.0.2.1]}, {name: '@', type: MX, values: [10 mail.comune.fano.example]}",
        "{name: '*', type: CNAME, values: [host.example.net]}, {name: x.mail, type: A, values: [192.0.2.1]}, {name: '@', type: MX, values: [10 mail.comune.fano.example]}",
        "{name: '*', type: CNAME, values: [host.example.net]}, {name: x, type: A, values: [192.0.2.1]}, {name: '@', type: MX, values: [10 mail.x.comune.fano.example]}",
        // Others answer for it, and an alias may lead to an alias.
        "{name: sub, type: NS, values: [ns.example.net]}, {name: '*', type: CNAME, values: [host.example.net]}, {name: '@', type: MX, values: [10 mail.sub.comune.fano.example]}",
        "{name: a, type: CNAME, values: [b.comune.fano.example]}, {name: b, type: CNAME, values: [c.comune.fano.example]}, {name: c, type: A, values: [192.0.2.1]}",
        "{name: h, type: HTTPS, values: [1 b.comune.fano.example]}, {name: b, type: CNAME, values: [host.example.net]}",
    ] {
        assert_eq!(said(&domains(&format!("{{records: [{records}]}}"), NONE)), Vec::<String>::new(), "{records}");
    }
}

#[test]
fn a_host_that_is_an_alias_in_another_domain_is_told_by_who_has_both() {
    let fano = "{records: [{name: '@', type: MX, values: [10 mail.comune.cagli.example]}, {name: x, type: MX, values: [10 mx.comune.cagli.example]}]}";
    let cagli =
        "{records: [{name: mail, type: CNAME, values: [host.example.net]}, {name: mx, type: A, values: [192.0.2.1]}]}";
    let repository = domains(fano, cagli);
    let all = said(&repository);
    assert!(
        all.len() == 1 && all[0].starts_with("t-fano spec.records[0]: `mail.comune.cagli.example` is an alias"),
        "{all:?}"
    );
    assert_eq!(
        told(&zone(&repository, "comune.fano.example").problems),
        Vec::<String>::new(),
        "a zone is judged by itself"
    );
}

#[test]
fn a_circle_of_aliases_is_told_at_each_of_them() {
    let circle = "{records: [{name: a, type: CNAME, values: [b.comune.fano.example]}, {name: b, type: CNAME, values: [a.comune.fano.example]}, \
         {name: into, type: CNAME, values: [a.comune.fano.example]}]}";
    let fano = zone(&domains(circle, NONE), "comune.fano.example");
    let field = |at: usize| format!("warning Invalid Domain t-fano/comune.fano.example spec.records[{at}]");
    assert_eq!(told(&fano.problems), [field(0), field(1)]);
    assert!(
        fano.problems[0]
            .message
            .contains("`a.comune.fano.example` leads back to itself by `b.comune.fano.example`, `a.")
    );

    let wildcard = "{records: [{name: '*', type: CNAME, values: [any.comune.fano.example]}]}";
    assert_eq!(told(&zone(&domains(wildcard, NONE), "comune.fano.example").problems), [field(0)]);

    let fano = "{records: [{name: www, type: CNAME, values: [www.comune.cagli.example]}]}";
    let cagli = "{records: [{name: '*', type: CNAME, values: [www.comune.fano.example]}]}";
    let all = said(&domains(fano, cagli));
    assert!(
        all.len() == 2 && all[0].starts_with("t-cagli spec.records[0]: the alias `*.") && all[1].contains("t-fano"),
        "{all:?}"
    );
}

#[test]
fn a_host_of_the_settings_that_a_domain_makes_an_alias_is_told_there() {
    let repository = repository(
        "Tenant /cst {displayName: CST, entityType: Provincia, domains: [cst.example.net]}\n\
         Domain t-cst/cst.example.net {records: [{name: ns1, type: A, values: [192.0.2.1]}, {name: '*', type: CNAME, values: [host.example.net]}, \
         {name: mx, type: CNAME, values: [host.example.net]}]}\n",
    );
    let cst = zone(&repository, "cst.example.net");
    let field = |at: usize| format!("warning Invalid Domain t-cst/cst.example.net spec.records[{at}]");
    assert_eq!(told(&cst.problems), [field(1), field(2)]);
    assert!(
        cst.problems[0].message.contains("`ns2.cst.example.net` is by `*.cst.example.net` an alias"),
        "{:?}",
        cst.problems
    );
}
