//! The hidden primary: signs the published versions of zones and hands them to the public name servers.

pub mod key;
mod rtype;
mod served;
mod sign;
mod text;

pub use served::ServedZone;
pub use sign::{SignError, VALIDITY, sign};
pub use text::signed_zone_text;
