//! What was deleted with `Retain` is served on for a while.

use cst_api::{Date, DeletionPolicy};

/// What to do with something published that nobody declares any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Serve it on; it was found undeclared first on this day.
    Serve(Date),
    /// Its time is over, or it was to go at once.
    Drop,
}

/// Judges something undeclared: `since` is the day it was found so first, `None` when that is today.
pub fn judge(policy: DeletionPolicy, since: Option<Date>, today: Date, retain_days: u16) -> Retention {
    let since = since.unwrap_or(today);
    let over = today.days() - since.days() >= i64::from(retain_days);
    if policy == DeletionPolicy::Delete || over { Retention::Drop } else { Retention::Serve(since) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retains_for_the_days_of_the_settings() {
        let day = |text| Date::parse(text).unwrap();
        let judged = |policy, since, today| judge(policy, since, day(today), 30);
        assert_eq!(judged(DeletionPolicy::Retain, None, "2026-11-01"), Retention::Serve(day("2026-11-01")));
        assert_eq!(
            judged(DeletionPolicy::Retain, Some(day("2026-11-01")), "2026-11-30"),
            Retention::Serve(day("2026-11-01"))
        );
        assert_eq!(judged(DeletionPolicy::Retain, Some(day("2026-11-01")), "2026-12-01"), Retention::Drop);
        assert_eq!(judged(DeletionPolicy::Delete, None, "2026-11-01"), Retention::Drop);
        assert_eq!(
            judged(DeletionPolicy::Retain, Some(day("2027-11-01")), "2026-12-01"),
            Retention::Serve(day("2027-11-01")),
            "a clock gone back"
        );
    }
}
