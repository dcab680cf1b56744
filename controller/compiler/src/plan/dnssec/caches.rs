//! For how long anybody may have kept what a zone held.

use serde::{Deserialize, Serialize};

/// The longest time to live that a DNS setting allows, and so for how long an older version's may matter (RFC 2181 §8 bounds it by far more).
const LONGEST: u32 = 604_800;

/// The longest times to live of a zone's versions, in seconds: of those since a moment, and of those in the time before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caches {
    now: u32,
    before: u32,
    since: u32,
}

impl Caches {
    /// With another version, whose longest time to live this is.
    #[must_use]
    pub fn with(self, ttl: u32, now: u32) -> Self {
        let age = now.wrapping_sub(self.since);
        // A clock gone back makes an age beyond half the number space.
        if age < 1 << 31 && age > LONGEST {
            return Self { now: ttl, before: self.now, since: now };
        }
        Self { now: self.now.max(ttl), ..self }
    }

    /// For how long a record of the zone may be kept, in seconds.
    pub fn ttl(self) -> u32 {
        self.now.max(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_time_to_live_is_remembered_while_it_matters() {
        let begin = 1_795_000_000;
        let long = Caches::default().with(LONGEST, begin);
        let short = long.with(300, begin + 10);
        assert_eq!(short.ttl(), LONGEST);
        let later = short.with(300, begin + LONGEST + 20);
        assert_eq!(later.ttl(), LONGEST, "a version of a moment ago may have had it");
        assert_eq!(later.with(300, begin + 3 * LONGEST).ttl(), 300);
        assert_eq!(later.with(300, begin - 5).ttl(), LONGEST, "a clock gone back");
    }
}
