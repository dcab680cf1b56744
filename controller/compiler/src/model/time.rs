//! Points in time.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;

/// A point in time as RFC 3339 writes it, as precise as a status keeps it; `None`: it is none.
pub fn micro_time(text: &[u8]) -> Option<MicroTime> {
    let time: Timestamp = std::str::from_utf8(text).ok()?.trim_ascii().parse().ok()?;
    Timestamp::from_microsecond(time.as_microsecond()).ok().map(MicroTime)
}
