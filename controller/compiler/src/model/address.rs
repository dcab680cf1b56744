//! Mail addresses.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::name::{DomainName, NameError};
use super::shown;

/// A mail address of ours: a lower-case ASCII local part without quoting (letters, digits, inner `.`, `_`, `-`) and a domain.
///
/// Narrower than RFC 5321 §4.1.2 on purpose: everything in it is safe in a table's key, a file name and a passwd-file field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Address {
    domain: DomainName,
    local: String,
}

/// Why a text is no address of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not one `@`.
    #[error("`{0}` is not an address: write local@domain")]
    Form(String),
    /// A local part with something else in it.
    #[error(
        "`{0}`: the part before @ is made of lower-case letters, digits and inner `.`, `_`, `-`, at most 64 of them"
    )]
    Local(String),
    /// The domain is no host name.
    #[error("the domain of `{0}` is not a host name")]
    Domain(String),
    /// The domain is no name at all.
    #[error("the domain of the address is wrong: {0}")]
    Name(#[from] NameError),
}

impl Address {
    /// Reads an address; upper case is folded.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let Some((local, domain)) = text.split_once('@') else { return Err(AddressError::Form(shown(text))) };
        let local = local.to_ascii_lowercase();
        if !is_local_part(&local) {
            return Err(AddressError::Local(shown(text)));
        }
        let domain = DomainName::parse(domain)?;
        if domain.is_host_name() { Ok(Self { domain, local }) } else { Err(AddressError::Domain(shown(text))) }
    }

    /// The same local part at another domain.
    #[must_use]
    pub fn at(&self, domain: &DomainName) -> Self {
        Self { domain: domain.clone(), local: self.local.clone() }
    }

    /// Takes another's copy of the domain's name for its own, where it is the same: of many addresses each would keep one.
    pub fn share(&mut self, name: &DomainName) {
        if self.domain == *name {
            self.domain.clone_from(name);
        }
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain.
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }
}

fn is_local_part(local: &str) -> bool {
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    local.len() <= 64
        && edge(local.bytes().next())
        && edge(local.bytes().last())
        && !local.contains("..")
        && local.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_case_and_takes_internationalised_domains() {
        assert_eq!(
            Address::parse("Ufficio.Protocollo@COMUNE.Urbino.pu.it").unwrap().to_string(),
            "ufficio.protocollo@comune.urbino.pu.it"
        );
        assert_eq!(Address::parse("a@città.example").unwrap().to_string(), "a@xn--citt-3na.example");
    }

    #[test]
    fn refuses_everything_that_could_mean_something_to_a_table() {
        for text in [
            "a",
            "@b.example",
            "a@",
            "a b@c.example",
            "a:b@c.example",
            "|sh@c.example",
            ":include:/x@c.example",
            "a,b@c.example",
            "a\n@c.example",
            "%{env}@c.example",
            "a@b@c.example",
            "a..b@c.example",
            ".a@c.example",
            "a+b@c.example",
            "../x@c.example",
            "a@_x.example",
            "à@c.example",
        ] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }
}
