//! One parameter of a service binding, as text and on the wire (RFC 9460 §2.1, §7, §14.3).

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::BASE64;

use super::super::strings;
use super::super::words::unescape;
use super::Param;

pub(super) const MANDATORY: u16 = 0;
pub(super) const ALPN: u16 = 1;
pub(super) const NO_DEFAULT_ALPN: u16 = 2;
pub(super) const PORT: u16 = 3;
const IPV4_HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6_HINT: u16 = 6;
const DOH_PATH: u16 = 7;
/// RFC 9540 §3: without a value.
const OHTTP: u16 = 8;
/// Numbers of groups, each once (draft-ietf-tls-key-share-prediction).
const TLS_SUPPORTED_GROUPS: u16 = 9;

/// What a key begins with that is written by its number.
const GENERIC: &str = "key";
/// More than any parameter in use has.
const MOST_OCTETS: usize = 4096;

const NAMES: [(u16, &str); 8] = [
    (MANDATORY, "mandatory"),
    (ALPN, "alpn"),
    (NO_DEFAULT_ALPN, "no-default-alpn"),
    (PORT, "port"),
    (IPV4_HINT, "ipv4hint"),
    (ECH, "ech"),
    (IPV6_HINT, "ipv6hint"),
    (DOH_PATH, "dohpath"),
];

/// Names that are read, and written as numbers: not every server knows them.
const READ_NAMES: [(u16, &str); 2] = [(OHTTP, "ohttp"), (TLS_SUPPORTED_GROUPS, "tls-supported-groups")];

/// Reads `key`, `key=value` or `key="value"`; else what would be right.
pub(super) fn read(word: &str) -> Result<(u16, Vec<u8>), &'static str> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    let value = unescape(value).ok_or("a parameter's value is a word or quoted")?;
    let key = number(name).ok_or(
        "its parameters are mandatory, alpn, no-default-alpn, port, ipv4hint, ech, ipv6hint, dohpath, ohttp, tls-supported-groups, or key and a number",
    )?;
    let wire = match key {
        _ if name.starts_with(GENERIC) => generic(key, value),
        TLS_SUPPORTED_GROUPS => std::str::from_utf8(&value)
            .ok()
            .and_then(groups)
            .ok_or("tls-supported-groups lists numbers, each once, such as `tls-supported-groups=29,23`"),
        _ => named(key, value),
    }?;
    if wire.len() > MOST_OCTETS { Err("a parameter has at most 4096 octets") } else { Ok((key, wire)) }
}

/// The value of a parameter in its own form, on the wire.
fn named(key: u16, value: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let text = || std::str::from_utf8(&value).ok();
    match key {
        MANDATORY => {
            text().and_then(mandatory).ok_or("mandatory lists other parameters, such as `mandatory=alpn,port`")
        }
        ALPN => protocols(&value).ok_or("alpn lists protocols, such as `alpn=h2,h3`"),
        NO_DEFAULT_ALPN => Some(value).filter(Vec::is_empty).ok_or("no-default-alpn has no value"),
        PORT => text().and_then(port).ok_or("port is a number up to 65535, such as `port=8443`"),
        IPV4_HINT => text()
            .and_then(addresses::<Ipv4Addr, 4>)
            .ok_or("ipv4hint lists IPv4 addresses, such as `ipv4hint=192.0.2.1`"),
        IPV6_HINT => text()
            .and_then(addresses::<Ipv6Addr, 16>)
            .ok_or("ipv6hint lists IPv6 addresses, such as `ipv6hint=2001:db8::1`"),
        ECH => BASE64.decode(&value).ok().filter(|v| !v.is_empty()).ok_or("ech is base64"),
        DOH_PATH => text()
            .filter(|path| is_doh_path(path))
            .map(|path| path.as_bytes().to_vec())
            .ok_or("dohpath is a path with the variable dns, such as `dohpath=/dns-query{?dns}`"),
        OHTTP => Some(value).filter(Vec::is_empty).ok_or("ohttp (key8) has no value"),
        TLS_SUPPORTED_GROUPS => Some(value).filter(|value| are_groups(value)).ok_or(
            "key9 (tls-supported-groups) has two octets for each group, such as `key9=\\017\\236`, and each once",
        ),
        _ => Ok(value),
    }
}

/// Whether a parameter is written by its name.
pub(super) fn is_named(key: u16) -> bool {
    NAMES.iter().any(|(known, _)| *known == key)
}

fn groups(value: &str) -> Option<Vec<u8>> {
    let groups = value.split(',').map(port).collect::<Option<Vec<_>>>()?.concat();
    are_groups(&groups).then_some(groups)
}

fn are_groups(octets: &[u8]) -> bool {
    let (groups, rest) = octets.as_chunks::<2>();
    rest.is_empty() && !groups.is_empty() && BTreeSet::from_iter(groups).len() == groups.len()
}

/// The value of a parameter written by its number: the octets of the wire, also of one that has a name (RFC 9460 §2.1), in whose form it is
/// then held. Servers refuse a known parameter with another value than it can have.
fn generic(key: u16, value: Vec<u8>) -> Result<Vec<u8>, &'static str> {
    let Some((_, name)) = NAMES.iter().find(|(known, _)| *known == key) else { return named(key, value) };
    let text = Param(key, &value).to_string();
    let octets = text.strip_prefix(name).map(|text| text.strip_prefix('=').unwrap_or(text)).and_then(unescape);
    let is_held = octets.and_then(|octets| named(key, octets).ok()).is_some_and(|held| held == value);
    is_held.then_some(value).ok_or(
        "a parameter that has a name can be written by its number only with the octets that it has on the wire: write it by its name",
    )
}

/// A key by its name, or by its number without leading zeros; 65535 is reserved and never valid (RFC 9460 §14.3.2).
fn number(name: &str) -> Option<u16> {
    if let Some((key, _)) = NAMES.iter().chain(&READ_NAMES).find(|(_, known)| *known == name) {
        return Some(*key);
    }
    let is_number =
        |digits: &&str| digits.bytes().all(|b| b.is_ascii_digit()) && (!digits.starts_with('0') || *digits == "0");
    name.strip_prefix(GENERIC).filter(is_number)?.parse().ok().filter(|key| *key != u16::MAX)
}

/// Distinct keys in ascending order, itself not among them (RFC 9460 §8).
fn mandatory(value: &str) -> Option<Vec<u8>> {
    let mut keys = value.split(',').map(number).collect::<Option<Vec<u16>>>()?;
    keys.sort_unstable();
    let count = keys.len();
    keys.dedup();
    (keys.len() == count && !keys.contains(&MANDATORY)).then(|| keys.into_iter().flat_map(u16::to_be_bytes).collect())
}

/// Names with their length before them; a comma within one is `\,` (RFC 9460 appendix A.1).
fn protocols(value: &[u8]) -> Option<Vec<u8>> {
    let mut names = Vec::from([Vec::new()]);
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' => names.push(Vec::new()),
            b'\\' => names.last_mut()?.push(bytes.next()?),
            _ => names.last_mut()?.push(byte),
        }
    }
    let mut wire = Vec::with_capacity(value.len() + 1);
    for name in names {
        wire.push(u8::try_from(name.len()).ok().filter(|length| *length > 0)?);
        wire.extend(name);
    }
    Some(wire)
}

fn port(value: &str) -> Option<Vec<u8>> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse::<u16>().ok().filter(|_| is_number).map(|port| port.to_be_bytes().to_vec())
}

fn addresses<A: std::str::FromStr + Octets<N>, const N: usize>(value: &str) -> Option<Vec<u8>> {
    let octets =
        value.split(',').map(|address| address.parse::<A>().ok().map(Octets::octets)).collect::<Option<Vec<_>>>()?;
    Some(octets.concat())
}

/// An address of so many octets.
trait Octets<const N: usize> {
    fn octets(self) -> [u8; N];
}

impl Octets<4> for Ipv4Addr {
    fn octets(self) -> [u8; 4] {
        Self::octets(&self)
    }
}

impl Octets<16> for Ipv6Addr {
    fn octets(self) -> [u8; 16] {
        Self::octets(&self)
    }
}

/// A relative URI template with the variable `dns` (RFC 9461 §5).
fn is_doh_path(path: &str) -> bool {
    let is_printable = path.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    path.starts_with('/') && path.ends_with("{?dns}") && is_printable && path.matches(['{', '}']).count() == 2
}

/// Writes what [`read`] reads.
pub(super) fn write(key: u16, value: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match NAMES.iter().find(|(known, _)| *known == key) {
        Some((_, name)) => f.write_str(name)?,
        None => write!(f, "key{key}")?,
    }
    let list = |items: Vec<String>| items.join(",");
    let text = match key {
        MANDATORY => list(value.chunks(2).map(name_of).collect()),
        PORT => value.first_chunk().map(|port| u16::from_be_bytes(*port).to_string()).unwrap_or_default(),
        IPV4_HINT => list(value.as_chunks::<4>().0.iter().map(|octets| Ipv4Addr::from(*octets).to_string()).collect()),
        IPV6_HINT => list(value.as_chunks::<16>().0.iter().map(|octets| Ipv6Addr::from(*octets).to_string()).collect()),
        ECH => BASE64.encode(value),
        ALPN => return write_quoted(&protocol_list(value), f),
        _ if value.is_empty() => return Ok(()),
        _ => return write_quoted(value, f),
    };
    write!(f, "={text}")
}

fn write_quoted(value: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("=")?;
    strings::write_quoted(value, f)
}

fn name_of(key: &[u8]) -> String {
    let key = key.first_chunk().map_or(u16::MAX, |key| u16::from_be_bytes(*key));
    NAMES.iter().find(|(known, _)| *known == key).map_or_else(|| format!("key{key}"), |(_, name)| (*name).to_owned())
}

fn protocol_list(mut wire: &[u8]) -> Vec<u8> {
    let mut list = Vec::with_capacity(wire.len());
    while let Some((length, rest)) = wire.split_first() {
        let Some((name, after)) = rest.split_at_checked((*length).into()) else { break };
        if !list.is_empty() {
            list.push(b',');
        }
        for byte in name {
            if matches!(byte, b',' | b'\\') {
                list.push(b'\\');
            }
            list.push(*byte);
        }
        wire = after;
    }
    list
}
