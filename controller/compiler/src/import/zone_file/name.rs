//! Names in a zone file (RFC 1035 §5.1): absolute or relative, `@`, escapes.

use super::lexer::Word;
use crate::model::{DomainName, NameError};

/// Why a word gives no name of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unnamed {
    /// Nothing says what it is relative to.
    #[error(
        "`{0}` is relative, and nothing says to what: give the zone's name with --origin, or write $ORIGIN before it"
    )]
    Relative(String),
    /// It stands in quotes.
    #[error("{0} is a text and no name: remove the quotes")]
    Quoted(String),
    /// An escape that breaks off, or a number beyond 255.
    #[error("`{0}` has a wrong escape: write `\\` and three digits up to 255, or the character itself")]
    Escape(String),
    /// Octets of which no name here is made, though servers would take them.
    #[error("`{0}` has the octet {1}, of which no name is made here: use letters, digits, `-` and `_`, in punycode")]
    Octet(String, u8),
    /// Not a name.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Unnamed {
    /// Whether servers take such a name, so that the zone is right though the name cannot be held here.
    pub(super) fn is_legal(&self) -> bool {
        matches!(self, Self::Octet(..) | Self::Name(NameError::Character { .. } | NameError::Wildcard(_)))
    }
}

/// The absolute name that a word stands for.
pub(super) fn absolute(word: &Word<'_>, origin: Option<&DomainName>) -> Result<DomainName, Unnamed> {
    let text = word.text();
    if word.is_quoted() {
        return Err(Unnamed::Quoted(text));
    }
    if word.raw == b"." {
        return Ok(DomainName::ROOT);
    }
    let origin = || origin.ok_or_else(|| Unnamed::Relative(text.clone()));
    if word.raw == b"@" {
        return origin().cloned();
    }
    let (name, is_absolute) = unescaped(word.raw, &text)?;
    let whole = if is_absolute { name } else { joined(&name, origin()?) };
    Ok(DomainName::parse(&whole)?)
}

/// The absolute name of a word in the case in which it and its origin are written, to be compared and nothing else.
pub(super) fn as_written(word: &Word<'_>, origin: &str) -> String {
    if word.raw == b"@" {
        return origin.to_owned();
    }
    match unescaped(word.raw, "") {
        Ok((name, true)) => name.trim_end_matches('.').to_owned(),
        Ok((name, false)) => format!("{name}.{origin}"),
        Err(_) => format!("{}.{origin}", word.text()),
    }
}

fn joined(name: &str, origin: &DomainName) -> String {
    if *origin == DomainName::ROOT { name.to_owned() } else { format!("{name}.{origin}") }
}

/// The name without escapes, and whether it ends with the root's dot.
fn unescaped(raw: &[u8], text: &str) -> Result<(String, bool), Unnamed> {
    let mut name = String::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    let mut is_absolute = false;
    while let Some(byte) = bytes.next() {
        is_absolute = byte == b'.';
        let octet =
            if byte == b'\\' { escaped(&mut bytes).ok_or_else(|| Unnamed::Escape(text.to_owned()))? } else { byte };
        if !octet.is_ascii_graphic() || (byte == b'\\' && octet == b'.') {
            return Err(Unnamed::Octet(text.to_owned(), octet));
        }
        name.push(char::from(octet));
    }
    Ok((name, is_absolute))
}

/// The octet that a backslash and these stand for.
pub(super) fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let mut digit = || bytes.next().filter(u8::is_ascii_digit).map(|byte| u16::from(byte - b'0'));
    let number = u16::from(first - b'0') * 100 + digit()? * 10 + digit()?;
    u8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Position;

    fn read(text: &str) -> Result<String, Unnamed> {
        let origin = DomainName::parse("example.org").unwrap();
        let word = Word { at: Position::default(), raw: text.as_bytes(), is_adjacent: false };
        absolute(&word, Some(&origin)).map(|name| name.to_string())
    }

    #[test]
    fn names_are_completed_and_unescaped() {
        for (text, expected) in [
            ("@", "example.org"),
            (".", "."),
            ("WWW", "www.example.org"),
            ("www.example.net.", "www.example.net"),
            ("a.b", "a.b.example.org"),
            ("\\119w\\w", "www.example.org"),
            ("0/27", "0/27.example.org"),
            ("*", "*.example.org"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        let word = Word { at: Position::default(), raw: b"it", is_adjacent: false };
        assert_eq!(absolute(&word, Some(&DomainName::ROOT)).unwrap().as_str(), "it");
    }

    #[test]
    fn names_that_servers_take_are_told_from_those_that_are_none() {
        for (text, is_legal) in [
            ("first\\.last", true),
            ("a\\032b", true),
            ("caffè", true),
            ("a\\(b", true),
            ("a..b", false),
            ("\\256", false),
            ("a\\12", false),
            ("\"a\"", false),
            (&"x".repeat(64), false),
        ] {
            assert_eq!(read(text).map_err(|error| error.is_legal()), Err(is_legal), "{text}");
        }
        let word = Word { at: Position::default(), raw: b"www", is_adjacent: false };
        assert!(matches!(absolute(&word, None), Err(Unnamed::Relative(_))));
    }
}
