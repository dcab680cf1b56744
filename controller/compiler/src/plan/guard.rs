//! The brake: a step that would stop too much at once is held until the coordinator approves its digest (design §9).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cst_api::RecordType;
use sha2::{Digest, Sha256};

use crate::model::Zone;

/// The annotation that approves a held step by its digest.
pub const APPROVE_ANNOTATION: &str = "territorial.services/approve";
/// More than this share of what there was, in percent, is too much at once.
const SHARE: usize = 30;

/// What a step would stop, and the name it is approved by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Twelve hexadecimal digits over what was and what would be: another step has another digest.
    pub digest: String,
    /// What would be dropped, with counts.
    pub message: String,
}

/// What the guard watches, with the size from which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// The record sets of a zone.
    RecordSets,
    /// The zones of the catalog.
    Zones,
    /// The addresses of a mail domain.
    Addresses,
    /// The units of a tenant.
    Units,
}

impl Watched {
    fn from(self) -> usize {
        match self {
            Self::RecordSets | Self::Addresses => 10,
            Self::Zones | Self::Units => 5,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RecordSets => "record sets",
            Self::Zones => "zones",
            Self::Addresses => "addresses",
            Self::Units => "units",
        }
    }
}

/// Whether a zone's step from `before` to `after` is held.
pub fn zone(before: &Zone, after: &Zone) -> Option<Held> {
    let keys = |zone: &Zone| zone.sets().map(|set| format!("{} {}", set.name, set.type_())).collect::<BTreeSet<_>>();
    let digest = || digest(&format!("{}{}{}", before.apex(), before.digest(), after.digest()));
    let servers = before.get(before.apex(), RecordType::NS).map_or(&[][..], |set| set.values());
    let kept = after.get(after.apex(), RecordType::NS).map_or(&[][..], |set| set.values());
    if let Some(gone) = servers.iter().find(|server| !kept.contains(server)) {
        return Some(Held { digest: digest(), message: format!("would drop the apex NS {gone} of {}", before.apex()) });
    }
    let message = excess(Watched::RecordSets, &keys(before), &keys(after))?;
    Some(Held { digest: digest(), message })
}

/// Whether the step from the names `before` to those `after` is held.
pub fn names(watched: Watched, of: &str, before: &BTreeSet<String>, after: &BTreeSet<String>) -> Option<Held> {
    let message = excess(watched, before, after)?;
    let mut text = String::from(of);
    for name in before.iter().map(|n| format!("-{n}")).chain(after.iter().map(|n| format!("+{n}"))) {
        writeln!(text, "{name}").ok();
    }
    Some(Held { digest: digest(&text), message })
}

fn excess(watched: Watched, before: &BTreeSet<String>, after: &BTreeSet<String>) -> Option<String> {
    let dropped: Vec<&str> = before.difference(after).map(String::as_str).collect();
    if before.len() < watched.from() || dropped.len() * 100 <= before.len() * SHARE {
        return None;
    }
    let sample = dropped.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more = if dropped.len() > 5 { ", …" } else { "" };
    Some(format!("would drop {} of {} {} ({sample}{more})", dropped.len(), before.len(), watched.name()))
}

fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(6).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(range: std::ops::Range<usize>) -> BTreeSet<String> {
        range.map(|n| format!("box{n}@example.org")).collect()
    }

    #[test]
    fn holds_more_than_thirty_percent_from_ten_on() {
        let hold = |before, after| names(Watched::Addresses, "example.org", &set(before), &set(after)).is_some();
        assert!(!hold(0..10, 3..10), "30 % go");
        assert!(hold(0..10, 4..10), "40 % are held");
        assert!(!hold(0..9, 0..0), "below ten nothing is held");
        assert!(hold(0..10, 0..0));
        assert!(hold(0..10, 100..200), "what is added does not make up for what goes");
    }

    #[test]
    fn another_step_has_another_digest() {
        let held = |after| names(Watched::Addresses, "example.org", &set(0..20), &set(after)).unwrap().digest;
        assert_eq!(held(0..5), held(0..5));
        assert_ne!(held(0..5), held(0..6));
    }
}
