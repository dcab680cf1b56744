//! The start of authority (RFC 1035 §3.3.13).

use std::fmt;

use super::words::Words;
use super::{Absolute, DomainName, RecordError};

pub(super) const EXPECTED: &str = "mname rname serial refresh retry expire minimum";

/// The start of authority (RFC 1035 §3.3.13); times in seconds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Soa {
    /// The first name server.
    pub mname: DomainName,
    /// The hostmaster's address as a name.
    pub rname: DomainName,
    /// The version.
    pub serial: u32,
    /// How often secondaries ask.
    pub refresh: u32,
    /// How soon they ask again.
    pub retry: u32,
    /// How long they serve without an answer.
    pub expire: u32,
    /// The negative answers' time to live (RFC 2308).
    pub minimum: u32,
}

impl Soa {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            mname: words.name()?,
            rname: words.name()?,
            serial: words.number()?,
            refresh: words.number()?,
            retry: words.number()?,
            expire: words.number()?,
            minimum: words.number()?,
        })
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        self.mname.write_wire(out);
        self.rname.write_wire(out);
        for number in self.numbers() {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }

    fn numbers(&self) -> [u32; 5] {
        [self.serial, self.refresh, self.retry, self.expire, self.minimum]
    }
}

impl fmt::Display for Soa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Absolute(&self.mname), Absolute(&self.rname))?;
        self.numbers().iter().try_for_each(|number| write!(f, " {number}"))
    }
}
