//! What Rspamd reads: with what each domain's mail is signed.

use std::path::PathBuf;

use cst_compiler::desired::mail::{DomainContent, rspamd};
use cst_compiler::model::DomainName;

use crate::files::{self, Batch, FileError};

/// The folder: a file for each domain.
#[derive(Debug)]
pub struct SignerFiles(PathBuf);

impl SignerFiles {
    /// The folder, which the agent's group alone reads.
    pub fn open(folder: PathBuf) -> Result<Self, FileError> {
        files::folder(&folder, 0o750)?;
        Ok(Self(folder))
    }

    /// Writes what a domain's mail is signed with, unless it is there as it should be: keys, selectors and algorithms in one file, so that
    /// nothing names a key that is not there. Rspamd reads it for each message.
    pub fn write(&self, content: &DomainContent, batch: &mut Batch) -> Result<(), FileError> {
        let path = self.0.join(content.domain().as_str());
        let text = rspamd::signers_file(content);
        if files::holds(&path, text.as_bytes())? {
            return Ok(());
        }
        batch.write(path, text.as_bytes(), 0o640, None)
    }

    /// Removes that of a domain that was given up.
    pub fn remove(&self, domain: &DomainName) -> Result<(), FileError> {
        files::remove(&self.0.join(domain.as_str()))
    }
}
