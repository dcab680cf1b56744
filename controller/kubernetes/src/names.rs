//! What our objects are called and how they are marked.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

pub use cst_compiler::desired::object::{MANAGED_BY, MANAGER, TENANT};

/// Marks what holds published state; the value says of what.
pub const PUBLISHED: &str = "territorial.services/published";
/// Marks what nobody declares any more and is served on; the value is the day since when.
pub const RETIRED: &str = "territorial.services/retired";
/// The name, in an annotation, of what an object with a hashed name is about.
pub const SUBJECT: &str = "territorial.services/subject";

/// The first 128 bits of a SHA-256, 32 hexadecimal digits: fits a label's value, and an object's name with a prefix.
pub fn hash(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().take(16).fold(String::with_capacity(32), |mut hex, byte| {
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

/// `prefix-<hash of subject>`: an object name for a subject whose own name may be none.
pub fn hashed(prefix: &str, subject: &str) -> String {
    format!("{prefix}-{}", hash(subject))
}

/// `prefix.subject` where that can be an object's name (RFC 1123 §2.1 as Kubernetes has it), else `prefix-<hash of subject>`. Such a name tells
/// what the object is about even when all else in it is lost.
pub fn named(prefix: &str, subject: &str) -> String {
    let name = format!("{prefix}.{subject}");
    if is_object_name(&name) { name } else { hashed(prefix, subject) }
}

/// The subject in a name that [`named`] made; `None`: it is of another prefix.
pub fn subject<'a>(prefix: &str, name: &'a str) -> Option<Subject<'a>> {
    let rest = name.strip_prefix(prefix)?;
    let is_hash = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (rest.strip_prefix('.'), rest.strip_prefix('-')) {
        (Some(subject), _) => Some(Subject::Plain(subject)),
        (_, Some(hash)) if is_hash(hash) => Some(Subject::Hashed),
        _ => None,
    }
}

/// What an object's name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// What it is about.
    Plain(&'a str),
    /// Nothing: an annotation does.
    Hashed,
}

fn is_object_name(name: &str) -> bool {
    let ends = |label: &str| [label.chars().next(), label.chars().last()];
    let is_label = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && ends(label).into_iter().all(|end| end.is_some_and(|end| end != '-'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// The labels of an object that holds published state of a kind.
pub fn published_labels(kind: &str) -> BTreeMap<String, String> {
    [(MANAGED_BY, MANAGER), (PUBLISHED, kind)].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_it_is_about_where_it_can() {
        assert_eq!(named("zone", "comune.urbino.pu.it"), "zone.comune.urbino.pu.it");
        assert_eq!(subject("zone", "zone.comune.urbino.pu.it"), Some(Subject::Plain("comune.urbino.pu.it")));
        for odd in ["0/26.2.0.192.in-addr.arpa", "_tcp.urbino.it", &"a.".repeat(124), "-a.it", "a..it", ""] {
            let name = named("zone", odd);
            assert_eq!((name.len(), subject("zone", &name)), (37, Some(Subject::Hashed)), "{odd}");
        }
        assert_eq!(subject("zone", "zone-key.urbino.it"), None);
        assert_eq!(subject("zone", "kube-root-ca.crt"), None);
    }
}
