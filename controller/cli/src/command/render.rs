use std::path::PathBuf;

use clap::Args;
use cst_compiler::problem::Severity;

use super::{Failure, validate};
use crate::output::Format;
use crate::render::rendered;
use crate::{Exit, clock, files, output};

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
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

impl Render {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        self.render().inspect_err(|error| output::failure(self.output, error.as_ref()))
    }

    fn render(&self) -> Result<Exit, Failure> {
        let read = validate::read(&self.paths, self.config.as_deref(), self.output)?;
        let Some((repository, diagnostics)) = read else {
            return Ok(Exit::Invalid);
        };
        let today = clock::today(repository.index.settings());
        for (path, text) in rendered(&repository.index, self.serial, today) {
            files::write(&self.out.join(path), &text)?;
        }
        output::diagnostics(self.output, &diagnostics, repository.objects().count());
        let invalid = diagnostics.iter().any(|d| d.severity == Severity::Error);
        Ok(if invalid { Exit::Invalid } else { Exit::Done })
    }
}
