//! What a Domain is told of the zone above.

use std::collections::BTreeSet;

use cst_api::{ConditionType, Reason};

use super::{Own, Truth};
use crate::model::DomainName;
use crate::model::record::Ds;
use crate::plan::parent::{Parent, ParentAnswer};

/// Whether the zone above delegates to these name servers and no others.
pub fn delegated(parent: &Parent, servers: &BTreeSet<DomainName>) -> Own {
    let own = |truth, reason, message| Own { type_: ConditionType::Delegated, truth, reason, message };
    if let Some(message) = silence(parent) {
        return own(Truth::Unknown, Reason::ParentSilent, message);
    }
    let expected = names(servers);
    if parent.answers().all(|(_, answer)| answer.ns.is_empty()) {
        let message = format!("the parent does not delegate the zone: have it delegated to {expected}");
        return own(Truth::False, Reason::NotDelegated, message);
    }
    match parent.answers().find(|(_, answer)| answer.ns != *servers) {
        None => own(Truth::True, Reason::Ready, format!("delegated to {expected}")),
        Some((server, answer)) => {
            let message = format!("{server} delegates to {}: have it changed to {expected}", names(&answer.ns));
            own(Truth::False, Reason::DelegationDiffers, message)
        }
    }
}

/// Whether the zone above has the DS that it shall have. `wanted`: those; `known`: those of all keys that sign the DNSKEY set.
pub fn ds_published(parent: &Parent, wanted: &BTreeSet<&Ds>, known: &BTreeSet<&Ds>) -> Own {
    let own = |truth, reason, message| Own { type_: ConditionType::DSPublished, truth, reason, message };
    if let Some(message) = silence(parent) {
        return own(Truth::Unknown, Reason::ParentSilent, message);
    }
    let there = parent.ds();
    if is_bogus(parent, known) {
        let message = format!(
            "the parent has the DS {}, of no key of the zone, so that nobody who validates believes it: have it replaced by {}",
            texts(&there),
            texts(wanted)
        );
        return own(Truth::False, Reason::DSMismatch, message);
    }
    if there.is_empty() {
        let message = format!("the parent has no DS: hand it {}", texts(wanted));
        return own(Truth::False, Reason::DSMissing, message);
    }
    let is_whole = |answer: &ParentAnswer| wanted.iter().all(|ds| answer.trusts(ds));
    let lacking: Vec<&str> = parent.answers().filter(|(_, said)| !is_whole(said)).map(|(name, _)| name).collect();
    if lacking.is_empty() {
        return own(Truth::True, Reason::Ready, format!("the parent has the DS {}", texts(&there)));
    }
    own(Truth::False, Reason::Waiting, format!("{} does not have the DS {} yet", lacking.join(", "), texts(wanted)))
}

/// Whether some server of the zone above has DS, and none of a key of the zone: who validates believes nothing of it.
pub fn is_bogus(parent: &Parent, known: &BTreeSet<&Ds>) -> bool {
    let is_foreign = |answer: &ParentAnswer| !answer.ds.is_empty() && !known.iter().any(|ds| answer.trusts(ds));
    parent.answers().any(|(_, answer)| is_foreign(answer))
}

/// What is said when nothing is known.
fn silence(parent: &Parent) -> Option<String> {
    if parent.answers().next().is_some() {
        return None;
    }
    let silent: Vec<&str> = parent.silent().collect();
    let what = if silent.is_empty() {
        "the parent's name servers were not found".to_owned()
    } else {
        format!("{} do not answer", silent.join(", "))
    };
    Some(format!("{what}: the parent is asked again"))
}

fn texts(ds: &BTreeSet<&Ds>) -> String {
    if ds.is_empty() { "none".into() } else { ds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") }
}

fn names(names: &BTreeSet<DomainName>) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ds(key_tag: u16) -> Ds {
        Ds { key_tag, algorithm: 13, digest_type: 2, digest: vec![7; 32] }
    }

    fn servers(names: &[&str]) -> BTreeSet<DomainName> {
        names.iter().map(|name| DomainName::parse(name).unwrap()).collect()
    }

    type Said<'a> = Option<(&'a [&'a str], &'a [u16])>;

    fn parent(answers: &[(&str, Said<'_>)]) -> Parent {
        let answer = |(ns, tags): (&[&str], &[u16])| ParentAnswer {
            ns: servers(ns),
            ds: tags.iter().map(|tag| ds(*tag)).collect(),
            ttl: 3600,
        };
        Parent { servers: answers.iter().map(|(name, said)| ((*name).to_owned(), said.map(answer))).collect() }
    }

    #[test]
    fn a_delegation_is_compared_at_every_server() {
        let ours = servers(&["ns1.x.it", "ns2.x.it"]);
        let said = |parent: &Parent| delegated(parent, &ours);
        let right: Said<'_> = Some((&["ns1.x.it", "ns2.x.it"], &[]));
        assert_eq!(said(&parent(&[("a", right), ("b", None)])).truth, Truth::True);
        let wrong = said(&parent(&[("a", right), ("b", Some((&["ns1.x.it", "ns.old.it"], &[])))]));
        assert_eq!(wrong.message, "b delegates to ns.old.it, ns1.x.it: have it changed to ns1.x.it, ns2.x.it");
        let none = said(&parent(&[("a", Some((&[], &[])))]));
        assert_eq!((none.truth, none.reason), (Truth::False, Reason::NotDelegated));
        assert_eq!(said(&parent(&[("a", None)])).truth, Truth::Unknown);
        let nobody = "the parent's name servers were not found: the parent is asked again";
        assert_eq!(said(&Parent::default()).message, nobody);
    }

    #[test]
    fn the_parents_ds_is_compared_with_the_keys() {
        let (one, two) = (ds(1), ds(2));
        let said = |tags: [&[u16]; 2], wanted: &[&Ds]| {
            let answers = [("a", Some((&[][..], tags[0]))), ("b", Some((&[][..], tags[1])))];
            let own = ds_published(&parent(&answers), &wanted.iter().copied().collect(), &[&one, &two].into());
            (own.truth, own.reason)
        };
        assert_eq!(said([&[1], &[1]], &[&one]), (Truth::True, Reason::Ready));
        assert_eq!(said([&[1], &[]], &[&one]), (Truth::False, Reason::Waiting));
        assert_eq!(said([&[1], &[1]], &[&two]), (Truth::False, Reason::Waiting), "before a rollover's end");
        assert_eq!(said([&[], &[]], &[&one]), (Truth::False, Reason::DSMissing));
        assert_eq!(said([&[9], &[1]], &[&one]), (Truth::False, Reason::DSMismatch));
    }
}
