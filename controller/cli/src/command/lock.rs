use std::time::Duration;

use clap::Args;
use cst_api::Mailbox;
use cst_compiler::model::Address;
use cst_kubernetes::helpdesk::{self, HelpdeskError};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Client;

use super::Failure;
use crate::{Exit, clock, output, telemetry};

/// Lock a box at once, outside of git, with the rights of your kubeconfig: nobody logs in to it and nothing is sent from it, whatever is
/// applied; mail is received.
#[derive(Debug, Args)]
pub(crate) struct Lock {
    /// The box's own address.
    #[arg(value_name = "ADDRESS", value_parser = Address::parse)]
    address: Address,
    /// End the lock.
    #[arg(long)]
    unlock: bool,
    /// The tenant's namespace; without it all are looked through, or, where you may not, that of your kubeconfig.
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// How many seconds to wait until every mail server does so; 0: not at all.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

impl Lock {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        telemetry::runtime()?.block_on(async {
            let client = Client::try_default().await?;
            match self.change(&client).await {
                Err(error) if error.is_input() => {
                    output::error(&error);
                    Ok(Exit::Invalid)
                }
                Err(error) => Err(error.into()),
                Ok(said) => {
                    output::tell(&format!("{} {said}\n", self.address));
                    Ok(Exit::Done)
                }
            }
        })
    }

    /// Locks or unlocks; what came of it.
    async fn change(&self, client: &Client) -> Result<&'static str, HelpdeskError> {
        let model = helpdesk::find(client, self.namespace.as_deref(), &self.address).await?;
        let since = if self.unlock {
            if !helpdesk::unlock(client, &model).await? {
                return Ok("is not locked");
            }
            None
        } else {
            let now = clock::now();
            helpdesk::lock(client, &model, &now).await?;
            Some(now)
        };
        if self.timeout == 0 {
            return Ok(if self.unlock {
                "is unlocked; the mail servers get it now"
            } else {
                "is locked; the mail servers get it now"
            });
        }
        let is_so = |mailbox: &Mailbox| since_of(mailbox) == since.as_ref();
        helpdesk::until(client, &model.key, Duration::from_secs(self.timeout), is_so).await?;
        Ok(if self.unlock { "is unlocked on every mail server" } else { "is locked on every mail server" })
    }
}

fn since_of(mailbox: &Mailbox) -> Option<&MicroTime> {
    mailbox.status.as_ref()?.locked_since.as_ref()
}
