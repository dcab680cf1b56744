//! The types at a name, as the proofs of what does not exist list them (RFC 4034 §4.1.2).

use std::collections::BTreeSet;

use crate::rtype;
use crate::served::{Node, Role};

/// The types at a name: at a delegation those of the parent's side. `beside`: those that signing adds.
pub(super) fn of(node: &Node, beside: &[u16]) -> Vec<u8> {
    let is_listed = |type_number: &u16| node.role != Role::Cut || [rtype::NS, rtype::DS].contains(type_number);
    let own = node.sets.iter().map(|set| set.type_number).filter(is_listed);
    windows(&own.chain(beside.iter().copied()).collect())
}

fn windows(types: &BTreeSet<u16>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut blocks: Vec<(u8, Vec<u8>)> = Vec::new();
    for number in types {
        let [window, low] = number.to_be_bytes();
        if blocks.last().is_none_or(|(last, _)| *last != window) {
            blocks.push((window, Vec::new()));
        }
        if let Some((_, bits)) = blocks.last_mut() {
            bits.resize(usize::from(low / 8) + 1, 0);
            bits[usize::from(low / 8)] |= 0x80 >> (low % 8);
        }
    }
    for (window, bits) in blocks {
        out.extend([window, u8::try_from(bits.len()).unwrap_or(32)]);
        out.extend(bits);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bitmap_of_rfc_4034_section_4_3() {
        // A MX RRSIG NSEC TYPE1234
        let expected = [0, 6, 0x40, 0x01, 0, 0, 0, 0x03, 4, 27];
        let bytes = windows(&[1, 15, 46, 47, 1234].into());
        assert_eq!(bytes[..10], expected);
        assert_eq!(bytes[10..36], [0; 26]);
        assert_eq!(bytes[36..], [0x20]);
    }
}
