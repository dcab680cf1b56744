//! Who may issue certificates (RFC 8659).

use std::fmt;

use super::words::Words;
use super::{RecordError, strings};

pub(super) const EXPECTED: &str =
    "write flags (0 or 128), a tag and a quoted value, such as `0 issue \"ca.example.net\"`";

/// Who may issue certificates (RFC 8659 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caa {
    /// 128: critical.
    pub flags: u8,
    /// `issue`, `issuewild`, `iodef`…: lower-case letters and digits.
    pub tag: String,
    /// The tag's value, printable ASCII.
    pub value: String,
}

impl Caa {
    /// The words after the tag are the value, one quoted string or anything else as it stands.
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        let flags = words.number().ok().filter(|flags| matches!(flags, 0 | 128)).ok_or_else(|| words.wrong())?;
        let tag = words.word()?.to_ascii_lowercase();
        let tag_is_right = (1..=15).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_quoted = words.peek().is_some_and(|word| word.starts_with('"'));
        let value = if is_quoted { words.string()? } else { words.remainder()?.as_bytes().to_vec() };
        let value = String::from_utf8(value).map_err(|_| words.wrong())?;
        let value_is_right = value.len() <= strings::LONGEST && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if tag_is_right && value_is_right { Ok(Self { flags, tag, value }) } else { Err(words.wrong()) }
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.flags, u8::try_from(self.tag.len()).unwrap_or(u8::MAX)]);
        out.extend_from_slice(self.tag.as_bytes());
        out.extend_from_slice(self.value.as_bytes());
    }
}

impl fmt::Display for Caa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.flags, self.tag)?;
        strings::write_quoted(self.value.as_bytes(), f)
    }
}
