//! An existing centre's way in: zones as other servers have them, to manifests that render to the same.

mod source;
mod zone_file;

pub use source::{LeftOut, ReadZone, SourceZone};
pub use zone_file::read as read_zone_file;
