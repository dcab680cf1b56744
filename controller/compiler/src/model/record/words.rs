//! The right-hand side of a record, word by word (RFC 1035 §5.1), each mistake told in the type's own terms.

use std::net::Ipv4Addr;
use std::str::FromStr;

use cst_api::RecordType;

use super::RecordError;
use crate::model::name::DomainName;
use crate::model::shown;

/// What the form for any type begins with (RFC 3597 §5).
pub(super) const GENERIC: &str = "\\#";

/// What is still to be read of a value. A word ends at white space outside of quotes.
pub(super) struct Words<'a> {
    type_: RecordType,
    whole: &'a str,
    rest: &'a str,
    expected: &'static str,
}

impl<'a> Words<'a> {
    /// `expected` says what would be right.
    pub(super) fn new(type_: RecordType, whole: &'a str, expected: &'static str) -> Self {
        Self { type_, whole, rest: whole.trim_ascii_start(), expected }
    }

    /// The type whose value it is.
    pub(super) fn type_(&self) -> RecordType {
        self.type_
    }

    /// The error of a value that has not the type's form.
    pub(super) fn wrong(&self) -> RecordError {
        self.because(self.expected)
    }

    /// The error of a value, with what would be right.
    pub(super) fn because(&self, expected: &'static str) -> RecordError {
        RecordError::Form { type_: self.type_, value: shown(self.whole), expected }
    }

    /// The next word as it stands, with its quotes and escapes; `None` at the end.
    pub(super) fn peek(&self) -> Option<&'a str> {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = self.rest.find(|character: char| {
            let ends = character.is_ascii_whitespace() && !is_quoted && !is_escaped;
            is_quoted ^= character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            ends
        });
        self.rest.get(..end.unwrap_or(self.rest.len())).filter(|word| !word.is_empty())
    }

    /// Takes the next word.
    pub(super) fn next(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.rest = self.rest.get(word.len()..).unwrap_or_default().trim_ascii_start();
        Some(word)
    }

    /// Takes a word that must be there.
    pub(super) fn word(&mut self) -> Result<&'a str, RecordError> {
        self.next().ok_or_else(|| self.wrong())
    }

    /// A number within its type's range, without sign.
    pub(super) fn number<N: FromStr>(&mut self) -> Result<N, RecordError> {
        let word = self.word()?;
        let digits = Some(word).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|word| word.parse().ok()).ok_or_else(|| self.wrong())
    }

    /// A word that the value's own type reads.
    pub(super) fn parsed<V: FromStr>(&mut self) -> Result<V, RecordError> {
        self.word()?.parse().map_err(|_| self.wrong())
    }

    /// Any name; `.` is the root.
    pub(super) fn name(&mut self) -> Result<DomainName, RecordError> {
        let word = self.word()?;
        DomainName::parse(word).map_err(|source| RecordError::Name { value: shown(self.whole), source })
    }

    /// A name that must be a host's; an address in its place is the common mistake.
    pub(super) fn host(&mut self) -> Result<DomainName, RecordError> {
        let name = self.name()?;
        if name.as_str().parse::<Ipv4Addr>().is_ok() {
            return Err(
                self.because("its target is a host name, never an address: give the host an A record and name it here")
            );
        }
        if name.is_host_name() {
            Ok(name)
        } else {
            Err(self.because("its target must be a host name (letters, digits, inner hyphens)"))
        }
    }

    /// A host, or the root for none.
    pub(super) fn host_or_none(&mut self) -> Result<DomainName, RecordError> {
        if self.peek() == Some(".") { self.name() } else { self.host() }
    }

    /// A character string, quoted or not, with escapes.
    pub(super) fn string(&mut self) -> Result<Vec<u8>, RecordError> {
        let word = self.word()?;
        unescape(word).ok_or_else(|| self.wrong())
    }

    /// Everything that is left as it stands, at least one word.
    pub(super) fn remainder(&mut self) -> Result<&'a str, RecordError> {
        let rest = std::mem::take(&mut self.rest).trim_ascii_end();
        if rest.is_empty() { Err(self.wrong()) } else { Ok(rest) }
    }

    /// Everything that is left, as hexadecimal digits, which may be written in groups; at least one octet.
    pub(super) fn hex(&mut self) -> Result<Vec<u8>, RecordError> {
        let digits: String = std::mem::take(&mut self.rest).split_ascii_whitespace().collect();
        let octets = data_encoding::HEXUPPER_PERMISSIVE.decode(digits.as_bytes()).ok();
        octets.filter(|octets| !octets.is_empty()).ok_or_else(|| self.wrong())
    }

    /// Everything that is left, as octets in the form of RFC 3597 §5.
    pub(super) fn generic(&mut self) -> Result<Vec<u8>, RecordError> {
        if self.word()? != GENERIC {
            return Err(self.wrong());
        }
        let length: u16 = self.number()?;
        let octets = if length == 0 { Vec::new() } else { self.hex()? };
        if octets.len() == usize::from(length) {
            Ok(octets)
        } else {
            Err(self.because("the number of octets is not that of the hexadecimal digits (two for each)"))
        }
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), RecordError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.wrong()) }
    }
}

/// The octets that a word stands for: without its quotes, `\DDD` and `\X` resolved; `None` when it breaks off.
pub(super) fn unescape(word: &str) -> Option<Vec<u8>> {
    let (inner, is_quoted) = match word.strip_prefix('"') {
        Some(rest) => (rest, true),
        None => (word, false),
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return (is_quoted && bytes.next().is_none()).then_some(out),
            b'\\' => out.push(escaped(&mut bytes)?),
            _ => out.push(byte),
        }
    }
    (!is_quoted).then_some(out)
}

fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let digit = |byte: u8| char::from(byte).to_digit(10);
    let number = digit(first)? * 100 + digit(bytes.next()?)? * 10 + digit(bytes.next()?)?;
    u8::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_outside_of_quotes() {
        let mut words = Words::new(RecordType::TXT, r#" a  "b c"	d="e \" f" \  "#, "");
        let all: Vec<&str> = std::iter::from_fn(|| words.next()).collect();
        assert_eq!(all, ["a", r#""b c""#, r#"d="e \" f""#, r"\ "]);
    }

    #[test]
    fn escapes_are_resolved() {
        for (word, octets) in [
            (r#""""#, Some(&b""[..])),
            (r#""a b""#, Some(b"a b")),
            (r"a\032b\;\\", Some(br"a b;\")),
            (r"\255", Some(b"\xff")),
            (r"\256", None),
            (r"\1", None),
            (r"a\", None),
            (r#""a"#, None),
            (r#"a""#, None),
            (r#""a"b"#, None),
        ] {
            assert_eq!(unescape(word).as_deref(), octets, "{word}");
        }
    }
}
