use cst_compiler::model::{RecordData, Soa};

use super::super::Data;
use super::*;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn record(owner: &str, data: RecordData) -> Record {
    Record { name: name(owner), ttl: 600, data: Data::Record(data) }
}

fn ds() -> RecordData {
    RecordData::Ds(Ds { key_tag: 1, algorithm: 13, digest_type: 2, digest: vec![7; 32] })
}

fn ns() -> RecordData {
    RecordData::Ns(name("ns.example.net"))
}

fn soa(owner: &str) -> Record {
    let (mname, rname) = (name("ns.example.net"), name("h.example.net"));
    let soa = Soa { mname, rname, serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 1 };
    record(owner, RecordData::Soa(soa))
}

/// An authoritative answer with these records.
fn answer(answers: Vec<Record>) -> Reply {
    Reply { authoritative: true, answers, ..Reply::default() }
}

/// An authoritative denial with this SOA and response code.
fn denial(owner: &str, rcode: u16) -> Reply {
    Reply { rcode, authoritative: true, authorities: vec![soa(owner)], ..Reply::default() }
}

fn signers_of(reply: &Reply) -> Option<usize> {
    signers(reply, &name("fano.test"), &name("test")).map(|(ds, _)| ds.len())
}

fn servers_of(reply: &Reply) -> Option<usize> {
    delegation(reply, &name("fano.test"), &name("test")).map(|servers| servers.len())
}

#[test]
fn signers_are_what_the_zone_above_says_with_authority() {
    let there = answer(vec![record("fano.test", ds())]);
    assert_eq!(signers_of(&there), Some(1));
    assert_eq!(signers_of(&Reply { authoritative: false, ..there.clone() }), None, "out of a cache");
    assert_eq!(signers_of(&Reply { rcode: 2, ..there }), None, "SERVFAIL");
    assert_eq!(signers_of(&answer(vec![record("urbino.test", ds())])), None, "of another zone");
    assert_eq!(signers_of(&answer(Vec::new())), None, "without the SOA it is no denial");
}

#[test]
fn only_the_zone_above_can_deny() {
    for deny in [denial("test", 0), denial("test", 3)] {
        assert_eq!((signers_of(&deny), servers_of(&deny)), (Some(0), Some(0)));
        let cached = Reply { authoritative: false, ..deny };
        assert_eq!((signers_of(&cached), servers_of(&cached)), (None, None));
    }
    for other in [denial("fano.test", 0), denial(".", 0), denial("test", 5), denial("test", 2)] {
        assert_eq!((signers_of(&other), servers_of(&other)), (None, None), "{other:?}");
    }
    let alias = answer(vec![record("fano.test", RecordData::Cname(name("www.test")))]);
    assert_eq!((signers_of(&alias), servers_of(&alias)), (Some(0), Some(0)), "an alias is no zone");
}

#[test]
fn a_delegation_is_a_referral_or_the_answer_of_who_has_both_zones() {
    let referral = Reply { authorities: vec![record("fano.test", ns())], ..Reply::default() };
    assert_eq!(servers_of(&referral), Some(1));
    assert_eq!(servers_of(&Reply { rcode: 5, ..referral }), None);
    assert_eq!(servers_of(&answer(vec![record("fano.test", ns())])), Some(1));
    let upward = Reply { authorities: vec![record(".", ns())], ..Reply::default() };
    assert_eq!(servers_of(&upward), None, "to the root, by who does not have the zone above");
    let cached = Reply { answers: vec![record("fano.test", ns())], recursion_available: true, ..Reply::default() };
    assert_eq!(servers_of(&cached), None, "by a resolver");
}
