//! Values that cannot be wrong: names, addresses, record data. Parsing into them is the only way to make one.

pub mod address;
pub mod name;
pub mod network;
pub mod object;
pub mod quantity;
pub mod record;
pub mod reverse;
pub mod zone;

pub use address::Address;
pub use cst_api::RecordType;
pub use name::{DomainName, NameError};
pub use network::{Network, NetworkError};
pub use object::ObjectKey;
pub use quantity::Quantity;
pub use record::{Caa, RecordData, RecordError, RecordSet, Soa};
pub use zone::{Zone, ZoneTextError};

/// How much of a wrong text is repeated to who wrote it.
const SHOWN: usize = 80;

/// A text as it is told in a message: printable, and not longer than a line.
pub(crate) fn shown(text: &str) -> String {
    let mut rest = text.chars();
    let mut shown = rest.by_ref().take(SHOWN).collect::<String>().escape_debug().to_string();
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}
