//! What Dovecot reads: a passwd-file for each domain, who uses whose box, and the boxes' scripts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cst_compiler::desired::mail::sharing::Sharing;
use cst_compiler::desired::mail::{DomainContent, dovecot};
use cst_compiler::model::{Address, DomainName};
use cst_compiler::parse::MAX_APPLICATIONS;

use crate::files::{self, Batch, FileError};

/// The folder and what is in it.
#[derive(Debug)]
pub struct DovecotFiles {
    /// The passwd-files.
    folder: PathBuf,
    /// The passwd-files of applications: a folder for the first of each box, one for the second, and so on.
    applications: PathBuf,
    /// Who uses whose box: a file for each domain of logins.
    acl: PathBuf,
    /// The boxes' scripts: a folder for each domain.
    sieve: PathBuf,
}

impl DovecotFiles {
    /// The folder, whose passwd-files the agent's group reads, and whose hidden files, of rights and scripts, the users' own processes read
    /// too.
    pub fn open(folder: PathBuf) -> Result<Self, FileError> {
        let (applications, acl, sieve) = (folder.join(".applications"), folder.join(".acl"), folder.join(".sieve"));
        files::folder(&folder, 0o751)?;
        files::folder(&applications, 0o750)?;
        for place in 1..=MAX_APPLICATIONS {
            files::folder(&applications.join(place.to_string()), 0o750)?;
        }
        files::folder(&acl, 0o755)?;
        files::folder(&sieve, 0o755)?;
        Ok(Self { folder, applications, acl, sieve })
    }

    /// Writes a domain's passwd-files unless they are there as they should be.
    pub fn write_passwd(&self, content: &DomainContent, batch: &mut Batch) -> Result<(), FileError> {
        // Without a file of rights nobody of the domain can log in.
        let rights = self.acl.join(content.domain().as_str());
        if files::read(&rights)?.is_none() {
            batch.write(rights, b"", 0o644, None)?;
        }
        let texts = dovecot::application_files(content);
        for (place, path) in self.application_files(content.domain()) {
            match texts.get(place) {
                Some(text) => write_passwords(path, text, batch)?,
                // Never unlinked while the domain is there: one that came back within a second might be taken for the old one.
                None if modified(&path)?.is_some() => write_passwords(path, "", batch)?,
                None => {}
            }
        }
        write_passwords(self.passwd_file(content.domain()), &dovecot::passwd_file(content), batch)
    }

    /// Writes whose boxes a domain's logins use.
    pub fn write_rights(&self, domain: &DomainName, sharing: &Sharing, batch: &mut Batch) -> Result<(), FileError> {
        put(self.acl.join(domain.as_str()), sharing.acl(domain).as_bytes(), batch)
    }

    /// Writes the map by which Dovecot finds the boxes that others use.
    pub fn write_map(&self, sharing: &Sharing, batch: &mut Batch) -> Result<(), FileError> {
        put(self.folder.join(".shared"), sharing.map().as_bytes(), batch)
    }

    /// Writes the scripts of a domain's boxes, and removes those of boxes that have none.
    pub fn write_scripts(
        &self,
        domain: &DomainName,
        scripts: &BTreeMap<Address, String>,
        batch: &mut Batch,
    ) -> Result<(), FileError> {
        let folder = self.sieve.join(domain.as_str());
        if scripts.is_empty() {
            return files::remove_folder(&folder);
        }
        files::folder(&folder, 0o755)?;
        let wanted: BTreeMap<String, &String> =
            scripts.iter().map(|(address, script)| (format!("{}.sieve", address.local()), script)).collect();
        // Before any is written: what is written beside its place has another name.
        for name in files::names(&folder)?.into_iter().filter(|name| !wanted.contains_key(name)) {
            files::remove(&folder.join(name))?;
        }
        for (name, script) in &wanted {
            put(folder.join(name), script.as_bytes(), batch)?;
        }
        Ok(())
    }

    /// Removes the files of a domain that no table knows any more: while one does, LMTP would refuse its mail for good.
    pub fn remove(&self, domain: &DomainName) -> Result<(), FileError> {
        files::remove(&self.passwd_file(domain))?;
        for (_, path) in self.application_files(domain) {
            files::remove(&path)?;
        }
        files::remove(&self.acl.join(domain.as_str()))?;
        files::remove_folder(&self.sieve.join(domain.as_str()))
    }

    /// The files of a domain's applications, whether they are there or not, by their place among those of a box.
    fn application_files(&self, domain: &DomainName) -> impl Iterator<Item = (usize, PathBuf)> {
        (0..MAX_APPLICATIONS)
            .map(move |place| (place, self.applications.join((place + 1).to_string()).join(domain.as_str())))
    }

    fn passwd_file(&self, domain: &DomainName) -> PathBuf {
        self.folder.join(domain.as_str())
    }
}

/// Writes a passwd-file unless it is there as it should be.
///
/// Dovecot reads it again when its time of modification, in whole seconds, or its size differs: so the time always grows by a second
/// at least, or within one second the old password would go on being valid.
fn write_passwords(path: PathBuf, text: &str, batch: &mut Batch) -> Result<(), FileError> {
    if files::holds(&path, text.as_bytes())? {
        return Ok(());
    }
    let modified = later_than(modified(&path)?);
    batch.write(path, text.as_bytes(), 0o640, Some(modified))
}

/// Writes a file that all may read, unless it is there as it should be.
fn put(path: PathBuf, content: &[u8], batch: &mut Batch) -> Result<(), FileError> {
    if files::holds(&path, content)? {
        return Ok(());
    }
    batch.write(path, content, 0o644, None)
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
