//! A bucket for each login: full at first, it loses what is taken and fills evenly within an hour. No clock: time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

/// In which an empty bucket fills.
const HOUR: Duration = Duration::from_hours(1);
/// So many buckets are kept without looking which are full.
const FEW: usize = 1024;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent; so many messages of the login were refused since the last one.
    Taken {
        /// How many.
        refused: u64,
    },
    /// Not yet, and nothing was taken.
    Wait {
        /// After which it would be.
        pause: Duration,
        /// Whether the login's last message was not refused.
        is_first: bool,
    },
    /// It goes to more than a full bucket holds.
    Never,
}

/// The buckets that are not full.
#[derive(Debug)]
pub struct Buckets<Login> {
    buckets: BTreeMap<Login, Bucket>,
    /// When there are so many, those that have become full are dropped.
    sweep_at: usize,
}

/// What a login has used.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// When it is full again, an hour from now at most: by a limit that changes what was used comes back faster or more slowly from then on.
    full_at: Duration,
    refused: u64,
}

impl<Login> Default for Buckets<Login> {
    fn default() -> Self {
        Self { buckets: BTreeMap::new(), sweep_at: FEW }
    }
}

impl<Login: Ord + Clone> Buckets<Login> {
    /// Takes a message's recipients out of a login's bucket, all or none. `limit`: what a full one holds, 1 or more; `now`: by a clock that
    /// does not go back.
    pub fn take(&mut self, login: &Login, recipients: u32, limit: u32, now: Duration) -> Verdict {
        if recipients > limit {
            return Verdict::Never;
        }
        self.sweep(now);
        let bucket = self.buckets.entry(login.clone()).or_default();
        let full_at = bucket.full_at.max(now) + HOUR * recipients / limit.max(1);
        match full_at.checked_sub(now + HOUR).filter(|pause| !pause.is_zero()) {
            Some(pause) => {
                bucket.refused += 1;
                Verdict::Wait { pause, is_first: bucket.refused == 1 }
            }
            None => Verdict::Taken { refused: std::mem::replace(bucket, Bucket { full_at, refused: 0 }).refused },
        }
    }

    fn sweep(&mut self, now: Duration) {
        if self.buckets.len() >= self.sweep_at {
            self.buckets.retain(|_, bucket| bucket.full_at > now);
            self.sweep_at = FEW.max(self.buckets.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);
    const NOW: Duration = Duration::from_secs(7);
    const TAKEN: Verdict = Verdict::Taken { refused: 0 };

    fn wait(minutes: u32, is_first: bool) -> Verdict {
        Verdict::Wait { pause: MINUTE * minutes, is_first }
    }

    #[test]
    fn what_was_used_comes_back_evenly_and_messages_go_whole_or_not() {
        let mut buckets = Buckets::default();
        assert_eq!(buckets.take(&"anna", 60, 60, NOW), TAKEN);
        assert_eq!(buckets.take(&"anna", 1, 60, NOW), wait(1, true));
        assert_eq!(buckets.take(&"anna", 30, 60, NOW), wait(30, false));
        assert_eq!(buckets.take(&"luca", 60, 60, NOW), TAKEN, "another login");
        assert_eq!(buckets.take(&"anna", 30, 60, NOW + MINUTE * 30), Verdict::Taken { refused: 2 });
        assert_eq!(buckets.take(&"anna", 1, 60, NOW + MINUTE * 30), wait(1, true), "told anew");
        assert_eq!(buckets.take(&"anna", 60, 60, NOW + MINUTE * 90), Verdict::Taken { refused: 1 });
        assert_eq!(buckets.take(&"anna", 61, 60, NOW + MINUTE * 900), Verdict::Never);
    }

    #[test]
    fn whoever_never_ceases_sends_two_hours_worth_in_the_first_hour_and_one_in_each_other() {
        let (mut buckets, mut sent) = (Buckets::default(), Vec::new());
        for hour in 0..3 {
            let hour = HOUR * hour;
            let taken = (0..3600).filter(|second| {
                matches!(buckets.take(&"ladro", 1, 100, hour + Duration::from_secs(*second)), Verdict::Taken { .. })
            });
            sent.push(taken.count());
        }
        assert_eq!(sent, [199, 100, 100]);
    }

    #[test]
    fn another_limit_holds_at_once() {
        let mut buckets = Buckets::default();
        assert_eq!(buckets.take(&"anna", 10, 10, NOW), TAKEN);
        assert_eq!(buckets.take(&"anna", 60, 60, NOW), wait(60, true));
        assert_eq!(buckets.take(&"anna", 60, 60, NOW + HOUR), Verdict::Taken { refused: 1 });
        assert_eq!(buckets.take(&"anna", 1, 1, NOW + HOUR), wait(60, true));
        assert_eq!(buckets.take(&"anna", 2, 2, NOW + HOUR * 2), Verdict::Taken { refused: 1 });
    }

    #[test]
    fn buckets_that_are_full_are_forgotten() {
        let mut buckets = Buckets::default();
        for login in 0..10_000_u32 {
            assert_eq!(buckets.take(&login, 1, 60, MINUTE * login), TAKEN);
        }
        assert!(buckets.buckets.len() <= FEW, "{}", buckets.buckets.len());
    }
}
