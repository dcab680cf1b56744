//! A service's address as a URI (RFC 7553).

use std::fmt;

use super::words::Words;
use super::{RecordError, strings};

pub(super) const EXPECTED: &str =
    "write priority, weight and a quoted URI, such as `10 1 \"https://www.example.org/\"`";

/// A URI (RFC 7553 §4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uri {
    /// Lower is tried first.
    pub priority: u16,
    /// Among equal priorities.
    pub weight: u16,
    /// Printable ASCII, not empty.
    pub target: String,
}

impl Uri {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        let (priority, weight) = (words.number()?, words.number()?);
        let target = String::from_utf8(words.string()?).map_err(|_| words.wrong())?;
        let is_uri = target.contains(':') && target.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
        if is_uri { Ok(Self { priority, weight, target }) } else { Err(words.wrong()) }
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.priority.to_be_bytes());
        out.extend_from_slice(&self.weight.to_be_bytes());
        out.extend_from_slice(self.target.as_bytes());
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.priority, self.weight)?;
        strings::write_quoted(self.target.as_bytes(), f)
    }
}
