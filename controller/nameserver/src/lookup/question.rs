//! What is asked, and the message that asks it.

use std::fmt;

use cst_compiler::model::{DomainName, RecordType};

use crate::message::{CD, RD, question};

/// What we take over UDP: what passes unfragmented.
const PAYLOAD: u16 = 1232;

/// A question to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of what name.
    pub name: DomainName,
    /// Which records.
    pub type_: RecordType,
    /// Whether the server shall ask others (RFC 1035 §4.1.1).
    pub recursion: bool,
    /// Whether what the server could not validate is wanted too (RFC 4035 §3.2.2).
    pub unchecked: bool,
    /// Whether the question has an OPT record (RFC 6891), and this the DO flag for DNSSEC records (RFC 3225).
    pub edns: Option<bool>,
}

impl Question {
    /// A question for what the server itself has.
    pub fn new(name: &DomainName, type_: RecordType) -> Self {
        Self { name: name.clone(), type_, recursion: false, unchecked: false, edns: Some(false) }
    }

    /// The same for a server that shall ask others.
    #[must_use]
    pub fn recursive(self) -> Self {
        Self { recursion: true, ..self }
    }

    /// The same with DNSSEC records.
    #[must_use]
    pub fn with_dnssec(self) -> Self {
        Self { edns: Some(true), ..self }
    }

    /// The message.
    pub(super) fn write(&self, id: u16) -> Vec<u8> {
        let flags = if self.recursion { RD } else { 0 } | if self.unchecked { CD } else { 0 };
        let mut message = question(id, flags, &self.name, self.type_.number());
        if let Some(dnssec_ok) = self.edns {
            message[11] = 1;
            message.extend_from_slice(&[0, 0, 41]);
            message.extend_from_slice(&PAYLOAD.to_be_bytes());
            message.extend_from_slice(&[0, 0, if dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]);
        }
        message
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.type_)
    }
}
