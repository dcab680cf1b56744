//! NSEC (RFC 4034 §4) and NSEC3 (RFC 5155 §3): what a server proves with that something is not there.

use std::collections::BTreeSet;

use cst_compiler::model::RecordType;

use crate::message::{read_u16, skip_name};
use crate::rtype;

/// One link of the chain of what there is, with the types at its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The data as it came: a signature is over just that (RFC 6840 §5.1).
    octets: Vec<u8>,
    /// Which chain it is of.
    pub link: Link,
    /// The numbers of the types at the owner.
    pub types: BTreeSet<u16>,
}

/// What comes next in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// The labels of the next name in lower case, the last first.
    Name(Vec<Vec<u8>>),
    /// The next hash, and how names are hashed.
    Hash {
        /// 1 for SHA-1.
        algorithm: u8,
        /// How often the hash is hashed again.
        iterations: u16,
        /// What is hashed with the name.
        salt: Vec<u8>,
        /// The next hash.
        next: Vec<u8>,
    },
}

impl Denial {
    pub(super) fn nsec(octets: &[u8]) -> Option<Self> {
        let (name, types) = octets.split_at_checked(skip_name(octets, 0)?)?;
        let mut labels = Vec::new();
        let mut rest = name;
        while let Some((length @ 1..=63, after)) =
            rest.split_first().map(|(length, after)| (usize::from(*length), after))
        {
            let (label, after) = after.split_at_checked(length)?;
            labels.push(label.to_ascii_lowercase());
            rest = after;
        }
        labels.reverse();
        (rest == [0]).then_some(())?;
        Some(Self { octets: octets.to_vec(), link: Link::Name(labels), types: types_of(types)? })
    }

    pub(super) fn nsec3(octets: &[u8]) -> Option<Self> {
        let (&[algorithm, _flags, _, _], _) = octets.split_first_chunk()?;
        let iterations = read_u16(octets, 2)?;
        let (salt, rest) = counted(octets.get(4..)?)?;
        let (next, types) = counted(rest)?;
        let link = Link::Hash { algorithm, iterations, salt: salt.to_vec(), next: next.to_vec() };
        Some(Self { octets: octets.to_vec(), link, types: types_of(types)? })
    }

    pub(super) fn type_(&self) -> RecordType {
        RecordType::from_number(if matches!(self.link, Link::Name(_)) { rtype::NSEC } else { rtype::NSEC3 })
    }

    pub(super) fn write_wire(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.octets);
    }
}

/// What follows its length, and the rest.
fn counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first()?;
    rest.split_at_checked((*length).into())
}

/// The types of a bitmap (RFC 4034 §4.1.2).
fn types_of(mut bitmap: &[u8]) -> Option<BTreeSet<u16>> {
    let mut types = BTreeSet::new();
    while let Some((window, rest)) = bitmap.split_first() {
        let (octets, rest) = counted(rest)?;
        // A window has 256 types.
        (1..=32).contains(&octets.len()).then_some(())?;
        for (position, octet) in (0_u16..).zip(octets) {
            let set = (0..8_u16).filter(|bit| octet & 0x80 >> bit != 0);
            types.extend(set.map(|bit| (u16::from(*window) << 8) + position * 8 + bit));
        }
        bitmap = rest;
    }
    Some(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_stand_in_windows_of_256() {
        assert_eq!(types_of(&[0, 1, 0x40, 1, 2, 0, 0x01]), Some([1, 256 + 15].into()));
        let last = [&[255, 32][..], &[0; 31], &[1]].concat();
        assert_eq!(types_of(&last), Some([u16::MAX].into()));
        assert_eq!(types_of(&[0, 0]), None, "an empty window");
        assert_eq!(types_of(&[&[255, 33][..], &[0; 32], &[1]].concat()), None, "a type beyond all");
        assert_eq!(types_of(&[0, 2, 0x40]), None, "cut");
    }
}
