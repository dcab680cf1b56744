//! Puts tables where Postfix and Dovecot read them, and keys where Rspamd does.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cst_compiler::desired::mail::postfix::{Table, Tables};
use cst_compiler::desired::mail::sharing::Sharing;
use cst_compiler::desired::mail::{DomainContent, dovecot, rspamd};
use cst_compiler::model::{Address, DomainName};
use sha2::{Digest, Sha256};

use crate::cdb;
use crate::files::{self, FileError};

/// A key that no SMTP command can carry, in every table: that it is found shows that the file is whole. Its value is the digest of all
/// others.
const SENTINEL: &[u8] = b"\n";

/// The folders of tables and keys.
#[derive(Debug)]
pub struct TableFolders {
    postfix: PathBuf,
    dovecot: PathBuf,
    /// Who uses whose box: a file for each domain of logins.
    acl: PathBuf,
    /// The boxes' scripts: a folder for each domain.
    sieve: PathBuf,
    /// What mail is signed with: a file for each domain.
    rspamd: PathBuf,
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
    /// The folders below `root`: `postfix`, readable to all in its container, `dovecot`, whose passwd-files the agent's group reads,
    /// and whose hidden files, of rights and scripts, the users' own processes read too, and `rspamd`, for the agent's group alone.
    pub fn open(root: &Path) -> Result<Self, FileError> {
        let dovecot = root.join("dovecot");
        let (acl, sieve) = (dovecot.join(".acl"), dovecot.join(".sieve"));
        let folders = Self { postfix: root.join("postfix"), dovecot, acl, sieve, rspamd: root.join("rspamd") };
        files::folder(&folders.postfix, 0o755)?;
        files::folder(&folders.dovecot, 0o751)?;
        files::folder(&folders.acl, 0o755)?;
        files::folder(&folders.sieve, 0o755)?;
        files::folder(&folders.rspamd, 0o750)?;
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
        // Without a file of rights nobody of the domain can log in.
        let rights = self.acl.join(content.domain().as_str());
        if files::read(&rights)?.is_none() {
            files::replace(&rights, b"", 0o644, None, |_| true)?;
        }
        let path = self.passwd_file(content.domain());
        let text = dovecot::passwd_file(content);
        if files::read(&path)?.is_some_and(|present| present == text.as_bytes()) {
            return Ok(());
        }
        let modified = later_than(modified(&path)?);
        files::replace(&path, text.as_bytes(), 0o640, Some(modified), |_| true)
    }

    /// Writes what a domain's mail is signed with, unless it is there as it should be: keys, selectors and algorithms in one file, so that
    /// nothing names a key that is not there. Rspamd reads it for each message.
    pub fn write_signers(&self, content: &DomainContent) -> Result<(), FileError> {
        let path = self.rspamd.join(content.domain().as_str());
        let text = rspamd::signers_file(content);
        if files::read(&path)?.is_some_and(|present| present == text.as_bytes()) {
            return Ok(());
        }
        files::replace(&path, text.as_bytes(), 0o640, None, |_| true)
    }

    /// Writes who uses whose box, for the domains for which that is another than `before`; `None`: what is there is not known.
    pub fn write_sharing<'a>(
        &self,
        before: Option<&Sharing>,
        sharing: &Sharing,
        domains: impl Iterator<Item = &'a DomainName>,
    ) -> Result<(), FileError> {
        if before == Some(sharing) {
            return Ok(());
        }
        let is_known = |domain: &&DomainName| before.is_some_and(|before| before.is_same_for(domain, sharing));
        for domain in domains.filter(|domain| !is_known(domain)) {
            put(&self.acl.join(domain.as_str()), sharing.acl(domain).as_bytes())?;
        }
        put(&self.dovecot.join(".shared"), sharing.map().as_bytes())
    }

    /// Writes the scripts of a domain's boxes, and removes those of boxes that have none.
    pub fn write_scripts(&self, domain: &DomainName, scripts: &BTreeMap<Address, String>) -> Result<(), FileError> {
        let folder = self.sieve.join(domain.as_str());
        if scripts.is_empty() {
            return files::remove_folder(&folder);
        }
        files::folder(&folder, 0o755)?;
        let wanted: BTreeMap<String, &String> =
            scripts.iter().map(|(address, script)| (format!("{}.sieve", address.local()), script)).collect();
        for (name, script) in &wanted {
            put(&folder.join(name), script.as_bytes())?;
        }
        for name in files::names(&folder)?.into_iter().filter(|name| !wanted.contains_key(name)) {
            files::remove(&folder.join(name))?;
        }
        Ok(())
    }

    /// Removes the files of a domain that no table knows any more: while one does, LMTP would refuse its mail for good.
    pub fn remove_domain(&self, domain: &DomainName) -> Result<(), FileError> {
        files::remove(&self.rspamd.join(domain.as_str()))?;
        files::remove(&self.passwd_file(domain))?;
        files::remove(&self.acl.join(domain.as_str()))?;
        files::remove_folder(&self.sieve.join(domain.as_str()))
    }

    fn passwd_file(&self, domain: &DomainName) -> PathBuf {
        self.dovecot.join(domain.as_str())
    }
}

/// Writes a file that all may read, unless it is there as it should be.
fn put(path: &Path, content: &[u8]) -> Result<(), FileError> {
    if files::read(path)?.is_some_and(|present| present == content) {
        return Ok(());
    }
    files::replace(path, content, 0o644, None, |_| true)
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
