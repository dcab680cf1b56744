//! Where the hash of a password comes from.

use cst_api::{MailboxSpec, PasswordOwner};

use super::super::Reader;
use crate::model::ObjectKey;

/// The key of the hash in a box's own Secret.
pub const HASH_KEY: &str = "hash";
/// The key of a generated password in a box's own Secret. It goes with the first change: then the hash alone is there.
pub const GENERATED_KEY: &str = "password";
/// The key that says when a password was changed (RFC 3339), in a box's own Secret.
pub const CHANGED_KEY: &str = "changed";

/// What a box's own Secret is called after the box's name.
const SUFFIX: &str = "-password";
/// The longest name of an object, in characters (a DNS subdomain, RFC 1123).
const MAX_NAME: usize = 253;

/// Where a password's hash comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSource {
    /// The Secret that git names, and the key in it; `None`: the password is generated.
    pub given: Option<(ObjectKey, String)>,
    /// Whose it is.
    pub owner: PasswordOwner,
    /// The box's own Secret: what is generated, or changed outside of git, is there.
    pub own: ObjectKey,
}

/// The Secret of a Mailbox's own: with its generated password, or with the hash of one that was changed outside of git.
pub fn password_secret(mailbox: &ObjectKey) -> ObjectKey {
    ObjectKey::new(&mailbox.namespace, format!("{}{SUFFIX}", mailbox.name))
}

impl PasswordSource {
    /// The Secrets that it may come from.
    pub fn secrets(&self) -> impl Iterator<Item = &ObjectKey> {
        let own = (self.owner == PasswordOwner::User).then_some(&self.own);
        self.given.iter().map(|(secret, _)| secret).chain(own)
    }
}

impl Reader {
    /// Reads where the password of a Personal box comes from.
    pub(super) fn password_source(&mut self, key: &ObjectKey, spec: &MailboxSpec) -> PasswordSource {
        self.check_name(&key.name);
        let given = spec.password_secret_ref.as_ref().map(|reference| {
            let secret = ObjectKey::new(&key.namespace, &reference.name);
            (secret, reference.key.clone().unwrap_or_else(|| key.name.clone()))
        });
        let own = password_secret(key);
        let owner = match (spec.password_owner, &given) {
            (Some(PasswordOwner::Git), None) => {
                let why = "Git needs passwordSecretRef, because without it git says nothing of the password: add it, or leave this out";
                self.invalid("spec.passwordOwner", why);
                PasswordOwner::User
            }
            (Some(owner), _) => owner,
            (None, Some(_)) => PasswordOwner::Git,
            (None, None) => PasswordOwner::User,
        };
        let same = owner == PasswordOwner::User && given.as_ref().is_some_and(|(secret, _)| *secret == own);
        let why = "with passwordOwner User this Secret is for changes outside of git, which an apply would undo: name another one";
        self.forbid("passwordSecretRef.name", same, why);
        PasswordSource { given, owner, own }
    }

    fn check_name(&mut self, name: &str) {
        let longest = MAX_NAME - SUFFIX.len();
        if name.len() > longest {
            let message = format!(
                "has {} characters, and at most {longest} are possible: a generated password goes into the Secret <name>{SUFFIX}",
                name.len()
            );
            self.invalid("metadata.name", message);
        }
    }
}
