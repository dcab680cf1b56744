//! Records of types that have no form of their own here (RFC 3597).

use std::fmt;

use cst_api::RecordType;
use data_encoding::HEXUPPER;

use super::RecordError;
use super::numbers::{AFSDB, EUI48, EUI64, HINFO, OPENPGPKEY, RP, SMIMEA, SPF};
use super::words::Words;

pub(super) const EXPECTED: &str =
    "write `\\# `, the number of octets and the octets in hexadecimal, such as `\\# 3 0A00FF`";

pub(super) const NOT_ITS_FORM: &str =
    "its octets are not of the form of its type, for which name servers would refuse the whole zone";

/// How many character strings the octets are (RFC 1035 §3.3).
fn strings(mut data: &[u8]) -> Option<usize> {
    let mut count = 0;
    while let Some((length, rest)) = data.split_first() {
        data = rest.get(usize::from(*length)..)?;
        count += 1;
    }
    Some(count)
}

/// What follows a name, which has at most 255 octets (RFC 1035 §3.1) and is not compressed (RFC 3597 §4).
fn after_name(data: &[u8]) -> Option<&[u8]> {
    let mut rest = data;
    loop {
        let (length, after) = rest.split_first().filter(|(length, _)| **length < 64)?;
        rest = after.get(usize::from(*length)..)?;
        if *length == 0 {
            return (data.len() - rest.len() <= 255).then_some(rest);
        }
    }
}

/// Data of a type by its number (RFC 3597 §5).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unknown {
    type_: RecordType,
    data: Vec<u8>,
}

impl Unknown {
    /// A name server refuses a whole zone for data that is not what it expects of a type it knows: so only types that none knows may have any,
    /// those known here what they expect.
    pub(super) fn read(type_: RecordType, words: &mut Words<'_>) -> Result<Self, RecordError> {
        let mut data = words.generic()?;
        let has_form = match type_.number() {
            HINFO => strings(&data) == Some(2),
            RP => {
                // Names are compared and signed in lower case (RFC 4034 §6.2); no length of a label is a letter.
                data.make_ascii_lowercase();
                after_name(&data).and_then(after_name) == Some(&[])
            }
            AFSDB => {
                let name = data.get_mut(2..).unwrap_or_default();
                name.make_ascii_lowercase();
                after_name(name) == Some(&[])
            }
            SMIMEA => {
                matches!(data.as_slice(), [0..=3, 0 | 1, 0, _, ..])
                    || matches!(
                        (data.as_slice(), data.len()),
                        ([0..=3, 0 | 1, 1, ..], 35) | ([0..=3, 0 | 1, 2, ..], 67)
                    )
            }
            OPENPGPKEY => !data.is_empty(),
            SPF => strings(&data).is_some_and(|count| count > 0),
            EUI48 => data.len() == 6,
            EUI64 => data.len() == 8,
            69..=98 | 110..=127 | 266..=32_767 | 32_770..=65_534 => true,
            _ => return Err(RecordError::Type(type_)),
        };
        if has_form { Ok(Self { type_, data }) } else { Err(words.because(NOT_ITS_FORM)) }
    }

    /// The type.
    pub fn type_(&self) -> RecordType {
        self.type_
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.data);
    }
}

/// Octets in the form that every server reads of every type (RFC 3597 §5).
pub(super) fn write_generic(octets: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "\\# {}", octets.len())?;
    if octets.is_empty() { Ok(()) } else { write!(f, " {}", HEXUPPER.encode(octets)) }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_generic(&self.data, f)
    }
}
