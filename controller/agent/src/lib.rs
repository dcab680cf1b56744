//! Installs mail tables beside Postfix and Dovecot, and keys beside Rspamd.
//!
//! ```text
//! shard Secrets ─receive→ inbox ─decide→ last_good, tables ─reload, probe→ ack ─acknowledge→ ConfigMap mail-agent-<pod>
//! ```
//!
//! The agent watches its own namespace, writes what is whole and sound, and goes on with the last good state when the API is away. It can
//! be killed at any time: a file is there whole or not at all, and the next agent starts from what is there.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod acknowledge;
pub mod agent;
pub mod cdb;
mod config;
pub mod decide;
pub mod dovecot;
pub mod files;
pub mod inbox;
pub mod last_good;
mod listen;
pub mod milter;
pub mod policy;
pub mod postfix;
mod probe;
mod receive;
mod reload;
pub mod rspamd;
mod sessions;

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use kube::Client;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub use agent::Agent;
pub use config::Config;

/// How long events are gathered before a step.
const GATHER: Duration = Duration::from_millis(50);

/// Why an agent does not run.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The volume cannot be used.
    #[error("cannot use the volume of the tables: check its mount and mode")]
    Volume(#[from] files::FileError),
    /// There is no way to the API server.
    #[error("cannot find the API server: run the agent in a pod with a service account, or give a kubeconfig")]
    Client(#[source] Box<kube::Error>),
    /// The process cannot be told to end.
    #[error("cannot wait for the signal to end")]
    Signal(#[source] std::io::Error),
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(config: Config) -> Result<(), AgentError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(AgentError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(AgentError::Signal)?;
    let client = Client::try_default().await.map_err(|error| AgentError::Client(Box::new(error)))?;
    tokio::select! {
        served = serve(config, client) => served,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

/// Installs and acknowledges with this client's rights, until it is dropped.
pub async fn serve(config: Config, client: Client) -> Result<(), AgentError> {
    let agent = Agent::open(config.clone())?;
    let (sender, receiver) = watch::channel(None);
    let installed = agent.installed();
    tokio::select! {
        () = work(agent, client.clone(), &config.namespace, sender) => {}
        () = policy::serve(config.policy, config.quota, installed.clone()) => {}
        () = policy::rates::serve(config.rates, installed.clone()) => {}
        () = milter::serve(config.milter, installed) => {}
        () = acknowledge::write_all(client, &config.namespace, &config.pod, receiver) => {}
    }
    Ok(())
}

/// Steps: at the start, a moment after an event, and again while something is behind.
async fn work(
    mut agent: Agent,
    client: Client,
    namespace: &str,
    acks: watch::Sender<Option<cst_compiler::desired::mail::ack::Ack>>,
) {
    let mut events = pin!(receive::events(client, namespace));
    let mut next = agent.next_step().map(|_| Instant::now());
    loop {
        let due = sleep_until(next.unwrap_or_else(Instant::now));
        tokio::select! {
            event = events.next() => {
                let Some(event) = event else { return };
                if agent.take(event) {
                    let soon = Instant::now() + GATHER;
                    next = Some(next.map_or(soon, |due| due.min(soon)));
                }
            }
            () = due, if next.is_some() => {
                if let Err(error) = agent.step().await {
                    tracing::error!(%error, cause = cause(&error), "not everything is installed");
                }
                acks.send_replace(agent.ack());
                next = agent.next_step().map(|pause| Instant::now() + pause);
            }
        }
    }
}

/// The innermost cause of an error, for the log.
fn cause(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |error| error.source()).last().map(ToString::to_string).unwrap_or_default()
}
