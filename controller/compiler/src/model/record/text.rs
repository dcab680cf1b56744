//! Character strings (RFC 1035 §3.3): at most 255 octets each, quoted and escaped in zone files (§5.1).

use std::fmt;

/// The text as length-prefixed strings; an empty text is one empty string.
pub(super) fn write_wire(bytes: &[u8], out: &mut Vec<u8>) {
    for string in strings(bytes) {
        out.push(u8::try_from(string.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(string);
    }
}

/// The text as quoted strings with a space between.
pub(super) fn write_strings(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (position, string) in strings(bytes).enumerate() {
        if position > 0 {
            f.write_str(" ")?;
        }
        write_quoted(string, f)?;
    }
    Ok(())
}

/// One quoted string: `"` and `\` escaped, everything that is not printable ASCII as `\DDD`.
pub(super) fn write_quoted(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => write!(f, "\\{}", char::from(byte))?,
            b' '..=b'~' => write!(f, "{}", char::from(byte))?,
            _ => write!(f, "\\{byte:03}")?,
        }
    }
    f.write_str("\"")
}

/// Reads what [`write_strings`] wrote; `None` when it is something else.
pub(super) fn read_strings(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.trim();
    while !rest.is_empty() {
        rest = read_quoted(rest, &mut bytes)?.trim_start();
    }
    Some(bytes)
}

fn read_quoted<'a>(text: &'a str, out: &mut Vec<u8>) -> Option<&'a str> {
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((position, character)) = chars.next() {
        match character {
            '"' => return text.get(position + 2..),
            '\\' => {
                let (_, first) = chars.next()?;
                if let Some(hundreds) = first.to_digit(10) {
                    let (tens, ones) = (chars.next()?.1.to_digit(10)?, chars.next()?.1.to_digit(10)?);
                    out.push(u8::try_from(hundreds * 100 + tens * 10 + ones).ok()?);
                } else {
                    out.push(u8::try_from(first).ok()?);
                }
            }
            _ => out.push(u8::try_from(character).ok()?),
        }
    }
    None
}

fn strings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunks(255).chain(bytes.is_empty().then_some(&[][..]))
}
