//! The chain of trust from the zone above into the zone, and how long its signatures hold.

use std::collections::BTreeSet;

use cst_compiler::model::RecordType;
use cst_compiler::model::record::Ds;

use super::observed::{Observed, Server};
use super::signature::{self, Verdict};
use super::{Check, Problem, grouped, list};
use crate::lookup::{Data, Dnskey, Reply};

/// Signatures that hold for less than this are told of.
const SOON: u32 = 7 * 86_400;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "ds",
        right: "every DS names a key of the zone, or there is none and the zone is unsigned",
        run: signers,
    },
    Check {
        name: "signatures",
        right: "the zone's keys and its apex are signed, for a week and more",
        run: signatures,
    },
];

/// A zone's keys as a server gives them; none when it does not answer.
pub(super) fn keys(server: &Server) -> Option<(&Reply, Vec<&Dnskey>)> {
    let reply = server.keys.as_ref().ok().filter(|reply| reply.authoritative && reply.is_answer())?;
    let keys = reply.answers.iter().filter_map(|record| match &record.data {
        Data::Dnskey(key) => Some(key),
        _ => None,
    });
    Some((reply, keys.collect()))
}

fn signers(observed: &Observed) -> Option<Vec<Problem>> {
    observed.delegations().next()?;
    let signers = observed.signers();
    let mut servers = observed.authorities().filter_map(|server| Some((server, keys(server)?.1))).peekable();
    servers.peek()?;
    let found = servers.flat_map(|(server, keys)| {
        signers_at(observed, &signers, &keys).into_iter().map(move |problem| (server.to_string(), problem))
    });
    Some(grouped(found))
}

fn signers_at(observed: &Observed, signers: &BTreeSet<&Ds>, keys: &[&Dnskey]) -> Vec<Problem> {
    let (zone, above) = (&observed.zone, &observed.parent.above);
    let entry: BTreeSet<Ds> =
        keys.iter().filter(|key| key.flags & 1 != 0).map(|key| signature::ds(zone, key)).collect();
    if keys.is_empty() && !signers.is_empty() {
        return vec![Problem::error(format!(
            "the zone is unsigned and `{above}` has a DS ({}), so nobody who validates finds it: take the DS away there, or sign the zone",
            tags(signers)
        ))];
    }
    if signers.is_empty() {
        let message = || {
            format!(
                "the zone is signed and `{above}` has no DS, so nobody can check it: register there the DS {}",
                list(&entry)
            )
        };
        return if keys.is_empty() { Vec::new() } else { vec![Problem::warning(message())] };
    }
    let is_used = |ds: &&&Ds| keys.iter().any(|key| signature::names(ds, zone, key));
    let (used, stale): (Vec<&Ds>, Vec<&Ds>) = signers.iter().copied().partition(|ds| is_used(&ds));
    let mut problems = Vec::new();
    if used.is_empty() {
        problems.push(Problem::error(format!(
            "no DS at `{above}` ({}) names a key of the zone, so nobody who validates finds it: register there the DS {}",
            tags(signers),
            list(&entry)
        )));
    } else if !stale.is_empty() {
        problems.push(Problem::warning(format!(
            "the DS {} at `{above}` names no key of the zone: unless a new key is being introduced, take it away there",
            list(stale.iter().map(|ds| ds.key_tag))
        )));
    }
    if used.iter().any(|ds| ds.digest_type == 1) {
        problems
            .push(Problem::warning(format!("a DS at `{above}` is of SHA-1 (RFC 8624 §3.3): register one of SHA-256")));
    }
    problems
}

fn tags(signers: &BTreeSet<&Ds>) -> String {
    list(signers.iter().map(|ds| ds.key_tag))
}

fn signatures(observed: &Observed) -> Option<Vec<Problem>> {
    let signed =
        observed.authorities().filter_map(|server| Some((server, keys(server).filter(|(_, keys)| !keys.is_empty())?)));
    let mut signed = signed.peekable();
    signed.peek()?;
    let found = signed.flat_map(|(server, (reply, keys))| {
        let problems = signatures_at(observed, server, reply, &keys).into_iter();
        problems.map(move |problem| (server.to_string(), problem))
    });
    Some(grouped(found))
}

/// The key set by a key that a DS names (any where there is no DS), the apex by any key of the set.
fn signatures_at(observed: &Observed, server: &Server, reply: &Reply, keys: &[&Dnskey]) -> Vec<Problem> {
    let (zone, signers) = (&observed.zone, observed.signers());
    let is_trusted = |key: &&Dnskey| signers.is_empty() || signers.iter().any(|ds| signature::names(ds, zone, key));
    let trusted: Vec<&Dnskey> = keys.iter().copied().filter(is_trusted).collect();
    // Without a key to trust there is no chain to judge, which the check before says.
    let trusted = if trusted.is_empty() { keys.to_vec() } else { trusted };
    let mut verdicts =
        vec![("the keys", signature::judge(&reply.answers, zone, RecordType::DNSKEY, zone, &trusted, observed.now))];
    for (what, type_, answer) in [("the SOA", RecordType::SOA, &server.soa), ("the NS set", RecordType::NS, &server.ns)]
    {
        if let Ok(reply) = answer {
            verdicts.push((what, signature::judge(&reply.answers, zone, type_, zone, keys, observed.now)));
        }
    }
    let is_secure = !signers.is_empty();
    verdicts.into_iter().filter_map(|(what, verdict)| problem(what, verdict, observed.now, is_secure)).collect()
}

fn problem(what: &str, verdict: Verdict, now: u32, is_secure: bool) -> Option<Problem> {
    let hours = |later: u32, earlier: u32| later.wrapping_sub(earlier) / 3600;
    let renew = "let the primary sign anew, and see that this server transfers";
    let message = match verdict {
        Verdict::Until(time) if hours(time, now) >= SOON / 3600 => return None,
        Verdict::Until(time) => {
            let message = format!("the signature over {what} holds for {} hours only: {renew}", hours(time, now));
            return Some(Problem::warning(message));
        }
        Verdict::Unchecked(algorithm) => {
            let message = format!(
                "signatures over {what} are of algorithm {algorithm}, which is not checked here: check them with `delv`"
            );
            return Some(Problem::warning(message));
        }
        Verdict::Expired(time) => format!("the signature over {what} expired {} hours ago: {renew}", hours(now, time)),
        Verdict::Early(time) => {
            format!(
                "the signature over {what} holds only in {} hours: check the primary's clock, and this machine's",
                hours(time, now)
            )
        }
        Verdict::Wrong => format!("the signature over {what} is not by the key it names: {renew}"),
        Verdict::Missing => format!("{what} is not signed by a key that is trusted: {renew}"),
    };
    // Where no DS is, nobody checks.
    Some(if is_secure { Problem::error(message) } else { Problem::warning(message) })
}
