//! What the Internet sees of a zone: gathered from the servers of the zone above and from every address of every name server, then judged by
//! checks that ask nobody.

mod algorithm;
mod chain;
mod delegation;
mod denial;
mod gather;
mod names;
mod observed;
mod registry;
mod servers;
mod signature;
mod soa;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cst_compiler::model::DomainName;

use crate::lookup::{LookupError, ParentLookup};

use observed::Observed;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is as it should be.
    Ok,
    /// It works, and should be otherwise.
    Warning,
    /// Users of the zone are harmed, or will be.
    Error,
}

impl Severity {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The zone.
    pub zone: DomainName,
    /// How bad it is.
    pub severity: Severity,
    /// The check's name; those ending in `Test` are the registry's of `.it`.
    pub check: &'static str,
    /// What is, and what to do where that is not right.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {} ({})", self.zone, self.severity.as_str(), self.message, self.check)
    }
}

/// What is wrong, found by a check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    severity: Severity,
    message: String,
}

/// A check: its name, what it says when nothing is wrong, and how that is found. `None`: there is nothing to judge by, which another says.
struct Check {
    name: &'static str,
    right: &'static str,
    run: fn(&Observed) -> Option<Vec<Problem>>,
}

impl Problem {
    fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into() }
    }

    fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, message: message.into() }
    }
}

/// Judges a zone as it is now. `intended`: the name servers it shall have, where that is known; `now` is in seconds since 1970. An error: nothing
/// can be judged, as it cannot be found who serves the zone above.
pub async fn verify(
    zone: &DomainName,
    intended: Option<BTreeSet<DomainName>>,
    lookup: &ParentLookup,
    now: u64,
) -> Result<Vec<Finding>, LookupError> {
    let now = u32::try_from(now & u64::from(u32::MAX)).unwrap_or_default();
    Ok(judge(&Observed { intended, ..gather::observe(zone, lookup, now).await? }))
}

/// The findings of all checks in their order.
fn judge(observed: &Observed) -> Vec<Finding> {
    let checks = [delegation::CHECKS, servers::CHECKS, soa::CHECKS, chain::CHECKS, denial::CHECKS, names::CHECKS]
        .into_iter()
        .flatten();
    let registry = registry::CHECKS.iter().filter(|_| registry::is_asked(&observed.zone));
    checks.chain(registry).flat_map(|check| findings(check, observed)).collect()
}

fn findings(check: &Check, observed: &Observed) -> Vec<Finding> {
    let finding = |severity, message| Finding { zone: observed.zone.clone(), severity, check: check.name, message };
    match (check.run)(observed) {
        None => Vec::new(),
        Some(problems) if problems.is_empty() => vec![finding(Severity::Ok, check.right.to_owned())],
        Some(mut problems) => {
            problems
                .sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.message.cmp(&other.message)));
            problems.dedup();
            problems.into_iter().map(|problem| finding(problem.severity, problem.message)).collect()
        }
    }
}

/// What is the same at several places is said once, with the places before it.
fn grouped(found: impl IntoIterator<Item = (String, Problem)>) -> Vec<Problem> {
    let mut places = BTreeMap::<Problem, Vec<String>>::new();
    for (place, problem) in found {
        places.entry(problem).or_default().push(place);
    }
    let said = |(problem, places): (Problem, Vec<String>)| Problem {
        message: format!("{}: {}", places.join(", "), problem.message),
        ..problem
    };
    places.into_iter().map(said).collect()
}

/// Things in a row, for a message.
fn list<T: fmt::Display>(things: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = things.into_iter().map(|thing| thing.to_string()).collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}
