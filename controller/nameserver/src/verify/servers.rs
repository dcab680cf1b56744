//! Whether each address of each name server serves the zone as it should.

use std::collections::{BTreeMap, BTreeSet};

use super::observed::{Answer, Observed, Server};
use super::{Check, Problem, grouped, list};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "addresses", right: "every name server has an address, and none is an alias", run: addresses },
    Check { name: "udp", right: "every address answers over UDP", run: udp },
    Check { name: "tcp", right: "every address answers over TCP", run: tcp },
    Check { name: "authority", right: "every address answers with authority", run: authority },
    Check { name: "edns", right: "every address understands EDNS and the DO flag", run: edns },
    Check { name: "serial", right: "every address has the same serial", run: serial },
    Check { name: "recursion", right: "no address asks others for strangers", run: recursion },
    Check { name: "transfer", right: "no address hands the zone to strangers", run: transfer },
];

fn addresses(observed: &Observed) -> Option<Vec<Problem>> {
    let named = observed.servers.iter().filter_map(|server| server.name_servers(&observed.zone)).flatten();
    let servers: BTreeSet<_> = observed.delegated().into_iter().cloned().chain(named).collect();
    let hosts = servers.iter().filter_map(|name| Some((name, observed.hosts.get(name)?)));
    let mut problems = Vec::new();
    for (name, host) in hosts {
        if host.is_alias {
            problems.push(Problem::error(format!(
                "{name} is an alias, which a name server must not be (RFC 2181 §10.3): give it addresses of its own"
            )));
        }
        if let Some(failure) = host.failure.as_ref().filter(|_| host.addresses.is_empty()) {
            problems.push(Problem::error(format!("the addresses of {name} are not known: {failure}")));
        } else if host.addresses.is_empty() {
            problems.push(Problem::error(format!(
                "{name} has no address: give it one, or take it out of the name servers"
            )));
        }
    }
    let unreached = observed.servers.iter().filter(|server| server.has_no_route());
    problems.extend(grouped(unreached.map(|server| {
        let message = "not asked, as this machine has no way there: verify from one that has";
        (server.to_string(), Problem::warning(message))
    })));
    (!servers.is_empty()).then_some(problems)
}

/// The problems of those servers that can be asked.
fn each(observed: &Observed, problem: impl Fn(&Server) -> Option<Problem>) -> Option<Vec<Problem>> {
    let servers = observed.reachable()?;
    Some(grouped(servers.into_iter().filter_map(|server| Some((server.to_string(), problem(server)?)))))
}

fn udp(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| unanswered(&server.soa, "UDP"))
}

fn tcp(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| unanswered(&server.tcp, "TCP"))
}

fn unanswered(answer: &Answer, transport: &str) -> Option<Problem> {
    let silence = answer.as_ref().err()?;
    Some(Problem::error(format!(
        "does not answer over {transport} ({}): check that the server runs, and that its firewall lets port 53 over {transport} through",
        silence.reason
    )))
}

fn authority(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let reply = server.soa.as_ref().or(server.tcp.as_ref()).ok()?;
        let what = match reply {
            reply if reply.rcode != 0 => format!("answers {}", reply.rcode_name()),
            reply if !reply.authoritative => "answers without authority".to_owned(),
            reply if reply.soa(&observed.zone).is_none() => "has no SOA of the zone".to_owned(),
            _ => return None,
        };
        Some(Problem::error(format!(
            "{what}, so it does not serve the zone: make it a secondary (see its log), or take it out of the name servers"
        )))
    })
}

fn edns(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let reply = server.soa.as_ref().or(server.tcp.as_ref()).ok()?;
        let what = match reply.edns {
            None => "does not answer with EDNS (RFC 6891)",
            Some(edns) if !edns.dnssec_ok => "does not give the DO flag back (RFC 3225)",
            Some(_) => return None,
        };
        Some(Problem::error(format!(
            "{what}, without which there is no DNSSEC: bring the server, or what is before it, up to date"
        )))
    })
}

fn serial(observed: &Observed) -> Option<Vec<Problem>> {
    let mut serials = BTreeMap::<u32, Vec<String>>::new();
    for server in observed.authorities() {
        serials.entry(server.serial(&observed.zone)?).or_default().push(server.to_string());
    }
    if serials.len() < 2 {
        return (!serials.is_empty()).then(Vec::new);
    }
    let said = serials.iter().map(|(serial, servers)| format!("{serial} at {}", list(servers)));
    let said = said.collect::<Vec<_>>().join("; ");
    Some(vec![Problem::error(format!(
        "the servers have different versions, {said}: unless it was changed a moment ago, see in the log of those behind why they do not transfer"
    ))])
}

fn recursion(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let reply = server.recursion.as_ref().ok()?;
        let is_open =
            reply.recursion_available && reply.rcode == 0 && !reply.authoritative && !reply.answers.is_empty();
        let message = "asks others for whoever asks from here, which serves attackers as an amplifier: set `recursion no`, or run the resolver elsewhere";
        is_open.then(|| Problem::warning(message))
    })
}

fn transfer(observed: &Observed) -> Option<Vec<Problem>> {
    each(observed, |server| {
        let reply = server.transfer.as_ref().ok()?;
        let message =
            "hands the whole zone to whoever asks from here: allow transfers with a key only (`allow-transfer`)";
        (reply.rcode == 0 && reply.soa(&observed.zone).is_some()).then(|| Problem::warning(message))
    })
}
