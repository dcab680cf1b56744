//! What a zone is composed of, and who gives way to whom.

use cst_compiler::model::{RecordData, RecordType};

use crate::support;
use crate::support::{problems, records, repository, zone};

const TENANT: &str = "Tenant /fano {displayName: Fano, entityType: Comune, domains: [comune.fano.example]}\n";

fn with(lines: &str) -> cst_compiler::manifest::Repository {
    repository(&format!("{TENANT}{lines}"))
}

fn domain(spec: &str) -> String {
    format!("Domain t-fano/comune.fano.example {spec}\n")
}

const SITE: &str =
    "WebSite t-fano/portal {application: Lamp, host: comune.fano.example, aliases: [www.comune.fano.example]}\n";

#[test]
fn mail_and_sites_contribute() {
    let repository = with(
        &(domain("{mail: {mode: Hosted, dmarc: {policy: Reject}, spf: {include: [spf.example.net], all: Fail}}}")
            + SITE),
    );
    assert_eq!(
        records(&zone(&repository, "comune.fano.example")),
        [
            "comune.fano.example A 192.0.2.80",
            "comune.fano.example MX 10 mx.cst.example.net.",
            "comune.fano.example TXT \"v=spf1 mx include:spf.example.net -all\"",
            "comune.fano.example AAAA 2001:db8::80",
            "_dmarc.comune.fano.example TXT \"v=DMARC1; p=reject\"",
            "www.comune.fano.example A 192.0.2.80",
            "www.comune.fano.example AAAA 2001:db8::80",
        ]
    );
    assert_eq!(problems(&repository), Vec::<String>::new());
}

#[test]
fn hosted_mail_waits_for_its_agents() {
    use cst_compiler::compile::{self, ZoneFacts};
    let repository = with(&domain("{mail: {mode: Hosted}}"));
    let waiting = compile::zone(&repository.index, &support::name("comune.fano.example"), &ZoneFacts::default());
    assert_eq!(records(&waiting), Vec::<String>::new());
}

#[test]
fn a_domain_without_mail_says_so() {
    let repository = with(&domain("{mail: {mode: None}}"));
    assert_eq!(
        records(&zone(&repository, "comune.fano.example")),
        [
            "comune.fano.example MX 0 .",
            "comune.fano.example TXT \"v=spf1 -all\"",
            "_dmarc.comune.fano.example TXT \"v=DMARC1; p=reject\"",
        ]
    );
}

#[test]
fn a_written_address_or_cname_displaces_all_of_a_sites_addresses() {
    for written in
        ["{name: www, type: AAAA, values: ['2001:db8::1']}", "{name: www, type: CNAME, values: [cdn.example.net]}"]
    {
        let repository = with(&(domain(&format!("{{records: [{written}]}}")) + SITE));
        let outcome = zone(&repository, "comune.fano.example");
        let at_www: Vec<_> = records(&outcome).into_iter().filter(|r| r.starts_with("www.")).collect();
        assert_eq!(at_www.len(), 1, "{at_www:?}");
        assert_eq!(support::told(&outcome.problems), ["warning RecordConflict WebSite t-fano/portal spec.host"]);
    }
}

#[test]
fn texts_are_merged_but_one_name_has_one_policy() {
    let txt = |text: &str| {
        domain(&format!("{{mail: {{mode: Hosted}}, records: [{{name: '@', type: TXT, values: ['{text}']}}]}}"))
    };
    let merged = with(&txt("site-verification=1"));
    let texts: Vec<_> = records(&zone(&merged, "comune.fano.example"))
        .into_iter()
        .filter(|r| r.starts_with("comune") && r.contains("TXT"))
        .collect();
    assert_eq!(
        texts,
        ["comune.fano.example TXT \"site-verification=1\"", "comune.fano.example TXT \"v=spf1 mx ~all\""]
    );
    let written = with(&txt("v=spf1 ip4:192.0.2.1 -all"));
    let outcome = zone(&written, "comune.fano.example");
    assert!(records(&outcome).contains(&"comune.fano.example TXT \"v=spf1 ip4:192.0.2.1 -all\"".to_owned()));
    assert!(!records(&outcome).iter().any(|r| r.contains("v=spf1 mx")));
    assert_eq!(
        support::told(&outcome.problems),
        ["warning RecordConflict Domain t-fano/comune.fano.example spec.records"]
    );
}

#[test]
fn a_domain_below_is_delegated_and_owns_its_names() {
    let repository = with(
        "Domain t-fano/comune.fano.example {records: [{name: a.sub, type: A, values: [192.0.2.1]}, {name: subx, type: A, values: [192.0.2.2]}]}
         Domain t-fano/sub.comune.fano.example {}
         WebSite t-fano/inner {application: Lamp, host: www.sub.comune.fano.example}",
    );
    let above = zone(&repository, "comune.fano.example");
    assert_eq!(
        records(&above),
        [
            "sub.comune.fano.example NS ns1.cst.example.net.",
            "sub.comune.fano.example NS ns2.cst.example.net.",
            "subx.comune.fano.example A 192.0.2.2",
        ]
    );
    assert_eq!(
        support::told(&above.problems),
        ["error RecordConflict Domain t-fano/comune.fano.example spec.records[0].name"]
    );
    assert_eq!(
        records(&zone(&repository, "sub.comune.fano.example")).len(),
        2,
        "the site's addresses are in the zone below"
    );
}

#[test]
fn rules_across_the_records_of_a_domain() {
    for (records, field) in [
        ("[{name: a, type: CNAME, values: [b.example]}, {name: a, type: TXT, values: [x]}]", "spec.records[0]"),
        ("[{name: '@', type: CNAME, values: [b.example]}]", "spec.records[0]"),
        ("[{name: a, type: A, values: [192.0.2.1]}, {name: A, type: A, values: [192.0.2.2]}]", "spec.records[1]"),
        ("[{name: '@', type: NS, values: [ns.example]}]", "spec.records[0]"),
        ("[{name: d, type: NS, values: [ns.d.example]}, {name: x.d, type: TXT, values: [x]}]", "spec.records[1]"),
        ("[{name: www.comune.fano.example, type: A, values: [192.0.2.1]}]", "spec.records[0].name"),
        ("[{name: a, type: CNAME, values: [b.example, c.example]}]", "spec.records[0].values"),
        ("[{name: a, type: MX, values: [10 mail]}]", "spec.records[0].values[0]"),
        ("[{name: a, type: CNAME, values: [a.comune.fano.example]}]", "spec.records[0]"),
        (
            "[{name: a, type: CNAME, values: [b.example]}, {name: b, type: MX, values: [10 a.comune.fano.example]}]",
            "spec.records[1]",
        ),
        ("[{name: a, type: DS, values: ['1 13 4 00']}]", "spec.records[0].values[0]"),
        ("[{name: '@', type: DS, values: ['1 13 1 0000000000000000000000000000000000000000']}]", "spec.records[0]"),
        ("[{name: a, type: DS, values: ['1 13 1 0000000000000000000000000000000000000000']}]", "spec.records[0]"),
        ("[{name: '*', type: NS, values: [ns.d.example]}]", "spec.records[0]"),
        ("[{name: d, type: NS, values: [ns.d.example]}, {name: d, type: TXT, values: [x]}]", "spec.records[1]"),
        ("[{name: a, type: HTTPS, values: [0 b.example, 1 .]}]", "spec.records[0].values"),
        ("[{name: a, type: TYPE39, values: ['\\# 1 00']}]", "spec.records[0].values[0]"),
    ] {
        let told = problems(&with(&domain(&format!("{{records: {records}}}"))));
        assert_eq!(told, [format!("error Invalid Domain t-fano/comune.fano.example {field}")], "{records}");
    }
    let glue = "[{name: d, type: NS, values: [ns.d.comune.fano.example]}, {name: ns.d, type: A, values: [192.0.2.1]}]";
    assert_eq!(problems(&with(&domain(&format!("{{records: {glue}}}")))), Vec::<String>::new());
    for hidden in [
        "{name: www.d, type: A, values: [192.0.2.1]}",
        "{name: '*.d', type: AAAA, values: ['2001:db8::1']}",
        "{name: d, type: A, values: [192.0.2.1]}",
    ] {
        let hidden = format!("[{{name: d, type: NS, values: [ns.example.org]}}, {hidden}]");
        assert_eq!(
            problems(&with(&domain(&format!("{{records: {hidden}}}")))),
            ["warning Invalid Domain t-fano/comune.fano.example spec.records[1]"],
            "{hidden}"
        );
    }
    for type_ in ["TXT", "TYPE16"] {
        let octets = format!("[{{name: a, type: {type_}, values: ['\\# 2 0161']}}]");
        assert_eq!(
            problems(&with(&domain(&format!("{{records: {octets}}}")))),
            ["warning Invalid Domain t-fano/comune.fano.example spec.records[0].values[0]"]
        );
    }
    let lost = "[{name: d, type: NS, values: [ns.example.org, ns.d.comune.fano.example]}, {name: ns, type: A, values: [192.0.2.1]}]";
    assert_eq!(
        problems(&with(&domain(&format!("{{records: {lost}}}")))),
        ["warning Invalid Domain t-fano/comune.fano.example spec.records[0]"]
    );
}

#[test]
fn mail_that_others_receive_has_their_records() {
    for (mail, expected) in [
        (
            "{mode: External, provider: Microsoft365, spf: {all: Fail}}",
            &[
                "comune.fano.example MX 0 comune-fano-example.mail.protection.outlook.com.",
                "comune.fano.example TXT \"v=spf1 include:spf.protection.outlook.com -all\"",
                "_dmarc.comune.fano.example TXT \"v=DMARC1; p=none\"",
                "autodiscover.comune.fano.example CNAME autodiscover.outlook.com.",
            ][..],
        ),
        (
            "{mode: External, provider: GoogleWorkspace}",
            &[
                "comune.fano.example MX 1 smtp.google.com.",
                "comune.fano.example TXT \"v=spf1 include:_spf.google.com ~all\"",
                "_dmarc.comune.fano.example TXT \"v=DMARC1; p=none\"",
            ],
        ),
        (
            "{mode: External, hosts: [{name: mx1.example.net}, {name: mx2.example.net, preference: 20}]}",
            &[
                "comune.fano.example MX 10 mx1.example.net.",
                "comune.fano.example MX 20 mx2.example.net.",
                "comune.fano.example TXT \"v=spf1 mx ~all\"",
                "_dmarc.comune.fano.example TXT \"v=DMARC1; p=none\"",
            ],
        ),
    ] {
        let repository = with(&domain(&format!("{{mail: {mail}}}")));
        assert_eq!(records(&zone(&repository, "comune.fano.example")), expected);
    }
    for (mail, field) in [
        ("{mode: External}", "spec.mail"),
        ("{mode: Hosted, provider: Microsoft365}", "spec.mail.provider"),
        ("{mode: None, hosts: [{name: mx1.example.net}]}", "spec.mail.hosts"),
        ("{mode: External, hosts: [{name: mx1}]}", "spec.mail.hosts[0].name"),
    ] {
        let told = problems(&with(&domain(&format!("{{mail: {mail}}}"))));
        assert_eq!(told, [format!("error Invalid Domain t-fano/comune.fano.example {field}")], "{mail}");
    }
}

#[test]
fn certified_mail_is_its_providers() {
    for (pec, expected) in [
        ("{provider: Aruba}", "pec.comune.fano.example MX 10 mx.pec.aruba.it."),
        ("{name: posta, provider: InfoCert}", "posta.comune.fano.example MX 10 mx.cert.legalmail.it."),
        ("{hosts: [{name: mx.pec.example.com, preference: 5}]}", "pec.comune.fano.example MX 5 mx.pec.example.com."),
    ] {
        let repository = with(&domain(&format!("{{pec: {pec}}}")));
        assert_eq!(records(&zone(&repository, "comune.fano.example")), [expected]);
    }
    let nobody = with(&domain("{pec: {name: pec}}"));
    assert_eq!(problems(&nobody), ["error Invalid Domain t-fano/comune.fano.example spec.pec"]);
}

#[test]
fn the_centres_issuers_and_bounds_hold_for_every_zone() {
    let mut settings = support::settings();
    settings.dns.certificate_issuers = vec![support::name("ca.example.net")];
    settings.dns.ttl = cst_compiler::settings::TtlBounds { min: 300, max: 86_400 };
    let with = |spec: &str| support::repository_with(&format!("{TENANT}{}", domain(spec)), settings.clone());
    let bare = with("{}");
    assert_eq!(records(&zone(&bare, "comune.fano.example")), ["comune.fano.example CAA 0 issue \"ca.example.net\""]);
    let own = with("{records: [{name: '@', type: CAA, values: ['0 issue \";\"'], ttl: 60}]}");
    let outcome = zone(&own, "comune.fano.example");
    assert_eq!(records(&outcome), ["comune.fano.example CAA 0 issue \";\""]);
    assert!(outcome.zone.as_ref().unwrap().to_text(1).contains("comune.fano.example. 300 IN CAA"));
    assert_eq!(
        support::told(&outcome.problems),
        ["warning Invalid Domain t-fano/comune.fano.example spec.records[0].ttl"]
    );
}

#[test]
fn what_a_domain_does_not_write_lives_within_the_bounds_too() {
    for (ttl, expected) in [(30, "300"), (604_800, "86400")] {
        let mut settings = support::settings();
        settings.dns.ttl = cst_compiler::settings::TtlBounds { min: 300, max: 86_400 };
        settings.dns.name_servers = vec![support::name("ns1.sub.comune.fano.example")];
        let spec = format!("{{ttl: {ttl}, mail: {{mode: Hosted}}, pec: {{name: pec, provider: Aruba}}}}");
        let below = format!(
            "Domain t-fano/sub.comune.fano.example {{records: [{{name: ns1, type: A, values: [192.0.2.53], ttl: {ttl}}}]}}\n"
        );
        let site = "WebSite t-fano/site {application: Lamp, host: www.comune.fano.example}\n";
        let lines = format!("{TENANT}{}{below}{site}", domain(&spec));
        let outcome = zone(&support::repository_with(&lines, settings), "comune.fano.example");
        let made = outcome.zone.unwrap();
        assert!(made.sets().count() > 5, "{made}");
        let apex = ["SOA", "NS"];
        for set in made.sets().filter(|set| !apex.contains(&set.type_().to_string().as_str())) {
            assert_eq!(set.ttl.to_string(), expected, "{made}");
        }
    }
}

#[test]
fn a_delegation_has_the_ds_and_the_glue_of_the_zone_below() {
    use cst_compiler::compile::{self, ZoneFacts};
    let mut settings = support::settings();
    settings.dns.name_servers = vec![support::name("ns1.sub.comune.fano.example")];
    let server = |zone: &str, name: &str| {
        format!("Domain t-fano/{zone} {{records: [{{name: {name:?}, type: A, values: [192.0.2.53]}}]}}\n")
    };
    let lower = "Domain t-fano/sub.comune.fano.example {}\n";
    let below =
        [server("sub.comune.fano.example", "ns1"), format!("{lower}{}", server("ns1.sub.comune.fano.example", "@"))];
    let text = "12345 13 1 0000000000000000000000000000000000000000";
    let Ok(RecordData::Ds(ds)) = RecordData::from_zone_text(RecordType::DS, text) else { panic!("a DS") };
    let signed = [(support::name("sub.comune.fano.example"), vec![ds])].into();
    let facts = ZoneFacts { below: signed, ..ZoneFacts::hopeful() };
    for below in below {
        let repository = support::repository_with(&format!("{TENANT}{}{below}", domain("{}")), settings.clone());
        let outcome = compile::zone(&repository.index, &support::name("comune.fano.example"), &facts);
        assert_eq!(
            records(&outcome),
            [
                "sub.comune.fano.example NS ns1.sub.comune.fano.example.",
                &format!("sub.comune.fano.example DS {text}"),
                "ns1.sub.comune.fano.example A 192.0.2.53",
            ]
        );
    }
}

#[test]
fn a_zone_that_nobody_declares_any_more_stays_delegated_while_it_is_served() {
    use cst_compiler::compile::{self, ZoneFacts};
    let repository = with(&domain("{}"));
    let facts =
        ZoneFacts { below: [(support::name("sub.comune.fano.example"), Vec::new())].into(), ..ZoneFacts::hopeful() };
    let outcome = compile::zone(&repository.index, &support::name("comune.fano.example"), &facts);
    assert_eq!(records(&outcome).len(), 2, "its NS");
}

#[test]
fn a_delegation_by_hand_to_others_has_no_ds_of_ours() {
    use cst_compiler::compile::{self, ZoneFacts};
    let text = "12345 13 1 0000000000000000000000000000000000000000";
    let Ok(RecordData::Ds(ds)) = RecordData::from_zone_text(RecordType::DS, text) else { panic!("a DS") };
    let facts =
        ZoneFacts { below: [(support::name("sub.comune.fano.example"), vec![ds])].into(), ..ZoneFacts::hopeful() };
    for (server, has_ds) in [("ns.example.org.", false), ("ns1.cst.example.net.", true)] {
        let repository = with(&domain(&format!("{{records: [{{name: sub, type: NS, values: [{server}]}}]}}")));
        let outcome = compile::zone(&repository.index, &support::name("comune.fano.example"), &facts);
        let servers = records(&outcome).into_iter().filter(|record| record.contains(" NS ")).collect::<Vec<_>>();
        assert_eq!(servers, [format!("sub.comune.fano.example NS {server}")]);
        assert_eq!(records(&outcome).iter().any(|record| record.contains(" DS ")), has_ds, "{server}");
    }
}

#[test]
fn a_set_that_name_servers_would_refuse_is_refused_here() {
    let long: Vec<String> = (0..20).map(|n| format!("'{n:x>4000}'")).collect();
    let told =
        problems(&with(&domain(&format!("{{records: [{{name: a, type: TXT, values: [{}]}}]}}", long.join(", ")))));
    assert_eq!(told, ["error Invalid Domain t-fano/comune.fano.example spec.records[0].values"]);
    let many: Vec<String> = (0..100).map(|n| format!("'{n}'")).collect();
    let spec =
        format!("{{mail: {{mode: Hosted}}, records: [{{name: '@', type: TXT, values: [{}]}}]}}", many.join(", "));
    let outcome = zone(&with(&domain(&spec)), "comune.fano.example");
    assert_eq!(
        records(&outcome).iter().filter(|record| record.contains(" TXT ")).count(),
        101,
        "SPF is left out, DMARC is not"
    );
    assert_eq!(
        support::told(&outcome.problems),
        ["warning RecordConflict Domain t-fano/comune.fano.example spec.records"]
    );
}

#[test]
fn the_catalogs_name_is_no_zones() {
    let mut settings = support::settings();
    settings.dns.catalog = support::name("comune.fano.example");
    let repository = support::repository_with(&format!("{TENANT}{}", domain("{}")), settings);
    assert!(zone(&repository, "comune.fano.example").zone.is_none());
    assert_eq!(problems(&repository), ["error NotGranted Domain t-fano/comune.fano.example metadata.name"]);
}

#[test]
fn a_name_that_a_mail_service_cannot_hold_is_told_and_nothing_of_it_published() {
    let zone_name = format!("{}.comune.fano.example", ["abcdefgh"; 6].join("."));
    let domain = |mail: &str| format!("Domain t-fano/long {{zone: {zone_name}, mail: {{{mail}}}}}\n");
    let long = with(&domain("mode: External, provider: Microsoft365"));
    assert_eq!(problems(&long), ["error Invalid Domain t-fano/long spec.mail.provider"]);
    assert!(zone(&long, &zone_name).zone.is_none(), "neither MX nor SPF");
    let hyphen =
        with("Domain t-fano/unione-montana.comune.fano.example {mail: {mode: External, provider: Microsoft365}}\n");
    assert_eq!(
        problems(&hyphen),
        ["error Invalid Domain t-fano/unione-montana.comune.fano.example spec.mail.provider"]
    );
    let hosts = "hosts: [{name: mx1.example.net}]";
    let own = with(&domain(&format!("mode: External, provider: Microsoft365, {hosts}")));
    assert_eq!(problems(&own), Vec::<String>::new());
    assert_eq!(problems(&with(&domain("mode: External, provider: GoogleWorkspace"))), Vec::<String>::new());
}
