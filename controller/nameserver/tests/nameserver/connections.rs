//! Clients that hold on to connections: idle, slow, many, or asking for more than they read.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use cst_nameserver::{Limits, PrimaryConfig};

use crate::support::{Message, Served, Tcp, Udp, config, framed, serve, version, zone};

const ZONE: &str = "comune.urbino.pu.it";
const SOA: u16 = 6;
const AXFR: u16 = 252;
const NOERROR: u16 = 0;
const FORMERR: u16 = 1;
const MOMENT: Duration = Duration::from_millis(300);

async fn served(limits: Limits) -> Served {
    let served = serve(PrimaryConfig { limits, ..config(vec![]) }).await;
    served.primary.publish(version(zone(ZONE, &[]), 7)).unwrap();
    served.primary.set_complete();
    served
}

fn soa() -> Vec<u8> {
    Message::signed(ZONE, SOA).0
}

fn is_answered(tcp: &mut Tcp) -> bool {
    tcp.ask(&soa()).is_some_and(|answer| (answer.rcode, answer.answers) == (NOERROR, 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_in_one_write_are_answered_in_their_order() {
    let served = served(Limits::default()).await;
    let mut tcp = Tcp::to(served.port);
    let requests = (0..200).flat_map(|id| framed(&Message::signed(ZONE, SOA).with_id(id).0));
    tcp.send_raw(&requests.collect::<Vec<_>>());
    let ids: Vec<u16> = (0..200).map(|_| tcp.receive().unwrap().id).collect();
    assert_eq!(ids, (0..200).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_too_long_ends_its_connection_or_is_dropped() {
    let served = served(Limits::default()).await;
    let padded = |length: usize| [soa(), vec![0; length - soa().len()]].concat();
    assert_eq!(Tcp::to(served.port).ask(&padded(4096)).unwrap().rcode, FORMERR);
    assert!(Tcp::to(served.port).ask(&padded(4097)).is_none());
    let udp = Udp::to(served.port);
    assert_eq!(udp.ask(&padded(4096)).rcode, FORMERR);
    for length in [4097, 65_507] {
        udp.send(&padded(length));
    }
    assert_eq!(udp.ask(&soa()).rcode, NOERROR);
}

/// The octets that the system keeps for a port until they are taken.
fn kept_for(port: u16) -> u32 {
    let table = std::fs::read_to_string("/proc/net/udp").unwrap();
    let of_port = |line: &&str| line.split_whitespace().nth(1).is_some_and(|at| at.ends_with(&format!(":{port:04X}")));
    let line = table.lines().find(of_port).unwrap();
    let (_, kept) = line.split_whitespace().nth(4).unwrap().split_once(':').unwrap();
    u32::from_str_radix(kept, 16).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_while_every_core_is_busy_is_answered_then() {
    let served = served(Limits::default()).await;
    assert_eq!(Udp::to(served.port).ask(&soa()).rcode, NOERROR);
    let (started, start) = mpsc::channel();
    let busy = [(); 2].map(|()| {
        let (free, until_free) = mpsc::channel::<()>();
        let started = started.clone();
        tokio::spawn(async move { (started.send(()), until_free.recv()) });
        free
    });
    for _ in &busy {
        start.recv().unwrap();
    }
    // Each time less than the system keeps, on either side.
    let clients: Vec<Udp> = (0..20).map(|_| Udp::to(served.port)).collect();
    for client in &clients {
        (0..100).for_each(|id| client.send(&Message::signed(ZONE, SOA).with_id(id).0));
        let sent = Instant::now();
        while kept_for(served.port) > 0 {
            assert!(sent.elapsed() < Duration::from_secs(20), "nobody takes what came");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    drop(busy);
    for client in &clients {
        let mut ids: Vec<u16> = (0..100).map(|_| client.receive().id).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..100).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_and_slow_clients_are_hung_up_on() {
    let served = served(Limits { idle: MOMENT, ..Limits::default() }).await;
    let start = Instant::now();
    assert!(Tcp::to(served.port).receive().is_none(), "idle");
    let mut half = Tcp::to(served.port);
    half.send_raw(&framed(&soa())[..20]);
    assert!(half.receive().is_none(), "half a request");
    let mut slow = Tcp::to(served.port);
    let octets = framed(&soa());
    // At this pace the whole request would take a minute.
    let pace = Duration::from_mins(1) / u32::try_from(octets.len()).unwrap();
    let sent = octets.iter().take_while(|octet| {
        slow.send_raw(&[**octet]);
        std::thread::sleep(pace);
        start.elapsed() < 10 * MOMENT
    });
    assert!(sent.count() < octets.len());
    assert!(slow.receive().is_none(), "an octet now and then");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_a_connection_waits_for_one_to_end() {
    let served = served(Limits { connections: 2, idle: MOMENT, ..Limits::default() }).await;
    let mut idle = [Tcp::to(served.port), Tcp::to(served.port)];
    assert!(is_answered(&mut Tcp::to(served.port)));
    assert!(idle.iter_mut().all(|tcp| tcp.receive().is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_cannot_keep_out_the_others() {
    let limits = Limits { connections: 4, client_connections: 2, stall: Duration::from_mins(1), ..Limits::default() };
    let served = served(limits).await;
    publish_large(&served);
    let mut busy = [Tcp::from(2, served.port).await, Tcp::from(2, served.port).await];
    for tcp in &mut busy {
        // More than the buffers of both ends hold: the connection is in use until it is read.
        tcp.send_raw(&framed(&Message::signed("large.example", AXFR).0).repeat(100));
        assert!(tcp.receive().is_some());
    }
    let mut waiting = [Tcp::from(2, served.port).await, Tcp::from(2, served.port).await];
    for tcp in &mut waiting {
        tcp.send_raw(&framed(&soa()));
    }
    for _ in 0..10 {
        assert!(!is_answered(&mut Tcp::from(2, served.port).await), "the fifth of one client, of which two wait");
    }
    assert!(is_answered(&mut Tcp::from(3, served.port).await), "another client's");
    drop(busy);
    assert!(waiting.iter_mut().all(|tcp| tcp.receive().is_some()), "the places of ended connections are free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_places_run_out_an_idle_connection_makes_room() {
    let served = served(Limits { connections: 3, client_connections: 2, ..Limits::default() }).await;
    let mut own = [Tcp::from(2, served.port).await, Tcp::from(2, served.port).await];
    assert!(own.iter_mut().all(is_answered));
    let mut third = Tcp::from(2, served.port).await;
    assert!(is_answered(&mut third), "of one client, which has its share");
    // Which of two has waited longer is known to the server alone; its own tests ask for that.
    let own = own.into_iter().filter_map(|mut tcp| is_answered(&mut tcp).then_some(tcp));
    let mut all: Vec<_> = own.chain([third]).collect();
    assert_eq!(all.len(), 2);
    for host in [3, 4] {
        let mut other = Tcp::from(host, served.port).await;
        assert!(is_answered(&mut other), "of all clients");
        all.push(other);
    }
    assert_eq!(all.iter_mut().map(is_answered).filter(|is_answered| *is_answered).count(), 3, "that have all places");
}

/// A zone of some hundred kilobytes.
fn publish_large(served: &Served) {
    let hosts: Vec<String> = (0..500).map(|n| format!("host{n} TXT \"{}\"", "t".repeat(200))).collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    served.primary.publish(version(zone("large.example", &hosts), 1)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_a_little_now_and_then_is_hung_up_on() {
    let limits = Limits { connections: 1, transfer: 5 * MOMENT, idle: MOMENT, ..Limits::default() };
    let served = served(limits).await;
    publish_large(&served);
    let mut slow = Tcp::to(served.port);
    let start = Instant::now();
    // Every message is read well before its time is over; all of them would take minutes.
    slow.send_raw(&framed(&Message::signed("large.example", AXFR).0).repeat(100));
    let is_free = std::thread::spawn(move || is_answered(&mut Tcp::to(served.port)));
    while !is_free.is_finished() {
        slow.receive();
        std::thread::sleep(MOMENT / 3);
    }
    assert!(is_free.join().unwrap(), "the only place is free again");
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_hung_up_on() {
    let served = served(Limits { connections: 1, write: MOMENT, ..Limits::default() }).await;
    publish_large(&served);
    let mut stalled = Tcp::to(served.port);
    // More than the buffers of both ends hold.
    stalled.send_raw(&framed(&Message::signed("large.example", AXFR).0).repeat(100));
    assert!(is_answered(&mut Tcp::to(served.port)), "the only place is free again");
    while stalled.receive().is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_read_nothing_keep_out_nobody() {
    // Nobody is hung up on for not reading, but to make room.
    let limits = Limits { write: Duration::from_hours(1), stall: MOMENT, ..Limits::default() };
    let served = served(Limits { connections: 4, client_connections: 2, ..limits }).await;
    publish_large(&served);
    let mut busy = Vec::new();
    // Two addresses take all places, each its share.
    for host in [2, 2, 3, 3] {
        let mut tcp = Tcp::from(host, served.port).await;
        // More than the buffers of both ends hold.
        tcp.send_raw(&framed(&Message::signed("large.example", AXFR).0).repeat(100));
        assert!(tcp.receive().is_some());
        busy.push(tcp);
    }
    let mut others = [Tcp::from(4, served.port).await, Tcp::from(5, served.port).await];
    assert!(others.iter_mut().all(is_answered), "who asks for little is answered");
}
