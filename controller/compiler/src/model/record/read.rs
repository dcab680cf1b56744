//! A record's value from text, each type with its own clear error.

use cst_api::RecordType;

use super::wire::{self, Wire};
use super::words::{self, Words};
use super::{Caa, Ds, Loc, Naptr, RecordData, RecordError, Soa, Sshfp, Svcb, Tlsa, Unknown, Uri};
use super::{caa, loc, naptr, soa, strings, svcb, unknown, uri};

const MAX_TEXT: usize = 4096;

const IPV4: &str = "write an IPv4 address, such as 192.0.2.10";
const IPV6: &str = "write an IPv6 address, such as 2001:db8::10";
const CNAME: &str = "write one name, such as www.example.org";
const NS: &str = "write one host name, such as ns1.example.org";
const PTR: &str = "write one name, such as host.example.org";
const MX: &str = "write a preference and a host name, such as `10 mail.example.org`";
const SRV: &str = "write priority, weight, port and a host name, such as `0 5 5061 sip.example.org`";
const TXT: &str = "write quoted strings";

/// The text itself, as the user means it: no quotes, no escapes.
pub(super) fn user_text(value: &str) -> Result<RecordData, RecordError> {
    if let Some(control) = value.chars().find(|c| c.is_control()) {
        return Err(RecordError::Control(control));
    }
    if value.len() > MAX_TEXT {
        return Err(RecordError::TextTooLong(value.len()));
    }
    Ok(RecordData::Txt(value.as_bytes().to_vec()))
}

/// The right-hand side of a zone-file line, every name in it absolute.
pub(super) fn zone_text(type_: RecordType, value: &str) -> Result<RecordData, RecordError> {
    let mut words = Words::new(type_, value, expected(type_));
    if type_.is_written() && words.peek() == Some(words::GENERIC) {
        return generic(type_, &mut Words::new(type_, value, unknown::EXPECTED));
    }
    own_form(type_, &mut words)
}

fn own_form(type_: RecordType, words: &mut Words<'_>) -> Result<RecordData, RecordError> {
    let data = read(type_, words)?;
    words.end()?;
    Ok(data)
}

/// The form of RFC 3597 §5 of a type that has one of its own, in which it is then held.
fn generic(type_: RecordType, words: &mut Words<'_>) -> Result<RecordData, RecordError> {
    let octets = words.generic()?;
    words.end()?;
    let text = Wire::new(&octets, 0, octets.len()).and_then(|wire| wire::text(type_, wire));
    let read = |text: String| own_form(type_, &mut Words::new(type_, &text, expected(type_)));
    text.map_or_else(|| Err(words.because(unknown::NOT_ITS_FORM)), read)
}

fn read(type_: RecordType, words: &mut Words<'_>) -> Result<RecordData, RecordError> {
    Ok(match type_ {
        RecordType::A => RecordData::A(words.parsed()?),
        RecordType::AAAA => RecordData::Aaaa(words.parsed()?),
        RecordType::CAA => RecordData::Caa(Caa::read(words)?),
        RecordType::CNAME => RecordData::Cname(words.name()?),
        RecordType::DS => RecordData::Ds(Ds::read(words)?),
        RecordType::HTTPS => RecordData::Https(Svcb::read(words)?),
        RecordType::LOC => RecordData::Loc(Loc::read(words)?),
        RecordType::MX => RecordData::Mx(words.number()?, words.host_or_none()?),
        RecordType::NAPTR => RecordData::Naptr(Box::new(Naptr::read(words)?)),
        RecordType::NS => RecordData::Ns(words.host()?),
        RecordType::PTR => RecordData::Ptr(words.name()?),
        RecordType::SOA => RecordData::Soa(Soa::read(words)?),
        RecordType::SRV => RecordData::Srv(words.number()?, words.number()?, words.number()?, words.host_or_none()?),
        RecordType::SSHFP => RecordData::Sshfp(Sshfp::read(words)?),
        RecordType::SVCB => RecordData::Svcb(Svcb::read(words)?),
        RecordType::TLSA => RecordData::Tlsa(Tlsa::read(words)?),
        RecordType::TXT => RecordData::Txt(strings::read(words)?),
        RecordType::URI => RecordData::Uri(Uri::read(words)?),
        _ => RecordData::Unknown(Unknown::read(type_, words)?),
    })
}

fn expected(type_: RecordType) -> &'static str {
    match type_ {
        RecordType::A => IPV4,
        RecordType::AAAA => IPV6,
        RecordType::CAA => caa::EXPECTED,
        RecordType::CNAME => CNAME,
        RecordType::DS => Ds::EXPECTED,
        RecordType::HTTPS | RecordType::SVCB => svcb::EXPECTED,
        RecordType::LOC => loc::EXPECTED,
        RecordType::MX => MX,
        RecordType::NAPTR => naptr::EXPECTED,
        RecordType::NS => NS,
        RecordType::PTR => PTR,
        RecordType::SOA => soa::EXPECTED,
        RecordType::SRV => SRV,
        RecordType::SSHFP => Sshfp::EXPECTED,
        RecordType::TLSA => Tlsa::EXPECTED,
        RecordType::TXT => TXT,
        RecordType::URI => uri::EXPECTED,
        _ => unknown::EXPECTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DEF1D8F8BBBAA2A5B43FC1D4B1";

    fn printed(type_: RecordType, value_text: &str) -> String {
        RecordData::from_value(type_, value_text).unwrap().to_string()
    }

    #[test]
    fn values_become_zone_file_text() {
        for (type_, written, expected) in [
            (RecordType::A, "192.0.2.10", "192.0.2.10"),
            (RecordType::AAAA, "2001:DB8:0::10", "2001:db8::10"),
            (RecordType::MX, "10 Mail.Example.ORG.", "10 mail.example.org."),
            (RecordType::MX, "0 .", "0 ."),
            (RecordType::CNAME, "_a.example.org", "_a.example.org."),
            (RecordType::SRV, "0 5 5061 sip.example.org", "0 5 5061 sip.example.org."),
            (RecordType::CAA, "0 issue \"ca.example.net\"", "0 issue \"ca.example.net\""),
            (RecordType::CAA, "128 ISSUE ca.example.net; a=b", "128 issue \"ca.example.net; a=b\""),
            (RecordType::CAA, "0  issue\t \";\"", "0 issue \";\""),
            (RecordType::TXT, r#"v=DKIM1; p="\"#, r#""v=DKIM1; p=\"\\""#),
            (RecordType::TXT, "", r#""""#),
            (RecordType::TXT, "è", r#""\195\168""#),
            (RecordType::DS, &format!("12345 13 2 {DIGEST}"), &format!("12345 13 2 {DIGEST}")),
            (
                RecordType::DS,
                &format!("1 8 2 {} {}", &DIGEST[..32], DIGEST[32..].to_lowercase()),
                &format!("1 8 2 {DIGEST}"),
            ),
            (RecordType::DS, &format!("1 RSASHA256 2 {DIGEST}"), &format!("1 8 2 {DIGEST}")),
            (RecordType::DS, &format!("1 ecdsap256sha256 2 {DIGEST}"), &format!("1 13 2 {DIGEST}")),
            (RecordType::MX, r"\# 7 000A 0161 0162 00", "10 a.b."),
            (RecordType::A, r"\# 4 C000020A", "192.0.2.10"),
            (RecordType::from_number(13), r"\# 4 01610162", r"\# 4 01610162"),
            (RecordType::from_number(17), r"\# 4 01410000", r"\# 4 01610000"),
            (RecordType::from_number(99), r"\# 7 06763d73706631", r"\# 7 06763D73706631"),
            (RecordType::SSHFP, &format!("4 2 {DIGEST}"), &format!("4 2 {DIGEST}")),
            (RecordType::TLSA, &format!("3 1 1 {DIGEST}"), &format!("3 1 1 {DIGEST}")),
            (RecordType::TLSA, "2 0 0 30820122", "2 0 0 30820122"),
            (RecordType::LOC, "43 43 33 N 12 38 11 E 485m", "43 43 33.000 N 12 38 11.000 E 485.00m 1m 10000m 10m"),
            (RecordType::LOC, "42 21 54.5 S 71 W -24 30m 1m 2.5m", "42 21 54.500 S 71 0 0.000 W -24.00m 30m 1m 2m"),
            (
                RecordType::NAPTR,
                r#"100 10 "s" "SIP+D2U" "" _sip._udp.example.org"#,
                r#"100 10 "s" "SIP+D2U" "" _sip._udp.example.org."#,
            ),
            (
                RecordType::NAPTR,
                r#"1 2 u E2U+sip "!^(.*)$!sip:\\1@example.org!i" ."#,
                r#"1 2 "u" "E2U+sip" "!^(.*)$!sip:\\1@example.org!i" ."#,
            ),
            (RecordType::URI, r#"10 1 "https://www.example.org/a?b=c""#, r#"10 1 "https://www.example.org/a?b=c""#),
            (RecordType::HTTPS, "1 . alpn=h2,h3 port=8443", r#"1 . alpn="h2,h3" port=8443"#),
            (RecordType::HTTPS, "0 www.example.org", "0 www.example.org."),
            (
                RecordType::SVCB,
                r#"16 dns.example.org ipv6hint=2001:db8::1 mandatory=port,alpn no-default-alpn alpn="a\\,b" ipv4hint=192.0.2.1,192.0.2.2 port=53 ech=AQI= dohpath=/q{?dns}"#,
                r#"16 dns.example.org. mandatory=alpn,port alpn="a\\,b" no-default-alpn port=53 ipv4hint=192.0.2.1,192.0.2.2 ech=AQI= ipv6hint=2001:db8::1 dohpath="/q{?dns}""#,
            ),
            (
                RecordType::HTTPS,
                r#"1 . key7="/q{?dns}" key1=\002h2\002h3 key3=\032\251 key0=\000\001 key2 key4=\192\000\002\001"#,
                r#"1 . mandatory=alpn alpn="h2,h3" no-default-alpn port=8443 ipv4hint=192.0.2.1 dohpath="/q{?dns}""#,
            ),
            (RecordType::SVCB, "1 . key667=hello", r"\# 12 000100029B000568656C6C6F"),
            (RecordType::HTTPS, r"1 . key8 key9=\017\236", r"\# 13 000100000800000009000211EC"),
            (RecordType::HTTPS, "1 . ohttp tls-supported-groups=4588", r"\# 13 000100000800000009000211EC"),
            (
                RecordType::HTTPS,
                "1 . mandatory=ohttp,tls-supported-groups ohttp tls-supported-groups=29,23",
                r"\# 23 00010000000004000800090008000000090004001D0017",
            ),
            (
                RecordType::SVCB,
                "1 . mandatory=port,key2 key2 alpn=h2 port=53",
                r#"1 . mandatory=no-default-alpn,port alpn="h2" no-default-alpn port=53"#,
            ),
            (RecordType::LOC, "0 N 0 W -100000m", r"\# 16 00121613800000008000000000000000"),
            (RecordType::LOC, "0 N 0 W -99999.99m", "0 0 0.000 N 0 0 0.000 E -99999.99m 1m 10000m 10m"),
            (RecordType::HTTPS, "1 . mandatory=key1 alpn=h2", r#"1 . mandatory=alpn alpn="h2""#),
            (RecordType::from_number(65_280), r"\# 3 0a 00 ff", r"\# 3 0A00FF"),
            (RecordType::from_number(65_280), r"\# 0", r"\# 0"),
            (RecordType::OPENPGPKEY, r"\# 2 0102", r"\# 2 0102"),
        ] {
            assert_eq!(printed(type_, written), expected);
            let data = RecordData::from_value(type_, written).unwrap();
            assert_eq!(RecordData::from_zone_text(type_, expected), Ok(data), "reads back");
        }
    }

    /// RFC 9460 appendix D.2 and RFC 1876's `SW1A2AA` place.
    #[test]
    fn the_wire_forms_of_the_rfcs() {
        for (type_, written, expected) in [
            (RecordType::SVCB, "0 foo.example.com.", "000003666F6F076578616D706C6503636F6D00"),
            (RecordType::SVCB, "1 .", "000100"),
            (RecordType::SVCB, "16 foo.example.com. port=53", "001003666F6F076578616D706C6503636F6D00000300020035"),
            (
                RecordType::SVCB,
                "1 foo.example.com. key667=hello",
                "000103666F6F076578616D706C6503636F6D00029B000568656C6C6F",
            ),
            (
                RecordType::SVCB,
                r#"1 foo.example.com. key667="hello\210qoo""#,
                "000103666F6F076578616D706C6503636F6D00029B000968656C6C6FD2716F6F",
            ),
            (
                RecordType::SVCB,
                r#"1 foo.example.com. ipv6hint="2001:db8::1,2001:db8::53:1""#,
                "000103666F6F076578616D706C6503636F6D000006002020010DB800000000000000000000000120010DB8000000000000000000530001",
            ),
            (
                RecordType::SVCB,
                r"16 foo.example.org. alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1",
                "001003666F6F076578616D706C65036F7267000000000400010004000100090268320568332D313900040004C0000201",
            ),
            (
                RecordType::SVCB,
                r#"16 foo.example.org. alpn="f\\\\oo\\,bar,h2""#,
                "001003666F6F076578616D706C65036F726700000100 0C08665C6F6F2C626172026832",
            ),
            (RecordType::LOC, "0 N 0 W 0", "00121613800000008000000000989680"),
            (RecordType::CAA, "128 issue ca.example.net", "80056973737565 63612E6578616D706C652E6E6574"),
            (RecordType::URI, "10 1 a:b", "000A0001613A62"),
            (RecordType::from_number(65_280), r"\# 1 7F", "7F"),
            // Only the name in it is compared without its case.
            (RecordType::from_number(18), r"\# 5 4142014100", "4142016100"),
        ] {
            let mut wire = Vec::new();
            RecordData::from_value(type_, written).unwrap().write_wire(&mut wire);
            assert_eq!(data_encoding::HEXUPPER.encode(&wire), expected.replace(' ', ""), "{written}");
        }
    }

    #[test]
    fn long_text_is_split_and_read_back() {
        let text = "x".repeat(4000);
        let data = RecordData::from_value(RecordType::TXT, &text).unwrap();
        assert_eq!(data.to_string().matches("\" \"").count(), 15);
        assert_eq!(zone_text(RecordType::TXT, &data.to_string()).unwrap(), data);
        let mut wire = Vec::new();
        data.write_wire(&mut wire);
        assert_eq!(wire.len(), 4000 + 16);
    }

    #[test]
    fn refuses_what_the_type_refuses() {
        for (type_, written) in [
            (RecordType::A, "192.0.2.256"),
            (RecordType::A, "2001:db8::1"),
            (RecordType::A, "192.0.2.1 192.0.2.2"),
            (RecordType::A, ""),
            (RecordType::AAAA, "192.0.2.1"),
            (RecordType::MX, "mail.example.org"),
            (RecordType::MX, "10 192.0.2.1"),
            (RecordType::MX, "70000 a.b"),
            (RecordType::MX, "10 _a.example.org"),
            (RecordType::NS, "192.0.2.1"),
            (RecordType::CNAME, "a b"),
            (RecordType::SRV, "0 5 sip.example.org"),
            (RecordType::CAA, "1 issue x"),
            (RecordType::CAA, "0 is-sue x"),
            (RecordType::CAA, "0 issue"),
            (RecordType::TXT, "a\nb"),
            (RecordType::TXT, "a\u{0}b"),
            (RecordType::PTR, "a\"b.example"),
            (RecordType::DS, "12345 13 2 00"),
            (RecordType::DS, &format!("12345 13 3 {DIGEST}")),
            (RecordType::DS, &format!("12345 13 2 {DIGEST}0")),
            (RecordType::SSHFP, &format!("5 2 {DIGEST}")),
            (RecordType::SSHFP, &format!("4 1 {DIGEST}")),
            (RecordType::TLSA, &format!("4 1 1 {DIGEST}")),
            (RecordType::TLSA, &format!("3 1 2 {DIGEST}")),
            (RecordType::TLSA, "3 1 0"),
            (RecordType::LOC, "91 N 0 E 0"),
            (RecordType::LOC, "90 0 1 N 0 E 0"),
            (RecordType::LOC, "0 60 N 0 E 0"),
            (RecordType::LOC, "0 0 60 N 0 E 0"),
            (RecordType::LOC, "0 0 0 0 N 0 E 0"),
            (RecordType::LOC, "N 0 E 0"),
            (RecordType::LOC, "0 N 0 E"),
            (RecordType::LOC, "0 N 0 E -100001m"),
            (RecordType::LOC, "0 N 0 E 0 1m 1m 1m 1m"),
            (RecordType::LOC, "0 N 0 E 0 99999999999m"),
            (RecordType::NAPTR, "100 10 s x y"),
            (RecordType::NAPTR, r#"100 10 "s!" "x" "" ."#),
            (RecordType::NAPTR, r#"100 10 "u" "x" "!(!b!" ."#),
            (RecordType::URI, "10 1 \"\""),
            (RecordType::URI, "10 1 www.example.org"),
            (RecordType::URI, "10 https://www.example.org/"),
            (RecordType::from_number(65_280), "0A00FF"),
            (RecordType::from_number(65_280), r"\# 2 0A"),
            (RecordType::MX, r"\# 2 000A"),
            (RecordType::MX, r"\# 3 000A"),
            (RecordType::CNAME, r"\# 3 016100 00"),
            (RecordType::from_number(13), r"\# 2 0161"),
            (RecordType::from_number(17), r"\# 3 016100"),
            (RecordType::from_number(17), r"\# 4 016100C0"),
            (RecordType::from_number(99), r"\# 0"),
            (RecordType::from_number(99), r"\# 2 0261"),
            (RecordType::from_number(18), r"\# 1 00"),
            (RecordType::from_number(18), r"\# 2 0001"),
            (RecordType::from_number(18), r"\# 4 00010161"),
            (RecordType::from_number(18), r"\# 4 0001C000"),
            (RecordType::from_number(42), r"\# 5 0001016100"),
            (RecordType::DS, "1 RSASHA 2 00"),
            (RecordType::from_number(65_280), r"\# 1"),
            (RecordType::DNAME, r"\# 1 00"),
            (RecordType::RRSIG, r"\# 1 00"),
            (RecordType::SMIMEA, r"\# 1 00"),
            (RecordType::from_number(255), r"\# 1 00"),
            (RecordType::from_number(0), r"\# 1 00"),
        ] {
            assert!(RecordData::from_value(type_, written).is_err(), "{type_:?} {written:?}");
        }
        assert_eq!(RecordData::from_value(RecordType::TXT, &"x".repeat(4097)), Err(RecordError::TextTooLong(4097)));
    }

    #[test]
    fn refuses_what_a_service_binding_refuses() {
        for written in [
            "www.example.org",
            "0 .",
            "0 www.example.org alpn=h2",
            "1 . alpn",
            "1 . alpn=h2 alpn=h3",
            "1 . alpn=h2,,h3",
            "1 . no-default-alpn",
            "1 . mandatory=alpn",
            "1 . mandatory=mandatory",
            "1 . mandatory=alpn,alpn alpn=h2",
            "1 . port=+53",
            "1 . ipv4hint=2001:db8::1",
            "1 . ipv4hint=",
            "1 . ech=x",
            "1 . dohpath=/q",
            "1 . key1=h2",
            "1 . mandatory=alpn,port alpn=h2 port=53",
            "1 . mandatory=key2 alpn=h2 no-default-alpn",
            "1 . key8=x",
            "1 . key9",
            "1 . key9=xxxx",
            "1 . key9=xyz",
            "1 . ohttp=1",
            "1 . tls-supported-groups",
            "1 . tls-supported-groups=29,29",
            "1 . tls-supported-groups=65536",
            "1 . key7=/q",
            r"1 . key3=\000\053\000",
            r"1 . key3=\053",
            "1 . key3",
            r"1 . key03=\000\053",
            r"1 . key0=\000\003\000\001 alpn=h2 port=53",
            r"1 . key2=x alpn=h2",
            "1 . dohpath=/q{?dns} key7=/q{?dns}",
            r"1 . key1=\002h3 alpn=h2",
            "1 . mandatory=key1,alpn alpn=h2",
            "1 . key65535=x",
            "1 . colour=red",
            "1 . key667=\"x",
        ] {
            assert!(RecordData::from_value(RecordType::HTTPS, written).is_err(), "{written:?}");
        }
    }
}
