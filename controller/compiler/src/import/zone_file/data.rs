//! The right-hand side of a record: its names completed, its times in seconds, then read as everywhere else.

use cst_api::RecordType;
use data_encoding::HEXLOWER_PERMISSIVE;

use super::lexer::Word;
use super::{name, ttl};
use crate::model::record::wire::{self, Wire};
use crate::model::{DomainName, RecordData};

/// Why there is no data.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoData {
    /// No server would read it.
    Wrong(String),
    /// Servers may take it, but it cannot be held here.
    NotHeld(String),
}

/// Reads the data of a record whose relative names are completed with `origin`.
pub(super) fn read(type_: RecordType, words: &[Word<'_>], origin: Option<&DomainName>) -> Result<RecordData, NoData> {
    let text = match words.split_first() {
        Some((first, rest)) if first.raw == b"\\#" && type_.is_written() => generic(type_, rest)?,
        _ => completed(type_, words, origin)?,
    };
    RecordData::from_zone_text(type_, &text).map_err(|error| NoData::NotHeld(error.to_string()))
}

/// Whether a text's strings are cut elsewhere than where they will be: at 255 octets.
pub(super) fn is_cut_anew(type_: RecordType, words: &[Word<'_>]) -> bool {
    let [parts @ .., _] = words else { return false };
    let is_full = |word: &Word<'_>| octets(word) == 255;
    type_ == RecordType::TXT && !parts.iter().all(is_full)
}

/// How many octets a character string has.
fn octets(word: &Word<'_>) -> usize {
    let inner = word.raw.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(word.raw);
    let (mut count, mut rest) = (0, inner);
    while let Some((first, after)) = rest.split_first() {
        let escaped = if after.first().is_some_and(u8::is_ascii_digit) { 3 } else { 1 };
        rest = if *first == b'\\' { after.get(escaped..).unwrap_or_default() } else { after };
        count += 1;
    }
    count
}

/// Which words are names.
fn names(type_: RecordType) -> &'static [usize] {
    match type_ {
        RecordType::CNAME | RecordType::NS | RecordType::PTR => &[0],
        RecordType::MX | RecordType::HTTPS | RecordType::SVCB => &[1],
        RecordType::SOA => &[0, 1],
        RecordType::SRV => &[3],
        RecordType::NAPTR => &[5],
        _ => &[],
    }
}

fn completed(type_: RecordType, words: &[Word<'_>], origin: Option<&DomainName>) -> Result<String, NoData> {
    let mut text = String::new();
    for (position, word) in words.iter().enumerate() {
        // `alpn="h2,h3"` is one word of a service binding.
        let is_one = word.is_adjacent && matches!(type_, RecordType::HTTPS | RecordType::SVCB) && text.ends_with('=');
        if position > 0 && !is_one {
            text.push(' ');
        }
        text += &match type_ {
            _ if names(type_).contains(&position) => completed_name(type_, position, word, origin)?,
            RecordType::SOA if position > 2 => in_seconds(word)?,
            _ => word.text(),
        };
    }
    Ok(text)
}

fn completed_name(
    type_: RecordType,
    position: usize,
    word: &Word<'_>,
    origin: Option<&DomainName>,
) -> Result<String, NoData> {
    match name::absolute(word, origin) {
        Ok(name) if name == DomainName::ROOT => Ok(".".into()),
        Ok(name) => Ok(format!("{name}.")),
        // A hostmaster with a dot in the address: the settings have another one, so it need not be held.
        Err(error) if error.is_legal() && type_ == RecordType::SOA && position == 1 => Ok("invalid.".into()),
        Err(error) if error.is_legal() => Err(NoData::NotHeld(error.to_string())),
        Err(error) => Err(NoData::Wrong(error.to_string())),
    }
}

fn in_seconds(word: &Word<'_>) -> Result<String, NoData> {
    let text = word.text();
    let seconds = ttl::seconds(&text).map(|seconds| seconds.to_string());
    seconds.ok_or_else(|| {
        NoData::Wrong(format!("`{text}` is no time: write seconds, or numbers with s, m, h, d or w such as 1h30m"))
    })
}

/// The form of RFC 3597 §5 of a type that has one of its own.
fn generic(type_: RecordType, words: &[Word<'_>]) -> Result<String, NoData> {
    let wrong =
        || NoData::Wrong(format!("write `\\# `, the number of octets and the octets of the {type_} in hexadecimal"));
    let (length, digits) = words.split_first().ok_or_else(wrong)?;
    let digits: String = digits.iter().map(Word::text).collect();
    let octets = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| wrong())?;
    if length.text().parse() != Ok(octets.len()) {
        return Err(wrong());
    }
    Wire::new(&octets, 0, octets.len()).and_then(|wire| wire::text(type_, wire)).ok_or_else(wrong)
}
