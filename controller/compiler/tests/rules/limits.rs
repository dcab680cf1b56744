//! How much a domain's logins may send.

use crate::support::{TODAY, name, problems, repository, repository_with, settings};
use cst_compiler::compile;
use cst_compiler::desired::mail::MailDomain;
use cst_compiler::manifest::Repository;
use cst_compiler::plan::absence::Absence;

const TENANT: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example]}\n";

fn with(mail: &str) -> String {
    format!("{TENANT}Domain t-fano/comune.fano.example {{mail: {{{mail}}}}}\n")
}

fn compiled(repository: &Repository, published: Option<&MailDomain>) -> MailDomain {
    compile::mail(&repository.index, &name("comune.fano.example"), published, TODAY, |_| Absence::Deleted).domain
}

fn recipients(repository: &Repository) -> Option<u32> {
    compiled(repository, None).limits.recipients_per_hour
}

#[test]
fn a_domain_allows_its_logins_what_the_centre_does_or_less() {
    assert_eq!(recipients(&repository(&with("mode: Hosted"))), Some(500), "the centre's default");
    let less = repository(&with("mode: Hosted, limits: {recipientsPerHour: 40}"));
    assert_eq!((recipients(&less), problems(&less)), (Some(40), vec![]));
    let more = repository(&with("mode: Hosted, limits: {recipientsPerHour: 501}"));
    let told = "error LimitExceeded Domain t-fano/comune.fano.example spec.mail.limits.recipientsPerHour";
    assert_eq!((recipients(&more), problems(&more)), (Some(500), vec![told.to_owned()]));
    let mut generous = settings();
    generous.mail.as_mut().unwrap().limits.recipients_per_hour = 2000;
    let more = repository_with(&with("mode: Hosted, limits: {recipientsPerHour: 501}"), generous);
    assert_eq!((recipients(&more), problems(&more)), (Some(501), vec![]));
    let elsewhere = repository(&with("mode: None, limits: {recipientsPerHour: 40}"));
    assert_eq!(problems(&elsewhere), ["error Invalid Domain t-fano/comune.fano.example spec.mail.limits"]);
}

#[test]
fn a_domain_whose_declaration_is_wrong_keeps_its_limits() {
    let published = compiled(&repository(&with("mode: Hosted, limits: {recipientsPerHour: 40}")), None);
    let gone = repository(TENANT);
    assert_eq!(compiled(&gone, Some(&published)).limits, published.limits);
}
