//! A signed zone as a zone file, one record a line in canonical order, for `render` and for people.

use std::fmt::Write as _;

use cst_compiler::model::RecordType;
use cst_compiler::published::ZoneVersion;
use data_encoding::{BASE32HEX_NOPAD, BASE64, HEXUPPER};

use crate::rtype;
use crate::served::{Node, ServedSet};
use crate::sign::{SignError, sign};

/// The signed version as a zone file (RFC 1035 §5, RFC 4034 §2.2, §3.2, §4.2): the same version always gives the same text.
pub fn signed_zone_text(version: &ZoneVersion) -> Result<String, SignError> {
    let mut text = String::new();
    let signed = sign(version, None)?;
    for node in signed.nodes.iter().chain(&signed.hashed) {
        for set in &node.sets {
            write_set(&mut text, version, node, set);
        }
    }
    Ok(text)
}

fn write_set(text: &mut String, version: &ZoneVersion, node: &Node, set: &ServedSet) {
    let mut line = |type_name: &str, data: &str| {
        writeln!(text, "{}. {} IN {type_name} {data}", node.name.as_str(), set.ttl).ok();
    };
    let type_name = rtype::name(set.type_number);
    match version.zone.get(&node.name, RecordType::from_number(set.type_number)) {
        Some(records) => records.values().iter().for_each(|value| line(&type_name, &value.to_string())),
        None if set.type_number == rtype::SOA => line(&type_name, &version.zone.soa_data(version.serial).to_string()),
        None => set.data.iter().for_each(|data| line(&type_name, &dnssec_data(set.type_number, data))),
    }
    set.signatures.iter().for_each(|data| line("RRSIG", &dnssec_data(rtype::RRSIG, data)));
}

/// The data of a record that signing made; anything else in the form of RFC 3597 §5.
fn dnssec_data(type_number: u16, data: &[u8]) -> String {
    let known = match type_number {
        rtype::DNSKEY | rtype::CDNSKEY => dnskey(data),
        rtype::CDS => ds(data),
        rtype::NSEC => nsec(data),
        rtype::NSEC3 => nsec3(data),
        rtype::NSEC3PARAM => nsec3param(data),
        rtype::RRSIG => rrsig(data),
        _ => None,
    };
    known.unwrap_or_else(|| format!("\\# {} {}", data.len(), HEXUPPER.encode(data)))
}

fn dnskey(data: &[u8]) -> Option<String> {
    let (flags, rest) = data.split_first_chunk()?;
    let ([protocol, algorithm], key) = rest.split_first_chunk()?;
    Some(format!("{} {protocol} {algorithm} {}", u16::from_be_bytes(*flags), BASE64.encode(key)))
}

fn ds(data: &[u8]) -> Option<String> {
    let (tag, rest) = data.split_first_chunk()?;
    let ([algorithm, digest_type], digest) = rest.split_first_chunk()?;
    Some(format!("{} {algorithm} {digest_type} {}", u16::from_be_bytes(*tag), HEXUPPER.encode(digest)))
}

fn nsec(data: &[u8]) -> Option<String> {
    let (mut text, types) = read_name(data)?;
    write_types(&mut text, types)?;
    Some(text)
}

/// RFC 5155 §3.3; without salt.
fn nsec3(data: &[u8]) -> Option<String> {
    let ([algorithm, flags, high, low, 0, 20], rest) = data.split_first_chunk()? else { return None };
    let (next, types) = rest.split_at_checked(20)?;
    let mut text =
        format!("{algorithm} {flags} {} - {}", u16::from_be_bytes([*high, *low]), BASE32HEX_NOPAD.encode(next));
    write_types(&mut text, types)?;
    Some(text)
}

/// RFC 5155 §4.3; without salt.
fn nsec3param(data: &[u8]) -> Option<String> {
    let [algorithm, flags, high, low, 0] = data else { return None };
    Some(format!("{algorithm} {flags} {} -", u16::from_be_bytes([*high, *low])))
}

/// The types of a bitmap (RFC 4034 §4.1.2).
fn write_types(text: &mut String, mut rest: &[u8]) -> Option<()> {
    while let Some(([window, length], after)) = rest.split_first_chunk() {
        let (bits, after) = after.split_at_checked((*length).into())?;
        for number in (0..=u8::MAX).filter(|n| bits.get(usize::from(n / 8)).is_some_and(|b| b & (0x80 >> (n % 8)) != 0))
        {
            write!(text, " {}", rtype::name(u16::from_be_bytes([*window, number]))).ok();
        }
        rest = after;
    }
    Some(())
}

fn rrsig(data: &[u8]) -> Option<String> {
    let (covered, rest) = data.split_first_chunk()?;
    let ([algorithm, labels], rest) = rest.split_first_chunk()?;
    let (ttl, rest) = rest.split_first_chunk()?;
    let (expiration, rest) = rest.split_first_chunk()?;
    let (inception, rest) = rest.split_first_chunk()?;
    let (tag, rest) = rest.split_first_chunk()?;
    let (signer, signature) = read_name(rest)?;
    Some(format!(
        "{} {algorithm} {labels} {} {} {} {} {signer} {}",
        rtype::name(u16::from_be_bytes(*covered)),
        u32::from_be_bytes(*ttl),
        timestamp(u32::from_be_bytes(*expiration)),
        timestamp(u32::from_be_bytes(*inception)),
        u16::from_be_bytes(*tag),
        BASE64.encode(signature),
    ))
}

/// An uncompressed name of ours, absolute, and what follows it.
fn read_name(data: &[u8]) -> Option<(String, &[u8])> {
    let mut name = String::new();
    let mut rest = data;
    loop {
        let (length, after) = rest.split_first()?;
        if *length == 0 {
            name.push_str(if name.is_empty() { "." } else { "" });
            return Some((name, after));
        }
        let (label, after) = after.split_at_checked((*length).into())?;
        name.push_str(std::str::from_utf8(label).ok()?);
        name.push('.');
        rest = after;
    }
}

/// `YYYYMMDDHHmmSS` in UTC (RFC 4034 §3.2) of seconds since 1970.
fn timestamp(seconds: u32) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The Gregorian date of a day since 1970-01-01, counted in years that begin in March, so that the leap day is the last one.
fn civil(days: u32) -> (u32, u32, u32) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101000000"),
            (951_782_399, "20000228235959"),
            (951_782_400, "20000229000000"),
            (1_078_099_200, "20040301000000"),
            (1_795_424_400, "20261123090000"),
            (u32::MAX, "21060207062815"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }
}
