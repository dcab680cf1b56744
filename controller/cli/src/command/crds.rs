use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::{Exit, files, output};

/// Print the CRDs, or write them to a folder.
#[derive(Debug, Args)]
pub(crate) struct Crds {
    /// Write one file for each kind to this folder instead.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Crds {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        for crd in cst_api::crds() {
            let text = format!("# Written by `cst crds`.\n---\n{}", serde_yaml::to_string(&crd)?);
            match &self.out {
                Some(folder) => files::write(&folder.join(format!("{}.yaml", crd.spec.names.plural)), &text)?,
                None => output::print(&text),
            }
        }
        Ok(Exit::Done)
    }
}
