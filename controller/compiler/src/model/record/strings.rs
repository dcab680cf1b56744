//! Character strings (RFC 1035 §3.3): at most 255 octets each, quoted and escaped in zone files (§5.1).

use std::fmt;

use super::RecordError;
use super::words::Words;

/// What one string holds.
pub(super) const LONGEST: usize = 255;

/// The text as length-prefixed strings; an empty text is one empty string.
pub(super) fn write_wire(bytes: &[u8], out: &mut Vec<u8>) {
    for string in strings(bytes) {
        out.push(u8::try_from(string.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(string);
    }
}

/// The text as quoted strings with a space between.
pub(super) fn write_text(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// Reads strings into one text.
pub(super) fn read(words: &mut Words<'_>) -> Result<Vec<u8>, RecordError> {
    let mut text = words.string()?;
    while words.peek().is_some() {
        text.extend(words.string()?);
    }
    Ok(text)
}

fn strings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.chunks(LONGEST).chain(bytes.is_empty().then_some(&[][..]))
}
