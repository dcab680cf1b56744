//! What the long-running commands share: the log and the runtime.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::EnvFilter;

/// Logs to standard error, one JSON object a line; `RUST_LOG` filters, `info` unless set.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(io::stderr).init();
}

/// The asynchronous runtime.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build()
}
