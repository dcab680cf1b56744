//! The lookup tables of Postfix: each is one file over all domains, of which every domain's part is kept as it stands in there. So a change is
//! worked out for its domain alone, and only the tables that it concerns are written.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cst_compiler::desired::mail::postfix::{Table, Tables};
use cst_compiler::model::DomainName;
use sha2::{Digest, Sha256};

use crate::cdb::{self, Part};
use crate::files::{self, FileError};

/// A key that no SMTP command can carry, in every table: that it is found shows that the file is whole. Its value is the digest of all
/// others.
const SENTINEL: &[u8] = b"\n";

/// Why tables are not in place.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The disk refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// More than the format holds.
    #[error("{0}")]
    TooLarge(#[from] cdb::TooLarge),
}

/// The tables and the folder they are in.
#[derive(Debug)]
pub struct PostfixTables {
    tables: [TableFile; Table::ALL.len()],
}

/// One table.
#[derive(Debug)]
struct TableFile {
    path: PathBuf,
    table: Table,
    parts: BTreeMap<DomainName, DomainPart>,
    /// The file as it was when it held these parts; `None`: it does not, or that is not known.
    written: Option<Stamp>,
}

#[derive(Debug)]
struct DomainPart {
    part: Part,
    digest: [u8; 32],
}

/// What tells a file from the one that took its place.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl PostfixTables {
    /// The tables in a folder, which is made where it is not there, readable to all in its container. Nothing is written yet.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        files::folder(folder, 0o755)?;
        let tables = Table::ALL.map(|table| TableFile {
            path: folder.join(format!("{}.cdb", table.file_name())),
            table,
            parts: BTreeMap::new(),
            written: None,
        });
        Ok(Self { tables })
    }

    /// A domain's part is this from now on; `None`: it has none.
    pub fn put(&mut self, domain: &DomainName, tables: Option<&Tables>) -> Result<(), TableError> {
        for table in &mut self.tables {
            table.put(domain, tables)?;
        }
        Ok(())
    }

    /// Writes the tables that are not there as they should be; returns how many.
    pub fn write(&mut self) -> Result<usize, TableError> {
        let mut written = 0;
        for table in &mut self.tables {
            written += usize::from(table.write()?);
        }
        Ok(written)
    }
}

impl TableFile {
    fn put(&mut self, domain: &DomainName, tables: Option<&Tables>) -> Result<(), TableError> {
        let entries = tables.map_or(&[][..], |tables| tables.entries(self.table));
        let part = Part::of(entries.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes())))?;
        let before = self.parts.get(domain).map_or(&[][..], |before| before.part.records());
        if part.records() == before {
            return Ok(());
        }
        self.written = None;
        if entries.is_empty() {
            self.parts.remove(domain);
        } else {
            let digest = Sha256::digest(part.records()).into();
            self.parts.insert(domain.clone(), DomainPart { part, digest });
        }
        Ok(())
    }

    fn write(&mut self) -> Result<bool, TableError> {
        if self.written.is_some() && self.written == stamp(&self.path)? {
            return Ok(false);
        }
        let digest = self.parts.values().fold(Sha256::new(), |hash, of_domain| hash.chain_update(of_domain.digest));
        let sentinel = format!("{:x}", digest.finalize()).into_bytes();
        let last = Part::of([(SENTINEL, sentinel.as_slice())])?;
        let file = cdb::build(self.parts.values().map(|of_domain| &of_domain.part).chain([&last]))?;
        let is_new = !files::holds(&self.path, &file)?;
        if is_new {
            files::replace(&self.path, &file, 0o644, |back| cdb::find(back, SENTINEL) == Some(&sentinel))?;
        }
        self.written = stamp(&self.path)?;
        Ok(is_new)
    }
}

fn stamp(path: &Path) -> Result<Option<Stamp>, FileError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(files::failed("look at", path)(error)),
    };
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    Ok(Some(Stamp { inode: metadata.ino(), size: metadata.size(), changed }))
}
