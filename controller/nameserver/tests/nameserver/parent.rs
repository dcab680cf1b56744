//! The zone above, asked at real servers: BIND, NSD and Knot; and at such as are silent, lame, or speak for nobody.

use std::time::{Duration, Instant};

use cst_compiler::model::RecordData;
use cst_compiler::model::record::Ds;
use cst_compiler::plan::parent::{Parent, ParentAnswer};
use cst_nameserver::lookup::{Client, LookupError, Pace, ParentAnswers, ParentLookup, ParentWatch, Resolvers};

use crate::support::{Software, World, name};

const DS: &str = "12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1";
const DELEGATION: [&str; 4] =
    ["fano NS ns1.fano", "fano NS ns.elsewhere.example.", "ns1.fano A 127.0.0.8", "urbino NS ns.elsewhere.example."];

fn ds(text: &str) -> Ds {
    match RecordData::from_zone_text(cst_api::RecordType::DS, text).unwrap() {
        RecordData::Ds(ds) => ds,
        other => panic!("{other}"),
    }
}

/// Short, so that silence does not hold up the tests.
fn client() -> Client {
    Client { timeout: Duration::from_millis(700), tries: 2 }
}

fn lookup(world: &World) -> ParentLookup {
    ParentLookup { resolvers: Resolvers::new([world.resolver()], client()), client: client(), port: world.port() }
}

fn delegated(ns: &[&str], signers: &[&str], ttl: u32) -> ParentAnswer {
    ParentAnswer { ns: ns.iter().map(|ns| name(ns)).collect(), ds: signers.iter().map(|text| ds(text)).collect(), ttl }
}

/// A zone `test` with these servers, and who has it.
fn parent_zone(world: &mut World, has: &[&'static str], servers: &[&'static str], extra: &[&str]) {
    let mut lines: Vec<String> = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        let type_ = if server.contains(':') { "AAAA" } else { "A" };
        lines.extend([format!("@ NS ns{}", at + 1), format!("ns{} {type_} {server}", at + 1)]);
    }
    lines.extend(DELEGATION.iter().chain(extra).map(|line| (*line).to_owned()));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    for server in has {
        world.zone(server, "test", 1, &lines);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_server_is_asked_for_the_delegation_and_the_signers() {
    let mut world = World::new();
    let servers = ["127.0.0.2", "127.0.0.3", "::1"];
    world.software("127.0.0.2", Software::Knot).software("127.0.0.3", Software::Nsd);
    parent_zone(
        &mut world,
        &servers,
        &servers,
        &[&format!("fano 600 DS {DS}"), "deep.below.it NS ns.elsewhere.example."],
    );
    world.start();
    let lookup = lookup(&world);
    let all = |answer: ParentAnswer| Parent {
        servers: ["ns1.test", "ns2.test", "ns3.test"].map(|server| (server.to_owned(), Some(answer.clone()))).into(),
    };
    let fano = lookup.ask(&name("fano.test")).await.unwrap();
    assert_eq!(fano, all(delegated(&["ns1.fano.test", "ns.elsewhere.example"], &[DS], 600)));
    assert_eq!(lookup.ask(&name("urbino.test")).await.unwrap(), all(delegated(&["ns.elsewhere.example"], &[], 0)));
    assert_eq!(lookup.ask(&name("nobody.test")).await.unwrap(), all(ParentAnswer::default()), "not delegated");
    let deep = lookup.ask(&name("deep.below.it.test")).await.unwrap();
    assert_eq!(deep, all(delegated(&["ns.elsewhere.example"], &[], 0)), "the names between are no zones");
    assert!(deep.is_known());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_addresses_of_one_server_differ_each_counts() {
    let mut world = World::new();
    let own = ["@ NS ns1", "ns1 A 127.0.0.2", "ns1 A 127.0.0.3", "@ NS ns2", "ns2 A 127.0.0.2", "ns2 A 127.0.0.9"];
    let signer = format!("fano 600 DS {DS}");
    for (server, signer) in [("127.0.0.2", None), ("127.0.0.3", Some(signer.as_str()))] {
        let lines: Vec<&str> = own.iter().chain(&DELEGATION).copied().chain(signer).collect();
        world.zone(server, "test", 1, &lines);
    }
    world.start();
    let pace = Pace { waiting: Duration::from_millis(50), ..Pace::default() };
    let (watch, mut answers) = ParentWatch::start(lookup(&world), pace);
    watch.follow(name("fano.test"));
    watch.set_waiting(name("fano.test"), true);
    let (mut parent, _) = told(&mut answers).await;
    let answer = |signers: &[&str], ttl| Some(delegated(&["ns1.fano.test", "ns.elsewhere.example"], signers, ttl));
    let expected = |of_other| {
        let all = [
            ("ns1.test (127.0.0.2)", answer(&[], 0)),
            ("ns1.test (127.0.0.3)", of_other),
            ("ns2.test", answer(&[], 0)),
        ];
        all.map(|(server, answer)| (server.to_owned(), answer)).into()
    };
    assert_eq!(parent.servers, expected(answer(&[DS], 600)), "{}", world.logs());
    assert!(parent.is_known(), "a second address that never was a server is no silence");

    world.stop_last();
    // The resolver may look for the server that is gone, and fail meanwhile.
    let mut failure = None;
    while failure.is_some() || parent.is_known() {
        (parent, failure) = changed(&mut answers, &parent).await;
        assert!(!parent.is_known(), "{failure:?}");
    }
    assert_eq!(parent.servers, expected(None), "who had a DS and is silent has not said that it is gone");
    assert!(!parent.is_known());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_speak_for_the_zone_above_has_not_answered() {
    let mut world = World::new();
    // One has it; one is silent; one does not have it; one is no server at all; one answers for anybody from what it heard; one has the zone
    // below alone.
    let servers = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1", "127.0.0.6"];
    parent_zone(&mut world, &["127.0.0.2"], &servers, &[&format!("fano 600 DS {DS}")]);
    world.zone("127.0.0.4", "other.test", 1, &["@ NS ns1", "ns1 A 127.0.0.4"]);
    world.zone("127.0.0.6", "fano.test", 1, &["@ NS ns1", "ns1 A 127.0.0.6"]);
    let _mute = world.mute("127.0.0.3");
    world.start();
    let begin = Instant::now();
    let parent = lookup(&world).ask(&name("fano.test")).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let answer = delegated(&["ns1.fano.test", "ns.elsewhere.example"], &[DS], 600);
    assert_eq!(parent.servers["ns1.test"], Some(answer), "{}", world.logs());
    assert_eq!(parent.silent().collect::<Vec<_>>(), ["ns2.test", "ns3.test", "ns4.test", "ns5.test", "ns6.test"]);
    assert!(!parent.is_known());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_both_zones_gives_the_signers_of_the_upper_one() {
    let mut world = World::new();
    parent_zone(&mut world, &["127.0.0.2"], &["127.0.0.2"], &[&format!("fano 600 DS {DS}")]);
    world.zone("127.0.0.2", "fano.test", 1, &["@ NS ns9", "ns9 A 127.0.0.2"]);
    world.start();
    let parent = lookup(&world).ask(&name("fano.test")).await.unwrap();
    assert_eq!(parent.servers["ns1.test"], Some(delegated(&["ns9.fano.test"], &[DS], 600)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_too_long_for_a_datagram_comes_whole() {
    let mut world = World::new();
    let many: Vec<String> =
        (1..40).map(|tag| format!("fano 600 DS {}", DS.replace("12345", &tag.to_string()))).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    parent_zone(&mut world, &["127.0.0.2"], &["127.0.0.2"], &many);
    world.start();
    let parent = lookup(&world).ask(&name("fano.test")).await.unwrap();
    assert_eq!(parent.ds().len(), 39);
}

#[tokio::test(flavor = "multi_thread")]
async fn resolvers_are_tried_in_turn_and_none_is_an_error_of_its_own() {
    let mut world = World::new();
    parent_zone(&mut world, &["127.0.0.2"], &["127.0.0.2"], &[]);
    world.start();
    // Nobody there; one that refuses, as it asks nobody.
    let dead = format!("127.0.0.9:{}", world.port());
    let authority = format!("127.0.0.2:{}", world.port());
    let resolvers = Resolvers::new([dead.clone(), authority, world.resolver()], client());
    let lookup = ParentLookup { resolvers, client: client(), port: world.port() };
    assert!(lookup.ask(&name("urbino.test")).await.unwrap().is_known());
    let only = |server| ParentLookup { resolvers: Resolvers::new([server], client()), ..lookup.clone() };
    let error = only(dead).ask(&name("urbino.test")).await.unwrap_err();
    assert!(matches!(error, LookupError::Unreachable { .. }), "{error}");
    let none = ParentLookup { resolvers: Resolvers::new([], client()), ..lookup };
    assert!(matches!(none.ask(&name("urbino.test")).await.unwrap_err(), LookupError::NoResolver));
}

/// The next thing told, in time.
async fn told(answers: &mut ParentAnswers) -> (Parent, Option<String>) {
    let seen = tokio::time::timeout(Duration::from_secs(30), answers.next()).await.expect("told in time").unwrap();
    assert_eq!(seen.zone, name("fano.test"));
    (seen.parent, seen.failure)
}

/// What is told next that is not the same.
async fn changed(answers: &mut ParentAnswers, before: &Parent) -> (Parent, Option<String>) {
    loop {
        let (parent, failure) = told(answers).await;
        if parent != *before {
            return (parent, failure);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_tells_what_changes_and_takes_silence_for_silence() {
    let mut world = World::new();
    parent_zone(&mut world, &["127.0.0.2"], &["127.0.0.2"], &[]);
    world.start();
    let pace = Pace { every: Duration::from_hours(1), waiting: Duration::from_millis(50), concurrency: 2 };
    let (watch, mut answers) = ParentWatch::start(lookup(&world), pace);
    watch.follow(name("fano.test"));
    let (parent, _) = told(&mut answers).await;
    assert!(parent.is_known() && parent.ds().is_empty());

    watch.set_waiting(name("fano.test"), true);
    parent_zone(&mut world, &["127.0.0.2"], &["127.0.0.2"], &[&format!("fano 600 DS {DS}")]);
    world.reload();
    let (parent, _) = changed(&mut answers, &parent).await;
    assert_eq!(parent.ds().into_iter().collect::<Vec<_>>(), [&ds(DS)]);

    world.stop();
    // The server may go before the resolver does.
    let (parent, _) = changed(&mut answers, &parent).await;
    assert_eq!(parent.silent().collect::<Vec<_>>(), ["ns1.test"], "what was known is silent, not gone");
    world.start();
    let (parent, failure) = changed(&mut answers, &parent).await;
    assert_eq!((parent.ds().len(), failure), (1, None));

    // Who needs an answer from now on gets one, although nothing changed.
    let begin = Instant::now();
    watch.ask(name("fano.test"));
    loop {
        let seen = tokio::time::timeout(Duration::from_secs(30), answers.next()).await.expect("told in time").unwrap();
        if seen.asked >= begin {
            break assert_eq!(seen.parent, parent);
        }
    }

    watch.forget(name("fano.test"));
    let zones = |watch: &ParentWatch| {
        watch.samples().iter().find(|sample| sample.name == "cst_dns_parent_zones").unwrap().value
    };
    while zones(&watch) > 0.0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_zones_are_told_in_time_though_a_server_is_silent() {
    const ZONES: usize = 300;
    let mut world = World::new();
    let zones: Vec<String> = (0..ZONES).map(|zone| format!("z{zone} NS ns.elsewhere.example.")).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    parent_zone(&mut world, &["127.0.0.2"], &["127.0.0.2", "127.0.0.3"], &zones);
    let _mute = world.mute("127.0.0.3");
    world.start();
    let (watch, mut answers) = ParentWatch::start(lookup(&world), Pace { concurrency: 4, ..Pace::default() });
    (0..ZONES).for_each(|zone| watch.follow(name(&format!("z{zone}.test"))));
    let begin = Instant::now();
    for _ in 0..ZONES {
        let seen = tokio::time::timeout(Duration::from_secs(30), answers.next()).await.expect("told in time").unwrap();
        assert_eq!(seen.parent.silent().collect::<Vec<_>>(), ["ns2.test"]);
    }
    // Waited for once a zone, four at a time, it would be a minute and three quarters.
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
}
