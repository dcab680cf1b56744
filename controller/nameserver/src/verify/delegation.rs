//! What the zone above says, and whether the zone says the same.

use std::collections::BTreeSet;

use cst_compiler::model::DomainName;

use super::observed::Observed;
use super::{Check, Problem, grouped, list};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "parent", right: "every server of the zone above answers, and all say the same", run: parent },
    Check { name: "delegation", right: "the zone above delegates the zone, to two servers at least", run: delegation },
    Check { name: "intent", right: "the zone above delegates the zone to the servers of the repository", run: intent },
    Check { name: "ns", right: "the zone and the zone above name the same servers", run: same_servers },
    Check { name: "glue", right: "the zone above gives the addresses that the servers in the zone have", run: glue },
];

fn parent(observed: &Observed) -> Option<Vec<Problem>> {
    if observed.parent.servers.is_empty() {
        return None;
    }
    let mut problems: Vec<Problem> = Vec::new();
    let silent: Vec<_> =
        observed.parent.servers.iter().filter(|(_, told)| told.is_none()).map(|(name, _)| name).collect();
    if !silent.is_empty() {
        problems.push(Problem::warning(format!(
            "{} of `{}`, the zone above, did not answer: what they say is not known; ask again later, and tell who runs them",
            list(silent),
            observed.parent.above
        )));
    }
    let answers: Vec<_> = observed.delegations().map(|(server, told)| (server, &told.answer)).collect();
    let first = answers.first().map(|(_, answer)| (&answer.ns, &answer.ds));
    if answers.iter().any(|(_, answer)| first != Some((&answer.ns, &answer.ds))) {
        let said = answers.iter().map(|(server, answer)| {
            format!("{server} says NS {}; DS {}", list(&answer.ns), list(answer.ds.iter().map(|ds| ds.key_tag)))
        });
        let said = said.collect::<Vec<_>>().join(" | ");
        problems.push(Problem::warning(format!(
            "the servers of `{}` differ, as while a change spreads: ask again in an hour ({said})",
            observed.parent.above
        )));
    }
    Some(problems)
}

fn delegation(observed: &Observed) -> Option<Vec<Problem>> {
    observed.delegations().next()?;
    let above = &observed.parent.above;
    let problem = match observed.delegated().len() {
        0 => Problem::error(format!("`{above}` does not delegate the zone: register its name servers there")),
        1 => Problem::warning(format!(
            "`{above}` delegates to one server only: register a second one, which is elsewhere"
        )),
        _ => return Some(Vec::new()),
    };
    Some(vec![problem])
}

fn intent(observed: &Observed) -> Option<Vec<Problem>> {
    let intended = observed.intended.as_ref()?;
    let delegated: BTreeSet<DomainName> = observed.delegated().into_iter().cloned().collect();
    if delegated.is_empty() {
        return None;
    }
    let (above, shall) = (&observed.parent.above, list(intended));
    let other = list(delegated.difference(intended));
    let missing = list(intended.difference(&delegated));
    let message = match (delegated.is_subset(intended), intended.is_subset(&delegated)) {
        (true, true) => return Some(Vec::new()),
        _ if delegated.is_disjoint(intended) => format!(
            "`{above}` delegates the zone to {other}, so that what the repository says is seen by nobody: register {shall} there, or take the Domain out of the repository"
        ),
        (false, _) => format!(
            "`{above}` delegates the zone to {other} too, which the repository does not name: register {shall} there, or correct dns.nameServers of the settings"
        ),
        (true, false) => format!("`{above}` does not delegate the zone to {missing}: register {shall} there"),
    };
    Some(vec![Problem::error(message)])
}

fn same_servers(observed: &Observed) -> Option<Vec<Problem>> {
    let delegated: BTreeSet<DomainName> = observed.delegated().into_iter().cloned().collect();
    if delegated.is_empty() {
        return None;
    }
    let named =
        observed.authorities().filter_map(|server| Some((server.to_string(), server.name_servers(&observed.zone)?)));
    let mut named = named.peekable();
    named.peek()?;
    let other = named.filter(|(_, servers)| *servers != delegated);
    Some(grouped(other.map(|(server, servers)| {
        let message = format!(
            "the zone names {}, the zone above {}: make both the same, at the registry or in dns.nameServers of the settings",
            list(&servers),
            list(&delegated)
        );
        (server, Problem::error(message))
    })))
}

fn glue(observed: &Observed) -> Option<Vec<Problem>> {
    let inside: Vec<&DomainName> =
        observed.delegated().into_iter().filter(|server| server.is_within(&observed.zone)).collect();
    if inside.is_empty() {
        return None;
    }
    let mut problems = Vec::new();
    for (parent, told) in observed.delegations() {
        for server in inside.iter().filter(|server| told.answer.ns.contains(**server)) {
            let given = told.glue.get(*server).cloned().unwrap_or_default();
            let own = observed.hosts.get(*server).and_then(|host| host.own.as_ref());
            let problem = match own {
                _ if given.is_empty() => Some(Problem::error(format!(
                    "no address of {server} is given, so that nobody outside finds it: register its addresses there"
                ))),
                Some(own) if *own != given => Some(Problem::error(format!(
                    "{server} is said to have {}, in the zone it has {}: register the right ones, or correct the zone",
                    list(&given),
                    list(own)
                ))),
                _ => None,
            };
            problems.extend(problem.map(|problem| (parent.to_string(), problem)));
        }
    }
    Some(grouped(problems))
}
