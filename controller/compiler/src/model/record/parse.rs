//! A record's value from text, each type with its own clear error.

use cst_api::RecordType;

use super::text;
use super::{Caa, RecordData, RecordError, Soa};
use crate::model::name::DomainName;
use crate::model::shown;

const MAX_TEXT: usize = 4096;

pub(super) fn value(type_: RecordType, value: &str) -> Result<RecordData, RecordError> {
    match type_ {
        RecordType::TXT => user_text(value),
        RecordType::A => typed("A", value),
        RecordType::AAAA => typed("AAAA", value),
        RecordType::CAA => typed("CAA", value),
        RecordType::CNAME => typed("CNAME", value),
        RecordType::MX => typed("MX", value),
        RecordType::NS => typed("NS", value),
        RecordType::PTR => typed("PTR", value),
        RecordType::SRV => typed("SRV", value),
    }
}

pub(super) fn zone_text(type_name: &str, value: &str) -> Result<RecordData, RecordError> {
    match type_name {
        "TXT" => text::read_strings(value).map(RecordData::Txt).ok_or_else(|| form("TXT", value, "quoted strings")),
        "SOA" => soa(value),
        known => typed(known, value),
    }
}

fn typed(type_name: &str, value: &str) -> Result<RecordData, RecordError> {
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    match (type_name, fields.as_slice()) {
        ("A", [address]) => address.parse().map(RecordData::A).map_err(|_| form("A", value, IPV4)),
        ("A", _) => Err(form("A", value, IPV4)),
        ("AAAA", [address]) => address.parse().map(RecordData::Aaaa).map_err(|_| form("AAAA", value, IPV6)),
        ("AAAA", _) => Err(form("AAAA", value, IPV6)),
        ("CNAME", [target]) => Ok(RecordData::Cname(name(value, target)?)),
        ("CNAME", _) => Err(form("CNAME", value, "write one name, such as www.example.org")),
        ("NS", [target]) => Ok(RecordData::Ns(host("NS", value, target)?)),
        ("NS", _) => Err(form("NS", value, "write one host name, such as ns1.example.org")),
        ("PTR", [target]) => Ok(RecordData::Ptr(name(value, target)?)),
        ("PTR", _) => Err(form("PTR", value, "write one name, such as host.example.org")),
        ("MX", fields) => mx(value, fields),
        ("SRV", fields) => srv(value, fields),
        ("CAA", _) => caa(value),
        _ => Err(form("", value, "this type is not known here")),
    }
}

const IPV4: &str = "write an IPv4 address, such as 192.0.2.10";
const IPV6: &str = "write an IPv6 address, such as 2001:db8::10";
const MX: &str = "write a preference and a host name, such as `10 mail.example.org`";
const SRV: &str = "write priority, weight, port and a host name, such as `0 5 5061 sip.example.org`";
const CAA: &str = "write flags (0 or 128), a tag and a quoted value, such as `0 issue \"ca.example.net\"`";

fn mx(value: &str, fields: &[&str]) -> Result<RecordData, RecordError> {
    let [preference, exchange] = fields else { return Err(form("MX", value, MX)) };
    let preference = preference.parse().map_err(|_| form("MX", value, MX))?;
    let exchange = if *exchange == "." { DomainName::ROOT } else { host("MX", value, exchange)? };
    Ok(RecordData::Mx(preference, exchange))
}

fn srv(value: &str, fields: &[&str]) -> Result<RecordData, RecordError> {
    let [priority, weight, port, target] = fields else { return Err(form("SRV", value, SRV)) };
    let number = |text: &str| text.parse::<u16>().map_err(|_| form("SRV", value, SRV));
    let target = if *target == "." { DomainName::ROOT } else { host("SRV", value, target)? };
    Ok(RecordData::Srv(number(priority)?, number(weight)?, number(port)?, target))
}

fn caa(value: &str) -> Result<RecordData, RecordError> {
    let wrong = || form("CAA", value, CAA);
    let (flags, rest) = value.trim().split_once([' ', '\t']).ok_or_else(wrong)?;
    let (tag, rest) = rest.trim_start().split_once([' ', '\t']).ok_or_else(wrong)?;
    let flags = flags.parse().ok().filter(|f| matches!(f, 0 | 128)).ok_or_else(wrong)?;
    let tag = tag.to_ascii_lowercase();
    let tag_is_right = (1..=15).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    let bytes = if rest.trim_start().starts_with('"') {
        text::read_strings(rest)
    } else {
        Some(rest.trim().as_bytes().to_vec())
    };
    let value = bytes.and_then(|b| String::from_utf8(b).ok()).ok_or_else(wrong)?;
    let value_is_right = value.len() <= 255 && value.bytes().all(|b| (b' '..=b'~').contains(&b));
    if tag_is_right && value_is_right { Ok(RecordData::Caa(Caa { flags, tag, value })) } else { Err(wrong()) }
}

fn soa(value: &str) -> Result<RecordData, RecordError> {
    let wrong = || form("SOA", value, "mname rname serial refresh retry expire minimum");
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    let [mname, rname, numbers @ ..] = fields.as_slice() else { return Err(wrong()) };
    let numbers: Vec<u32> = numbers.iter().map(|n| n.parse().map_err(|_| wrong())).collect::<Result<_, _>>()?;
    let [serial, refresh, retry, expire, minimum] = numbers[..] else { return Err(wrong()) };
    let (mname, rname) = (name(value, mname)?, name(value, rname)?);
    Ok(RecordData::Soa(Soa { mname, rname, serial, refresh, retry, expire, minimum }))
}

/// The text itself, as the user means it: no quotes, no escapes.
fn user_text(value: &str) -> Result<RecordData, RecordError> {
    if let Some(control) = value.chars().find(|c| c.is_control()) {
        return Err(RecordError::Control(control));
    }
    if value.len() > MAX_TEXT {
        return Err(RecordError::TextTooLong(value.len()));
    }
    Ok(RecordData::Txt(value.as_bytes().to_vec()))
}

fn name(value: &str, text: &str) -> Result<DomainName, RecordError> {
    DomainName::parse(text).map_err(|source| RecordError::Name { value: shown(value), source })
}

/// A name that must be a host's; an address in its place is the common mistake.
fn host(type_: &'static str, value: &str, text: &str) -> Result<DomainName, RecordError> {
    let name = name(value, text)?;
    if text.trim_end_matches('.').parse::<std::net::Ipv4Addr>().is_ok() {
        return Err(form(
            type_,
            value,
            "its target is a host name, never an address: give the host an A record and name it here",
        ));
    }
    if name.is_host_name() {
        Ok(name)
    } else {
        Err(form(type_, value, "its target must be a host name (letters, digits, inner hyphens)"))
    }
}

fn form(type_: &'static str, value: &str, expected: &'static str) -> RecordError {
    RecordError::Form { type_, value: shown(value), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(type_: RecordType, value_text: &str) -> String {
        value(type_, value_text).unwrap().to_string()
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
        ] {
            assert_eq!(printed(type_, written), expected);
        }
    }

    #[test]
    fn long_text_is_split_and_read_back() {
        let text = "x".repeat(4000);
        let data = value(RecordType::TXT, &text).unwrap();
        assert_eq!(data.to_string().matches("\" \"").count(), 15);
        assert_eq!(zone_text("TXT", &data.to_string()).unwrap(), data);
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
        ] {
            assert!(value(type_, written).is_err(), "{type_:?} {written:?}");
        }
        assert_eq!(value(RecordType::TXT, &"x".repeat(4097)), Err(RecordError::TextTooLong(4097)));
    }
}
