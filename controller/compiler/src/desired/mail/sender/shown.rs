//! What mail programs show as a sender's name, and the addresses in it.

use std::sync::LazyLock;

use data_encoding::BASE64;
use regex_lite::{Captures, Regex};

use super::mailboxes::Unreadable;
use crate::model::Recipient;

/// An encoded word (RFC 2047 §2), with its language (RFC 2231 §5).
static WORD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=").ok());

/// Charsets in which ASCII is ASCII: in another one an address could hide.
const READABLE: [&str; 7] = ["utf-8", "utf8", "us-ascii", "iso-8859-", "windows-125", "koi8-", "cp125"];

/// The name with its encoded words decoded, those in quotation marks too, as many programs do, and white space between two of them left
/// out (§6.2); without characters that cannot be seen.
pub fn decode(text: &str) -> Result<String, Unreadable> {
    let (mut decoded, mut end) = (String::new(), 0);
    for word in WORD.iter().flat_map(|word| word.captures_iter(text)) {
        let Some(whole) = word.get(0) else { continue };
        let between = &text[end..whole.start()];
        let is_first = end == 0;
        if is_first || !between.trim().is_empty() {
            decoded.push_str(between);
        }
        decoded.push_str(&decode_word(&word)?);
        end = whole.end();
    }
    decoded.push_str(&text[end..]);
    if decoded.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Unreadable::Control);
    }
    Ok(decoded.chars().filter_map(seen).collect())
}

fn decode_word(word: &Captures<'_>) -> Result<String, Unreadable> {
    let part = |index| word.get(index).map_or("", |part| part.as_str());
    let charset = part(1).to_ascii_lowercase();
    if !READABLE.iter().any(|readable| charset.starts_with(readable)) {
        return Err(Unreadable::Word);
    }
    let bytes = match part(2) {
        "b" | "B" => BASE64.decode(part(3).as_bytes()).map_err(|_| Unreadable::Word)?,
        _ => decode_q(part(3).as_bytes())?,
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The Q encoding (RFC 2047 §4.2).
fn decode_q(text: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text);
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match (first, tail) {
            (b'_', _) => b' ',
            (b'=', [high, low, tail @ ..]) => {
                rest = tail;
                hexadecimal(*high, *low).ok_or(Unreadable::Word)?
            }
            (b'=', _) => return Err(Unreadable::Word),
            (byte, _) => *byte,
        });
    }
    Ok(bytes)
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// A character as it looks: wide forms of `@` are one, and what has no width is none.
fn seen(c: char) -> Option<char> {
    match c {
        '\u{ff20}' | '\u{fe6b}' => Some('@'),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => None,
        c => Some(c),
    }
}

/// Whatever looks like an address in a text.
pub fn addresses(text: &str) -> impl Iterator<Item = Recipient> {
    text.match_indices('@').filter_map(|(at, _)| {
        let is_local = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        let before = &text[..at];
        let local = &before[before.trim_end_matches(is_local).len()..];
        let after = &text[at + 1..];
        let domain = &after[..after.find(|c: char| !c.is_alphanumeric() && !".-".contains(c)).unwrap_or(after.len())];
        let is_edge = |c: char| ".-_+".contains(c);
        Recipient::parse(&format!("{}@{}", local.trim_start_matches(is_edge), domain.trim_matches(is_edge))).ok()
    })
}
