//! Whom mail is sent on to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::name::DomainName;
use super::{Address, shown};

/// An address that mail is sent on to, here or elsewhere: a local part without quoting (RFC 5321 §4.1.2, `Dot-string`) and a domain.
///
/// Of the characters that RFC 5322 §3.2.3 allows, those that mean something to a table, a shell or a relay (`!`, `%`, `/`, `|`, `` ` ``,
/// `$`, `*`, `?`, `^`, `{`, `}`) are refused. The local part's case is kept: it is the other host's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recipient {
    domain: DomainName,
    local: String,
}

/// Why a text is no recipient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// Not one `@`.
    #[error("`{0}` is not an address: write local@domain")]
    Form(String),
    /// A local part with something else in it.
    #[error(
        "`{0}`: mail is sent on to plain addresses only: letters, digits and `.`, `_`, `-`, `+`, `=`, `&`, `'`, `#`, `~` before the @"
    )]
    Local(String),
    /// The domain is no host name.
    #[error("the domain of `{0}` is not a host name of two labels or more")]
    Domain(String),
}

impl Recipient {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, RecipientError> {
        let Some((local, domain)) = text.split_once('@') else { return Err(RecipientError::Form(shown(text))) };
        if !is_local_part(local) {
            return Err(RecipientError::Local(shown(text)));
        }
        let domain =
            DomainName::parse(domain).ok().filter(|domain| domain.is_host_name() && domain.labels().count() > 1);
        let domain = domain.ok_or_else(|| RecipientError::Domain(shown(text)))?;
        Ok(Self { domain, local: local.to_owned() })
    }

    /// The domain.
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// The address as one of ours: without what follows a `+`, in lower case. `None`: no box of ours is called so.
    pub fn as_address(&self) -> Option<Address> {
        let local = self.local.split('+').next().unwrap_or_default();
        Address::parse(&format!("{local}@{}", self.domain)).ok()
    }
}

fn is_local_part(local: &str) -> bool {
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_plain);
    // A leading `-` could be taken for an option by whoever it is handed to.
    local.len() <= 64 && !local.starts_with('-') && local.split('.').all(is_atom)
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-+=&'#~".contains(&byte)
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl TryFrom<String> for Recipient {
    type Error = RecipientError;

    fn try_from(text: String) -> Result<Self, RecipientError> {
        Self::parse(&text)
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        recipient.to_string()
    }
}

impl From<&Address> for Recipient {
    fn from(address: &Address) -> Self {
        Self { domain: address.domain().clone(), local: address.local().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_plain_addresses_of_anybody() {
        for text in ["a@example.org", "A.B+c_d-e=f&g'h#i~j@xn--citt-3na.example.com", "1@b.example"] {
            assert_eq!(Recipient::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Recipient::parse("a@Città.Example").unwrap().to_string(), "a@xn--citt-3na.example");
    }

    #[test]
    fn knows_which_box_of_ours_it_may_be() {
        let ours = |text: &str| Recipient::parse(text).unwrap().as_address().map(|address| address.to_string());
        assert_eq!(ours("Anna.Rossi+albo@Comune.Example.org").as_deref(), Some("anna.rossi@comune.example.org"));
        assert_eq!(ours("o'neill@comune.example.org"), None);
    }

    #[test]
    fn refuses_what_is_a_command_a_path_a_route_or_several() {
        for text in [
            "a",
            "@b.example",
            "a@",
            "a@b",
            "a@b@c.example",
            "|sh@b.example",
            "/etc/x@b.example",
            ":include:/x@b.example",
            "a,b@c.example",
            "a b@c.example",
            "a%b.example@c.example",
            "b.example!a@c.example",
            "\"a b\"@c.example",
            "a..b@c.example",
            ".a@c.example",
            "a.@c.example",
            "-x@c.example",
            "a\n@c.example",
            "a\0@c.example",
            "${x}@c.example",
            "`x`@c.example",
            "*@c.example",
            "à@c.example",
            "a@c_d.example",
            "a@c.example, d@e.example",
            "<a@c.example>",
        ] {
            assert!(Recipient::parse(text).is_err(), "{text:?}");
        }
    }
}
