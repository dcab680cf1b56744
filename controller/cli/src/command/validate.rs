use std::path::{Path, PathBuf};

use clap::Args;
use cst_api::Reason;
use cst_compiler::compile;
use cst_compiler::manifest::{Diagnostic, Repository};
use cst_compiler::problem::Severity;

use super::Failure;
use crate::output::Format;
use crate::{Exit, clock, files, output};

/// Check a repository of manifests without a cluster: every problem with its file, line and column.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The folders or files with the manifests.
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// The settings file; searched as cst.yaml from each DIR upward to its repository unless given, and the same for all.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

impl Validate {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let read = files::read_repository(&self.paths, self.config.as_deref());
        let (diagnostics, objects) = match read.inspect_err(|error| output::failure(self.output, error.as_ref()))? {
            Ok(repository) => (diagnostics(&repository), repository.objects().count()),
            Err(settings) => (settings, 0),
        };
        output::diagnostics(self.output, &diagnostics, objects);
        let invalid = diagnostics.iter().any(|d| d.severity == Severity::Error);
        Ok(if invalid { Exit::Invalid } else { Exit::Done })
    }
}

/// A repository with all that is wrong with it; `None` when its settings cannot be used, which is then told.
pub(crate) fn read(
    paths: &[PathBuf],
    config: Option<&Path>,
    format: Format,
) -> Result<Option<(Repository, Vec<Diagnostic>)>, Failure> {
    match files::read_repository(paths, config)? {
        Ok(repository) => {
            let diagnostics = diagnostics(&repository);
            Ok(Some((repository, diagnostics)))
        }
        Err(settings) => {
            output::diagnostics(format, &settings, 0);
            Ok(None)
        }
    }
}

/// Everything wrong with a repository: its texts, its objects, and what they are together.
fn diagnostics(repository: &Repository) -> Vec<Diagnostic> {
    let mut all = repository.diagnostics.clone();
    all.extend(compile::problems(&repository.index, clock::today(repository.index.settings())).iter().map(|problem| {
        let mut diagnostic = repository.diagnose(problem);
        if problem.reason == Reason::SecretMissing {
            // Offline a Secret may well come from elsewhere (sealed, or made in the cluster).
            diagnostic.severity = Severity::Warning;
        }
        diagnostic
    }));
    all.sort();
    all.dedup();
    all
}
