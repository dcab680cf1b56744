//! What the helpdesk does at once, outside of git, with the rights of whoever calls: finds a box by its address, changes its password, locks
//! it, waits until every mail server has that.

use std::time::Duration;

use cst_api::{ConditionType, Mailbox, PasswordOwner};
use cst_compiler::desired::mail::PasswordHash;
use cst_compiler::model::{Address, ObjectKey};
use cst_compiler::parse::{MAX_APPLICATIONS, MailboxModel, PasswordSource, application_secret, password_secret};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{DeleteParams, ListParams};
use kube::core::{DeserializeGuard, ObjectList};
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt as _};

use crate::apply::{self, ApplyError};
use crate::names::{MANAGED_BY, MANAGER};
use crate::passwords;

/// How many boxes are asked for at a time.
const PAGE: u32 = 500;

/// Why the helpdesk's wish is not done.
#[derive(Debug, thiserror::Error)]
pub enum HelpdeskError {
    /// Nothing has the address.
    #[error("no Mailbox has the address {0}: look at `kubectl get mailboxes -A`")]
    Unknown(Address),
    /// It is not where somebody logs in.
    #[error("{alias} is an alias: its login is {login}, of Mailbox {mailbox}. Name that")]
    Alias {
        /// What was asked for.
        alias: Address,
        /// The box's own address.
        login: String,
        /// Whose.
        mailbox: ObjectKey,
    },
    /// Several ask for it.
    #[error("several Mailboxes ask for {address}, and none has it yet: {}. Leave one", mailboxes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Disputed {
        /// What was asked for.
        address: Address,
        /// Who asks for it.
        mailboxes: Vec<ObjectKey>,
    },
    /// Its spec is none.
    #[error("Mailbox {mailbox} cannot be used as it is: {why}. Mend it first")]
    Wrong {
        /// Which.
        mailbox: ObjectKey,
        /// What is wrong.
        why: String,
    },
    /// Nobody logs in to it.
    #[error("nobody logs in to {address}, because Mailbox {mailbox} is {kind}: its delegates use their own passwords")]
    NoLogin {
        /// Its address.
        address: Address,
        /// Which.
        mailbox: ObjectKey,
        /// What it is.
        kind: String,
    },
    /// It has as many passwords of applications as a box may have.
    #[error(
        "{address} has passwords of {MAX_APPLICATIONS} applications already, and may have no more: {}. Revoke one first: `cst password {address} --application NAME --revoke`",
        applications.join(", ")
    )]
    Full {
        /// Its address.
        address: Address,
        /// What they are called.
        applications: Vec<String>,
    },
    /// It is a list.
    #[error("Mailbox {mailbox} is a Group: nobody logs in to it, and there is nothing to lock")]
    Group {
        /// Which.
        mailbox: ObjectKey,
    },
    /// What git says holds.
    #[error(
        "git owns the password of {address}: change {place} there, or set spec.passwordOwner of Mailbox {mailbox} to User"
    )]
    GitOwns {
        /// Its address.
        address: Address,
        /// Which.
        mailbox: ObjectKey,
        /// The key and the Secret that git names.
        place: String,
    },
    /// The Mailboxes could not be read.
    #[error("the Mailboxes cannot be read{}", if *.elsewhere { "" } else { "; in which namespace is yours? Name it: --namespace t-…" })]
    Read {
        /// Whether it was said where.
        elsewhere: bool,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The password could not be stored.
    #[error(transparent)]
    Write(#[from] ApplyError),
    /// The mail servers have not got it in time.
    #[error("it is stored, but not on every mail server yet: Mailbox {mailbox} says: {says}")]
    Late {
        /// Which.
        mailbox: ObjectKey,
        /// What its status says.
        says: String,
    },
}

impl HelpdeskError {
    /// Whether another wish is needed, rather than another try.
    pub fn is_input(&self) -> bool {
        !matches!(self, Self::Read { .. } | Self::Write(_) | Self::Late { .. })
            || matches!(self, Self::Write(ApplyError::Foreign(_)))
    }
}

/// The Mailbox whose own address this is, in a namespace or, as far as the caller may look, in all.
pub async fn find(client: &Client, namespace: Option<&str>, address: &Address) -> Result<MailboxModel, HelpdeskError> {
    let named = namespace.is_some();
    let failed = |source| HelpdeskError::Read { elsewhere: named, source: Box::new(source) };
    let own = ListParams::default().fields(&format!("spec.address={address}"));
    let mut api = scope(client, namespace);
    let found = match api.list(&own).await {
        Err(kube::Error::Api(status)) if status.code == 403 && !named => {
            api = scope(client, Some(client.default_namespace()));
            api.list(&own).await.map_err(failed)?
        }
        result => result.map_err(failed)?,
    };
    let mut claimants = readable(found);
    let holds = |mailbox: &Mailbox| mailbox.status.iter().flat_map(|s| &s.addresses).any(|a| *a == address.to_string());
    if let Some(at) = claimants.iter().position(holds) {
        claimants = vec![claimants.swap_remove(at)];
    }
    match &claimants[..] {
        [] => Err(alias_of(&api, address).await.map_err(failed)?),
        [mailbox] => read(mailbox),
        several => {
            Err(HelpdeskError::Disputed { address: address.clone(), mailboxes: several.iter().map(key_of).collect() })
        }
    }
}

fn scope(client: &Client, namespace: Option<&str>) -> Api<DeserializeGuard<Mailbox>> {
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// What cannot be read is none of the answer.
fn readable(list: ObjectList<DeserializeGuard<Mailbox>>) -> Vec<Mailbox> {
    list.items.into_iter().filter_map(|guarded| guarded.0.ok()).collect()
}

fn key_of(mailbox: &Mailbox) -> ObjectKey {
    ObjectKey::new(mailbox.namespace().unwrap_or_default(), mailbox.name_any())
}

/// What an address is that is no box's own.
async fn alias_of(api: &Api<DeserializeGuard<Mailbox>>, address: &Address) -> kube::Result<HelpdeskError> {
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = api.list(&page).await?;
        let next = list.metadata.continue_.clone().filter(|token| !token.is_empty());
        let has = |mailbox: &Mailbox| mailbox.spec.aliases.contains(&address.to_string());
        if let Some(mailbox) = readable(list).into_iter().find(has) {
            let (mailbox, login) = (key_of(&mailbox), mailbox.spec.address);
            return Ok(HelpdeskError::Alias { alias: address.clone(), login, mailbox });
        }
        match next {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(HelpdeskError::Unknown(address.clone())),
        }
    }
}

fn read(mailbox: &Mailbox) -> Result<MailboxModel, HelpdeskError> {
    let parsed = MailboxModel::parse(mailbox);
    let why = parsed.problems.iter().find(|problem| problem.is_error()).map(|problem| problem.message.clone());
    match (parsed.model, why) {
        (Some(model), None) => Ok(model),
        (_, why) => Err(HelpdeskError::Wrong { mailbox: key_of(mailbox), why: why.unwrap_or_default() }),
    }
}

/// Whether the password of a box may be changed outside of git.
pub fn may_change_password(model: &MailboxModel) -> Result<(), HelpdeskError> {
    let source = login_of(model)?;
    let (mailbox, address) = (model.key.clone(), model.address.clone());
    match (&source.given, source.owner) {
        (Some((secret, key)), PasswordOwner::Git) => {
            Err(HelpdeskError::GitOwns { address, mailbox, place: format!("the key `{key}` of Secret {secret}") })
        }
        _ => Ok(()),
    }
}

/// Puts a password into the box's own Secret, from where the controller takes it.
pub async fn change_password(
    client: &Client,
    model: &MailboxModel,
    hash: &PasswordHash,
    at: &MicroTime,
) -> Result<(), HelpdeskError> {
    let tenant = model.key.tenant().unwrap_or_default();
    let secret = passwords::own_secret(&password_secret(&model.key), tenant, &passwords::changed(hash, Some(at)));
    apply::apply_secret(client, &secret).await?;
    Ok(())
}

/// Gives a device or program a password of its own, in place of the one that it had.
pub async fn grant_application(
    client: &Client,
    model: &MailboxModel,
    application: &str,
    hash: &PasswordHash,
    at: &MicroTime,
) -> Result<(), HelpdeskError> {
    login_of(model)?;
    let others = other_applications(client, model, application).await?;
    if others.len() >= MAX_APPLICATIONS {
        return Err(HelpdeskError::Full { address: model.address.clone(), applications: others });
    }
    let key = application_secret(&model.key, application);
    let tenant = model.key.tenant().unwrap_or_default();
    let secret = passwords::own_secret(&key, tenant, &passwords::changed(hash, Some(at)));
    apply::apply_secret(client, &secret).await?;
    Ok(())
}

/// The other applications that log in to a box, as its status says.
async fn other_applications(
    client: &Client,
    model: &MailboxModel,
    application: &str,
) -> Result<Vec<String>, HelpdeskError> {
    let api: Api<Mailbox> = Api::namespaced(client.clone(), &model.key.namespace);
    let failed = |source| HelpdeskError::Read { elsewhere: true, source: Box::new(source) };
    let status = api.get_opt(&model.key.name).await.map_err(failed)?.and_then(|mailbox| mailbox.status);
    let names = status.into_iter().flat_map(|status| status.applications).map(|known| known.name);
    Ok(names.filter(|name| name != application).collect())
}

/// Takes the password of a device or program away; whether there was one.
pub async fn revoke_application(
    client: &Client,
    model: &MailboxModel,
    application: &str,
) -> Result<bool, HelpdeskError> {
    take_away(client, application_secret(&model.key, application)).await
}

/// Locks a box, by a Secret that is there as long as the lock. A box that is locked is locked anew, from now on.
pub async fn lock(client: &Client, model: &MailboxModel, since: &MicroTime) -> Result<(), HelpdeskError> {
    let key = lock_of(model)?;
    let tenant = model.key.tenant().unwrap_or_default();
    apply::apply_secret(client, &passwords::own_secret(&key, tenant, &passwords::lock(since))).await?;
    Ok(())
}

/// Takes a box's lock away; whether there was one.
pub async fn unlock(client: &Client, model: &MailboxModel) -> Result<bool, HelpdeskError> {
    take_away(client, lock_of(model)?).await
}

/// Deletes a Secret of ours about a box; whether it was there.
async fn take_away(client: &Client, key: ObjectKey) -> Result<bool, HelpdeskError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), &key.namespace);
    // The helpdesk may not look; it may delete nothing but such Secrets of ours.
    let there = api.get_metadata_opt(&key.name).await.ok().flatten();
    if there.is_some_and(|there| there.labels().get(MANAGED_BY).is_none_or(|by| by != MANAGER)) {
        return Err(ApplyError::Foreign(key).into());
    }
    match api.delete(&key.name, &DeleteParams::default()).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(false),
        Err(source) => Err(ApplyError::Secret { key, source: Box::new(source) }.into()),
    }
}

fn login_of(model: &MailboxModel) -> Result<&PasswordSource, HelpdeskError> {
    let (address, mailbox) = (model.address.clone(), model.key.clone());
    let kind = || format!("{:?}", model.mailbox_type());
    model.password().ok_or_else(|| HelpdeskError::NoLogin { address, mailbox, kind: kind() })
}

fn lock_of(model: &MailboxModel) -> Result<ObjectKey, HelpdeskError> {
    model.lock().ok_or_else(|| HelpdeskError::Group { mailbox: model.key.clone() })
}

/// Waits until a box's status says what is wanted of it, for so long.
pub async fn until(
    client: &Client,
    key: &ObjectKey,
    patience: Duration,
    wanted: impl Fn(&Mailbox) -> bool,
) -> Result<(), HelpdeskError> {
    let api: Api<Mailbox> = Api::namespaced(client.clone(), &key.namespace);
    let is_wanted = |mailbox: Option<&Mailbox>| mailbox.is_some_and(&wanted);
    // What breaks the watch is told as what the status says then.
    if let Ok(Ok(_)) = tokio::time::timeout(patience, await_condition(api.clone(), &key.name, is_wanted)).await {
        return Ok(());
    }
    let failed = |source| HelpdeskError::Read { elsewhere: true, source: Box::new(source) };
    let says = match api.get_opt(&key.name).await.map_err(failed)? {
        Some(mailbox) => ready(&mailbox).unwrap_or_else(|| "nothing yet; does the controller run?".into()),
        None => "nothing, it is gone".into(),
    };
    Err(HelpdeskError::Late { mailbox: key.clone(), says })
}

fn ready(mailbox: &Mailbox) -> Option<String> {
    let conditions = &mailbox.status.as_ref()?.conditions;
    conditions.iter().find(|c| c.type_ == ConditionType::Ready.to_string()).map(|c| c.message.clone())
}
