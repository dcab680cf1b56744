use std::path::PathBuf;

use clap::Args;
use cst_compiler::compile::{self, ZoneFacts};
use cst_compiler::index::{Index, Unit};
use cst_compiler::problem::Severity;

use super::{Failure, validate};
use crate::output::Format;
use crate::{Exit, files, output};

/// Write what a repository of manifests compiles to: zones, mail tables, cluster objects.
#[derive(Debug, Args)]
pub(crate) struct Render {
    /// The folders or files with the manifests.
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// The folder to write to; what is in it under the same names is replaced.
    #[arg(long, value_name = "OUT")]
    out: PathBuf,
    /// The settings file; searched as cst.yaml from the first DIR upward unless given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The SOA serial that the zones get.
    #[arg(long, default_value_t = 1)]
    serial: u32,
}

impl Render {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let repository = match files::read_repository(&self.paths, self.config.as_deref())? {
            Ok(repository) => repository,
            Err(settings) => {
                output::diagnostics(Format::Text, &settings, 0);
                return Ok(Exit::Invalid);
            }
        };
        let diagnostics = validate::diagnostics(&repository);
        for (path, text) in rendered(&repository.index, self.serial) {
            files::write(&self.out.join(path), &text)?;
        }
        output::diagnostics(Format::Text, &diagnostics, repository.objects().count());
        let invalid = diagnostics.iter().any(|d| d.severity == Severity::Error);
        Ok(if invalid { Exit::Invalid } else { Exit::Done })
    }
}

/// Every file that an index renders to, by its path in the output folder.
pub(crate) fn rendered(index: &Index, serial: u32) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for unit in index.units() {
        if let Unit::Zone(name) = unit
            && let Some(zone) = compile::zone(index, &name, ZoneFacts { mail_acknowledged: true }).zone
        {
            files.push((PathBuf::from("zones").join(file_name(name.as_str())), zone.to_text(serial)));
        }
    }
    files
}

/// A zone's file: its name, with `/` (RFC 2317 names) as `_`, which cannot meet another zone's `_` on the same label structure.
fn file_name(zone: &str) -> String {
    format!("{}.zone", zone.replace('/', "%2f"))
}
