//! `cst`: the one binary of the centre's operator, for its cluster and for the command line.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod clock;
mod command;
mod files;
mod metrics;
mod output;
mod primary;
mod render;
mod resolvers;
mod telemetry;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use command::Command;

/// The exit codes every command keeps to (design §8); of several the worst wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The tool or the cluster failed.
    Failed = 1,
    /// What was asked about is not as it was (only with `--detailed-exitcode`).
    Changed = 2,
    /// The input is wrong.
    Invalid = 3,
    /// The command line is wrong.
    Usage = 64,
}

/// Runs the DNS, mail and web portals of a centre's members from manifests.
#[derive(Debug, Parser)]
#[command(name = "cst", version, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let usage = error.use_stderr();
            // Nothing can be told when the terminal is gone.
            error.print().ok();
            return code(if usage { Exit::Usage } else { Exit::Done });
        }
    };
    code(cli.command.run().unwrap_or_else(|error| {
        output::error(error.as_ref());
        Exit::Failed
    }))
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
