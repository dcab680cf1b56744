mod axfr;
mod bind;
mod report;
mod zone;

use clap::{Args, Subcommand};

use super::Failure;
use crate::Exit;

/// Make manifests of what an existing centre has.
#[derive(Debug, Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make Domains of zone files, of a transfer or of BIND's configuration, and prove that they render to the same zones.
    Zone(zone::ImportZone),
}

impl Import {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.what {
            What::Zone(command) => command.run(),
        }
    }
}
