//! Values that cannot be wrong: names, addresses, record data. Parsing into them is the only way to make one.

pub mod address;
pub mod name;
pub mod object;
pub mod quantity;
pub mod record;
pub mod zone;

pub use address::Address;
pub use name::{DomainName, NameError};
pub use object::ObjectKey;
pub use quantity::Quantity;
pub use record::{Caa, RecordData, RecordError, RecordSet, Soa};
pub use zone::{Zone, ZoneTextError};
