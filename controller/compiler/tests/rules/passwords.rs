//! Whose a password is: what git says, what was generated, what was changed outside of git.

use std::collections::BTreeMap;

use crate::support::{TODAY, name, problems, repository, told};
use cst_api::{DeletionPolicy, Mailbox};
use cst_compiler::compile::{self, MailOutcome};
use cst_compiler::desired::mail::MailDomain;
use cst_compiler::index::{Change, Unit};
use cst_compiler::manifest::Repository;
use cst_compiler::model::ObjectKey;
use cst_compiler::plan::absence::Absence;

const CENTRE: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example]}\n\
                      Domain t-fano/comune.fano.example {mail: {mode: Hosted}}\n";
const GIVEN: &str = ", passwordSecretRef: {name: passwords}";
const USERS: &str = ", passwordSecretRef: {name: passwords}, passwordOwner: User";
const AT: &str = "2026-11-23T08:15:30.123456Z";

/// A hash that says whose it is.
fn hash(whose: &str) -> String {
    format!("{{SHA512-CRYPT}}$6${whose}${}", "a".repeat(86))
}

fn centre(spec: &str) -> Repository {
    repository(&format!("{CENTRE}Mailbox t-fano/anna {{address: anna@comune.fano.example{spec}}}\n"))
}

impl Secrets for Repository {
    fn secret(&mut self, name: &str, data: &[(&str, &str)]) {
        let data: BTreeMap<_, _> =
            data.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect();
        self.index.apply(Change::Secret(ObjectKey::new("t-fano", name), Some(data)));
    }
}

trait Secrets {
    fn secret(&mut self, name: &str, data: &[(&str, &str)]);

    fn git(&mut self) {
        self.secret("passwords", &[("anna", &hash("git"))]);
    }

    fn generated(&mut self) {
        self.secret("anna-password", &[("password", "abcde"), ("hash", &hash("made"))]);
    }

    fn changed(&mut self, whose: &str) {
        self.secret("anna-password", &[("hash", &hash(whose)), ("changed", AT)]);
    }
}

fn compiled(repository: &Repository, published: Option<&MailDomain>) -> MailOutcome {
    compile::mail(&repository.index, &name("comune.fano.example"), published, TODAY, |_| Absence::Deleted)
}

/// Whose hash Anna logs in with; with a star where it was changed outside of git.
fn login(outcome: &MailOutcome) -> String {
    let anna = &outcome.domain.boxes[0];
    let whose = anna.password.as_ref().map_or("nobody", |hash| hash.expose().split('$').nth(2).unwrap());
    format!("{whose}{}", if anna.password_change.is_some() { "*" } else { "" })
}

/// What is to be put into Anna's own Secret.
fn missing(outcome: &MailOutcome) -> Vec<&'static str> {
    outcome.missing.iter().map(|missing| if missing.last.is_some() { "restore" } else { "generate" }).collect()
}

#[test]
fn whose_a_password_is_decides_which_holds() {
    type Found = fn(&mut Repository);
    let nothing: Found = |_| {};
    let git: Found = |there| there.git();
    let generated: Found = |there| there.generated();
    let changed: Found = |there| there.changed("anna");
    for (spec, found, expected) in [
        (GIVEN, vec![git], "git"),
        (GIVEN, vec![git, generated], "git"),
        (GIVEN, vec![git, changed], "git"),
        (", passwordSecretRef: {name: passwords}, passwordOwner: Git", vec![git, changed], "git"),
        (USERS, vec![git], "git"),
        (USERS, vec![git, generated], "git"),
        (USERS, vec![git, changed], "anna*"),
        (USERS, vec![changed], "anna*"),
        ("", vec![nothing], "nobody"),
        ("", vec![generated], "made"),
        ("", vec![changed], "anna*"),
        (", passwordOwner: User", vec![git, changed], "anna*"),
    ] {
        let mut repository = centre(spec);
        for found in found {
            found(&mut repository);
        }
        let outcome = compiled(&repository, None);
        assert_eq!(login(&outcome), expected, "{spec}");
        assert_eq!(told(&outcome.problems), [""; 0], "{spec}");
        assert_eq!(missing(&outcome), if expected == "nobody" { vec!["generate"] } else { vec![] }, "{spec}");
    }
}

#[test]
fn from_user_to_git_the_hash_in_git_holds_and_back_again_what_was_changed() {
    let mut published = None;
    for (spec, expected) in [(USERS, "anna*"), (GIVEN, "git"), (USERS, "anna*"), ("", "anna*"), (GIVEN, "git")] {
        let mut repository = centre(spec);
        repository.git();
        repository.changed("anna");
        let outcome = compiled(&repository, published.as_ref());
        assert_eq!((login(&outcome), missing(&outcome)), (expected.to_owned(), vec![]), "{spec}");
        published = Some(outcome.domain);
    }
    // While git owned it the Secret was deleted: the beginning is git's again.
    let mut repository = centre(USERS);
    repository.git();
    assert_eq!(login(&compiled(&repository, published.as_ref())), "git");
}

#[test]
fn a_changed_password_outlives_its_secret_and_the_name_of_its_object() {
    for spec in ["", USERS] {
        let mut repository = centre(spec);
        repository.git();
        repository.changed("anna");
        let published = compiled(&repository, None).domain;
        let mut lost = centre(spec);
        lost.git();
        let outcome = compiled(&lost, Some(&published));
        assert_eq!((login(&outcome), missing(&outcome)), ("anna*".to_owned(), vec!["restore"]), "{spec}");
        let at = outcome.missing[0].last.as_ref().unwrap().change.as_ref().unwrap().at.as_ref().unwrap();
        assert_eq!(at.0.to_string(), AT);
        // A backup of the Secret from before the change is none.
        if spec == USERS {
            lost.generated();
            assert_eq!(login(&compiled(&lost, Some(&published))), "anna*");
        }
        let last = &mut published.clone();
        last.boxes[0].delete_policy = DeletionPolicy::Delete;
        let mut other = repository_with_anna_as("anna.rossi", spec);
        other.git();
        assert_eq!(login(&compiled(&other, Some(last))), "nobody", "who was deleted for good leaves nothing");
        let mut renamed = repository_with_anna_as("anna.rossi", spec);
        renamed.git();
        let outcome = compiled(&renamed, Some(&published));
        assert_eq!((login(&outcome), missing(&outcome)), ("anna*".to_owned(), vec!["restore"]), "{spec}");
    }
}

fn repository_with_anna_as(object: &str, spec: &str) -> Repository {
    repository(&format!("{CENTRE}Mailbox t-fano/{object} {{address: anna@comune.fano.example{spec}}}\n"))
}

#[test]
fn the_next_owner_of_an_address_does_not_get_another_tenants_password() {
    let mut repository = centre("");
    repository.changed("anna");
    let published = compiled(&repository, None).domain;
    let elsewhere = CENTRE.replace("t-fano", "t-pesaro").replace("/fano", "/pesaro");
    let next = crate::support::repository(&format!(
        "{elsewhere}Mailbox t-pesaro/anna {{address: anna@comune.fano.example}}\n"
    ));
    let outcome = compiled(&next, Some(&published));
    assert_eq!((login(&outcome), missing(&outcome)), ("nobody".to_owned(), vec!["generate"]));
}

#[test]
fn an_unusable_change_opens_no_older_password() {
    let mut repository = centre(USERS);
    repository.git();
    repository.changed("anna");
    let published = compiled(&repository, None).domain;
    repository.secret("anna-password", &[("hash", "segreto"), ("changed", AT)]);
    let outcome = compiled(&repository, Some(&published));
    assert_eq!(login(&outcome), "anna*");
    assert_eq!(told(&outcome.problems), ["error Invalid Mailbox t-fano/anna metadata.name"]);
    assert!(
        outcome.problems[0].message.contains("key `hash` of Secret t-fano/anna-password"),
        "{}",
        outcome.problems[0].message
    );
    assert_eq!(login(&compiled(&repository, None)), "nobody");
    let key = ObjectKey::new("t-fano", "anna");
    let model = repository.index.mailbox(&key).unwrap().model.clone().unwrap();
    assert_eq!(compile::changed_password(&repository.index, &model), None);
}

#[test]
fn when_a_password_was_changed_is_told_to_the_microsecond_or_not_at_all() {
    let at = |told: Option<&str>| {
        let mut repository = centre("");
        let whole = hash("anna");
        let data: Vec<_> = [("hash", whole.as_str())].into_iter().chain(told.map(|told| ("changed", told))).collect();
        repository.secret("anna-password", &data);
        let outcome = compiled(&repository, None);
        assert_eq!(login(&outcome), "anna*");
        outcome.domain.boxes[0].password_change.clone().unwrap().at.map(|at| at.0.to_string())
    };
    assert_eq!(at(Some("2026-11-23T08:15:30.123456789Z\n")).as_deref(), Some(AT));
    assert_eq!(at(Some("yesterday")), None);
    assert_eq!(at(None), None);
}

#[test]
fn an_owner_without_what_it_owns_is_refused() {
    for (spec, field) in [
        (", passwordOwner: Git", "spec.passwordOwner"),
        (", passwordOwner: User, passwordSecretRef: {name: anna-password}", "spec.passwordSecretRef.name"),
        (", passwordOwner: User, type: Shared", "spec.passwordOwner"),
    ] {
        assert_eq!(problems(&centre(spec)), [format!("error Invalid Mailbox t-fano/anna {field}")], "{spec}");
    }
}

/// The applications that log in as Anna, as `name whose`.
fn applications(outcome: &MailOutcome) -> Vec<String> {
    let all = outcome.domain.boxes[0].applications.iter();
    all.map(|(name, hash)| format!("{name} {}", hash.expose().split('$').nth(2).unwrap())).collect()
}

#[test]
fn an_application_logs_in_while_its_secret_is_there() {
    let mut centre = centre(GIVEN);
    centre.git();
    let none = compiled(&centre, None);
    let whose = |name: &str| ObjectKey::new("t-fano", name);
    let data = |hash: &str| Some([("hash".to_owned(), hash.as_bytes().to_vec())].into());
    let units = centre.index.apply(Change::Secret(whose("anna-app-scanner"), data(&hash("scan"))));
    assert_eq!(units, [Unit::Mail(name("comune.fano.example"))].into());
    for (other, hash) in
        [("anna-app-phone", hash("tel")), ("bruna-app-phone", hash("hers")), ("anna-app-Old", hash("old"))]
    {
        centre.index.apply(Change::Secret(whose(other), data(&hash)));
    }
    let given = compiled(&centre, Some(&none.domain));
    assert_eq!((applications(&given), login(&given)), (vec!["phone tel".into(), "scanner scan".into()], "git".into()));
    assert_eq!(told(&given.problems), Vec::<String>::new());

    // What was taken away opens nothing, also while its Mailbox cannot be read and goes on as it was.
    centre.index.apply(Change::Secret(whose("anna-app-scanner"), None));
    assert_eq!(applications(&compiled(&centre, Some(&given.domain))), ["phone tel"]);
    let metadata = "{name: anna, namespace: t-fano}, spec: {address: anna@comune.fano.example, quota: much";
    let broken: Mailbox = serde_yaml::from_str(&format!(
        "{{apiVersion: territorial.services/v1alpha1, kind: Mailbox, metadata: {metadata}}}}}"
    ))
    .unwrap();
    centre.index.apply(Change::Mailbox(whose("anna"), None));
    centre.index.apply(Change::Mailbox(whose("anna"), Some(Box::new(broken))));
    let kept = compiled(&centre, Some(&given.domain));
    assert_eq!((applications(&kept), login(&kept)), (vec!["phone tel".into()], "git".into()));
}

#[test]
fn what_of_applications_cannot_be_used_is_told_and_harms_no_other() {
    let mut centre = centre(GIVEN);
    centre.git();
    for number in 0..9 {
        centre.secret(&format!("anna-app-a{number}"), &[("hash", &hash("some"))]);
    }
    centre.secret("anna-app-weak", &[("hash", "{PLAIN}")]);
    centre.secret("anna-app-bare", &[("password", "abc")]);
    let outcome = compiled(&centre, None);
    assert_eq!(applications(&outcome).len(), 8);
    assert_eq!(told(&outcome.problems), ["warning Invalid Mailbox t-fano/anna metadata.name"; 3]);
    let messages: Vec<&str> = outcome.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(messages[0].contains("t-fano/anna-app-bare has no key `hash`"), "{messages:?}");
    assert!(messages[1].contains("Secret t-fano/anna-app-weak is unusable"), "{messages:?}");
    assert!(messages[2].ends_with("nobody logs in by the Secrets anna-app-a8, remove some"), "{messages:?}");

    // One that comes later, whatever it is called, takes no other's place.
    centre.secret("anna-app-a", &[("hash", &hash("new"))]);
    let next = compiled(&centre, Some(&outcome.domain));
    assert_eq!(applications(&next), applications(&outcome));
    let last = next.problems.last().unwrap();
    assert!(last.message.ends_with("Secrets anna-app-a, anna-app-a8, remove some"), "{}", last.message);
}
