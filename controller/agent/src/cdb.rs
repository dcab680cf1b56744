//! The constant database format of D. J. Bernstein (cdb), as Postfix reads it: keys and values with their lengths in front, so that no
//! content can be taken for structure.
//!
//! ```text
//! 256 × (position, slots)   where each hash table is
//! (key length, value length, key, value)…
//! (hash, position)…         the tables, each twice as large as it has entries
//! ```
//!
//! All numbers are 32 bits, little-endian; a key's table is the low byte of its hash, its first slot the rest of the hash modulo the
//! slots, and a position of 0 ends a search (<https://cr.yp.to/cdb/cdb.txt>).

const HEADER: usize = 256 * 8;

/// The file would not fit into the format's 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the table is larger than a cdb file can be (4 GiB): split the mail system")]
pub struct TooLarge;

/// Some of a file's entries, as they stand in it: made once, and put together with others for each file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    records: Box<[u8]>,
    /// Of each record the hash of its key and where it begins.
    places: Box<[(u32, u32)]>,
}

impl Part {
    /// The part of these keys with their values.
    pub fn of<'a>(entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Result<Self, TooLarge> {
        let (mut records, mut places) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            places.push((hash(key), number(records.len())?));
            records.extend_from_slice(&pair(number(key.len())?, number(value.len())?));
            records.extend_from_slice(key);
            records.extend_from_slice(value);
        }
        number(records.len())?;
        Ok(Self { records: records.into(), places: places.into() })
    }

    /// The records as they stand in a file.
    pub fn records(&self) -> &[u8] {
        &self.records
    }
}

/// A whole file of these parts, one after the other. Of a key that comes twice the first value is found.
pub fn build<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Result<Vec<u8>, TooLarge> {
    let parts: Vec<&Part> = parts.into_iter().collect();
    let (octets, entries) =
        parts.iter().fold((0, 0), |(octets, entries), part| (octets + part.records.len(), entries + part.places.len()));
    let mut file = Vec::with_capacity(HEADER + octets + entries * 16);
    file.resize(HEADER, 0);
    let mut tables: Vec<Vec<(u32, u32)>> = (0..256).map(|_| Vec::with_capacity(entries / 200)).collect();
    for part in parts {
        let start = number(file.len())?;
        for &(hash, at) in &part.places {
            if let Some(table) = tables.get_mut(table_of(hash)) {
                table.push((hash, start.checked_add(at).ok_or(TooLarge)?));
            }
        }
        file.extend_from_slice(&part.records);
    }
    for (index, table) in tables.iter().enumerate() {
        let slots = slots(table);
        let at = pair(number(file.len())?, number(slots.len())?);
        if let Some(entry) = file.get_mut(index * 8..index * 8 + 8) {
            entry.copy_from_slice(&at);
        }
        for (hash, position) in slots {
            file.extend_from_slice(&pair(hash, position));
        }
    }
    number(file.len()).map(|_| file)
}

/// Entries at the first free slot from where their hash says, around.
fn slots(table: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut slots = vec![(0, 0); table.len() * 2];
    for &(hash, position) in table {
        let start = first_slot(hash, slots.len());
        let (after, before) = (start..slots.len(), 0..start);
        if let Some(free) = after.chain(before).find(|&at| slots.get(at) == Some(&(0, 0)))
            && let Some(slot) = slots.get_mut(free)
        {
            *slot = (hash, position);
        }
    }
    slots
}

/// The value of a key in a file; `None` also where the file is not sound.
pub fn find<'a>(file: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let hash = hash(key);
    let (position, slots) = read(file, table_of(hash) * 8)?;
    let start = first_slot(hash, slots);
    for slot in (start..slots).chain(0..start) {
        let (found, at) = read(file, position.checked_add(slot.checked_mul(8)?)?)?;
        if at == 0 {
            return None;
        }
        if found == hash as usize {
            let (key_length, value_length) = read(file, at)?;
            let record = file.get(at + 8..)?;
            let (record_key, rest) = record.split_at_checked(key_length)?;
            if record_key == key {
                return rest.get(..value_length);
            }
        }
    }
    None
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, byte| hash.wrapping_mul(33) ^ u32::from(*byte))
}

fn table_of(hash: u32) -> usize {
    hash as usize & 255
}

fn first_slot(hash: u32, slots: usize) -> usize {
    (hash >> 8) as usize % slots.max(1)
}

fn number(n: usize) -> Result<u32, TooLarge> {
    u32::try_from(n).map_err(|_| TooLarge)
}

fn pair(a: u32, b: u32) -> [u8; 8] {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (a.to_le_bytes(), b.to_le_bytes());
    [a0, a1, a2, a3, b0, b1, b2, b3]
}

fn read(file: &[u8], at: usize) -> Option<(usize, usize)> {
    let bytes: [u8; 8] = file.get(at..at.checked_add(8)?)?.try_into().ok()?;
    let [a0, a1, a2, a3, b0, b1, b2, b3] = bytes;
    Some((u32::from_le_bytes([a0, a1, a2, a3]) as usize, u32::from_le_bytes([b0, b1, b2, b3]) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[(&str, &str)]) -> Vec<u8> {
        build([&part(entries)]).unwrap()
    }

    fn part(entries: &[(&str, &str)]) -> Part {
        Part::of(entries.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()))).unwrap()
    }

    #[test]
    fn finds_every_key_and_no_other() {
        let entries: Vec<(String, String)> =
            (0..20_000).map(|n| (format!("u{n}@example.org"), n.to_string())).collect();
        let (some, rest) = entries.split_at(7_000);
        let part = |entries: &[(String, String)]| {
            Part::of(entries.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()))).unwrap()
        };
        let file = build(&[part(some), Part::default(), part(rest)]).unwrap();
        assert_eq!(file, build([&part(&entries)]).unwrap(), "how it is parted does not matter");
        for (key, value) in &entries {
            assert_eq!(find(&file, key.as_bytes()), Some(value.as_bytes()), "{key}");
            assert_eq!(find(&file, format!("x{key}").as_bytes()), None);
        }
    }

    #[test]
    fn an_empty_table_is_a_table() {
        let file = table(&[]);
        assert_eq!((file.len(), find(&file, b"a")), (2048, None));
    }

    #[test]
    fn content_is_never_structure() {
        let odd = [("", "empty key"), ("empty", ""), ("a\nb", "line\nend"), ("\0", "nul")];
        let file = table(&odd);
        for (key, value) in odd {
            assert_eq!(find(&file, key.as_bytes()), Some(value.as_bytes()));
        }
    }

    #[test]
    fn a_cut_or_zeroed_file_gives_nothing_wrong() {
        let file = table(&[("a@example.org", "box"), ("b@example.org", "box")]);
        for end in 0..file.len() {
            assert!(find(&file[..end], b"a@example.org").is_none_or(|value| value == b"box"));
        }
        assert_eq!(find(&vec![0; file.len()], b"a@example.org"), None);
        assert_eq!(find(&vec![0xff; file.len()], b"a@example.org"), None);
    }
}
