//! When a zone's signatures begin to be valid, and whether the clock can be believed.

use super::guard::{self, Held};
use crate::model::DomainName;

/// How long signatures are valid, in seconds: 45 days, well beyond the 28 of the SOA's expiry.
pub const VALIDITY: u32 = 45 * DAY;
/// They are made anew when they are this old: 30 days of validity are left (design §4).
const RENEW_AFTER: u32 = 15 * DAY;
/// Renewals are spread over so many seconds by the zone's name, earlier than they are due.
const SPREAD: u32 = 5 * DAY;
/// They begin to be valid a little earlier, for clocks that are behind.
const SKEW: u32 = 3600;
const DAY: u32 = 86_400;

/// The inception of a zone's first signatures.
pub fn first(now: u32) -> u32 {
    now.wrapping_sub(SKEW)
}

/// The inception of a zone's first signatures, beside zones whose newest signatures begin at `newest`. `is_answered`: some public server
/// answers.
///
/// # Errors
/// A clock that can hardly be right, as in [`next`].
pub fn first_beside(zone: &DomainName, newest: Option<u32>, now: u32, is_answered: bool) -> Result<u32, Held> {
    let ahead = newest.map(|newest| (newest, now.wrapping_sub(newest)));
    match ahead.filter(|(_, age)| *age < 1 << 31 && *age > VALIDITY && is_answered) {
        Some((newest, age)) => Err(doubt(zone, newest, &format!("{} days after", age / DAY))),
        None => Ok(first(now)),
    }
}

/// The inception of the next version's signatures, which is the last one's until they are to be made anew: what does not change is not
/// signed again. `share`: any number that is the zone's own. `is_answered`: some public server answers for the zone, or was not asked yet.
///
/// # Errors
/// A clock that can hardly be right, as signatures of a wrong time would take the zone off the net: it is set right, or the step approved.
pub fn next(zone: &DomainName, last: u32, now: u32, share: u32, is_answered: bool) -> Result<u32, Held> {
    let age = now.wrapping_sub(last);
    let (ahead, behind) = if age < 1 << 31 { (age, 0) } else { (0, last.wrapping_sub(now)) };
    // Who is up renews after 15 days; after 28 without us the public servers answer no more.
    if is_answered && ahead > VALIDITY {
        return Err(doubt(zone, last, &format!("{} days after", ahead / DAY)));
    }
    // Up to here both times are within one validity, so new signatures hold whichever is right.
    if behind > RENEW_AFTER {
        return Err(doubt(zone, last, &format!("{} days before", behind / DAY)));
    }
    let is_due = behind > 0 || ahead >= RENEW_AFTER - share % SPREAD;
    Ok(if is_due { first(now) } else { last })
}

fn doubt(zone: &DomainName, last: u32, when: &str) -> Held {
    let message = format!(
        "the clock is {when} the newest signatures were made, which can hardly be: nothing is signed by it; set the clock right, or \
         approve when it is"
    );
    guard::by_hand(&format!("{zone} clock {last}"), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: u32 = 1_795_000_000;

    fn at(now: u32, is_answered: bool) -> Result<u32, Held> {
        next(&DomainName::parse("fano.pu.it").unwrap(), LAST, now, 0, is_answered)
    }

    #[test]
    fn signatures_are_kept_for_fifteen_days() {
        assert_eq!(at(LAST + 15 * DAY - 1, true), Ok(LAST));
        assert_eq!(at(LAST + 15 * DAY, true), Ok(LAST + 15 * DAY - SKEW));
        let early = next(&DomainName::ROOT, LAST, LAST + 11 * DAY, SPREAD - 1, true).unwrap();
        assert_ne!(early, LAST, "each zone has its own moment");
    }

    #[test]
    fn a_zone_begins_by_a_clock_that_others_confirm() {
        let zone = DomainName::parse("fano.pu.it").unwrap();
        let begin = |now, is_answered| first_beside(&zone, Some(LAST), now, is_answered);
        assert!(begin(LAST + 46 * DAY, true).unwrap_err().message.contains("46 days after"));
        assert_eq!(begin(LAST + 46 * DAY, false), Ok(LAST + 46 * DAY - SKEW), "we were away for long");
        assert_eq!(begin(LAST + 44 * DAY, true), Ok(LAST + 44 * DAY - SKEW));
        assert_eq!(begin(LAST - DAY, true), Ok(LAST - DAY - SKEW));
        assert_eq!(first_beside(&zone, None, LAST, true), Ok(LAST - SKEW), "the first of all");
    }

    #[test]
    fn a_clock_that_can_hardly_be_right_signs_nothing() {
        let held = at(LAST + 3652 * DAY, true).unwrap_err();
        assert!(held.message.contains("3652 days after"), "{}", held.message);
        assert!(at(LAST.wrapping_sub(16 * DAY), true).unwrap_err().message.contains("16 days before"));
        assert_eq!(at(LAST - DAY, true), Ok(LAST - DAY - SKEW), "a clock that was a little ahead");
        assert_eq!(at(LAST + 400 * DAY, false), Ok(LAST + 400 * DAY - SKEW), "nobody serves it: we were away for long");
        assert_eq!(at(LAST + 43 * DAY, true), Ok(LAST + 43 * DAY - SKEW), "away for 28 days when they were due");
    }
}
