//! The files of many domains at once: all of one kind are on the disk before any of the next takes its place.

use std::error::Error as _;

use cst_compiler::desired::mail::DomainContent;
use cst_compiler::model::DomainName;

use super::{Agent, StepError};
use crate::files::{Batch, FileError};

/// How many domains' files are put on the disk together at most.
const TOGETHER: usize = 1024;

impl Agent {
    /// Installs domains, as far as they can be.
    pub(super) fn install_all(&mut self, contents: &[DomainContent]) {
        contents.chunks(TOGETHER).for_each(|some| self.install_each(some));
    }

    /// Installs all, or, where one of them cannot be, all others.
    fn install_each(&mut self, contents: &[DomainContent]) {
        match (self.write_files(contents), contents) {
            (Ok(()), _) => contents.iter().for_each(|content| self.install(content.clone())),
            (Err(error), [content]) => {
                let domain = content.domain().clone();
                let reason = format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default());
                tracing::error!(%domain, reason, "cannot install");
                self.held.insert(domain.clone(), reason);
                self.due.insert(domain);
            }
            (Err(_), _) => contents.chunks(1).for_each(|content| self.install_each(content)),
        }
    }

    /// The last good state first: an agent that is killed here goes on from it. Dovecot before Postfix: what Postfix accepts can be
    /// delivered. What mail is signed with holds from here on; a message that was being signed is, before the next second of the clock.
    fn write_files(&self, contents: &[DomainContent]) -> Result<(), FileError> {
        let mut batch = Batch::on(&self.config.root)?;
        for content in contents {
            self.last_good.write(self.fleet.domains().get(content.domain()), content, &mut batch)?;
        }
        batch.place()?;
        let mut batch = Batch::on(&self.config.root)?;
        for content in contents {
            self.last_good.clean(content)?;
            self.dovecot.write_passwd(content, &mut batch)?;
            self.signers.write(content, &mut batch)?;
        }
        batch.place()
    }

    /// Who uses whose box, where that changed.
    pub(super) fn write_sharing(&mut self) -> Result<(), FileError> {
        let mut batch = Batch::on(&self.config.root)?;
        for domain in self.rights_due.iter().filter(|domain| self.fleet.domains().contains_key(*domain)) {
            self.dovecot.write_rights(domain, &self.sharing, &mut batch)?;
        }
        if self.map_due {
            self.dovecot.write_map(&self.sharing, &mut batch)?;
        }
        batch.place()?;
        self.rights_due.clear();
        self.map_due = false;
        Ok(())
    }

    /// The scripts and the parts of Postfix' tables of the domains for which they may be others now.
    pub(super) fn derive(&mut self) -> Result<(), StepError> {
        loop {
            let stale: Vec<DomainName> = self.fleet.stale().iter().take(TOGETHER).cloned().collect();
            if stale.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::on(&self.config.root).map_err(StepError::Users)?;
            let mut asked_by = Vec::new();
            for domain in stale {
                let (derived, asked) = self.fleet.derive(&domain);
                if let Some(derived) = &derived {
                    let written = self.dovecot.write_scripts(&domain, &derived.scripts, &mut batch);
                    written.map_err(StepError::Users)?;
                }
                let tables = derived.as_ref().map(|derived| &derived.tables);
                self.postfix.put(&domain, tables).map_err(StepError::Tables)?;
                asked_by.push((domain, asked));
            }
            batch.place().map_err(StepError::Users)?;
            for (domain, asked) in asked_by {
                self.fleet.settle(&domain, asked);
            }
        }
    }
}
