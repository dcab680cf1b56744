//! The only place of the command line that asks what time it is.

use cst_api::Date;
use cst_compiler::settings::Settings;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

/// The day it is in the settings' time zone; in UTC where that zone is not known here.
pub(crate) fn today(settings: &Settings) -> Date {
    let zone = TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC);
    let now = Timestamp::now().to_zoned(zone);
    Date {
        year: u16::try_from(now.year()).unwrap_or_default(),
        month: now.month().unsigned_abs(),
        day: now.day().unsigned_abs(),
    }
}

/// Seconds since 1970, as serials have them.
pub(crate) fn seconds() -> u32 {
    u32::try_from(Timestamp::now().as_second()).unwrap_or(u32::MAX)
}

/// The time, as precise as a status keeps it.
pub(crate) fn now() -> MicroTime {
    let now = Timestamp::now();
    MicroTime(Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now))
}
