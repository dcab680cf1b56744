use std::collections::BTreeSet;

use cst_api::Reason;

use crate::index::Index;
use crate::model::{Address, DomainName, ObjectKey};
use crate::problem::{Kind, ObjectRef, Problem};

/// So many rivals are named to each.
const NAMED: usize = 3;

/// Without a status nobody knows which of two that ask for one name had it first: in the cluster that one keeps it, here it would be the
/// other that is blamed. So each is told of the other, instead of the one whose name comes later.
pub(super) fn tell_all(index: &Index, problems: &mut BTreeSet<Problem>) {
    for (zone, claims) in index.undecided_zones() {
        tell(Kind::Domain, zone.as_str(), &claims, |_| Some("metadata.name".into()), problems);
    }
    for (address, claims) in index.undecided_addresses() {
        let text = address.to_string();
        tell(Kind::Mailbox, &text, &claims, |key| field_of_address(index, key, &address), problems);
    }
    for (host, claims) in index.undecided_hosts() {
        tell(Kind::WebSite, host.as_str(), &claims, |key| field_of_host(index, key, host), problems);
    }
}

fn tell(
    kind: Kind,
    name: &str,
    claims: &[&ObjectKey],
    field: impl Fn(&ObjectKey) -> Option<String>,
    problems: &mut BTreeSet<Problem>,
) {
    let places = claims.iter().filter_map(|key| Some((ObjectRef::new(kind, (*key).clone()), field(key)?)));
    // A claim that fails for another reason is told that, and is no rival.
    let rivals: Vec<(ObjectRef, String)> = places
        .filter(|(object, field)| errors(problems, object, field).all(|problem| problem.reason == Reason::Conflict))
        .collect();
    if rivals.len() < 2 {
        return;
    }
    for (object, field) in &rivals {
        let blamed: Vec<Problem> = errors(problems, object, field).cloned().collect();
        for problem in &blamed {
            problems.remove(problem);
        }
        let others = rivals.iter().map(|(other, _)| other).filter(|other| *other != object);
        let mut named: Vec<String> = others.take(NAMED).map(ToString::to_string).collect();
        if rivals.len() - 1 > NAMED {
            named.push(format!("{} more", rivals.len() - 1 - NAMED));
        }
        let message = super::asked_for(name, named.join(" and "));
        problems.insert(object.error(field.clone(), Reason::Conflict, message));
    }
}

/// The errors of an object at a field.
fn errors<'a>(
    problems: &'a BTreeSet<Problem>,
    object: &'a ObjectRef,
    field: &'a str,
) -> impl Iterator<Item = &'a Problem> {
    let first = object.warning("", Reason::Conflict, "");
    let of_object = problems.range(first..).take_while(move |problem| problem.object == *object);
    of_object.filter(move |problem| problem.is_error() && problem.field == field)
}

fn field_of_address(index: &Index, key: &ObjectKey, address: &Address) -> Option<String> {
    let model = index.mailbox(key)?.model.as_ref()?;
    if model.address == *address {
        return Some("spec.address".into());
    }
    model.aliases.place_of(address).map(|at| format!("spec.aliases[{at}]"))
}

fn field_of_host(index: &Index, key: &ObjectKey, host: &DomainName) -> Option<String> {
    let model = index.site(key)?.model.as_ref()?;
    if model.host == *host {
        return Some("spec.host".into());
    }
    model.aliases.place_of(host).map(|at| format!("spec.aliases[{at}]"))
}
