use std::path::PathBuf;

use clap::Args;

use super::Failure;
use crate::{Exit, telemetry};

/// Install mail tables beside Postfix and Dovecot (runs in their pod).
#[derive(Debug, Args)]
pub(crate) struct Agent {
    /// The namespace of the shard Secrets: the pod's own.
    #[arg(long, env = "NAMESPACE")]
    namespace: String,
    /// The pod's name, which names its acknowledgement.
    #[arg(long, env = "POD_NAME")]
    pod: String,
    /// The volume of tables and last good state.
    #[arg(long, default_value = "/var/lib/cst", value_name = "FOLDER")]
    root: PathBuf,
}

impl Agent {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        telemetry::start();
        let config = cst_agent::Config { root: self.root, ..cst_agent::Config::in_pod(self.namespace, self.pod) };
        telemetry::runtime()?.block_on(cst_agent::run(config))?;
        Ok(Exit::Done)
    }
}
