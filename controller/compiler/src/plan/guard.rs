//! The brake: a step that would stop too much at once is held until the coordinator approves its digest (design §9).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cst_api::{Date, RecordType};
use sha2::{Digest, Sha256};

use crate::model::{RecordSet, Zone};

/// The annotation on a Tenant that lets something retained go at once: `KIND/NAME/SINCE`, several of them separated by blanks.
pub const DROP_ANNOTATION: &str = "territorial.services/drop";
/// The annotation that approves a held step by its digest, or several by theirs, separated by blanks.
pub const APPROVE_ANNOTATION: &str = "territorial.services/approve";
/// More than this share of what there was, in percent, is too much at once.
const SHARE: usize = 30;
/// For so many days, the day itself included, a removal counts together with those that follow.
const WINDOW_DAYS: i64 = 2;

/// What a step would stop, and the name it is approved by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Twelve hexadecimal digits over what was and what would be: another step has another digest.
    pub digest: String,
    /// What would be dropped, with counts.
    pub message: String,
}

impl Held {
    /// As it is held in an epoch: one that begins when an approval is used, so that it is good once.
    #[must_use]
    pub fn in_epoch(self, epoch: u32) -> Self {
        Self { digest: digest(&format!("{} {epoch}", self.digest)), ..self }
    }
}

/// The epoch that an approval's use begins.
pub fn next_epoch(last: u32, now: u32) -> u32 {
    now.max(last.wrapping_add(1))
}

/// What the guard watches, with the size from which it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// The record sets of a zone.
    RecordSets,
    /// The values of a record set.
    Values,
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
            Self::RecordSets | Self::Values | Self::Addresses => 10,
            Self::Zones | Self::Units => 5,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::RecordSets => "record sets",
            Self::Values => "values",
            Self::Zones => "zones",
            Self::Addresses => "addresses",
            Self::Units => "units",
        }
    }
}

/// A zone's record sets, as the guard names them.
pub(super) fn record_sets(zone: &Zone) -> BTreeSet<String> {
    zone.sets().map(|set| format!("{} {}", set.name, set.type_())).collect()
}

/// Whether a removal of that day counts together with those of today: since yesterday.
pub(super) fn counts(day: Date, today: Date) -> bool {
    today.days() - day.days() < WINDOW_DAYS
}

/// Whether a zone's step from `before` to `after` is held. `earlier`: the record sets that went a little before, as in [`names`].
pub(super) fn zone(before: &Zone, after: &Zone, earlier: &BTreeSet<String>) -> Option<Held> {
    let digest = || digest(&format!("{}{}{}", before.apex(), before.digest(), after.digest()));
    let servers = before.get(before.apex(), RecordType::NS).map_or(&[][..], |set| set.values());
    let kept = after.get(after.apex(), RecordType::NS).map_or(&[][..], |set| set.values());
    if let Some(gone) = servers.iter().find(|server| !kept.contains(server)) {
        return Some(Held { digest: digest(), message: format!("would drop the apex NS {gone} of {}", before.apex()) });
    }
    let sets = excess_of(Watched::RecordSets, earlier, &record_sets(before), &record_sets(after));
    let values = || before.sets().find_map(|set| lost_values(set, after.get(&set.name, set.type_())));
    Some(Held { message: sets.or_else(values)?, digest: digest() })
}

/// What is said of a set that loses too many values, or is gone with many. Other values in their place are no loss: hosts move.
fn lost_values(before: &RecordSet, after: Option<&RecordSet>) -> Option<String> {
    let kept = after.map_or(&[][..], RecordSet::values);
    let gone: Vec<String> =
        before.values().iter().filter(|value| !kept.contains(value)).map(ToString::to_string).collect();
    let fewer = before.values().len().saturating_sub(kept.len());
    let going: Vec<&str> = gone.iter().take(fewer).map(String::as_str).collect();
    let message = excess(Watched::Values, &going, before.values().len(), 0)?;
    Some(format!("{message} of {} {}", before.name, before.type_()))
}

/// Whether what a step takes of the names `before` is held. `earlier`: the names that went a little before, which count as if they went
/// now, so that many small steps are no way around. The digest is over what would go: what comes at the same time needs no approval.
pub fn names(
    watched: Watched,
    of: &str,
    earlier: &BTreeSet<String>,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Option<Held> {
    let message = excess_of(watched, earlier, before, after)?;
    let going: Vec<&str> = before.difference(after).map(String::as_str).collect();
    Some(Held { digest: digest(&format!("{of}\n{}", going.join("\n"))), message })
}

fn excess_of(
    watched: Watched,
    earlier: &BTreeSet<String>,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Option<String> {
    let going: Vec<&str> = before.difference(after).map(String::as_str).collect();
    let earlier = earlier.difference(before).filter(|name| !after.contains(*name)).count();
    let mut message = excess(watched, &going, before.len(), earlier)?;
    if earlier > 0 {
        write!(message, ", and {earlier} more went since yesterday").ok();
    }
    Some(message)
}

/// What is published cannot all be read: to make it anew from what is declared is held. `unread`: what is not known, in words.
pub fn unknown(of: &str, unread: &str) -> Held {
    let message = format!(
        "{unread}: nothing of {of} is changed, because what only stood there would be lost; approve to make it anew from what is declared"
    );
    Held { digest: digest(&format!("{of}\n{unread}")), message }
}

/// What nobody here can know, and the coordinator's word stands for. `of`: what it is about; another matter has another digest.
pub fn by_hand(of: &str, message: String) -> Held {
    Held { digest: digest(of), message }
}

fn excess(watched: Watched, going: &[&str], there: usize, earlier: usize) -> Option<String> {
    let before = there + earlier;
    if going.is_empty() || before < watched.from() || (going.len() + earlier) * 100 <= before * SHARE {
        return None;
    }
    Some(format!("would drop {} of {there} {} ({})", going.len(), watched.name(), sample(going)))
}

/// The first few names.
pub(super) fn sample<T: AsRef<str>>(names: &[T]) -> String {
    let first = names.iter().take(5).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if names.len() > 5 { format!("{first}, …") } else { first }
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

    fn held(earlier: BTreeSet<String>, before: std::ops::Range<usize>, after: std::ops::Range<usize>) -> Option<Held> {
        names(Watched::Addresses, "example.org", &earlier, &set(before), &set(after))
    }

    #[test]
    fn holds_more_than_thirty_percent_from_ten_on() {
        let hold = |before, after| held(BTreeSet::new(), before, after).is_some();
        assert!(!hold(0..10, 3..10), "30 % go");
        assert!(hold(0..10, 4..10), "40 % are held");
        assert!(!hold(0..9, 0..0), "below ten nothing is held");
        assert!(hold(0..10, 0..0));
        assert!(hold(0..10, 100..200), "what is added does not make up for what goes");
    }

    /// A zone with so many addresses at one name, from an offset on, beside some others.
    fn zone_of(addresses: std::ops::Range<u8>, others: u8) -> Zone {
        let lines = addresses.map(|n| format!("www.example.org. 300 IN A 192.0.2.{n}\n"));
        let others = (0..others).map(|n| format!("h{n}.example.org. 300 IN A 198.51.100.{n}\n"));
        let soa = "example.org. 300 IN SOA ns.example.net. h.example.net. 1 1 1 1 1\n".to_owned();
        Zone::from_text(&std::iter::once(soa).chain(lines).chain(others).collect::<String>()).unwrap().0
    }

    #[test]
    fn a_set_of_ten_values_and_more_that_loses_many_is_held_and_one_that_moves_is_not() {
        let held = |before, after| zone(&zone_of(before, 20), &zone_of(after, 20), &BTreeSet::new());
        assert_eq!(
            held(0..40, 39..40).unwrap().message,
            "would drop 39 of 40 values (192.0.2.0, 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, …) of www.example.org A"
        );
        assert!(held(0..40, 0..0).is_some(), "nor may it go whole");
        assert!(held(0..10, 100..106).is_some(), "four fewer");
        assert_eq!(held(0..10, 3..10), None, "30 % go");
        assert_eq!(held(0..40, 100..140), None, "they move");
        assert_eq!(held(0..9, 0..1), None, "below ten");
        assert_ne!(held(0..40, 0..1).unwrap().digest, held(0..40, 0..2).unwrap().digest);
        assert!(zone(&zone_of(0..40, 2), &zone_of(0..1, 2), &BTreeSet::new()).is_some(), "in a small zone too");
    }

    #[test]
    fn what_went_before_counts_and_what_came_back_does_not() {
        assert_eq!(held(BTreeSet::new(), 3..10, 4..10), None);
        let held_then = held(set(0..3), 3..10, 4..10).unwrap();
        assert_eq!(
            held_then.message,
            "would drop 1 of 7 addresses (box3@example.org), and 3 more went since yesterday"
        );
        assert_eq!(held(set(0..3), 3..10, 3..20), None, "nothing goes now");
        assert_eq!(held(set(0..3), 3..10, 0..9), None, "all but one are there");
    }

    #[test]
    fn another_step_has_another_digest_and_what_comes_makes_none() {
        let held = |after| held(BTreeSet::new(), 0..20, after).unwrap().digest;
        assert_eq!(held(0..5), held(0..5));
        assert_ne!(held(0..5), held(0..6));
        assert_eq!(held(10..20), held(10..30));
    }
}
