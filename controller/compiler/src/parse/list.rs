//! A list of names in a spec, each of which counts once.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::Reader;

/// The values of a list in the order written, each with its place in it: what is written a second time is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List<T>(Vec<(usize, T)>);

impl<T> List<T> {
    /// The values.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, with the index that each was written at.
    pub fn placed(&self) -> impl Iterator<Item = (usize, &T)> {
        self.0.iter().map(|(at, value)| (*at, value))
    }
}

impl<T: PartialEq> List<T> {
    /// The index at which a value was written.
    pub fn place_of(&self, wanted: &T) -> Option<usize> {
        self.placed().find(|(_, value)| *value == wanted).map(|(at, _)| at)
    }
}

impl Reader {
    /// A list whose values are read one by one; `refuse` says what is wrong with one that can be read.
    pub(super) fn list<T: Clone + Ord + Display, E: Display>(
        &mut self,
        field: &str,
        written: &[String],
        read: impl Fn(&str) -> Result<T, E>,
        refuse: impl Fn(&T) -> Option<String>,
    ) -> List<T> {
        let (mut seen, mut values) = (BTreeSet::new(), Vec::with_capacity(written.len()));
        for (at, text) in written.iter().enumerate() {
            let field = format!("{field}[{at}]");
            let Some(value) = self.take(&field, read(text)) else { continue };
            if let Some(why) = refuse(&value) {
                self.invalid(&field, why);
            } else if !seen.insert(value.clone()) {
                self.warn(&field, format!("`{value}` is named twice"));
            } else {
                values.push((at, value));
            }
        }
        List(values)
    }
}
