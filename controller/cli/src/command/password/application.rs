//! Passwords of one device or program each.

use std::time::Duration;

use cst_api::{Application, Mailbox};
use cst_compiler::desired::mail::PasswordHash;
use cst_compiler::parse::{MailboxModel, check_application};
use cst_kubernetes::helpdesk::{self, HelpdeskError};
use cst_kubernetes::password::{self, PasswordError};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::Client;

use super::{Password, invalid};
use crate::command::Failure;
use crate::{Exit, clock, output};

/// An application's name, of an argument.
pub(super) fn name(text: &str) -> Result<String, String> {
    check_application(text).map(|()| text.to_owned())
}

impl Password {
    /// Makes or revokes the password of a device or program.
    pub(super) async fn change_application(&self, name: &str) -> Result<Exit, Failure> {
        let client = Client::try_default().await?;
        let done = async {
            let model = helpdesk::find(&client, self.namespace.as_deref(), &self.address).await?;
            if self.revoke { self.revoke(&client, &model, name).await } else { self.grant(&client, &model, name).await }
        };
        match done.await {
            Ok(said) => output::tell(&said),
            Err(failure) => match failure.downcast_ref::<HelpdeskError>() {
                Some(error) if error.is_input() => return Ok(invalid(error)),
                _ => return Err(failure),
            },
        }
        Ok(Exit::Done)
    }

    async fn grant(&self, client: &Client, model: &MailboxModel, name: &str) -> Result<String, Failure> {
        let made = tokio::task::spawn_blocking(password::generate).await.map_err(|_| PasswordError::Hash)??;
        let at = clock::now();
        helpdesk::grant_application(client, model, name, &PasswordHash::parse(&made.hash)?, &at).await?;
        output::print(&format!("{}\n", made.password));
        self.told(client, model, name, Some(at)).await
    }

    async fn revoke(&self, client: &Client, model: &MailboxModel, name: &str) -> Result<String, Failure> {
        if !helpdesk::revoke_application(client, model, name).await? {
            return Ok(format!("{} has no password of {name}\n", self.address));
        }
        self.told(client, model, name, None).await
    }

    /// What came of it, once every mail server has it. `at`: since when the password is good; `None`: it was revoked.
    async fn told(
        &self,
        client: &Client,
        model: &MailboxModel,
        name: &str,
        at: Option<MicroTime>,
    ) -> Result<String, Failure> {
        let what = if at.is_some() { "is good" } else { "is revoked" };
        let of = format!("the password of {name} for {} {what}", self.address);
        if self.timeout == 0 {
            return Ok(format!("{of}; the mail servers get it now\n"));
        }
        let wanted = at.map(|at| Application { name: name.to_owned(), since: Some(at) });
        let is_so = |mailbox: &Mailbox| {
            let known = mailbox.status.iter().flat_map(|status| &status.applications);
            known.filter(|known| known.name == name).eq(wanted.iter())
        };
        helpdesk::until(client, &model.key, Duration::from_secs(self.timeout), is_so).await?;
        Ok(format!("{of} on every mail server\n"))
    }
}
