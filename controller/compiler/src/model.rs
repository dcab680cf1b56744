//! Values that cannot be wrong: names, addresses, record data. Parsing into them is the only way to make one.

pub mod address;
pub mod member;
pub mod name;
pub mod network;
pub mod object;
pub mod quantity;
pub mod recipient;
pub mod record;
pub mod reverse;
pub mod time;
mod zone;

pub use address::Address;
pub use cst_api::RecordType;
pub use member::{Member, MemberError};
pub use name::{DomainName, NameError};
pub use network::{Network, NetworkError};
pub use object::ObjectKey;
pub use quantity::Quantity;
pub use recipient::{Recipient, RecipientError};
pub use record::{Caa, RecordData, RecordError, RecordSet, Soa};
pub use time::micro_time;
pub use zone::{Zone, ZoneTextError};

/// How much of a wrong text is repeated to who wrote it.
const SHOWN: usize = 80;

/// A text as it is told in a message: as it is written where that is printable, and not longer than a line.
pub(crate) fn shown(text: &str) -> String {
    let mut rest = text.chars();
    let mut shown = String::new();
    for character in rest.by_ref().take(SHOWN) {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    if rest.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_told_as_it_is_written() {
        for text in ["0 issue \"a\"", "it's", r"a\b", "Città"] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(
            shown("a\nb\0\u{202e}"),
            "a\\nb\\0\\u{202e}",
            "nothing that moves the cursor or the reading direction"
        );
        assert_eq!(shown(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
    }
}
