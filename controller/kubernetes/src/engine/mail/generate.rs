//! The passwords that are made for boxes. One that cannot be made or put where its owner finds it is its box's own affair: all the others
//! go on, and so does the box, without a login or with the password it had.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cst_api::{DeletionPolicy, Reason};
use cst_compiler::compile::{MailOutcome, MissingPassword, Password};
use cst_compiler::desired::mail::MailDomain;
use cst_compiler::index::Unit;
use cst_compiler::model::{Address, DomainName, ObjectKey};
use cst_compiler::parse::password_secret;
use cst_compiler::problem::{Kind, ObjectRef};
use futures_util::{StreamExt as _, stream};

use super::super::{Effect, Engine, Shell, Work, WorkError};
use crate::apply::{ApplyError, ObjectId};
use crate::clock::Now;
use crate::failure::{self, chain};
use crate::passwords::StoreError;
use crate::{apply, passwords};

/// How many passwords are made at a time: their hashes cost processor time.
const AT_ONCE: usize = 4;
const FIRST_DELAY: Duration = Duration::from_secs(5);
const LAST_DELAY: Duration = Duration::from_mins(10);

/// A password to be put into its box's own Secret.
#[derive(Debug)]
pub(super) struct ToPut {
    mailbox: ObjectKey,
    address: Address,
    tenant: String,
    /// The one that was lost; `None`: it is generated, or recalled.
    last: Option<Password>,
}

impl ToPut {
    /// The Secret that it goes into.
    pub(super) fn secret(&self) -> ObjectKey {
        password_secret(&self.mailbox)
    }
}

/// A password that could not be made or put into its Secret.
#[derive(Debug)]
pub(in super::super) struct Ungenerated {
    why: String,
    times: u32,
    again: Instant,
}

impl Engine {
    /// The passwords to make now. What was refused comes again by itself, or with a change of its Secret.
    pub(super) fn to_generate(&self, outcome: &MailOutcome, now: &Now) -> Vec<ToPut> {
        let to_put = |MissingPassword { mailbox: key, last }: &MissingPassword| {
            let model = self.index.mailbox(key)?.model.clone()?;
            let holds = self.index.address_holder(&model.address) == Some(key);
            let waits = self.ungenerated.get(&password_secret(key)).is_some_and(|failure| now.instant < failure.again);
            let tenant = key.tenant()?.to_owned();
            (holds && !waits).then_some(ToPut {
                mailbox: key.clone(),
                address: model.address,
                tenant,
                last: last.clone(),
            })
        };
        outcome.missing.iter().filter_map(to_put).collect()
    }

    /// Tells the boxes whose password could not be made, and comes back for them.
    pub(super) fn note_ungenerated(&mut self, domain: &DomainName, outcome: &mut MailOutcome) {
        let mut next: Option<Instant> = None;
        for key in outcome.missing.iter().map(|missing| &missing.mailbox) {
            let secret = password_secret(key);
            let Some(failure) = self.ungenerated.get(&secret) else { continue };
            let message = format!(
                "its password cannot be put into Secret {secret}: {}; remove what is in the way, or name a Secret with the hash in \
                 spec.passwordSecretRef",
                failure.why
            );
            let object = ObjectRef::new(Kind::Mailbox, key.clone());
            outcome.problems.push(object.error("metadata.name", Reason::SecretMissing, message));
            next = Some(next.map_or(failure.again, |next| next.min(failure.again)));
        }
        if let Some(again) = next {
            self.mark_later(Work::Unit(Unit::Mail(domain.clone())), again);
        }
    }

    pub(in super::super) fn password_refused(
        &mut self,
        domain: DomainName,
        secret: ObjectKey,
        why: String,
        now: Instant,
    ) {
        let times = self.ungenerated.get(&secret).map_or(0, |failure| failure.times);
        let again = now + FIRST_DELAY.saturating_mul(1 << times.min(16)).min(LAST_DELAY);
        self.ungenerated.insert(secret, Ungenerated { why, times: times + 1, again });
        self.mark(Work::Unit(Unit::Mail(domain)));
    }
}

/// A box that is gone for good.
pub(in super::super) struct Forgotten {
    pub(super) address: Address,
    /// The Secret that its password was put into; `None`: another box of that name needs it.
    pub(super) secret: Option<ObjectKey>,
}

impl Engine {
    /// The boxes that are gone for good with this step: whoever gets the address next does not get their password.
    pub(super) fn to_forget(&self, published: Option<&MailDomain>, next: &MailDomain) -> Vec<Forgotten> {
        let there: BTreeSet<&Address> = next.boxes.iter().map(|mailbox| &mailbox.address).collect();
        let gone = published
            .iter()
            .flat_map(|published| &published.boxes)
            .filter(|mailbox| mailbox.delete_policy == DeletionPolicy::Delete && !there.contains(&mailbox.address));
        let forgotten = gone.map(|mailbox| Forgotten {
            address: mailbox.address.clone(),
            secret: (!self.is_there(Kind::Mailbox, &mailbox.owner)).then(|| password_secret(&mailbox.owner)),
        });
        forgotten.collect()
    }
}

/// Forgets passwords. A namespace that is gone, or no longer ours to write, took its Secret along.
pub(super) async fn forget(shell: &Shell, gone: Vec<Forgotten>) -> Result<(), WorkError> {
    for Forgotten { address, secret } in gone {
        passwords::forget(&shell.secrets(), &address.to_string()).await?;
        let Some(key) = secret else { continue };
        let ObjectKey { namespace, name } = key;
        let id = ObjectId { api_version: "v1".into(), kind: "Secret".into(), namespace, name };
        match apply::remove(&shell.client, &id, None).await {
            Err(error) if error.is_refusal() => tracing::warn!(%id, error = %chain(&error), "a password stays"),
            result => result?,
        }
    }
    Ok(())
}

/// Makes passwords. An error is none of a single box: the API server is away.
pub(super) async fn all(shell: &Shell, boxes: Vec<ToPut>, effects: &mut Vec<Effect>) -> Result<(), WorkError> {
    let work = boxes.into_iter().map(async |wanted| {
        let made = one(shell, &wanted).await;
        made.or_else(|error| {
            let why = own_failure(&error).ok_or(error)?;
            tracing::warn!(mailbox = %wanted.mailbox, why, "a password cannot be put into its Secret");
            Ok(Effect::PasswordRefused(wanted.address.domain().clone(), wanted.secret(), why))
        })
    });
    let made: Vec<Result<Effect, WorkError>> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
    let mut outcome = Ok(());
    for result in made {
        match result {
            Ok(effect) => effects.push(effect),
            Err(error) => outcome = outcome.and(Err(error)),
        }
    }
    outcome
}

/// Makes a box's password, or recalls the one it had, and puts it into its tenant's namespace.
async fn one(shell: &Shell, wanted: &ToPut) -> Result<Effect, WorkError> {
    let data = match &wanted.last {
        Some(Password { hash, change }) => {
            passwords::changed(hash, change.as_ref().and_then(|change| change.at.as_ref()))
        }
        None => passwords::data(&passwords::recall_or_make(&shell.secrets(), &wanted.address.to_string()).await?),
    };
    let key = wanted.secret();
    apply::apply_secret(&shell.client, &passwords::own_secret(&key, &wanted.tenant, &data)).await?;
    Ok(Effect::Secret(key, data))
}

/// What is in the way of this one password, in words; `None`: it is nothing of this box.
fn own_failure(error: &WorkError) -> Option<String> {
    match error {
        WorkError::Apply(error @ ApplyError::Foreign(_)) => Some(error.to_string()),
        WorkError::Apply(error) => failure::refusal(error).map(str::to_owned),
        WorkError::PasswordStore(error @ StoreError::Damaged(_)) => Some(error.to_string()),
        _ => None,
    }
}
