//! What an index compiles to, as files: the same for `cst render`, `cst serve` and the golden tests.

mod mail;
mod objects;
pub(crate) mod zones;

use std::path::PathBuf;

use cst_api::Date;
use cst_compiler::index::Index;

/// Every file an index renders to, by its path in the output folder. Hashes of passwords are not among them.
pub(crate) fn rendered(index: &Index, serial: u32, today: Date) -> Vec<(PathBuf, String)> {
    let mut files = zones::files(index, serial, today);
    files.extend(mail::files(index, today));
    files.extend(objects::files(index));
    files
}
