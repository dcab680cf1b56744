//! Puts tables where Postfix and Dovecot read them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cst_compiler::desired::mail::postfix::{Table, Tables};
use cst_compiler::desired::mail::{DomainContent, dovecot};
use cst_compiler::model::DomainName;
use sha2::{Digest, Sha256};

use crate::cdb;
use crate::files::{self, FileError};

/// A key that no SMTP command can carry, in every table: that it is found shows that the file is whole. Its value is the digest of all
/// others.
const SENTINEL: &[u8] = b"\n";

/// The two folders of tables.
#[derive(Debug)]
pub struct TableFolders {
    postfix: PathBuf,
    dovecot: PathBuf,
}

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

impl TableFolders {
    /// The folders below `root`: `postfix`, readable to all in its container, and `dovecot`, readable to the agent's group only.
    pub fn open(root: &Path) -> Result<Self, FileError> {
        let folders = Self { postfix: root.join("postfix"), dovecot: root.join("dovecot") };
        files::folder(&folders.postfix, 0o755)?;
        files::folder(&folders.dovecot, 0o750)?;
        Ok(folders)
    }

    /// Writes the tables of Postfix that are not there as they should be; returns how many.
    pub fn write_postfix(&self, tables: &Tables) -> Result<usize, TableError> {
        let mut written = 0;
        for table in Table::ALL {
            written += usize::from(self.write_table(table, tables.entries(table))?);
        }
        Ok(written)
    }

    fn write_table(&self, table: Table, entries: &[(String, String)]) -> Result<bool, TableError> {
        let path = self.postfix.join(format!("{}.cdb", table.file_name()));
        let sentinel = digest(entries);
        let records = entries.iter().map(|(key, value)| (key.as_bytes(), value.as_bytes()));
        let file = cdb::build(records.chain([(SENTINEL, sentinel.as_slice())]))?;
        if files::read(&path)?.is_some_and(|present| present == file) {
            return Ok(false);
        }
        files::replace(&path, &file, 0o644, None, |back| cdb::find(back, SENTINEL) == Some(&sentinel))?;
        Ok(true)
    }

    /// Writes a domain's passwd-file unless it is there as it should be.
    ///
    /// Dovecot reads it again when its time of modification, in whole seconds, or its size differs: so the time always grows by a second
    /// at least, or within one second the old password would go on being valid.
    pub fn write_dovecot(&self, content: &DomainContent) -> Result<(), FileError> {
        let path = self.passwd_file(content.domain());
        let text = dovecot::passwd_file(content);
        if files::read(&path)?.is_some_and(|present| present == text.as_bytes()) {
            return Ok(());
        }
        let modified = later_than(modified(&path)?);
        files::replace(&path, text.as_bytes(), 0o640, Some(modified), |_| true)
    }

    /// Removes the passwd-file of a domain that no table knows any more: while one does, LMTP would refuse its mail for good.
    pub fn remove_dovecot(&self, domain: &DomainName) -> Result<(), FileError> {
        files::remove(&self.passwd_file(domain))
    }

    fn passwd_file(&self, domain: &DomainName) -> PathBuf {
        self.dovecot.join(domain.as_str())
    }
}

fn digest(entries: &[(String, String)]) -> Vec<u8> {
    let hash = entries.iter().fold(Sha256::new(), |hash, (key, value)| {
        hash.chain_update(key).chain_update([0]).chain_update(value).chain_update([0])
    });
    format!("{:x}", hash.finalize()).into_bytes()
}

fn modified(path: &Path) -> Result<Option<SystemTime>, FileError> {
    match fs::metadata(path).and_then(|metadata| metadata.modified()) {
        Ok(time) => Ok(Some(time)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(files::failed("look at", path)(error)),
    }
}

/// Now, or a second after `before` where that is later, in whole seconds.
fn later_than(before: Option<SystemTime>) -> SystemTime {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |duration| duration.as_secs());
    let next = before.map_or(0, |time| seconds(time) + 1);
    UNIX_EPOCH + Duration::from_secs(seconds(SystemTime::now()).max(next))
}
