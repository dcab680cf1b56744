//! Records of types that have no form of their own here (RFC 3597).

use std::fmt;

use cst_api::RecordType;
use data_encoding::HEXUPPER;

use super::RecordError;
use super::words::Words;

pub(super) const EXPECTED: &str =
    "write `\\# `, the number of octets and the octets in hexadecimal, such as `\\# 3 0A00FF`";

/// Data of a type by its number (RFC 3597 §5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unknown {
    type_: RecordType,
    data: Vec<u8>,
}

impl Unknown {
    /// A name server refuses a whole zone for data that is not what it expects of a type it knows: so only types that none knows may have any.
    pub(super) fn read(type_: RecordType, words: &mut Words<'_>) -> Result<Self, RecordError> {
        let number = type_.number();
        let is_free = matches!(number, 69..=98 | 110..=127 | 266..=32_767 | 32_770..=65_534);
        if words.word()? != "\\#" {
            return Err(words.wrong());
        }
        let length: u16 = words.number()?;
        let data = if length == 0 { Vec::new() } else { words.hex()? };
        if data.len() != usize::from(length) {
            return Err(words.because("the number of octets is not that of the hexadecimal digits (two for each)"));
        }
        let has_form = match number {
            53 => {
                matches!(data.as_slice(), [0..=3, 0 | 1, 0, _, ..])
                    || matches!(
                        (data.as_slice(), data.len()),
                        ([0..=3, 0 | 1, 1, ..], 35) | ([0..=3, 0 | 1, 2, ..], 67)
                    )
            }
            61 => !data.is_empty(),
            108 => data.len() == 6,
            109 => data.len() == 8,
            _ => is_free,
        };
        if has_form { Ok(Self { type_, data }) } else { Err(RecordError::Type(type_)) }
    }

    /// The type.
    pub fn type_(&self) -> RecordType {
        self.type_
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.data);
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\\# {}", self.data.len())?;
        if self.data.is_empty() { Ok(()) } else { write!(f, " {}", HEXUPPER.encode(&self.data)) }
    }
}
