//! Whether what is not there is denied with proofs that hold (RFC 4035 §5.4, RFC 5155 §8). A server that serves its records signed may still have
//! nothing to prove with that there is nothing else, and then who validates finds errors in place of nothing.

use cst_compiler::model::{DomainName, RecordType};
use data_encoding::BASE32HEX_NOPAD;
use sha1::{Digest, Sha1};

use super::chain;
use super::observed::{Answer, Observed, Server};
use super::signature::{self, Verdict};
use super::{Check, Problem, grouped};
use crate::lookup::{Data, Denial, Dnskey, Link, Record, Reply};
use crate::rtype;

pub(super) const CHECKS: &[Check] =
    &[Check { name: "denial", right: "what is not there is denied with proofs that hold", run: denial }];

/// What a name is asked for that no zone has, far from those that any has.
pub(super) const NOBODY: &str = "cst-verify-asks-for-what-is-not-there";
/// What the zone itself is asked for: a number that is given to no type (RFC 6895 §3.1).
pub(super) const NOTHING: RecordType = RecordType::from_number(65_279);
/// More is not followed by who validates (RFC 9276 §3.2).
const MOST_ITERATIONS: u16 = 100;

/// The name of which there is nothing.
pub(super) fn nobody(zone: &DomainName) -> DomainName {
    zone.child(NOBODY).unwrap_or_else(|_| zone.clone())
}

fn denial(observed: &Observed) -> Option<Vec<Problem>> {
    let mut signed = observed.authorities().filter_map(|server| Some((server, signing(observed, server)?))).peekable();
    signed.peek()?;
    let is_secure = !observed.signers().is_empty();
    Some(grouped(signed.flat_map(|(server, keys)| {
        let problem = |message| {
            let message = format!(
                "{message}, so that who validates takes it for a forgery: let the primary sign anew, and see that this server transfers"
            );
            (server.to_string(), if is_secure { Problem::error(message) } else { Problem::warning(message) })
        };
        problems(observed, server, &keys).into_iter().map(problem)
    })))
}

/// The keys of a zone that is signed. Where not even the SOA's signature holds, which another check says, no proof would.
fn signing<'a>(observed: &Observed, server: &'a Server) -> Option<Vec<&'a Dnskey>> {
    let (zone, soa) = (&observed.zone, server.soa.as_ref().or(server.tcp.as_ref()).ok()?);
    let (_, keys) = chain::keys(server)?;
    holds(signature::judge(&soa.answers, zone, RecordType::SOA, zone, &keys, observed.now)).then_some(keys)
}

fn problems(observed: &Observed, server: &Server, keys: &[&Dnskey]) -> Vec<String> {
    let nobody = nobody(&observed.zone);
    let (name, type_) = (format!("that there is no {nobody}"), format!("that {} has no {NOTHING}", observed.zone));
    let asked = [(name, &server.nobody, &nobody, RecordType::A), (type_, &server.nothing, &observed.zone, NOTHING)];
    let wrong = asked.into_iter().filter_map(|(what, answer, name, type_)| {
        let wrong = wrong(observed, answer, name, type_, keys)?;
        Some(format!("does not prove {what} ({wrong})"))
    });
    wrong.collect()
}

/// What is wrong with an answer to what is not there. A wildcard may be there for the name.
fn wrong(
    observed: &Observed,
    answer: &Answer,
    name: &DomainName,
    type_: RecordType,
    keys: &[&Dnskey],
) -> Option<String> {
    let reply = match answer {
        Err(silence) => return Some(silence.reason.clone()),
        Ok(reply) if !reply.is_answer() => return Some(format!("it answers {}", reply.rcode_name())),
        Ok(reply) => reply,
    };
    let proofs = match Proofs::of(observed, reply, keys) {
        Ok(proofs) => proofs,
        Err(wrong) => return Some(wrong),
    };
    let given = reply.answers.iter().find(|record| record.name == *name && record.data.type_() != RecordType::RRSIG);
    let wildcard = observed.zone.child("*").ok();
    let is_proved = match (given, reply.rcode) {
        // The zone has it after all.
        (Some(_), _) if *name == observed.zone => true,
        // Its signature says how far up the wildcard stands, so that only the name itself is still to be denied (RFC 5155 §8.8).
        (Some(given), _) => {
            let verdict = expanded(reply, given.data.type_(), name, &observed.zone, keys, observed.now);
            if !holds(verdict) {
                return Some(format!("the signature over the {} of its wildcard does not hold", given.data.type_()));
            }
            proofs.covers(name)
        }
        (None, 0) => {
            proofs.lacks(name, type_)
                || proofs.covers(name)
                    && proofs.shows_zone()
                    && wildcard.is_some_and(|wildcard| proofs.lacks(&wildcard, type_))
        }
        (None, _) => {
            proofs.covers(name) && proofs.shows_zone() && wildcard.is_some_and(|wildcard| proofs.covers(&wildcard))
        }
    };
    let type_ = RecordType::from_number(if proofs.is_hashed() { rtype::NSEC3 } else { rtype::NSEC });
    let missing = || {
        if proofs.links.is_empty() {
            "there is no NSEC or NSEC3".into()
        } else {
            format!("its {type_} say something else")
        }
    };
    (!is_proved).then(missing)
}

/// Whether a signature is one to go by; that one ends soon, or cannot be checked, is told of the apex already.
fn holds(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Until(_) | Verdict::Unchecked(_))
}

/// What comes of the signature over a set that was made of a wildcard (RFC 4035 §5.3.2).
fn expanded(
    reply: &Reply,
    type_: RecordType,
    name: &DomainName,
    zone: &DomainName,
    keys: &[&Dnskey],
    now: u32,
) -> Verdict {
    let Ok(wildcard) = zone.child("*") else { return Verdict::Missing };
    let renamed = |record: &Record| Record { name: wildcard.clone(), ..record.clone() };
    let records: Vec<Record> = reply.answers.iter().filter(|record| record.name == *name).map(renamed).collect();
    signature::judge(&records, &wildcard, type_, zone, keys, now)
}

/// What an answer proves with, its signatures checked.
struct Proofs<'a> {
    zone: &'a DomainName,
    links: Vec<(&'a DomainName, &'a Denial)>,
}

impl<'a> Proofs<'a> {
    fn of(observed: &'a Observed, reply: &'a Reply, keys: &[&Dnskey]) -> Result<Self, String> {
        let zone = &observed.zone;
        let mut links = Vec::new();
        for record in &reply.authorities {
            let type_ = record.data.type_();
            if type_ == RecordType::RRSIG {
                continue;
            }
            let verdict = signature::judge(&reply.authorities, &record.name, type_, zone, keys, observed.now);
            match &record.data {
                Data::Denial(_) if !holds(verdict) => {
                    return Err(format!("the signature over the {type_} of {} does not hold", record.name));
                }
                Data::Denial(Denial { link: Link::Hash { iterations, .. }, .. }) if *iterations > MOST_ITERATIONS => {
                    return Err(format!(
                        "its NSEC3 have {iterations} iterations, more than are followed (RFC 9276 §3.2)"
                    ));
                }
                Data::Denial(denial) => links.push((&record.name, denial)),
                _ => {}
            }
        }
        let is_answered = !reply.answers.is_empty() || reply.authorities.iter().any(|record| record.soa().is_some());
        is_answered.then_some(Self { zone, links }).ok_or_else(|| "there is no SOA with it (RFC 2308 §3)".into())
    }

    fn is_hashed(&self) -> bool {
        self.links.iter().any(|(_, denial)| matches!(denial.link, Link::Hash { .. }))
    }

    /// Whether the zone's own name is shown as the closest that there is; names need not be shown, they are compared.
    fn shows_zone(&self) -> bool {
        !self.is_hashed() || self.links.iter().any(|link| self.is_at(link, self.zone))
    }

    /// Whether nothing is at a name.
    fn covers(&self, name: &DomainName) -> bool {
        self.links.iter().any(|(owner, denial)| match &denial.link {
            Link::Name(next) => is_between(&labels(owner), &labels(name), next),
            Link::Hash { next, .. } => match (hash_at(owner, self.zone), hash(name, &denial.link)) {
                (Some(owner), Some(hash)) => is_between(&owner, &hash, next),
                _ => false,
            },
        })
    }

    /// Whether a name is there without the type, and without an alias in its place.
    fn lacks(&self, name: &DomainName, type_: RecordType) -> bool {
        let lacks = |denial: &Denial| !denial.types.contains(&type_.number()) && !denial.types.contains(&rtype::CNAME);
        self.links.iter().any(|link| self.is_at(link, name) && lacks(link.1))
    }

    fn is_at(&self, (owner, denial): &(&DomainName, &Denial), name: &DomainName) -> bool {
        match &denial.link {
            Link::Name(_) => *owner == name,
            link @ Link::Hash { .. } => {
                hash_at(owner, self.zone).zip(hash(name, link)).is_some_and(|(owner, hash)| owner == hash)
            }
        }
    }
}

/// Whether something would stand between two neighbours of a ring; the last is followed by the first.
fn is_between<T: Ord + ?Sized>(owner: &T, wanted: &T, next: &T) -> bool {
    if owner < next { owner < wanted && wanted < next } else { owner < wanted || wanted < next }
}

/// The labels in the order in which names are compared (RFC 4034 §6.1).
fn labels(name: &DomainName) -> Vec<Vec<u8>> {
    name.labels().rev().map(|label| label.as_bytes().to_vec()).collect()
}

/// The hash that an NSEC3 stands at.
fn hash_at(owner: &DomainName, zone: &DomainName) -> Option<Vec<u8>> {
    let label = owner.relative_to(zone)?;
    BASE32HEX_NOPAD.decode(label.to_ascii_uppercase().as_bytes()).ok()
}

/// The hash of a name (RFC 5155 §5).
fn hash(name: &DomainName, link: &Link) -> Option<Vec<u8>> {
    let Link::Hash { algorithm: 1, iterations, salt, .. } = link else { return None };
    let mut data = Vec::new();
    name.write_wire(&mut data);
    for _ in 0..=*iterations {
        data = Sha1::new().chain_update(&data).chain_update(salt).finalize().to_vec();
    }
    Some(data)
}
