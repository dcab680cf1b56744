//! The hidden primary: signs the published versions of zones and hands them to the public name servers.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod answer;
mod catalog;
mod clock;
mod fetch;
mod frame;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod history;
pub mod key;
mod keyring;
pub mod lookup;
mod message;
mod metrics;
mod notify;
mod primary;
mod records;
mod respond;
mod rtype;
mod served;
mod server;
mod sign;
mod text;
mod transfer;
mod tsig;
pub mod verify;
mod zones;

pub use catalog::Catalog;
pub use clock::Clock;
pub use fetch::{FetchError, fetch_zone};
pub use keyring::Keyring;
pub use metrics::{Metrics, Sample, exposition};
pub use notify::{Observation, Observations, Secondary};
pub use primary::{Primary, PrimaryConfig, PrimaryError};
pub use served::ServedZone;
pub use server::Limits;
pub use sign::{SignError, sign};
pub use text::signed_zone_text;
pub use tsig::{TsigAlgorithm, TsigKey, TsigKeyError};
