//! The tests of the registry of `.it`, which it does before it takes name servers over, by their names. They are those of its EPP message
//! `dnsErrorMsgData` 2.0 (Registro .it, "Linee guida tecniche", extdom-2.0); an example of it is in the tests of `Net::DRI`, what each is about
//! in the registry's DNS check. Its tests warn at a domain without MX and at an SOA whose first server is wrong; all else is refused.

use std::collections::BTreeSet;

use cst_compiler::model::{DomainName, RecordType};

use super::gather::exchange;
use super::observed::{Observed, Server};
use super::{Check, Problem, grouped, list};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "NameserversResolvableTest", right: "every name server has an address", run: resolvable },
    Check { name: "NameserversAnswerTest", right: "every name server answers", run: answer },
    Check { name: "NameserverReturnCodeTest", right: "every answer is NOERROR", run: return_code },
    Check { name: "AATest", right: "every answer has authority", run: authority },
    Check { name: "NSCompareTest", right: "the zone names the servers that are registered", run: compare },
    Check { name: "NSCountTest", right: "there are two name servers at least", run: count },
    Check { name: "CNAMEHostTest", right: "neither the zone nor a name server is an alias", run: alias },
    Check {
        name: "IPCompareTest",
        right: "servers in the zone have the addresses that are registered",
        run: addresses,
    },
    Check { name: "MXCompareTest", right: "no mail exchanger is an alias", run: exchangers },
    Check { name: "MXRecordIsPresentTest", right: "there is an MX", run: has_exchanger },
    Check { name: "SOAMasterCompareTest", right: "the SOA's first server is a name server and no alias", run: master },
    Check { name: "IPSoaTest", right: "every address has the same serial", run: serial },
];

/// Whether the registry tests this zone's servers.
pub(super) fn is_asked(zone: &DomainName) -> bool {
    zone.labels().next_back() == Some("it") && zone.labels().count() > 1
}

/// What is registered; nothing when nothing is, or nobody could be asked.
fn registered(observed: &Observed) -> Option<BTreeSet<&DomainName>> {
    Some(observed.delegated()).filter(|servers| !servers.is_empty())
}

/// A problem at each of the registered servers' addresses for which there is one.
fn each(observed: &Observed, problem: impl Fn(&Server) -> Option<Problem>) -> Option<Vec<Problem>> {
    let registered = registered(observed)?;
    let servers = observed.reachable()?.into_iter().filter(|server| registered.contains(&server.name));
    Some(grouped(servers.filter_map(|server| Some((server.to_string(), problem(server)?)))))
}

fn resolvable(observed: &Observed) -> Option<Vec<Problem>> {
    let servers = registered(observed)?.into_iter();
    let lost = servers.filter(|name| observed.hosts.get(*name).is_none_or(|host| host.addresses.is_empty()));
    Some(lost.map(|name| Problem::error(format!("{name} has no address: give it one"))).collect())
}

fn answer(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let silence = server.soa.as_ref().err().or(server.ns.as_ref().err())?;
        Some(Problem::error(format!("does not answer ({}): see that it runs and can be reached", silence.reason)))
    })
}

fn return_code(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let reply = [&server.soa, &server.ns, &server.mx].into_iter().flatten().find(|reply| reply.rcode != 0)?;
        Some(Problem::error(format!("answers {}: see that it serves the zone", reply.rcode_name())))
    })
}

fn authority(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let mut replies = [&server.soa, &server.ns].into_iter().flatten();
        let message = "answers without authority: see that it serves the zone itself";
        replies.any(|reply| !reply.authoritative).then(|| Problem::error(message))
    })
}

fn compare(observed: &Observed) -> Option<Vec<Problem>> {
    let registered: BTreeSet<DomainName> = registered(observed)?.into_iter().cloned().collect();
    each(observed, |server| {
        let named = server.name_servers(&observed.zone).filter(|named| *named != registered)?;
        Some(Problem::error(format!("names {}: name {}, or register others", list(&named), list(&registered))))
    })
}

fn count(observed: &Observed) -> Option<Vec<Problem>> {
    let is_one = registered(observed)?.len() < 2;
    let message = "there is one name server only: register a second one";
    Some(is_one.then(|| Problem::error(message)).into_iter().collect())
}

fn alias(observed: &Observed) -> Option<Vec<Problem>> {
    let servers = registered(observed)?.into_iter();
    let aliases = servers.filter(|name| observed.hosts.get(*name).is_some_and(|host| host.is_alias));
    let mut problems: Vec<_> =
        aliases.map(|name| Problem::error(format!("{name} is an alias: give it addresses of its own"))).collect();
    let is_alias = |server: &Server| {
        let mut replies = [&server.soa, &server.ns, &server.mx].into_iter().flatten();
        replies.any(|reply| reply.set(&observed.zone, RecordType::CNAME).next().is_some())
    };
    let message = "gives a CNAME for the zone itself: write addresses there instead";
    problems.extend(each(observed, |server| is_alias(server).then(|| Problem::error(message)))?);
    Some(problems)
}

fn addresses(observed: &Observed) -> Option<Vec<Problem>> {
    let inside: Vec<_> = registered(observed)?.into_iter().filter(|name| name.is_within(&observed.zone)).collect();
    let mut problems = Vec::new();
    for (_, told) in observed.delegations() {
        for name in &inside {
            let own = observed.hosts.get(*name).and_then(|host| host.own.as_ref());
            let given = told.glue.get(*name).cloned().unwrap_or_default();
            if let Some(own) = own.filter(|own| **own != given) {
                let message =
                    format!("{name} is registered with {}, and has {}: register these", list(&given), list(own));
                problems.push(Problem::error(message));
            }
        }
    }
    (!inside.is_empty()).then_some(problems)
}

fn exchangers(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let exchangers = server.mx.iter().flat_map(|reply| &reply.answers).filter_map(exchange);
        let aliases: Vec<_> =
            exchangers.filter(|name| observed.hosts.get(name).is_some_and(|host| host.is_alias)).collect();
        let message = || format!("{}: an MX must not name an alias: name the host itself", list(&aliases));
        (!aliases.is_empty()).then(|| Problem::error(message()))
    })
}

fn has_exchanger(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let reply = server.mx.as_ref().ok().filter(|reply| reply.authoritative && reply.is_answer())?;
        let message = "has no MX: write one, or a null MX where there is no mail (RFC 7505)";
        reply.set(&observed.zone, RecordType::MX).next().is_none().then(|| Problem::warning(message))
    })
}

fn master(observed: &Observed) -> Option<Vec<Problem>> {
    let registered = registered(observed)?;
    each(observed, |server| {
        let soa = server.soa.as_ref().ok()?.soa(&observed.zone)?;
        let is_alias = observed.hosts.get(&soa.mname).is_some_and(|host| host.is_alias);
        let message = || format!("the SOA's first server is {}: name one of the name servers, no alias", soa.mname);
        (is_alias || !registered.contains(&soa.mname)).then(|| Problem::warning(message()))
    })
}

fn serial(observed: &Observed) -> Option<Vec<Problem>> {
    let registered = registered(observed)?;
    let servers = observed.authorities().filter(|server| registered.contains(&server.name));
    let serials: BTreeSet<u32> = servers.filter_map(|server| server.serial(&observed.zone)).collect();
    let message = || format!("the serials are {}: see that every server transfers", list(&serials));
    (!serials.is_empty()).then(|| (serials.len() > 1).then(|| Problem::error(message())).into_iter().collect())
}
