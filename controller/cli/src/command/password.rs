mod application;

use std::time::Duration;

use clap::Args;
use cst_compiler::desired::mail::PasswordHash;
use cst_compiler::model::Address;
use cst_compiler::parse::MailboxModel;
use cst_kubernetes::helpdesk::{self, HelpdeskError};
use cst_kubernetes::password::{self, PasswordError};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Client;

use super::Failure;
use crate::terminal::{self, NoPassword};
use crate::{Exit, clock, output, telemetry};

/// Change the password of a box at once, outside of git, with the rights of your kubeconfig. The new one is asked for twice on a terminal,
/// else it is the first line of standard input.
#[derive(Debug, Args)]
pub(crate) struct Password {
    /// The box's own address, which is its login.
    #[arg(value_name = "ADDRESS", value_parser = Address::parse)]
    address: Address,
    /// The tenant's namespace; without it all are looked through, or, where you may not, that of your kubeconfig.
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Make a new password, and print it: once, there is no other way to it.
    #[arg(long)]
    generate: bool,
    /// Not the owner's own password, but one of this device or program (lower-case letters and digits, such as `scanner2`): made and printed
    /// once. It opens the same until it is revoked, and does so whoever owns the other.
    #[arg(long, value_name = "NAME", value_parser = application::name, conflicts_with = "generate")]
    application: Option<String>,
    /// Take the password of that device or program away; its sessions end.
    #[arg(long, requires = "application")]
    revoke: bool,
    /// How many seconds to wait until every mail server has it; 0: not at all.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

impl Password {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        telemetry::runtime()?.block_on(async {
            match &self.application {
                Some(name) => self.change_application(name).await,
                None => self.change().await,
            }
        })
    }

    async fn change(&self) -> Result<Exit, Failure> {
        let client = Client::try_default().await?;
        let result = async {
            let model = helpdesk::find(&client, self.namespace.as_deref(), &self.address).await?;
            helpdesk::may_change_password(&model).map(|()| model)
        };
        let model = match result.await {
            Err(error) if error.is_input() => return Ok(invalid(&error)),
            result => result?,
        };
        let (hash, generated) = match self.new_password().await? {
            Ok(made) => made,
            Err(unfit) => return Ok(invalid(unfit.as_ref())),
        };
        let at = clock::now();
        match helpdesk::change_password(&client, &model, &hash, &at).await {
            Err(error) if error.is_input() => return Ok(invalid(&error)),
            result => result?,
        }
        if let Some(password) = generated {
            output::print(&format!("{password}\n"));
        }
        self.wait(&client, &model, &at).await?;
        Ok(Exit::Done)
    }

    /// The new hash, with the password if it was made here; the inner error: what was typed is none.
    async fn new_password(&self) -> Result<Result<(PasswordHash, Option<String>), Failure>, Failure> {
        if self.generate {
            let made = tokio::task::spawn_blocking(password::generate).await.map_err(|_| PasswordError::Hash)??;
            let hash = PasswordHash::parse(&made.hash)?;
            return Ok(Ok((hash, Some(made.password))));
        }
        let typed = match terminal::new_password(&self.address.to_string()).await {
            Err(error @ (NoPassword::Differ | NoPassword::Missing)) => return Ok(Err(error.into())),
            result => result?,
        };
        if let Err(unfit) = password::fits(&typed) {
            return Ok(Err(unfit.into()));
        }
        let hash =
            tokio::task::spawn_blocking(move || password::hash(&typed)).await.map_err(|_| PasswordError::Hash)??;
        Ok(Ok((hash, None)))
    }

    async fn wait(&self, client: &Client, model: &MailboxModel, at: &MicroTime) -> Result<(), HelpdeskError> {
        let address = &model.address;
        if self.timeout == 0 {
            output::tell(&format!("the password of {address} is changed; the mail servers get it now\n"));
            return Ok(());
        }
        let has_it = |mailbox: &cst_api::Mailbox| {
            mailbox.status.as_ref().is_some_and(|status| status.password_changed.as_ref() == Some(at))
        };
        helpdesk::until(client, &model.key, Duration::from_secs(self.timeout), has_it).await?;
        output::tell(&format!("the password of {address} is changed on every mail server\n"));
        Ok(())
    }
}

fn invalid(error: &dyn std::error::Error) -> Exit {
    output::error(error);
    Exit::Invalid
}
