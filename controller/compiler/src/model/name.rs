//! Domain names in the one form everything compares by.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shown;

/// A domain name (RFC 1035 §2.3.1): lower-case ASCII, punycode, without trailing dot; the root is empty inside and prints as `.`.
///
/// Ordered as DNSSEC orders names (RFC 4034 §6.1), so that a name and all below it are one range. A clone shares its text: a zone's names stand
/// in many places.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainName(Option<Arc<str>>);

/// Why a text is no domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("the name is empty")]
    Empty,
    /// Two dots in a row, or one at the start.
    #[error("`{0}` has an empty label: remove the doubled or leading dot")]
    EmptyLabel(String),
    /// A label beyond 63 octets.
    #[error("the label `{0}` is longer than 63 characters")]
    LabelTooLong(String),
    /// The whole beyond 253 characters.
    #[error("the name is longer than 253 characters")]
    TooLong,
    /// A character that no name here has.
    #[error("`{name}` has the character {character:?}: a name is made of letters, digits, `-`, `_` and dots")]
    Character {
        /// The name as written.
        name: String,
        /// The first such character.
        character: char,
    },
    /// A `*` that is not the whole first label.
    #[error(
        "`{0}`: `*` is held here only as the whole first label, as in `*.example.org`, where it is a wildcard (RFC 4592 §2.1.1)"
    )]
    Wildcard(String),
    /// An internationalised label that IDNA 2008 refuses.
    #[error("`{0}` is not a valid internationalised name (IDNA)")]
    Idna(String),
}

impl DomainName {
    /// The root.
    pub const ROOT: Self = Self(None);

    /// Reads a name: any case, U-labels or A-labels, with or without the trailing dot; `.` is the root.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text == "." {
            return Ok(Self::ROOT);
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let ascii = if text.is_ascii() { text.to_ascii_lowercase() } else { to_punycode(text)? };
        for (position, label) in ascii.split('.').enumerate() {
            check_label(text, label, position == 0)?;
        }
        if ascii.len() > 253 { Err(NameError::TooLong) } else { Ok(Self::of(&ascii)) }
    }

    /// The name of a text in its one form.
    fn of(text: &str) -> Self {
        Self(Some(text).filter(|text| !text.is_empty()).map(Arc::from))
    }

    /// Reads a name relative to `zone` as a record's `name` is written: `@` is the zone itself.
    pub fn parse_within(text: &str, zone: &Self) -> Result<Self, NameError> {
        if text == "@" { Ok(zone.clone()) } else { Self::parse(&format!("{text}.{zone}")) }
    }

    /// The name without trailing dot; empty for the root.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The labels, leftmost first; none for the root.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.as_str().split('.').filter(|label| !label.is_empty())
    }

    /// The name above; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let text = self.0.as_deref()?;
        Some(text.split_once('.').map_or(Self::ROOT, |(_, parent)| Self::of(parent)))
    }

    /// This name and all above it, longest first, without the root.
    pub fn and_ancestors(&self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self.clone()), Self::parent).filter(|name| *name != Self::ROOT)
    }

    /// Whether this is `other` or below it, at a label boundary.
    pub fn is_within(&self, other: &Self) -> bool {
        let head = self.as_str().strip_suffix(other.as_str());
        *other == Self::ROOT || head.is_some_and(|head| head.is_empty() || head.ends_with('.'))
    }

    /// The name relative to `zone`, `@` for the zone itself; `None` when it is outside.
    pub fn relative_to(&self, zone: &Self) -> Option<&str> {
        if self == zone {
            return Some("@");
        }
        let head = self.as_str().strip_suffix(zone.as_str());
        head.filter(|_| self.is_within(zone)).map(|head| head.trim_end_matches('.'))
    }

    /// `label` in front of this name.
    pub fn child(&self, label: &str) -> Result<Self, NameError> {
        Self::parse(&format!("{label}.{self}"))
    }

    /// Whether every label is of a host's form (RFC 1123 §2.1: letters, digits, inner hyphens).
    pub fn is_host_name(&self) -> bool {
        *self != Self::ROOT && self.labels().all(is_host_label)
    }

    /// Whether the first label is `*` (RFC 4592).
    pub fn is_wildcard(&self) -> bool {
        self.labels().next() == Some("*")
    }

    /// The uncompressed wire form (RFC 1035 §3.1), appended.
    pub fn write_wire(&self, out: &mut Vec<u8>) {
        for label in self.labels() {
            out.push(u8::try_from(label.len()).unwrap_or(63));
            out.extend_from_slice(label.as_bytes());
        }
        out.push(0);
    }
}

fn to_punycode(text: &str) -> Result<String, NameError> {
    if let Some(character) = text.chars().find(|c| c.is_control() || c.is_whitespace()) {
        return Err(NameError::Character { name: shown(text), character });
    }
    idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| NameError::Idna(shown(text)))
}

fn check_label(name: &str, label: &str, first: bool) -> Result<(), NameError> {
    if label.is_empty() {
        return Err(NameError::EmptyLabel(shown(name)));
    }
    if label.len() > 63 {
        return Err(NameError::LabelTooLong(shown(label)));
    }
    if label == "*" && first {
        return Ok(());
    }
    match label.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '/'))) {
        Some('*') => Err(NameError::Wildcard(shown(name))),
        Some(character) => Err(NameError::Character { name: shown(name), character }),
        None => Ok(()),
    }
}

fn is_host_label(label: &str) -> bool {
    !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for DomainName {
    /// Absolute without the dot (`example.org`); the root is `.`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("."))
    }
}

impl Ord for DomainName {
    /// By labels from the last to the first, octet by octet (RFC 4034 §6.1). Names are compared all the time, and mostly end alike: what they have
    /// in common at the end is passed over at once, and the labels before it decide.
    fn cmp(&self, other: &Self) -> Ordering {
        let (one, two) = (self.as_str().as_bytes(), other.as_str().as_bytes());
        if one == two {
            return Ordering::Equal;
        }
        let common = common_tail(one, two);
        let (head, other, tail) = (&one[..one.len() - common], &two[..two.len() - common], &one[one.len() - common..]);
        match (head.last(), other.last()) {
            (None, None) => Ordering::Equal,
            // One is above the other.
            (None, Some(b'.')) => Ordering::Less,
            (Some(b'.'), None) => Ordering::Greater,
            _ => {
                // Of the two labels that decide, their ends may be in common.
                let rest = tail.iter().position(|octet| *octet == b'.').unwrap_or(tail.len());
                one[label_start(head)..head.len() + rest].cmp(&two[label_start(other)..other.len() + rest])
            }
        }
    }
}

/// How many octets are the same at the end of both, looked at by eights first.
fn common_tail(one: &[u8], two: &[u8]) -> usize {
    let eights = one.rchunks_exact(8).zip(two.rchunks_exact(8)).take_while(|(a, b)| a == b).count() * 8;
    let (one, two) = (&one[..one.len() - eights], &two[..two.len() - eights]);
    eights + one.iter().rev().zip(two.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// Where the last label begins.
fn label_start(octets: &[u8]) -> usize {
    octets.iter().rposition(|octet| *octet == b'.').map_or(0, |dot| dot + 1)
}

impl PartialOrd for DomainName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl TryFrom<String> for DomainName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<DomainName> for String {
    fn from(name: DomainName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn one_form_for_every_spelling() {
        assert_eq!(name("COMUNE.Urbino.PU.it."), name("comune.urbino.pu.it"));
        assert_eq!(name("città.example").as_str(), "xn--citt-3na.example");
        assert_eq!(name("CITTÀ.example"), name("xn--citt-3na.example"));
        assert_eq!(name(".").to_string(), ".");
    }

    #[test]
    fn refuses_what_is_no_name() {
        for text in [
            "",
            "a..b",
            ".a",
            "a b",
            "a\n.b",
            "a\".b",
            "a;b",
            "b.*.a",
            "a*.b",
            "a\\b",
            &"x".repeat(64),
            "a\u{0}b",
            "a@b",
            "é\n.it",
        ] {
            assert!(DomainName::parse(text).is_err(), "{text:?}");
        }
        assert!(DomainName::parse(&["abcdefgh"; 30].join(".")).is_err());
    }

    #[test]
    fn suffixes_end_at_labels() {
        let zone = name("comune.fano.pu.it");
        assert!(name("www.comune.fano.pu.it").is_within(&zone));
        assert!(zone.is_within(&zone));
        assert!(!name("xcomune.fano.pu.it").is_within(&zone));
        assert!(!name("fano.pu.it").is_within(&zone));
        assert_eq!(name("a.b.comune.fano.pu.it").relative_to(&zone), Some("a.b"));
        assert_eq!(zone.relative_to(&zone), Some("@"));
        assert_eq!(name("xcomune.fano.pu.it").relative_to(&zone), None);
    }

    #[test]
    fn canonical_order_of_rfc_4034() {
        let mut names: Vec<_> =
            ["z.example", "example", "a.example", "yljkjljk.a.example", "z.a.example", "*.z.example"].map(name).into();
        names.sort();
        assert_eq!(
            names.iter().map(DomainName::as_str).collect::<Vec<_>>(),
            ["example", "a.example", "yljkjljk.a.example", "z.a.example", "z.example", "*.z.example"]
        );
    }

    /// The order as it is said, over all names of a few labels.
    #[test]
    fn the_order_is_that_of_the_labels_from_the_last() {
        let labels = ["a", "b", "ab", "ba", "aa", "a-b"];
        let mut names = vec![DomainName::ROOT];
        for _ in 0..3 {
            let longer = |name: &DomainName| {
                labels.map(|label| DomainName::parse(&format!("{label}.{}", name.as_str())).unwrap())
            };
            let more: Vec<DomainName> = names.iter().flat_map(longer).collect();
            names = names.into_iter().chain(more).collect();
        }
        names.sort_by_cached_key(ToString::to_string);
        names.dedup();
        assert!(names.len() > 250, "{}", names.len());
        for one in &names {
            for two in &names {
                assert_eq!(one.cmp(two), one.labels().rev().cmp(two.labels().rev()), "{one} and {two}");
            }
        }
    }
}
