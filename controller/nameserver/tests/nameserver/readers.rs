//! Zone files as they are written here, read by the servers of others: each takes all of them, and for the same records.

use cst_compiler::import::read_zone_file;
use cst_compiler::model::{RecordData, RecordSet, RecordType, Zone};

use crate::support::{Software, full_zone, name, run, zone};

const ALL: [Software; 4] = [Software::Bind918, Software::Bind920, Software::Nsd, Software::Knot];

/// The ends of what a type can hold, as users write them.
const ENDS: [(RecordType, &str); 29] = [
    (RecordType::LOC, "90 N 180 E -100000m"),
    (RecordType::LOC, "90 S 180 W -99999.99m"),
    (RecordType::LOC, "0 0 0.001 N 0 59 59.999 W 42849672.95m 0 90000000m 0.01m"),
    (RecordType::LOC, "43 43 33 N 12 38 11 E -0.25m"),
    (RecordType::HTTPS, "1 . mandatory=alpn,key4 alpn=h2 port=8443 ipv4hint=192.0.2.1"),
    (RecordType::HTTPS, "1 . alpn=h2 no-default-alpn port=0"),
    (RecordType::HTTPS, "65535 svc.example.net ech=AQI= ipv6hint=::,::ffff:192.0.2.1"),
    (RecordType::HTTPS, "0 svc.example.net"),
    (RecordType::HTTPS, r#"1 . alpn="a\\,b,c\\\\d,\200""#),
    (RecordType::HTTPS, r#"1 . alpn="a\"b,c;d,e f,(g)""#),
    (RecordType::HTTPS, "1 . key7=/dns-query{?dns}"),
    (RecordType::HTTPS, r#"1 . key667="\000 \"\\;()\255""#),
    (RecordType::HTTPS, "1 . key65534"),
    (RecordType::SVCB, "1 . mandatory=no-default-alpn,port alpn=dot no-default-alpn port=853"),
    (RecordType::SVCB, "1 dns.example.net mandatory=dohpath,key667 alpn=h2 dohpath=/q{?dns} key667=x"),
    (RecordType::NAPTR, r#"0 65535 "" "" "" ."#),
    (RecordType::NAPTR, r#"1 2 "u" "E2U+sip" "!^(.*)$!sip:\\1@example.org!i" ."#),
    (RecordType::CAA, "128 issue \";\""),
    (RecordType::CAA, r#"0 iodef "mailto:a\"b@example.org""#),
    (RecordType::MX, "0 ."),
    (RecordType::SRV, "65535 0 0 ."),
    (RecordType::URI, r#"0 65535 "a:\"b\\c""#),
    (RecordType::TXT, ""),
    (RecordType::TXT, "\"; ( ) \\ $ @ è \\010"),
    (RecordType::TLSA, "0 0 0 00"),
    (
        RecordType::DS,
        "1 8 4 000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
    ),
    (RecordType::AAAA, "::"),
    (RecordType::PTR, "*.0/25.2.0.192.in-addr.arpa"),
    (RecordType::from_number(65_280), r"\# 0"),
];

/// A zone with each of the values at a name of its own.
fn zone_of(apex: &str, values: &[(RecordType, &str)]) -> Zone {
    let mut zone = zone(apex, &[]);
    for (number, (type_, written)) in values.iter().enumerate() {
        let value = RecordData::from_value(*type_, written).unwrap_or_else(|error| panic!("{error}"));
        let owner = name(&format!("v{number}.{apex}"));
        if *type_ == RecordType::DS {
            let server = RecordData::Ns(name("ns.example.net"));
            zone.insert(RecordSet::new(owner.clone(), 300, vec![server]).unwrap());
        }
        zone.insert(RecordSet::new(owner, 300, vec![value]).unwrap());
    }
    zone
}

/// What a server's checker prints of the zone.
fn printed(software: Software, zone: &Zone) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), zone.to_text(1)).unwrap();
    run(&mut software.checker(zone.apex().as_str(), file.path())).stdout
}

/// Every server takes the zone for what it is.
fn read_by_all(zone: &Zone) {
    for software in ALL {
        let text = printed(software, zone);
        let read = read_zone_file(&format!("{software:?}"), &text, Some(zone.apex()));
        assert_eq!(read.problems, [], "{}", String::from_utf8_lossy(&text));
        assert_eq!(read.zone.unwrap().zone.to_text(1), zone.to_text(1), "{software:?}");
    }
}

#[test]
fn bind_nsd_and_knot_read_one_of_everything_alike() {
    read_by_all(&full_zone("comune.urbino.pu.it"));
}

#[test]
fn bind_nsd_and_knot_read_the_ends_of_each_type_alike() {
    read_by_all(&zone_of("ends.example", &ENDS));
}

#[test]
fn parameters_that_only_some_servers_have_a_name_for_are_read_by_all() {
    let values = [(RecordType::HTTPS, "1 . alpn=h2 key8"), (RecordType::HTTPS, r"1 . key9=\017\236\001\000")];
    let zone = zone_of("named.example", &values);
    for software in ALL {
        let text = String::from_utf8(printed(software, &zone)).unwrap();
        let is_said = match software {
            Software::Nsd => text.contains("h2\" ohttp") && text.contains("tls-supported-groups=4588,256"),
            Software::Knot => text.contains("h2\" ohttp") && text.contains(r#"key9="\017\236\001\000""#),
            _ => text.contains("key8") && text.contains(r#"key9="\017\236\001\000""#),
        };
        assert!(is_said, "{software:?}: {text}");
    }
}
