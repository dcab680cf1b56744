//! Reverse zones: who gets the PTR of an address.

use std::collections::BTreeSet;

use cst_api::Domain;
use cst_compiler::compile;
use cst_compiler::index::{Change, Unit};
use cst_compiler::model::ObjectKey;

use crate::support::{TODAY, name, problems, records, repository, told, zone};

const TENANTS: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example, 2.0.192.in-addr.arpa, 8.b.d.0.1.0.0.2.ip6.arpa]}
    Tenant /cagli {displayName: Cagli, entityType: Comune, domains: [comune.cagli.example]}\n";
const REVERSE: &str = "Domain t-fano/2.0.192.in-addr.arpa ";

fn with(lines: &str) -> cst_compiler::manifest::Repository {
    repository(&format!("{TENANTS}{lines}"))
}

fn fano(records: &str) -> String {
    format!("Domain t-fano/comune.fano.example {{records: [{records}]}}\n")
}

const WWW: &str = "{name: www, type: A, values: [192.0.2.10, 198.51.100.1], ptr: true}";

#[test]
fn an_address_that_asks_is_named_in_its_reverse_zone() {
    let repository = with(
        &(fano(
            "{name: www, type: A, values: [192.0.2.10], ptr: true}, {name: x, type: A, values: [192.0.2.11]},
        {name: www, type: AAAA, values: ['2001:db8::1'], ptr: true}",
        )
        .replace('\n', " ")
            + "\n"
            + REVERSE
            + "{}
        Domain t-fano/8.b.d.0.1.0.0.2.ip6.arpa {}"),
    );
    assert_eq!(problems(&repository), Vec::<String>::new());
    assert_eq!(
        records(&zone(&repository, "2.0.192.in-addr.arpa")),
        ["10.2.0.192.in-addr.arpa PTR www.comune.fano.example."]
    );
    let v6 = records(&zone(&repository, "8.b.d.0.1.0.0.2.ip6.arpa"));
    assert_eq!(v6, [format!("1.{}8.b.d.0.1.0.0.2.ip6.arpa PTR www.comune.fano.example.", "0.".repeat(23))]);
}

#[test]
fn an_address_keeps_its_name_while_another_record_of_its_domain_is_wrong() {
    let repository = with(&(fano(&format!("{WWW}, {{name: x, type: A, values: [nonsense]}}")) + REVERSE + "{}"));
    assert_eq!(
        records(&zone(&repository, "2.0.192.in-addr.arpa")),
        ["10.2.0.192.in-addr.arpa PTR www.comune.fano.example."]
    );
}

#[test]
fn a_wish_that_cannot_be_granted_is_told() {
    let warned = ["warning RecordConflict Domain t-fano/comune.fano.example spec.records[0].ptr"];
    let nobody = with(&fano(WWW));
    assert_eq!(problems(&nobody), [warned[0], warned[0]]);
    let one = with(&(fano(WWW) + REVERSE + "{}"));
    assert_eq!(problems(&one), warned, "198.51.100.1 is nobody's");
    let none = with(&(fano("{name: www, type: A, values: [192.0.2.10], ptr: true}") + REVERSE + "{pointers: None}"));
    assert_eq!(problems(&none), warned);
}

#[test]
fn another_tenants_addresses_are_taken_only_where_the_zone_says_so() {
    let cagli =
        "Domain t-cagli/comune.cagli.example {records: [{name: www, type: A, values: [192.0.2.20], ptr: true}]}\n";
    let own = with(&(cagli.to_owned() + REVERSE + "{}"));
    assert_eq!(records(&zone(&own, "2.0.192.in-addr.arpa")), Vec::<String>::new());
    assert_eq!(problems(&own).len(), 1);
    let centre = with(&(cagli.to_owned() + REVERSE + "{pointers: Centre}"));
    assert_eq!(
        records(&zone(&centre, "2.0.192.in-addr.arpa")),
        ["20.2.0.192.in-addr.arpa PTR www.comune.cagli.example."]
    );
    assert_eq!(problems(&centre), Vec::<String>::new());
}

#[test]
fn of_several_names_the_first_has_the_address() {
    let both = "{name: b, type: A, values: [192.0.2.1], ptr: true}, {name: a, type: A, values: [192.0.2.1], ptr: true}";
    let repository = with(&(fano(both) + REVERSE + "{}"));
    assert_eq!(
        records(&zone(&repository, "2.0.192.in-addr.arpa")),
        ["1.2.0.192.in-addr.arpa PTR a.comune.fano.example."]
    );
    assert_eq!(problems(&repository), ["warning RecordConflict Domain t-fano/comune.fano.example spec.records[0].ptr"]);
}

#[test]
fn a_written_ptr_counts_before_an_address() {
    let written = "{records: [{name: '10', type: PTR, values: [mail.comune.fano.example]}]}";
    let repository = with(&(fano("{name: www, type: A, values: [192.0.2.10], ptr: true}") + REVERSE + written));
    let outcome = zone(&repository, "2.0.192.in-addr.arpa");
    assert_eq!(records(&outcome), ["10.2.0.192.in-addr.arpa PTR mail.comune.fano.example."]);
    assert_eq!(told(&outcome.problems), ["warning RecordConflict Domain t-fano/2.0.192.in-addr.arpa spec.records"]);
}

#[test]
fn a_part_of_a_network_has_its_addresses_by_aliases() {
    let part = "Domain t-fano/part {zone: 8/30.2.0.192.in-addr.arpa}\n";
    let repository = with(&(fano("{name: www, type: A, values: [192.0.2.10], ptr: true}") + REVERSE + "{}\n" + part));
    assert_eq!(problems(&repository), Vec::<String>::new());
    assert_eq!(
        records(&zone(&repository, "8/30.2.0.192.in-addr.arpa")),
        ["10.8/30.2.0.192.in-addr.arpa PTR www.comune.fano.example."]
    );
    let above = records(&zone(&repository, "2.0.192.in-addr.arpa"));
    assert_eq!(above.iter().filter(|record| record.contains(" CNAME ")).count(), 4);
    assert!(above.contains(&"10.2.0.192.in-addr.arpa CNAME 10.8/30.2.0.192.in-addr.arpa.".to_owned()), "{above:?}");
    assert!(!above.iter().any(|record| record.contains(" PTR ")));
}

#[test]
fn an_address_of_two_parts_belongs_to_the_smaller() {
    let part = |name: &str, zone: &str| format!("Domain t-fano/{name} {{zone: {zone}.2.0.192.in-addr.arpa}}\n");
    let parts = part("a", "0/26") + &part("b", "0/27") + &part("c", "60-70");
    let asking = fano(
        "{name: www, type: A, values: [192.0.2.10], ptr: true}, {name: x, type: A, values: [192.0.2.40], ptr: true}",
    );
    let repository = with(&(asking + REVERSE + "{}\n" + &parts));
    let above = records(&zone(&repository, "2.0.192.in-addr.arpa"));
    let aliases: Vec<_> = above.iter().filter(|record| record.contains(" CNAME ")).collect();
    let owners: BTreeSet<_> = aliases.iter().map(|record| record.split(' ').next().unwrap()).collect();
    assert_eq!((aliases.len(), owners.len()), (71, 71), "one for each address");
    for (octet, part) in [(0, "0/27"), (31, "0/27"), (32, "0/26"), (59, "0/26"), (60, "60-70"), (70, "60-70")] {
        let alias = format!("{octet}.2.0.192.in-addr.arpa CNAME {octet}.{part}.2.0.192.in-addr.arpa.");
        assert!(above.contains(&alias), "{alias}: {above:?}");
    }
    let pointers = |part: &str| {
        let records = records(&zone(&repository, &format!("{part}.2.0.192.in-addr.arpa")));
        records.into_iter().filter(|record| record.contains(" PTR ")).collect::<Vec<_>>()
    };
    assert_eq!(pointers("0/27"), ["10.0/27.2.0.192.in-addr.arpa PTR www.comune.fano.example."]);
    assert_eq!(pointers("0/26"), ["40.0/26.2.0.192.in-addr.arpa PTR x.comune.fano.example."]);
    let warning = "warning RecordConflict Domain t-fano/2.0.192.in-addr.arpa metadata.name";
    assert_eq!(problems(&repository), [warning]);
    let told: Vec<String> =
        compile::problems(&repository.index, TODAY).iter().map(|told| told.message.clone()).collect();
    let first =
        "36 addresses of 0/26.2.0.192.in-addr.arpa belong to smaller parts of the network, 0 the first, to 0/27";
    assert!(told.iter().any(|told| told.starts_with(first)), "{told:?}");
}

#[test]
fn a_wish_that_is_taken_back_changes_the_reverse_zone_and_who_waits_for_the_address() {
    let asking = |zone: &str| {
        format!("Domain t-fano/{zone} {{records: [{{name: www, type: A, values: [192.0.2.10], ptr: true}}]}}\n")
    };
    let mut index = with(&(asking("comune.fano.example") + &asking("x.comune.fano.example") + REVERSE + "{}")).index;
    let mut domain = Domain::new("comune.fano.example", cst_api::DomainSpec::default());
    domain.metadata.namespace = Some("t-fano".into());
    let units = index.apply(Change::Domain(ObjectKey::new("t-fano", "comune.fano.example"), Some(Box::new(domain))));
    for zone in ["2.0.192.in-addr.arpa", "x.comune.fano.example"] {
        assert!(units.contains(&Unit::Zone(name(zone))), "{zone}: {units:?}");
    }
}
