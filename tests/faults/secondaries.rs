//! Public servers that are silent, full, empty or strangers: it is told, and all others go on.

use std::process::Command;
use std::time::{Duration, Instant};

use cst_tests::centre::eventually;
use tokio::net::{TcpListener, UdpSocket};

use crate::public::PublicServer;
use crate::software::{Software, free_port};
use crate::world::{CATALOG, World};

/// How long the controller waits for a server's answer, each time.
const TIMEOUT: Duration = Duration::from_secs(2);
const OTHER_SECRET: &str = "has another secret for our TSIG key";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_slows_no_other_and_is_told() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let mut world = World::with(&[("ns3", port)]).await;
    world.servers.iter_mut().for_each(PublicServer::start);
    let a = world.replica("a").await;
    let zones = world.tenant("fano", 20, 3, "").await;
    world.until_waiting_for("ns3", "fano", 20, "does not answer").await;

    // If a change came to the others after a question to that one only, it never came sooner than this; on a busy machine it may not the
    // first time either.
    for zone in &zones {
        let mut hosts = 3;
        let is_sooner = async || {
            let old = world.servers[0].serial(zone).await.unwrap();
            hosts += 1;
            world.domain("fano", zone, hosts, "").await;
            let begin = Instant::now();
            for server in &world.servers {
                server.until(zone, |serial| serial > old).await;
            }
            (begin.elapsed() < TIMEOUT).then_some(())
        };
        eventually(is_sooner)
            .await
            .unwrap_or_else(|| panic!("{zone} never comes to the others sooner than {TIMEOUT:?}"));
    }
    world.until_waiting_for("ns3", "fano", 20, "does not answer").await;
    assert!(a.log().contains("a public server does not answer"), "{}", a.log());

    // It was asked, and with few messages.
    let mut heard = 0;
    let mut message = [0; 4096];
    while silent.try_recv(&mut message).is_ok() {
        heard += 1;
    }
    assert!((1..1000).contains(&heard), "{heard}");
    drop(listener);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_secret_is_told_and_slows_no_other() {
    let port = free_port();
    let mut world = World::with(&[("ns3", port)]).await;
    let other = "b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcm90";
    let stranger = PublicServer::new("ns3", port, world.folder.path(), world.primaries(), other);
    world.servers.iter_mut().for_each(PublicServer::start);
    let a = world.replica("a").await;
    let mut stranger = stranger;
    stranger.start();
    let zones = world.tenant("fano", 5, 3, "").await;
    world.until_waiting_for("ns3", "fano", 5, OTHER_SECRET).await;
    let told = async || a.log().contains(OTHER_SECRET).then_some(());
    eventually(told).await.unwrap_or_else(|| panic!("it is told\n{}", a.log()));
    for zone in &zones {
        let stored = world.stored(zone).await.unwrap().serial;
        for server in &world.servers {
            server.until(zone, |serial| serial == stored).await;
        }
        assert_eq!(stranger.serial(zone).await, None, "{zone}");
    }
    // Its own questions are refused too, whenever it asks next.
    let refused = async || (a.metric("cst_dns_tsig_errors_total{error=\"BADSIG\"}").await > 0).then_some(());
    eventually(refused).await.expect("it is counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_is_full_takes_whole_zones_and_serves_on() {
    let mut world = World::with(&[]).await;
    world.servers[0].start();
    // Its zones are on a disk of their own.
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    command.arg("mount -t tmpfs -o size=512k none \"$0\"; exec \"$@\"").arg(world.servers[1].cache());
    let bind = Software::Bind920.command();
    command.arg(bind.get_program()).args(bind.get_args());
    world.servers[1].start_as(command);
    let _a = world.replica("a").await;
    let zones = world.tenant("fano", 3, 40, "").await;
    world.until_ready("fano", 3).await;
    let asking = world.asks(&["ns1", "ns2"], &zones);

    // From now on there is no room on it.
    assert!(std::fs::write(world.servers[1].cache_inside().join("full"), vec![1; 1 << 20]).is_err());
    for round in 0..2 {
        for zone in &zones {
            let old = world.servers[0].serial(zone).await.unwrap();
            world.domain("fano", zone, 41 + round, "").await;
            for server in &world.servers {
                server.until(zone, |serial| serial > old).await;
            }
        }
    }
    let log = world.servers[1].log();
    assert!(log.contains("IXFR failed"), "it had no room for what changed\n{log}");
    world.until_ready("fano", 3).await;
    asking.was_answered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lost_or_emptied_its_catalog_has_it_again() {
    let mut world = World::new().await;
    let _a = world.replica("a").await;
    let zones = world.tenant("fano", 5, 3, "").await;
    world.until_ready("fano", 5).await;
    let asking = world.asks(&["ns1"], &zones);

    // All that it had.
    world.servers[1].kill();
    std::fs::remove_dir_all(world.servers[1].cache()).unwrap();
    std::fs::create_dir(world.servers[1].cache()).unwrap();
    world.servers[1].start();
    for zone in &zones {
        world.servers[1].until(zone, |_| true).await;
    }

    // What its catalog lists, by hand, in a version that is newer than any.
    let serial = world.servers[1].serial(CATALOG).await.unwrap();
    world.servers[1].kill();
    let empty = format!(
        "$TTL 0\n@ SOA invalid. invalid. {} 60 10 2419200 0\n@ NS invalid.\nversion TXT \"2\"\n",
        serial.wrapping_add(1_000_000)
    );
    let cache = world.servers[1].cache();
    std::fs::remove_dir_all(&cache).unwrap();
    std::fs::create_dir(&cache).unwrap();
    std::fs::write(cache.join("catalog.db"), empty).unwrap();
    world.servers[1].start();
    world.servers[1].until(CATALOG, |answered| answered == serial.wrapping_add(1_000_000)).await;
    for zone in &zones {
        world.servers[1].until(zone, |_| true).await;
    }
    world.until_ready("fano", 5).await;
    asking.was_answered().await;
}
