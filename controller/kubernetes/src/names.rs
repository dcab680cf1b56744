//! What our objects are called and how they are marked.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

pub use cst_compiler::desired::object::{MANAGED_BY, MANAGER, TENANT};

/// Marks what holds published state; the value says of what.
pub const PUBLISHED: &str = "territorial.services/published";
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

/// The labels of an object that holds published state of a kind.
pub fn published_labels(kind: &str) -> BTreeMap<String, String> {
    [(MANAGED_BY, MANAGER), (PUBLISHED, kind)].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}
