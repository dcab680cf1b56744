//! The hidden primary: signs the published versions of zones and hands them to the public name servers.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod key;
mod rtype;
mod served;
mod sign;
mod text;

pub use served::ServedZone;
pub use sign::{SignError, VALIDITY, sign};
pub use text::signed_zone_text;
