//! What receivers are asked to do with mail in a domain's name, day by day, and who reads their reports.

use cst_api::Date;
use cst_compiler::compile::{self, ZoneFacts};
use cst_compiler::manifest::Repository;

use crate::support::{TODAY, name, problems, records, repository, repository_with, settings};

const TENANTS: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example]}\n\
    Tenant /cst {displayName: CST, entityType: EnteTerritoriale, domains: [cst.example.net]}\n";

fn with(mail: &str) -> String {
    format!("{TENANTS}Domain t-fano/comune.fano.example {{mail: {{{mail}}}}}\n")
}

/// The texts at the names of a zone that begin so, on a day.
fn texts(repository: &Repository, zone: &str, begin: &str, today: Option<Date>) -> Vec<String> {
    let outcome = compile::zone(&repository.index, &name(zone), &ZoneFacts { today, ..ZoneFacts::hopeful() });
    let lines = records(&outcome).into_iter().filter(|line| line.starts_with(begin));
    lines.map(|line| line.split_once(" TXT ").unwrap().1.trim_matches('"').to_owned()).collect()
}

fn policy(repository: &Repository, today: Date) -> String {
    texts(repository, "comune.fano.example", "_dmarc.", Some(today)).remove(0)
}

#[test]
fn each_stage_holds_from_its_day_on() {
    let stages = "stages: [{from: 2026-11-24, policy: Quarantine}, {from: 2027-02-01, policy: Reject}]";
    let staged = repository(&with(&format!("mode: Hosted, dmarc: {{{stages}}}")));
    let day = |month, day| Date { year: if month < 6 { 2027 } else { 2026 }, month, day };
    for (today, wanted) in [
        (TODAY, "none"),
        (day(11, 24), "quarantine"),
        (day(1, 31), "quarantine"),
        (day(2, 1), "reject"),
        (day(5, 5), "reject"),
    ] {
        assert_eq!(policy(&staged, today), format!("v=DMARC1; p={wanted}"), "{today}");
    }
    assert_eq!(texts(&staged, "comune.fano.example", "_dmarc.", None), ["v=DMARC1; p=none"], "before all");
    assert_eq!(problems(&staged), Vec::<String>::new());
}

#[test]
fn names_below_have_policies_of_their_own() {
    let below = repository(&with(
        "mode: External, hosts: [{name: mx.example.org}], dmarc: {policy: Reject, subdomains: None, nonexistent: Reject}",
    ));
    assert_eq!(policy(&below, TODAY), "v=DMARC1; p=reject; sp=none; np=reject");
}

#[test]
fn reports_go_to_the_domains_own_readers_or_else_to_the_centres() {
    let mut reading = settings();
    let mail = reading.mail.as_mut().unwrap();
    mail.dmarc_reports = Some(cst_compiler::model::Address::parse("dmarc@cst.example.net").unwrap());
    let centre = "Domain t-cst/cst.example.net {}\n";
    let of = |mail: &str| repository_with(&(with(mail) + centre), reading.clone());
    let by_default = of("mode: Hosted");
    assert_eq!(policy(&by_default, TODAY), "v=DMARC1; p=none; rua=mailto:dmarc@cst.example.net");
    let own = of("mode: Hosted, dmarc: {reports: [a@comune.fano.example, b@example.org]}");
    assert_eq!(policy(&own, TODAY), "v=DMARC1; p=none; rua=mailto:a@comune.fano.example,mailto:b@example.org");
    let elsewhere = of("mode: External, provider: GoogleWorkspace");
    assert_eq!(policy(&elsewhere, TODAY), "v=DMARC1; p=none", "others' mail is not the centre's to read of");
    assert_eq!(policy(&of("mode: None"), TODAY), "v=DMARC1; p=reject");
    // The centre's domain says that it wants them, and no other does.
    let wanted = |zone: &str| texts(&by_default, zone, "*._report._dmarc.cst.example.net ", Some(TODAY));
    assert_eq!((wanted("cst.example.net"), wanted("comune.fano.example")), (vec!["v=DMARC1".to_owned()], vec![]));
    // What lies in a zone below is said there.
    let below = repository_with(&format!("{TENANTS}{centre}Domain t-cst/reports.cst.example.net {{}}\n"), {
        let mut below = reading.clone();
        let to = cst_compiler::model::Address::parse("dmarc@reports.cst.example.net").unwrap();
        below.mail.as_mut().unwrap().dmarc_reports = Some(to);
        below
    });
    let begin = "*._report._dmarc.reports.cst.example.net ";
    assert_eq!(texts(&below, "cst.example.net", begin, Some(TODAY)), Vec::<String>::new());
    assert_eq!(texts(&below, "reports.cst.example.net", begin, Some(TODAY)), ["v=DMARC1"]);
}

#[test]
fn stages_out_of_order_and_readers_without_an_address_are_told() {
    let wrong = repository(&with(
        "mode: Hosted, dmarc: {reports: [nobody], stages: [{from: 2027-02-01, policy: Reject}, {from: 2027-02-01, policy: None}]}",
    ));
    assert_eq!(
        problems(&wrong),
        ["reports[0]", "stages[1].from"]
            .map(|field| format!("error Invalid Domain t-fano/comune.fano.example spec.mail.dmarc.{field}"))
    );
}
