//! One file a command.

mod agent;
mod controller;
mod crds;
mod import;
mod lock;
mod password;
mod render;
mod serve;
mod validate;
mod verify;

use clap::Subcommand;

use crate::Exit;

/// Why a command could not do its work, with what to do about it.
pub(crate) type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install mail tables beside Postfix and Dovecot (runs in their pod).
    Agent(agent::Agent),
    /// Reconcile the cluster's objects, and serve their zones as the hidden primary (runs in its pod).
    Controller(controller::Controller),
    /// Print the CRDs, or write them to a folder.
    Crds(crds::Crds),
    /// Make manifests of what an existing centre has, such as its zones.
    Import(import::Import),
    /// Lock a box at once, outside of git: nobody logs in to it or sends from it.
    Lock(lock::Lock),
    /// Change the password of a box at once, outside of git.
    Password(password::Password),
    /// Check a repository of manifests without a cluster: every problem with its file, line and column.
    Validate(validate::Validate),
    /// Write what a repository of manifests compiles to: zones, mail tables, cluster objects.
    Render(render::Render),
    /// Answer a repository's zones on this machine, signed, without a cluster, and render the rest.
    Serve(serve::Serve),
    /// Ask the Internet whether a repository's zones are served as they should be.
    Verify(verify::Verify),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Agent(command) => command.run(),
            Self::Controller(command) => command.run(),
            Self::Crds(command) => command.run(),
            Self::Import(command) => command.run(),
            Self::Lock(command) => command.run(),
            Self::Password(command) => command.run(),
            Self::Validate(command) => command.run(),
            Self::Render(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Verify(command) => command.run(),
        }
    }
}
