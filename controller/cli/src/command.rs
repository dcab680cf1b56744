//! One file a command.

mod agent;
mod crds;
mod render;
mod validate;

use clap::Subcommand;

use crate::Exit;

/// Why a command could not do its work, with what to do about it.
pub(crate) type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install mail tables beside Postfix and Dovecot (runs in their pod).
    Agent(agent::Agent),
    /// Print the CRDs, or write them to a folder.
    Crds(crds::Crds),
    /// Check a repository of manifests without a cluster: every problem with its file, line and column.
    Validate(validate::Validate),
    /// Write what a repository of manifests compiles to: zones, mail tables, cluster objects.
    Render(render::Render),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Agent(command) => command.run(),
            Self::Crds(command) => command.run(),
            Self::Validate(command) => command.run(),
            Self::Render(command) => command.run(),
        }
    }
}
