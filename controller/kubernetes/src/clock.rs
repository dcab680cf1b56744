//! The one place that reads the clock: everything else gets the time as a value.

use std::time::{Duration, Instant};

use cst_api::Date;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::tz::TimeZone;

/// The time in the centre's time zone.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
}

/// One moment, as it is handed to what decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Now {
    /// Seconds since 1970, modulo 2^32 as DNS counts them (RFC 4034 §3.1.5).
    pub seconds: u32,
    /// As conditions carry it, in whole seconds.
    pub time: Time,
    /// The day in the centre's time zone.
    pub today: Date,
    /// To measure durations by.
    pub instant: Instant,
}

/// Time as it passes: a clock that leaps ahead while we run shortens nobody's waiting for what caches may hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steady(Option<(Instant, u32)>);

impl Steady {
    /// How much a clock may gain at once, in seconds.
    const GAIN: i32 = 60;

    /// Takes in a moment. A clock that was set back is believed: all waiting becomes longer.
    pub fn see(&mut self, now: &Now) {
        if self.leap(now) <= Self::GAIN {
            self.0 = Some((now.instant, now.seconds));
        }
    }

    /// Seconds since 1970, no later than the time that has passed allows.
    pub fn seconds(&self, now: &Now) -> u32 {
        let leap = self.leap(now);
        if leap > Self::GAIN { now.seconds.wrapping_sub(leap.unsigned_abs()) } else { now.seconds }
    }

    /// By how many seconds the clock has leapt ahead since the last moment that was believed.
    fn leap(&self, now: &Now) -> i32 {
        let Some((then, seconds)) = self.0 else { return 0 };
        let passed = u32::try_from(now.instant.saturating_duration_since(then).as_secs()).unwrap_or_default();
        now.seconds.wrapping_sub(seconds.wrapping_add(passed)).cast_signed()
    }
}

impl Clock {
    /// A clock for an IANA time zone, such as `Europe/Rome`.
    pub fn new(time_zone: &str) -> Result<Self, k8s_openapi::jiff::Error> {
        TimeZone::get(time_zone).map(|zone| Self { zone })
    }

    /// Now.
    pub fn now(&self) -> Now {
        self.at(Timestamp::now())
    }

    /// How long until the day changes, and a moment more.
    pub fn until_tomorrow(&self) -> Duration {
        let now = Timestamp::now().to_zoned(self.zone.clone());
        let midnight = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
        let wait = midnight.ok().and_then(|at| Duration::try_from(now.duration_until(&at)).ok());
        wait.unwrap_or(Duration::from_hours(1)) + Duration::from_secs(1)
    }

    fn at(&self, moment: Timestamp) -> Now {
        let day = moment.to_zoned(self.zone.clone()).date();
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        Now {
            seconds: u32::try_from(moment.as_second().rem_euclid(1 << 32)).unwrap_or_default(),
            time: Time(Timestamp::from_second(moment.as_second()).unwrap_or(moment)),
            today: Date {
                year: u16::try_from(day.year()).unwrap_or_default(),
                month: part(day.month()),
                day: part(day.day()),
            },
            instant: Instant::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_that_of_the_centre() {
        let clock = Clock::new("Europe/Rome").unwrap();
        let now = clock.at("2026-07-31T22:30:00.5Z".parse().unwrap());
        assert_eq!(now.today, Date::parse("2026-08-01").unwrap());
        assert_eq!(now.seconds, 1_785_537_000);
        assert_eq!(now.time.0.to_string(), "2026-07-31T22:30:00Z");
        assert!(Clock::new("Europe/Urbino").is_err());
    }

    #[test]
    fn a_leap_ahead_is_no_time_that_passed() {
        let clock = Clock::new("Europe/Rome").unwrap();
        let begin = clock.at("2026-11-23T12:00:00Z".parse().unwrap());
        let at = |seconds: u64, clock_seconds: u32| Now {
            instant: begin.instant + Duration::from_secs(seconds),
            seconds: begin.seconds.wrapping_add(clock_seconds),
            ..begin.clone()
        };
        let mut steady = Steady::default();
        let mut passed = |seconds, clock_seconds| {
            let now = at(seconds, clock_seconds);
            steady.see(&now);
            steady.seconds(&now).wrapping_sub(begin.seconds).cast_signed()
        };
        assert_eq!(passed(0, 0), 0);
        assert_eq!(passed(100, 130), 130, "a clock that is being set");
        assert_eq!(passed(200, 300_000), 230, "three days ahead");
        assert_eq!(passed(1200, 301_000), 1230, "it stays so, and time goes on");
        assert_eq!(passed(1300, 1310), 1310, "it is right again");
        assert_eq!(passed(1400, 0_u32.wrapping_sub(7000)), -7000, "a clock gone back is what is left");
        assert_eq!(passed(1500, 0_u32.wrapping_sub(6900)), -6900);
    }

    #[test]
    fn the_day_ends_within_25_hours() {
        let wait = Clock::new("Europe/Rome").unwrap().until_tomorrow();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(25 * 3600 + 1), "{wait:?}");
    }
}
