//! Whatever contributes to a zone, it stays one that name servers take, and who gives way is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Stdio;

use cst_compiler::compile::{self, ZoneFacts, ZoneOutcome};
use cst_compiler::manifest::Repository;
use cst_compiler::model::{DomainName, RecordData, RecordSet, RecordType, Zone};
use cst_compiler::settings::Settings;

use crate::support::{self, name, problems, records, told, zone};

const TENANT: &str =
    "Tenant /o {displayName: O, entityType: Comune, domains: [o.example, 2.0.192.in-addr.arpa, p.example]}\n";
const REVERSE: &str = "2.0.192.in-addr.arpa";
const PRESET: &str = "{mail: {mode: External, provider: Microsoft365}}";

fn with(lines: &str) -> Repository {
    support::repository(&format!("{TENANT}{lines}"))
}

/// The records at a name, and what is told.
fn at(repository: &Repository, apex: &str, owner: &str) -> (Vec<String>, Vec<String>) {
    let outcome = zone(repository, apex);
    assert_legal(outcome.zone.as_ref().unwrap(), &[]);
    let of_owner =
        records(&outcome).into_iter().filter_map(|r| r.strip_prefix(&format!("{owner} ")).map(str::to_owned));
    (of_owner.collect(), told(&outcome.problems))
}

#[test]
fn a_site_comes_before_the_alias_of_a_preset() {
    let site = "WebSite t-o/s {application: Lamp, host: autodiscover.o.example}\n";
    let repository = with(&format!("Domain t-o/o.example {PRESET}\n{site}"));
    let (records, told) = at(&repository, "o.example", "autodiscover.o.example");
    assert_eq!(records, ["A 192.0.2.80", "AAAA 2001:db8::80"]);
    assert_eq!(told, ["warning RecordConflict Domain t-o/o.example spec.mail"]);
    let message = &zone(&repository, "o.example").problems[0].message;
    assert!(message.contains("WebSite s,"), "{message}");
}

#[test]
fn certified_mail_comes_before_the_alias_of_a_preset() {
    let spec = "{mail: {mode: External, provider: Microsoft365}, pec: {name: autodiscover, provider: Aruba}}";
    let (records, told) = at(&with(&format!("Domain t-o/o.example {spec}")), "o.example", "autodiscover.o.example");
    assert_eq!(records, ["MX 10 mx.pec.aruba.it."]);
    assert_eq!(told, ["warning RecordConflict Domain t-o/o.example spec.mail"]);
}

#[test]
fn a_domain_below_comes_before_all_but_what_is_written() {
    let below = "Domain t-o/autodiscover.o.example {}\nDomain t-o/pec.o.example {}\n";
    let spec = "{mail: {mode: External, provider: Microsoft365}, pec: {provider: Aruba}}";
    let repository = with(&format!("Domain t-o/o.example {spec}\n{below}"));
    let name_servers = ["NS ns1.cst.example.net.", "NS ns2.cst.example.net."];
    let (records, told) = at(&repository, "o.example", "autodiscover.o.example");
    assert_eq!(records, name_servers);
    let warned = ["pec", "mail"].map(|field| format!("warning RecordConflict Domain t-o/o.example spec.{field}"));
    assert_eq!(told, warned);
    assert_eq!(at(&repository, "o.example", "pec.o.example").0, name_servers);
    let message = &zone(&repository, "o.example").problems[0].message;
    assert!(message.contains("is written in the zone pec.o.example"), "{message}");
}

#[test]
fn an_address_that_is_a_domain_has_no_alias_into_a_part_of_its_network() {
    let part = "Domain t-o/part {zone: 64/26.2.0.192.in-addr.arpa}\n";
    let lines = format!("Domain t-o/{REVERSE} {{}}\n{part}Domain t-o/70.{REVERSE} {{}}\n");
    let (records, told) = at(&with(&lines), REVERSE, "70.2.0.192.in-addr.arpa");
    assert_eq!(records, ["NS ns1.cst.example.net.", "NS ns2.cst.example.net."]);
    assert_eq!(told, ["warning RecordConflict Domain t-o/2.0.192.in-addr.arpa metadata.name"]);

    let site = format!("WebSite t-o/s {{application: Lamp, host: 80.{REVERSE}}}\n");
    let lines = format!("Domain t-o/{REVERSE} {{}}\n{part}{site}");
    let (records, told) = at(&with(&lines), REVERSE, "80.2.0.192.in-addr.arpa");
    assert_eq!(records, ["CNAME 80.64/26.2.0.192.in-addr.arpa."]);
    assert_eq!(told, ["warning RecordConflict WebSite t-o/s spec.host"]);
}

#[test]
fn nothing_is_hidden_by_a_delegation_without_a_word() {
    let delegated = "{records: [{name: d, type: NS, values: [ns.example.org]}], pec: {name: a.d, provider: Aruba}}";
    let site = "WebSite t-o/s {application: Lamp, host: www.d.o.example}\nDomain t-o/x.d.o.example {}\n";
    let repository = with(&format!("Domain t-o/o.example {delegated}\n{site}"));
    let outcome = zone(&repository, "o.example");
    assert_eq!(records(&outcome), ["d.o.example NS ns.example.org."]);
    assert_eq!(
        told(&outcome.problems),
        [
            "warning RecordConflict Domain t-o/o.example metadata.name",
            "warning RecordConflict Domain t-o/o.example spec.pec",
            "warning RecordConflict WebSite t-o/s spec.host",
        ]
    );
}

#[test]
fn what_is_written_waits_for_a_zone_that_is_still_served() {
    let written =
        "{records: [{name: d, type: CNAME, values: [x.example.org]}, {name: www.d, type: A, values: [192.0.2.1]}]}";
    let repository = with(&format!("Domain t-o/o.example {written}"));
    let facts = ZoneFacts { below: [(name("d.o.example"), Vec::new())].into(), ..ZoneFacts::hopeful() };
    let outcome = compile::zone(&repository.index, &name("o.example"), &facts);
    assert_eq!(records(&outcome), ["d.o.example NS ns1.cst.example.net.", "d.o.example NS ns2.cst.example.net."]);
    let warned = [0, 1].map(|at| format!("warning RecordConflict Domain t-o/o.example spec.records[{at}].name"));
    assert_eq!(told(&outcome.problems), warned);
    assert_eq!(records(&zone(&repository, "o.example")).len(), 2, "it has gone");
}

#[test]
fn certified_mail_at_another_tenants_name_is_refused() {
    let repository = with(
        "Tenant /q {displayName: Q, entityType: Comune, domains: [q.o.example]}
         Domain t-o/o.example {pec: {name: q, provider: Aruba}}",
    );
    assert_eq!(records(&zone(&repository, "o.example")), Vec::<String>::new());
    assert_eq!(problems(&repository), ["error NotGranted Domain t-o/o.example spec.pec.name"]);
}

/// What name servers refuse a zone for, or never answer. An address that is written below a delegation is glue by its Domain's word.
fn assert_legal(zone: &Zone, written: &[(usize, RecordSet)]) {
    let mut at: BTreeMap<&DomainName, BTreeMap<RecordType, &RecordSet>> = BTreeMap::new();
    for set in zone.sets() {
        at.entry(&set.name).or_default().insert(set.type_(), set);
    }
    for (owner, sets) in &at {
        if let Some(alias) = sets.get(&RecordType::CNAME) {
            assert!(sets.len() == 1 && alias.values().len() == 1, "{owner} has data beside a CNAME:\n{zone}");
        }
        assert!(!sets.contains_key(&RecordType::DS) || sets.contains_key(&RecordType::NS), "{owner}: DS alone\n{zone}");
        let inside = owner.and_ancestors().take_while(|above| above != zone.apex());
        let cuts: Vec<_> = inside.filter_map(|above| Some((at.get(&above)?.get(&RecordType::NS)?, above))).collect();
        for (servers, cut) in &cuts {
            for type_ in sets.keys() {
                let is_glue = matches!(*type_, RecordType::A | RecordType::AAAA)
                    && (servers.values().contains(&RecordData::Ns((*owner).clone()))
                        || written.iter().any(|(_, set)| set.name == **owner && set.type_() == *type_));
                let is_its_own = cut == *owner && matches!(*type_, RecordType::NS | RecordType::DS);
                assert!(is_glue || is_its_own, "{owner} {type_} is hidden by {cut}:\n{zone}");
            }
        }
        assert!(cuts.len() < 2, "{owner} is delegated twice:\n{zone}");
    }
}

/// Whether BIND loads it; its names are the tests' matter.
#[expect(clippy::disallowed_types, reason = "only the name server itself can say what it loads")]
fn assert_loads(zone: &Zone) {
    let mut check = std::process::Command::new("named-checkzone")
        .args(["-i", "none", "-k", "ignore", "-n", "fail", zone.apex().as_str(), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("named-checkzone (install bind9-utils)");
    check.stdin.take().unwrap().write_all(zone.to_text(1).as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{zone}", String::from_utf8_lossy(&output.stdout));
}

/// Repositories that contend for few names.
struct Dice(u64);

const LABELS: [&str; 12] = [
    "autodiscover",
    "pec",
    "www",
    "d",
    "www.d",
    "pec.d",
    "x.www.d",
    "_dmarc",
    "_acme-challenge",
    "_acme-challenge.www",
    "autodiscover.d",
    "acme",
];

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn label(&mut self) -> &'static str {
        LABELS[self.roll(LABELS.len())]
    }

    /// A few labels, each once.
    fn labels(&mut self, most: usize) -> BTreeSet<&'static str> {
        (0..self.roll(most + 1)).map(|_| self.label()).collect()
    }

    fn written(&mut self, label: &str) -> String {
        let data = [
            "A, values: [192.0.2.70], ptr: true",
            "CNAME, values: [w.example.net]",
            "TXT, values: [x]",
            "MX, values: [10 mx.example.net]",
            "NS, values: [ns.example.net]",
        ][self.roll(5)];
        format!("{{name: '{label}', type: {data}}}")
    }

    fn domain(&mut self, key: &str, zone: &str, labels: &BTreeSet<&str>) -> String {
        let mail = ["", "mail: {mode: External, provider: Microsoft365}, ", "mail: {mode: Hosted}, "][self.roll(3)];
        let pec = [String::new(), format!("pec: {{name: {}, provider: Aruba}}, ", self.label())];
        let records: Vec<String> = labels.iter().map(|label| self.written(label)).collect();
        let records = records.join(", ");
        format!("Domain t-o/{key} {{zone: {zone}, {mail}{}records: [{records}]}}\n", pec[self.roll(2)])
    }

    /// A zone with what is written in it, the zones below, and sites in all of them.
    fn forward(&mut self) -> String {
        let written = self.labels(3);
        let mut lines = self.domain("o.example", "o.example", &written);
        for label in self.labels(3) {
            lines += &self.domain(
                &format!("{label}.o.example").replace('_', "u"),
                &format!("{label}.o.example"),
                &BTreeSet::new(),
            );
        }
        for label in self.labels(4).into_iter().filter(|label| !label.starts_with('_')) {
            writeln!(lines, "WebSite t-o/{label} {{application: Lamp, host: {label}.o.example}}").unwrap();
        }
        lines
    }

    /// The same of a network with parts.
    fn reverse(&mut self) -> String {
        let octets = ["64", "70", "71", "80", "90"];
        let some = |dice: &mut Self| octets.iter().copied().filter(|_| dice.roll(4) == 0).collect::<BTreeSet<_>>();
        let written = some(self);
        let mut lines = self.domain("r", REVERSE, &written);
        for part in ["64/26", "64/29", "70/32", "80-95"] {
            if self.roll(2) == 0 {
                writeln!(lines, "Domain t-o/{} {{zone: {part}.{REVERSE}}}", part.replace('/', "-")).unwrap();
            }
        }
        for octet in some(self) {
            writeln!(lines, "Domain t-o/a{octet} {{zone: {octet}.{REVERSE}}}").unwrap();
        }
        for octet in some(self) {
            writeln!(lines, "WebSite t-o/w{octet} {{application: Lamp, host: {octet}.{REVERSE}}}").unwrap();
        }
        lines
    }

    fn settings(&mut self) -> Settings {
        let mut settings = support::settings();
        let acme = ["acme.o.example", "acme.d.o.example", "acme.cst.example.net"][self.roll(3)];
        settings.dns.acme =
            (self.roll(2) == 0).then(|| serde_json::from_str(&format!(r#"{{"zone": "{acme}"}}"#)).unwrap());
        settings
    }

    fn facts(&mut self) -> ZoneFacts {
        let text = "12345 13 1 0000000000000000000000000000000000000000";
        let Ok(RecordData::Ds(ds)) = RecordData::from_zone_text(RecordType::DS, text) else { panic!("a DS") };
        let mut below = BTreeMap::new();
        for label in self.labels(2) {
            let signer = if self.roll(2) == 0 { vec![ds.clone()] } else { Vec::new() };
            below.insert(name(&format!("{label}.o.example")), signer);
        }
        ZoneFacts { below, ..ZoneFacts::hopeful() }
    }
}

/// Every wish is in the zone, or who has it is told.
fn assert_nothing_is_unsaid(repository: &Repository, outcome: &ZoneOutcome, lines: &str) {
    let zone = outcome.zone.as_ref().unwrap();
    let told = told(&outcome.problems);
    let is_told = |object: &str, fields: &[&str]| {
        told.iter().any(|told| fields.iter().any(|field| told.contains(&format!(" {object} {field}"))))
    };
    let model = repository.index.held_zone(zone.apex()).unwrap();
    let (key, index) = (format!("Domain {}", model.key), &repository.index);
    let has = |owner: &DomainName, type_| zone.get(owner, type_).is_some();
    let covered = |host: &&DomainName| index.covering_zone(host).as_ref() == Some(zone.apex());
    for host in index.hosts_within(zone.apex()).map(|(host, _)| host).filter(covered) {
        let Some(holder) = index.host_holder(host) else { continue };
        let site = format!("WebSite {holder}");
        assert!(has(host, RecordType::A) || is_told(&site, &["spec.host"]), "{site}\n{lines}{zone}");
    }
    if let Some(pec) = &model.pec {
        let is_there =
            zone.get(&pec.name, RecordType::MX).is_some_and(|set| format!("{:?}", set.values()).contains("aruba"));
        assert!(is_there || is_told(&key, &["spec.pec", "spec.records"]), "{key} pec\n{lines}{zone}");
    }
    if model.mail.as_ref().is_some_and(|mail| mail.provider.is_some()) {
        let alias = zone.apex().child("autodiscover").unwrap();
        assert!(
            has(&alias, RecordType::CNAME) || is_told(&key, &["spec.mail", "spec.records"]),
            "{key} mail\n{lines}{zone}"
        );
    }
    for (_, written) in &model.sets {
        assert!(has(&written.name, written.type_()) || is_told(&key, &["spec.records["]), "{written:?}\n{lines}{zone}");
    }
}

#[test]
fn every_composed_zone_is_one_that_name_servers_take() {
    let (mut composed, mut contended) = (0, 0);
    for seed in 1..=120 {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let lines = format!("{TENANT}{}{}", dice.forward(), dice.reverse());
        let repository = support::repository_with(&lines, dice.settings());
        let facts = dice.facts();
        for apex in ["o.example", "d.o.example", REVERSE] {
            let outcome = compile::zone(&repository.index, &name(apex), &facts);
            let Some(zone) = &outcome.zone else { continue };
            assert_legal(zone, &repository.index.held_zone(zone.apex()).unwrap().sets);
            assert_nothing_is_unsaid(&repository, &outcome, &lines);
            if seed <= 20 {
                assert_loads(zone);
            }
            composed += 1;
            contended += usize::from(told(&outcome.problems).iter().any(|told| told.contains("RecordConflict")));
        }
    }
    assert!(composed > 200 && contended > 150, "{composed} zones, in {contended} somebody gave way");
}
