//! Who is in a group.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::DomainName;
use super::recipient::{Recipient, RecipientError};
use super::{Address, shown};

/// A member of a group, or all whose address has a form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Member {
    /// One address.
    One(Recipient),
    /// Every box of a domain whose local part begins so: `*@comune.urbino.pu.it`, `ufficio.*@comune.urbino.pu.it`.
    All {
        /// What the local part begins with; empty: any.
        prefix: String,
        /// The domain.
        domain: DomainName,
    },
}

/// Why a text is no member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// An address that is none.
    #[error(transparent)]
    Address(#[from] RecipientError),
    /// A pattern that is none.
    #[error(
        "`{0}` is no pattern: write *@domain, or a beginning and * before the @, such as ufficio.*@comune.urbino.pu.it"
    )]
    Pattern(String),
}

impl Member {
    /// Reads a member.
    pub fn parse(text: &str) -> Result<Self, MemberError> {
        if !text.contains('*') {
            return Ok(Self::One(Recipient::parse(text)?));
        }
        let wrong = || MemberError::Pattern(shown(text));
        let (prefix, domain) = text.split_once("*@").ok_or_else(wrong)?;
        let prefix = prefix.to_ascii_lowercase();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let domain = DomainName::parse(domain).ok().filter(DomainName::is_host_name).ok_or_else(wrong)?;
        if prefix.bytes().all(plain) && prefix.len() <= 64 { Ok(Self::All { prefix, domain }) } else { Err(wrong()) }
    }

    /// The address, where it is one.
    pub fn one(&self) -> Option<&Recipient> {
        match self {
            Self::One(recipient) => Some(recipient),
            Self::All { .. } => None,
        }
    }

    /// The domain.
    pub fn domain(&self) -> &DomainName {
        match self {
            Self::One(recipient) => recipient.domain(),
            Self::All { domain, .. } => domain,
        }
    }

    /// Whether a box's address has this form.
    pub fn covers(&self, address: &Address) -> bool {
        match self {
            Self::One(recipient) => recipient.as_address().as_ref() == Some(address),
            Self::All { prefix, domain } => address.domain() == domain && address.local().starts_with(prefix.as_str()),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(recipient) => recipient.fmt(f),
            Self::All { prefix, domain } => write!(f, "{prefix}*@{domain}"),
        }
    }
}

impl TryFrom<String> for Member {
    type Error = MemberError;

    fn try_from(text: String) -> Result<Self, MemberError> {
        Self::parse(&text)
    }
}

impl From<Member> for String {
    fn from(member: Member) -> Self {
        member.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_who_has_the_form() {
        let covers =
            |pattern: &str, address: &str| Member::parse(pattern).unwrap().covers(&Address::parse(address).unwrap());
        assert!(covers("*@a.example", "x@a.example") && covers("Ufficio.*@a.example", "ufficio.urp@a.example"));
        assert!(!covers("*@a.example", "x@b.a.example") && !covers("ufficio.*@a.example", "x.ufficio.y@a.example"));
        assert!(covers("x+y@a.example", "x@a.example") && !covers("x@a.example", "y@a.example"));
    }

    #[test]
    fn refuses_other_patterns() {
        for text in ["*", "*@", "a*b@c.example", "*@*", "**@c.example", "%*@c.example", "*@c d.example", "a@*.example"]
        {
            assert!(Member::parse(text).is_err(), "{text:?}");
        }
    }
}
