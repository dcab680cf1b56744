//! Zones of elsewhere become Domains: what is left out, what is lifted, what differs.

use cst_compiler::import::{ImportError, Imported, Importer, SourceZone, read_zone_file};
use cst_compiler::index::Index;
use cst_compiler::manifest::{Repository, Schemas, SourceFile};
use cst_compiler::model::DomainName;
use cst_compiler::settings::Settings;

const NOW: u32 = 1_800_000_000;

const SETTINGS: &str = r#"{"apiVersion": "territorial.services/v1alpha1", "kind": "Settings",
    "dns": {"nameServers": ["ns1.cst.example.net", "ns2.cst.example.net"], "hostmaster": "hostmaster@cst.example.net",
            "certificateIssuers": ["ca.example.net"]},
    "mail": {"hosts": [{"name": "mx.cst.example.net", "preference": 10}], "postmaster": "postmaster@cst.example.net"},
    "web": {"addresses": ["192.0.2.80", "2001:db8::80"], "applications": {"Lamp": {"image": "lamp:1", "storage": {"size": "2Gi"}}}}}"#;

const TENANT: &str = "Tenant /urbino {displayName: Comune di Urbino, entityType: Comune, domains: [urbino.example, 2.0.192.in-addr.arpa]}";

/// An index of objects in one line each: `Kind namespace/name {spec}`.
fn index(lines: &[&str]) -> Index {
    let settings: Settings = serde_json::from_str(SETTINGS).unwrap();
    let document = |line: &&str| {
        let (kind, rest) = line.split_once(' ').unwrap();
        let (key, spec) = rest.split_once(' ').unwrap();
        let (namespace, name) = key.split_once('/').unwrap();
        let namespace = if namespace.is_empty() { String::new() } else { format!("namespace: {namespace}, ") };
        format!(
            "---\napiVersion: territorial.services/v1alpha1\nkind: {kind}\nmetadata: {{{namespace}name: {name}}}\nspec: {spec}\n"
        )
    };
    let text = lines.iter().map(document).collect();
    let repository = Repository::read(&[SourceFile { path: "test.yaml".into(), text }], settings, &Schemas::new());
    assert_eq!(repository.diagnostics, [], "the test's own manifests are right");
    repository.index
}

/// A zone with the centre's own SOA and NS, and these lines.
fn source(zone: &str, lines: &str) -> SourceZone {
    let text = format!(
        "$TTL 3600\n@ SOA ns1.cst.example.net. hostmaster.cst.example.net. 7 7200 900 2419200 300\n\
         @ NS ns1.cst.example.net.\n@ NS ns2.cst.example.net.\n{lines}\n"
    );
    let read = read_zone_file("z", text.as_bytes(), Some(&DomainName::parse(zone).unwrap()));
    read.zone.unwrap_or_else(|| panic!("{:?}", read.problems))
}

fn import(objects: &[&str], zones: &[(&str, &str)]) -> Vec<Result<Imported, ImportError>> {
    let objects: Vec<&str> = [TENANT].iter().chain(objects).copied().collect();
    let sources: Vec<SourceZone> = zones.iter().map(|(zone, lines)| source(zone, lines)).collect();
    Importer::new(index(&objects), None, NOW).import(&sources)
}

fn one(objects: &[&str], zone: &str, lines: &str) -> Imported {
    import(objects, &[(zone, lines)]).remove(0).unwrap()
}

fn differences(imported: &Imported) -> Vec<String> {
    imported.differences.iter().map(ToString::to_string).collect()
}

/// The manifest without its comments and its head.
fn spec(imported: &Imported) -> String {
    let (_, spec) = imported.text.split_once("spec:").unwrap();
    spec.trim_start_matches('\n').to_owned()
}

const NONE: [String; 0] = [];
const CAA: &str = "@ CAA 0 issue \"ca.example.net\"";

#[test]
fn records_are_written_in_order_and_nothing_else_is() {
    let lines = format!(
        "{CAA}\nwww 300 A 192.0.2.2\nwww 300 A 192.0.2.1\n@ TXT \"a \\\"b\\\"; c\"\n*.w CNAME www.elsewhere.example.\nno A 192.0.2.3\n_x.sub DS 1 13 2 {}\n_x.sub NS ns.elsewhere.example.",
        "00".repeat(32)
    );
    let imported = one(&[], "urbino.example", &lines);
    assert_eq!(differences(&imported), NONE);
    let digits = "00".repeat(32);
    assert_eq!(
        spec(&imported),
        format!(
            "  records:\n    - {{name: \"@\", type: TXT, values: [\"a \\\"b\\\"; c\"]}}\n    - {{name: \"no\", type: A, values: [\"192.0.2.3\"]}}\n    \
             - {{name: _x.sub, type: NS, values: [\"ns.elsewhere.example\"]}}\n    - {{name: _x.sub, type: DS, values: [\"1 13 2 {digits}\"]}}\n    \
             - {{name: \"*.w\", type: CNAME, values: [\"www.elsewhere.example\"]}}\n    \
             - {{name: www, type: A, values: [\"192.0.2.1\", \"192.0.2.2\"], ttl: 300}}\n"
        )
    );
    assert!(
        imported.text.starts_with("# urbino.example, imported from z: 6 record sets written.\n"),
        "{}",
        imported.text
    );
    let left = "# Left out, because it is there by itself (mail, sites, settings, other Domains): @ CAA.\n";
    assert!(imported.text.contains(left), "{}", imported.text);
    assert!(!imported.needs_grant);
}

#[test]
fn mail_is_said_by_a_preset_that_renders_to_the_same() {
    let hosted = "@ MX 10 mx.cst.example.net.\n@ TXT \"v=spf1 mx include:news.example -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\n@ TXT other";
    let m365 = "@ MX 0 urbino-example.mail.protection.outlook.com.\n@ TXT \"v=spf1 include:spf.protection.outlook.com ~all\"\n_dmarc TXT \"v=DMARC1; p=none\"\nautodiscover CNAME autodiscover.outlook.com.";
    let external = "@ MX 10 mx.elsewhere.example.\n@ MX 20 mx2.elsewhere.example.\n@ TXT \"v=spf1 mx ?all\"\n_dmarc TXT \"v=DMARC1; p=none\"";
    let none = "@ MX 0 .\n@ TXT \"v=spf1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"";
    let staged = "@ MX 10 mx.cst.example.net.\n@ TXT \"v=spf1 mx ~all\"\n_dmarc TXT \"v=DMARC1; p=reject; sp=none; rua=mailto:dmarc@urbino.example\"";
    for (lines, expected) in [
        (
            staged,
            "  mail: {mode: Hosted, dmarc: {policy: Reject, reports: [\"dmarc@urbino.example\"], subdomains: None}}\n",
        ),
        (
            hosted,
            "  records:\n    - {name: \"@\", type: TXT, values: [\"other\"]}\n  mail: {mode: Hosted, spf: {all: Fail, include: [news.example]}, dmarc: {policy: Reject}}\n",
        ),
        (m365, "  mail: {mode: External, provider: Microsoft365}\n"),
        (
            external,
            "  mail: {mode: External, hosts: [{name: mx.elsewhere.example}, {name: mx2.elsewhere.example, preference: 20}], spf: {all: Neutral}}\n",
        ),
        (none, "  mail: {mode: None}\n"),
    ] {
        let imported = one(&[], "urbino.example", &format!("{CAA}\n{lines}"));
        assert_eq!((spec(&imported).as_str(), differences(&imported)), (expected, NONE.to_vec()));
    }
}

#[test]
fn mail_that_differs_stays_as_it_is_and_says_how() {
    let lines =
        "@ CAA 0 issue \"ca.example.net\"\n@ MX 10 mx.cst.example.net.\n@ TXT \"v=spf1 mx a ip4:192.0.2.1 ~all\"";
    let imported = one(&[], "urbino.example", lines);
    assert_eq!(differences(&imported), NONE);
    assert!(spec(&imported).contains("type: MX") && !spec(&imported).contains("mail:"), "{}", imported.text);
    assert!(imported.text.contains("`mail: {mode: Hosted}` would publish"), "{}", imported.text);
    assert!(imported.text.contains("\"v=spf1 mx ~all\""), "{}", imported.text);
}

#[test]
fn certified_mail_of_a_known_service_is_named() {
    let imported =
        one(&[], "urbino.example", &format!("{CAA}\npec MX 10 mx.pec.aruba.it.\ncert MX 10 mx.cert.legalmail.it."));
    assert_eq!(differences(&imported), NONE);
    assert!(spec(&imported).ends_with("  pec: {provider: Aruba}\n"), "{}", imported.text);
    let imported = one(&[], "urbino.example", &format!("{CAA}\ncert MX 10 mx.cert.legalmail.it."));
    assert_eq!(spec(&imported), "  pec: {name: cert, provider: InfoCert}\n");
}

#[test]
fn what_sites_and_other_domains_contribute_is_left_out() {
    let objects = [
        "WebSite t-urbino/portale {application: Lamp, host: urbino.example, aliases: [www.urbino.example, old.urbino.example]}",
        "Domain t-urbino/scuola.urbino.example {}",
    ];
    let lines = format!(
        "{CAA}\n@ A 192.0.2.80\n@ AAAA 2001:db8::80\nwww A 192.0.2.80\nwww AAAA 2001:db8::80\nold A 192.0.2.80\n\
         scuola NS ns.old.example.\nns.scuola A 192.0.2.9"
    );
    let imported = one(&objects, "urbino.example", &lines);
    assert_eq!(differences(&imported), NONE);
    assert_eq!(
        spec(&imported),
        "  records:\n    - {name: old, type: A, values: [\"192.0.2.80\"]}\n",
        "half of a site's addresses is written"
    );
    assert!(
        imported.text.contains("Domains of their own, delegated by themselves: scuola.urbino.example"),
        "{}",
        imported.text
    );
}

#[test]
fn zones_of_one_import_see_each_other() {
    let results = import(
        &[],
        &[
            (
                "urbino.example",
                &format!("{CAA}\nscuola NS ns1.cst.example.net.\nscuola NS ns2.cst.example.net.\na A 192.0.2.1"),
            ),
            ("scuola.urbino.example", &format!("{CAA}\nwww A 192.0.2.2")),
            ("urbino.example", CAA),
        ],
    );
    let [parent, child, twice] = results.as_slice() else { panic!() };
    let (parent, child) = (parent.as_ref().unwrap(), child.as_ref().unwrap());
    assert_eq!(spec(parent), "  records:\n    - {name: a, type: A, values: [\"192.0.2.1\"]}\n");
    assert_eq!(spec(child), "  records:\n    - {name: www, type: A, values: [\"192.0.2.2\"]}\n");
    assert_eq!((differences(parent), differences(child)), (NONE.to_vec(), NONE.to_vec()));
    assert!(matches!(twice, Err(ImportError::Twice(_))));
}

#[test]
fn pointers_that_are_derived_are_not_written() {
    let objects =
        ["Domain t-urbino/urbino.example {records: [{name: mail, type: A, values: [192.0.2.25], ptr: true}]}"];
    let imported = one(&objects, "2.0.192.in-addr.arpa", "25 PTR mail.urbino.example.\n26 PTR other.urbino.example.");
    assert_eq!(differences(&imported), NONE);
    assert_eq!(spec(&imported), "  records:\n    - {name: \"26\", type: PTR, values: [\"other.urbino.example\"]}\n");
    let part = one(&[], "0/27.2.0.192.in-addr.arpa", "1 PTR a.urbino.example.");
    assert!(part.text.contains("metadata: {name: \"0-27.2.0.192.in-addr.arpa\""), "{}", part.text);
    assert!(part.text.contains("  zone: \"0/27.2.0.192.in-addr.arpa\"\n"), "{}", part.text);
    assert_eq!(differences(&part), NONE);
}

#[test]
fn every_difference_is_told() {
    let lines = "w 5 A 192.0.2.1\nx HINFO a\nm MX 10 alias\nalias CNAME w\nt TXT \"\\200\"\nt TXT \"ok\"\nbelow.deep TXT x\ndeep NS ns.elsewhere.example.";
    let imported = one(&[], "urbino.example", lines);
    assert_eq!(
        differences(&imported),
        [
            "+ urbino.example. 3600 IN CAA 0 issue \"ca.example.net\"",
            "- below.deep.urbino.example. 3600 IN TXT \"x\"",
            "- m.urbino.example. 3600 IN MX 10 alias.urbino.example.",
            "- t.urbino.example. 3600 IN TXT \"\\200\"",
            "- x.urbino.example HINFO: its data is not of the form of HINFO: write two texts such as `\"PC\" \"Linux\"`",
            "TTL w.urbino.example. A: 5 becomes 30",
        ]
    );
    assert_eq!(imported.text.matches("# Not taken: ").count(), 4, "{}", imported.text);
}

#[test]
fn types_that_manifests_hold_by_number_are_written_by_it() {
    let lines = format!("{CAA}\nk TYPE61 \\# 2 0000\ns TYPE53 \\# 4 03010000\nh HINFO a b\nm SMIMEA 3 1 0 00\n");
    let imported = one(&[], "urbino.example", &lines);
    assert_eq!(differences(&imported), NONE);
    for expected in [
        "{name: k, type: TYPE61, values: [\"\\\\# 2 0000\"]}",
        "{name: s, type: TYPE53, values: [\"\\\\# 4 03010000\"]}",
        "{name: h, type: TYPE13, values: [\"\\\\# 4 01610162\"]}",
        "{name: m, type: TYPE53, values: [\"\\\\# 4 03010000\"]}",
    ] {
        assert!(spec(&imported).contains(expected), "{expected}: {}", imported.text);
    }
}

#[test]
fn a_zone_that_was_signed_says_what_the_move_means() {
    let imported = one(
        &[],
        "urbino.example",
        &format!("{CAA}\n@ DNSKEY 257 3 13 AAAA\n@ RRSIG SOA 13 2 3600 2030 2020 1 @ AAAA\nw A 192.0.2.1"),
    );
    assert_eq!(differences(&imported), NONE, "signatures are no content");
    assert!(imported.text.contains("The zone was signed (RRSIG, DNSKEY left out)"), "{}", imported.text);
    assert!(imported.text.contains("spec.dnssec"), "{}", imported.text);
}

#[test]
fn zones_whose_names_no_object_has_are_told_apart() {
    let other = "Domain t-urbino/sip.tcp.urbino.example {zone: sip-.tcp.urbino.example}";
    let zones = ["_tcp", "tcp", "_sip._tcp", "a/b", "_._"].map(|label| format!("{label}.urbino.example"));
    let sources: Vec<(&str, &str)> = zones.iter().map(|zone| (zone.as_str(), "a A 192.0.2.1")).collect();
    let imported = import(&[other], &sources).into_iter().map(Result::unwrap);
    let named: Vec<(String, String)> =
        imported.map(|imported| (imported.zone.to_string(), imported.key.name)).collect();
    let expected = [
        "tcp.urbino.example",
        "tcp.urbino.example-2",
        "sip.tcp.urbino.example-2",
        "a-b.urbino.example",
        "x.x.urbino.example",
    ];
    let expected = zones.into_iter().zip(expected.map(str::to_owned));
    assert_eq!(named, expected.collect::<Vec<_>>());
}

#[test]
fn whose_a_zone_is() {
    let sources = [source("pesaro.example", CAA)];
    let result = |tenant| Importer::new(index(&[TENANT]), tenant, NOW).import(&sources).remove(0);
    assert!(matches!(result(None), Err(ImportError::NoTenant(_))));
    for tenant in ["urbino", "pesaro"] {
        let imported = result(Some(tenant)).unwrap();
        assert_eq!((imported.key.namespace.as_str(), imported.needs_grant), (format!("t-{tenant}").as_str(), true));
    }
    let held = ["Tenant /fano {displayName: Comune di Fano, entityType: Comune, domains: [pesaro.example]}", TENANT];
    let imported = Importer::new(index(&held), None, NOW).import(&sources).remove(0).unwrap();
    assert_eq!((imported.key.namespace.as_str(), imported.needs_grant), ("t-fano", false));
    let contested = Importer::new(index(&held), Some("urbino"), NOW).import(&sources).remove(0);
    assert!(matches!(contested, Err(ImportError::Refused { .. })), "{contested:?}");
}
