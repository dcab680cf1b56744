//! `cst verify` at real servers: what it prints and its exit codes. Each fault has its test beside the checks.

#[path = "../controller/nameserver/tests/nameserver/support/software.rs"]
#[expect(dead_code, reason = "shared with the tests of the checks")]
mod software;
#[path = "../controller/nameserver/tests/nameserver/support/world.rs"]
#[expect(dead_code, reason = "shared with the tests of the checks")]
mod world;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use software::Software;
use world::World;

/// The zone of the example.
const ZONE: &str = "comune.esempio.example.org";
const CONTENT: [&str; 3] = ["@ NS ns1.example.net.", "@ NS ns2.example.net.", "ns1 A 127.0.0.4"];
/// What the zone above has.
const PARENT: [&str; 4] = [
    "@ NS ns.example.net.",
    "comune.esempio.example NS ns1.example.net.",
    "comune.esempio.example NS ns2.example.net.",
    "other NS ns1.example.net.",
];
/// Where the servers are.
const HOSTS: [&str; 5] = ["@ NS ns", "ns A 127.0.0.2", "ns1 A 127.0.0.4", "ns2 A 127.0.0.5", "mx A 192.0.2.25"];

/// The example's zone at two servers, in these versions.
fn world(one: u32, two: u32) -> World {
    let mut world = World::new();
    world.zone("127.0.0.2", "org", 1, &PARENT).zone("127.0.0.2", "example.net", 1, &HOSTS);
    world.zone("127.0.0.4", ZONE, one, &CONTENT).zone("127.0.0.5", ZONE, two, &CONTENT).start();
    world
}

fn verify(world: &World, arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cst"));
    command
        .arg("verify")
        .args(arguments)
        .args(["--port", &world.port().to_string()])
        .current_dir(root)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Verifies the example, with changes to its settings.
fn verify_example(world: &World, changed: impl Fn(String) -> String, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/minimal");
    let settings = std::fs::read_to_string(example.join("cst.yaml")).unwrap();
    let resolvers = format!("dns:\n  resolvers: [\"{}\"]\n", world.resolver());
    let config = folder.path().join("cst.yaml");
    std::fs::write(&config, changed(settings.replacen("dns:\n", &resolvers, 1))).unwrap();
    verify(world, &[&["examples/minimal", "--config", config.to_str().unwrap()], arguments].concat())
}

#[test]
fn a_repository_that_is_served_right_ends_with_0_by_the_resolvers_of_its_settings() {
    let world = world(7, 7);
    let output = verify_example(&world, |settings| settings, &[]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains(&format!("{ZONE}: ok: every address has the same serial (serial)\n")), "{told}");
    assert!(told.ends_with("1 zones, 0 errors, 0 warnings\n"), "{told}");
    assert!(!told.contains("Test)"), "the registry of .it is not asked for others: {told}");
}

#[test]
fn other_servers_than_the_repository_names_are_an_error() {
    let world = world(7, 7);
    for (servers, said) in [
        (
            ["ns3", "ns4"],
            "delegates the zone to ns1.example.net, ns2.example.net, so that what the repository says is seen by nobody: register ns3.example.net, ns4.example.net there",
        ),
        (
            ["ns1", "ns4"],
            "delegates the zone to ns2.example.net too, which the repository does not name: register ns1.example.net, ns4.example.net there",
        ),
    ] {
        let changed =
            |settings: String| settings.replace("ns1", "{}").replace("ns2", servers[1]).replace("{}", servers[0]);
        for arguments in [&[][..], &["--zone", ZONE]] {
            let output = verify_example(&world, changed, arguments);
            let told = text(&output);
            assert_eq!(output.status.code(), Some(3), "{told}{}", String::from_utf8_lossy(&output.stderr));
            assert!(told.contains(said) && told.contains("(intent)") && told.contains(", 1 errors"), "{told}");
        }
    }
    let told = text(&verify(&world, &["--zone", ZONE, "--resolver", &world.resolver()]));
    assert!(!told.contains("(intent)"), "what is not in a repository is meant to be as it is: {told}");
}

#[test]
fn a_fault_ends_with_3_and_is_the_same_document_each_time() {
    let world = world(7, 6);
    let resolver = world.resolver();
    let arguments = ["--zone", ZONE, "--resolver", &resolver, "-o", "json"];
    let output = verify(&world, &arguments);
    assert_eq!(output.status.code(), Some(3));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["version"], &document["zones"], &document["errors"]), (&1.into(), &1.into(), &1.into()));
    let findings = document["findings"].as_array().unwrap();
    let fault = findings.iter().find(|finding| finding["severity"] == "error").unwrap();
    assert_eq!((&fault["check"], &fault["zone"]), (&"serial".into(), &ZONE.into()));
    let said = "6 at ns2.example.net (127.0.0.5); 7 at ns1.example.net (127.0.0.4)";
    assert!(fault["message"].as_str().unwrap().contains(said), "{fault}");
    assert_eq!(text(&verify(&world, &arguments)), text(&output));
}

#[test]
fn a_zone_that_cannot_be_judged_ends_with_1_and_the_others_are_told() {
    let world = world(7, 7);
    let resolver = world.resolver();
    // Nobody forwards for it.
    let output = verify(&world, &["--zone", "a.nowhere", "--zone", ZONE, "--resolver", &resolver]);
    let told = text(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("a.nowhere: error: 127.0.0.1:"), "{told}");
    assert!(told.contains("answered SERVFAIL to `nowhere SOA`"), "{told}");
    assert!(told.contains(&format!("{ZONE}: ok: ")), "{told}");
    assert_eq!(verify(&world, &[]).status.code(), Some(64));
    assert_eq!(verify(&world, &["--zone", ZONE, "--resolver", "127.0.0.1"]).status.code(), Some(64));
}
