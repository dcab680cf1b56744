//! The right-hand side of a record: its names completed, its times in seconds, then read as everywhere else.

use cst_api::RecordType;
use data_encoding::HEXLOWER_PERMISSIVE;

use super::lexer::Word;
use super::name::Unnamed;
use super::{name, others, ttl};
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

impl From<Unnamed> for NoData {
    fn from(error: Unnamed) -> Self {
        if error.is_legal() { Self::NotHeld(error.to_string()) } else { Self::Wrong(error.to_string()) }
    }
}

/// Reads the data of a record whose relative names are completed with `origin`.
pub(super) fn read(type_: RecordType, words: &[Word<'_>], origin: Option<&DomainName>) -> Result<RecordData, NoData> {
    let text = match words.split_first() {
        Some((_, rest)) if is_generic(type_, words) && type_.is_written() => generic(type_, rest)?,
        Some(_) if !is_generic(type_, words) && !type_.is_written() && type_ != RecordType::SOA => {
            others::generic(type_, words, origin)?
        }
        _ => completed(type_, words, origin)?,
    };
    RecordData::from_zone_text(type_, &text).map_err(|error| NoData::NotHeld(error.to_string()))
}

/// Whether data is in the form of RFC 3597 §5. Where no number follows, servers take `\#` for a text where one may stand.
fn is_generic(type_: RecordType, words: &[Word<'_>]) -> bool {
    let has_number = words.get(1).is_some_and(|word| word.raw.iter().all(u8::is_ascii_digit));
    words.first().is_some_and(|word| word.raw == b"\\#") && (type_ != RecordType::TXT || has_number)
}

/// Whether a text's strings are cut elsewhere than where they will be: at 255 octets.
pub(super) fn is_cut_anew(type_: RecordType, words: &[Word<'_>]) -> bool {
    let lengths = match words.split_first() {
        Some((_, [_, digits @ ..])) if is_generic(type_, words) => lengths(digits),
        _ => words.iter().map(octets).collect(),
    };
    let [parts @ .., _] = lengths.as_slice() else { return false };
    type_ == RecordType::TXT && !parts.iter().all(|length| *length == 255)
}

/// How many octets the character strings have of which these are the digits.
fn lengths(digits: &[Word<'_>]) -> Vec<usize> {
    let data = hexadecimal(digits).unwrap_or_default();
    let (mut lengths, mut rest) = (Vec::new(), data.as_slice());
    while let Some((length, after)) = rest.split_first() {
        lengths.push(usize::from(*length));
        rest = after.get(usize::from(*length)..).unwrap_or_default();
    }
    lengths
}

fn hexadecimal(digits: &[Word<'_>]) -> Option<Vec<u8>> {
    let digits: String = digits.iter().map(Word::text).collect();
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()
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
            // A text, as it is read here: it would be taken for the mark of RFC 3597.
            RecordType::TXT if position == 0 && word.raw == b"\\#" => "#".to_owned(),
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
        Err(error) => Err(error.into()),
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
    let octets = hexadecimal(digits).ok_or_else(wrong)?;
    if length.text().parse() != Ok(octets.len()) {
        return Err(wrong());
    }
    Wire::new(&octets, 0, octets.len()).and_then(|wire| wire::text(type_, wire)).ok_or_else(wrong)
}
