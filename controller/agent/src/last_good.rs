//! The last good state on the volume: what the tables are made from when the API is away.
//!
//! `state/<domain>/<bucket>-of-<buckets>` holds the bytes of one shard. A bucket is replaced whole; of several layouts that a killed
//! agent left, the newest complete one counts, and an older one is removed only after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cst_compiler::desired::mail::{DomainContent, ShardContent};
use cst_compiler::model::DomainName;

use crate::files::{self, Batch, FileError};

/// The folder of the last good state.
#[derive(Debug)]
pub struct LastGood {
    folder: PathBuf,
}

impl LastGood {
    /// The folder `state` below `root`, for the agent alone: it holds password hashes.
    pub fn open(root: &Path) -> Result<Self, FileError> {
        let folder = root.join("state");
        files::folder(&folder, 0o700)?;
        Ok(Self { folder })
    }

    /// Every domain that is there whole. What is not is left out with a line in the log: its tables stay as they are until its Secrets come.
    pub fn load(&self) -> Result<BTreeMap<DomainName, DomainContent>, FileError> {
        let mut domains = BTreeMap::new();
        for name in files::names(&self.folder)? {
            if let Some(content) = self.load_domain(&name)? {
                domains.insert(content.domain().clone(), content);
            } else {
                tracing::warn!(domain = name, "its last good state is not whole");
            }
        }
        Ok(domains)
    }

    /// Writes a domain, of which `before` is stored already; it is stored when the batch is in place.
    pub fn write(
        &self,
        before: Option<&DomainContent>,
        content: &DomainContent,
        batch: &mut Batch,
    ) -> Result<(), FileError> {
        let stored: BTreeSet<_> = before.into_iter().flat_map(DomainContent::shards).map(identity).collect();
        let folder = self.folder.join(content.domain().as_str());
        files::folder(&folder, 0o700)?;
        for shard in content.shards().iter().filter(|shard| !stored.contains(&identity(shard))) {
            batch.write(folder.join(file_name(shard)), &shard.encode(), 0o600, None)?;
        }
        Ok(())
    }

    /// Removes what is left of other layouts of a domain that is stored.
    pub fn clean(&self, content: &DomainContent) -> Result<(), FileError> {
        let folder = self.folder.join(content.domain().as_str());
        let kept: BTreeSet<String> = content.shards().iter().map(|shard| file_name(shard)).collect();
        for name in files::names(&folder)?.into_iter().filter(|name| !kept.contains(name)) {
            files::remove(&folder.join(name))?;
        }
        Ok(())
    }

    /// Forgets a domain that was given up.
    pub fn forget(&self, domain: &DomainName) -> Result<(), FileError> {
        files::remove_folder(&self.folder.join(domain.as_str()))
    }

    fn load_domain(&self, name: &str) -> Result<Option<DomainContent>, FileError> {
        let folder = self.folder.join(name);
        let mut layouts: BTreeMap<u32, BTreeMap<u32, Arc<ShardContent>>> = BTreeMap::new();
        for file in files::names(&folder)? {
            let bytes = files::read(&folder.join(file))?.unwrap_or_default();
            if let Ok(shard) = ShardContent::decode(&bytes)
                && shard.domain.as_str() == name
            {
                layouts.entry(shard.buckets).or_default().insert(shard.bucket, Arc::new(shard));
            }
        }
        Ok(layouts.values().rev().find_map(|shards| DomainContent::assemble(shards).ok()))
    }
}

fn file_name(shard: &ShardContent) -> String {
    format!("{}-of-{}", shard.bucket, shard.buckets)
}

/// What tells a shard from all others of its domain, and from what it was before.
fn identity(shard: &Arc<ShardContent>) -> (u32, u32, [u8; 32]) {
    (shard.buckets, shard.bucket, shard.digest)
}
