//! Whether the SOA's numbers make sense (RFC 1912 §2.2, RFC 2308 §5).

use std::collections::BTreeSet;

use cst_compiler::model::Soa;

use super::observed::Observed;
use super::{Check, Problem};

const DAY: u32 = 86_400;

pub(super) const CHECKS: &[Check] = &[Check { name: "soa", right: "the SOA's numbers make sense", run: soa }];

fn soa(observed: &Observed) -> Option<Vec<Problem>> {
    let replies = observed.authorities().flat_map(|server| server.soa.iter().chain(&server.tcp));
    let found: BTreeSet<&Soa> = replies.filter_map(|reply| reply.soa(&observed.zone)).collect();
    (!found.is_empty()).then(|| found.into_iter().flat_map(|soa| problems(soa, observed)).collect())
}

fn problems(soa: &Soa, observed: &Observed) -> Vec<Problem> {
    let Soa { mname, refresh, retry, expire, minimum, .. } = soa;
    let is_nowhere = observed.hosts.get(mname).is_some_and(|host| host.addresses.is_empty());
    let wrong = [
        (is_nowhere, format!("its first server {mname} has no address: name one of the name servers")),
        (retry >= refresh, format!("retry {retry} is not shorter than refresh {refresh}: write a part of it")),
        (*refresh < 300 || *refresh > DAY, format!("refresh {refresh}: write 300 to {DAY} seconds")),
        (
            *expire < 7 * DAY,
            format!(
                "expire {expire}: write {} seconds or more, or the servers drop the zone after a short failure",
                14 * DAY
            ),
        ),
        (
            *minimum > DAY,
            format!("minimum {minimum}: write {DAY} seconds at most, as long is what is not there remembered"),
        ),
    ];
    wrong.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, message)| Problem::warning(message)).collect()
}
