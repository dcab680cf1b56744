//! The hash that a box's owner logs in with.
//!
//! Whose it is decides, and what is there, never the order in which things happened: with `User` a hash that was changed outside of git
//! comes first, then the last published of that kind (its Secret was lost, and is made again), then what git or a generated password says.

use cst_api::{PasswordOwner, Reason};

use super::MailOutcome;
use crate::desired::mail::{MailBox, PasswordChange, PasswordHash};
use crate::index::Index;
use crate::model::{ObjectKey, micro_time};
use crate::parse::{CHANGED_KEY, GENERATED_KEY, HASH_KEY, MailboxModel, PasswordSource};
use crate::problem::{Kind, ObjectRef};

/// A hash, and whether it was changed outside of git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// The hash.
    pub hash: PasswordHash,
    /// The change that it came from; `None`: git's, or generated.
    pub change: Option<PasswordChange>,
}

/// A password that is not in its box's own Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPassword {
    /// Whose.
    pub mailbox: ObjectKey,
    /// The last published one, which was changed outside of git; `None`: it is to be generated.
    pub last: Option<Password>,
}

impl Password {
    /// The one that was published with a box.
    pub(super) fn of(published: &MailBox) -> Option<Self> {
        Some(Self { hash: published.password.clone()?, change: published.password_change.clone() })
    }
}

/// The password that was changed outside of git and holds now, as the box's own Secret has it; `None`: there is none, or it is unusable.
pub fn changed_password(index: &Index, model: &MailboxModel) -> Option<Password> {
    let source = model.password()?;
    let hash = PasswordHash::parse(&String::from_utf8_lossy(changed_bytes(index, source)?)).ok()?;
    Some(Password { hash, change: Some(change(index, source)) })
}

/// The password that holds. Where its Secret is missing or unusable the last published one goes on.
pub(super) fn judge(
    index: &Index,
    model: &MailboxModel,
    source: &PasswordSource,
    last: Option<&MailBox>,
    outcome: &mut MailOutcome,
) -> Option<Password> {
    if let Some(bytes) = changed_bytes(index, source) {
        let hash = read(bytes, (&source.own, HASH_KEY), "metadata.name", model, outcome)?;
        return Some(Password { hash, change: Some(change(index, source)) });
    }
    let last = last.and_then(Password::of).filter(|last| last.change.is_some());
    if let Some(last) = last.filter(|_| source.owner == PasswordOwner::User) {
        outcome.missing.push(MissingPassword { mailbox: model.key.clone(), last: Some(last.clone()) });
        return Some(last);
    }
    match &source.given {
        Some((secret, key)) => given(index, model, (secret, key), outcome),
        None => generated(index, model, source, outcome),
    }
}

fn generated(
    index: &Index,
    model: &MailboxModel,
    source: &PasswordSource,
    outcome: &mut MailOutcome,
) -> Option<Password> {
    let Some(bytes) = index.secret_value(&source.own, HASH_KEY) else {
        outcome.missing.push(MissingPassword { mailbox: model.key.clone(), last: None });
        return None;
    };
    let hash = read(bytes, (&source.own, HASH_KEY), "metadata.name", model, outcome)?;
    Some(Password { hash, change: None })
}

/// The hash in the box's own Secret, if it was changed: the generated password is beside it no more.
fn changed_bytes<'a>(index: &'a Index, source: &PasswordSource) -> Option<&'a [u8]> {
    let data = index.secret_data(&source.own).filter(|_| source.owner == PasswordOwner::User)?;
    data.get(HASH_KEY).filter(|_| !data.contains_key(GENERATED_KEY)).map(Vec::as_slice)
}

fn change(index: &Index, source: &PasswordSource) -> PasswordChange {
    PasswordChange { at: index.secret_value(&source.own, CHANGED_KEY).and_then(micro_time) }
}

/// The hash in the Secret that git names.
fn given(
    index: &Index,
    model: &MailboxModel,
    (secret, key): (&ObjectKey, &str),
    outcome: &mut MailOutcome,
) -> Option<Password> {
    const FIELD: &str = "spec.passwordSecretRef";
    let Some(bytes) = index.secret_value(secret, key) else {
        let message = format!("there is no Secret {secret} with the key `{key}`: create it with the password's hash");
        let object = ObjectRef::new(Kind::Mailbox, model.key.clone());
        outcome.problems.push(object.error(FIELD, Reason::SecretMissing, message));
        return None;
    };
    let hash = read(bytes, (secret, key), FIELD, model, outcome)?;
    Some(Password { hash, change: None })
}

fn read(
    bytes: &[u8],
    (secret, key): (&ObjectKey, &str),
    field: &str,
    model: &MailboxModel,
    outcome: &mut MailOutcome,
) -> Option<PasswordHash> {
    let hash = PasswordHash::parse(&String::from_utf8_lossy(bytes));
    hash.inspect_err(|error| {
        let message = format!("the key `{key}` of Secret {secret} is unusable: {error}");
        let object = ObjectRef::new(Kind::Mailbox, model.key.clone());
        outcome.problems.push(object.error(field, Reason::Invalid, message));
    })
    .ok()
}
