//! How a service is reached: SVCB and HTTPS (RFC 9460).

mod param;

use std::collections::BTreeMap;
use std::fmt;

use cst_api::RecordType;

use super::words::Words;
use super::{Absolute, DomainName, RecordError};

pub(super) const EXPECTED: &str = "write a priority, a target (`.` is the name itself) and parameters, such as `1 . alpn=h2,h3`, or \
                                   `0 www.example.org` for an alias";

/// A service binding (RFC 9460 §2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Svcb {
    /// 0 makes it an alias.
    pub priority: u16,
    /// Where the service is; the root is the name itself.
    pub target: DomainName,
    /// The parameters by their number, as on the wire.
    params: BTreeMap<u16, Vec<u8>>,
}

impl Svcb {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, RecordError> {
        let (priority, target) = (words.number()?, words.host_or_none()?);
        let mut params = BTreeMap::new();
        while let Some(word) = words.next() {
            let (key, value) = param::read(word).map_err(|expected| words.because(expected))?;
            if params.insert(key, value).is_some() {
                return Err(words.because("a parameter is written twice: keep one"));
            }
        }
        let binding = Self { priority, target, params };
        let problem = binding.problem().or_else(|| binding.needless(words.type_()));
        problem.map_or(Ok(binding), |expected| Err(words.because(expected)))
    }

    /// Whether it is an alias for another name.
    pub fn is_alias(&self) -> bool {
        self.priority == 0
    }

    /// Whether every server reads its own form alike. A parameter that has no name here may have one at a server, and then another text: NSD 4.12
    /// does not take what follows `key9=` for octets.
    pub(super) fn is_read_by_all(&self) -> bool {
        self.params.keys().all(|key| param::is_named(*key))
    }

    /// What servers refuse of parameters together.
    fn problem(&self) -> Option<&'static str> {
        if self.is_alias() && !self.params.is_empty() {
            return Some("an alias (priority 0) has no parameters: leave them out, or give a priority from 1");
        }
        if self.is_alias() && self.target == DomainName::ROOT {
            return Some("an alias (priority 0) names its target: write a host name in place of `.`");
        }
        if self.params.contains_key(&param::NO_DEFAULT_ALPN) && !self.params.contains_key(&param::ALPN) {
            return Some("no-default-alpn needs alpn: add it");
        }
        let mandatory = self.params.get(&param::MANDATORY)?;
        let is_missing =
            |key: &[u8]| !matches!(key, [high, low] if self.params.contains_key(&u16::from_be_bytes([*high, *low])));
        mandatory.chunks(2).any(is_missing).then_some("mandatory names a parameter that is not there: add it")
    }

    /// What is mandatory by itself of HTTPS and should not be listed (RFC 9460 §8, §9): NSD 4.12 refuses the whole zone for it once it reads the
    /// file that it wrote itself, at its next start.
    fn needless(&self, type_: RecordType) -> Option<&'static str> {
        let mandatory = self.params.get(&param::MANDATORY).filter(|_| type_ == RecordType::HTTPS)?;
        let mut keys = mandatory.as_chunks().0.iter().map(|key| u16::from_be_bytes(*key));
        keys.any(|key| matches!(key, param::PORT | param::NO_DEFAULT_ALPN)).then_some(
            "port and no-default-alpn are mandatory by themselves in HTTPS (RFC 9460 §9): leave them out of mandatory",
        )
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.priority.to_be_bytes());
        self.target.write_wire(out);
        for (key, value) in &self.params {
            out.extend_from_slice(&key.to_be_bytes());
            out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
            out.extend_from_slice(value);
        }
    }
}

/// A parameter to be written.
struct Param<'a>(u16, &'a [u8]);

impl fmt::Display for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        param::write(self.0, self.1, f)
    }
}

impl fmt::Display for Svcb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.priority, Absolute(&self.target))?;
        self.params.iter().try_for_each(|(key, value)| write!(f, " {}", Param(*key, value)))
    }
}
