//! The passwords of a box's applications that hold. What is not in its Secret any more opens nothing: that is how one is taken away.

use std::collections::BTreeMap;

use cst_api::{Application, Reason};

use crate::desired::mail::{MailBox, PasswordHash};
use crate::index::Index;
use crate::model::micro_time;
use crate::parse::{CHANGED_KEY, HASH_KEY, MAX_APPLICATIONS, MailboxModel, application_secret};
use crate::problem::{Kind, ObjectRef, Problem};

/// The hashes by the applications' names. What cannot be used is told, and opens nothing. Where there are too many, those that the box had before
/// come first, so that none that works stops because of a new one.
pub(super) fn judge(
    index: &Index,
    model: &MailboxModel,
    last: Option<&MailBox>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, PasswordHash> {
    let object = ObjectRef::new(Kind::Mailbox, model.key.clone());
    let mut told = |message: String| problems.push(object.warning("metadata.name", Reason::Invalid, message));
    let had = |name: &str| last.is_some_and(|last| last.applications.contains_key(name));
    let (incumbents, others): (Vec<_>, Vec<_>) = index.applications(&model.key).partition(|(name, _)| had(name));
    let mut hashes = BTreeMap::new();
    let mut beyond = Vec::new();
    for (name, data) in incumbents.into_iter().chain(others) {
        let secret = application_secret(&model.key, name);
        let Some(bytes) = data.get(HASH_KEY) else {
            told(format!(
                "the Secret {secret} has no key `{HASH_KEY}`: nobody logs in by it, write the hash of a password there"
            ));
            continue;
        };
        match PasswordHash::parse(&String::from_utf8_lossy(bytes)) {
            Err(error) => {
                told(format!("the key `{HASH_KEY}` of Secret {secret} is unusable, and nobody logs in by it: {error}"));
            }
            Ok(_) if hashes.len() == MAX_APPLICATIONS => beyond.push(secret.name),
            Ok(hash) => drop(hashes.insert(name.to_owned(), hash)),
        }
    }
    if !beyond.is_empty() {
        told(format!(
            "a box has at most {MAX_APPLICATIONS} passwords of applications: nobody logs in by the Secrets {}, remove some",
            beyond.join(", ")
        ));
    }
    hashes
}

/// The applications of a box, each with the time since when it has its password, as its Secret says.
pub fn applications(index: &Index, mailbox: &MailBox) -> Vec<Application> {
    let since = |name: &str| {
        let secret = application_secret(&mailbox.owner, name);
        index.secret_value(&secret, CHANGED_KEY).and_then(micro_time)
    };
    mailbox.applications.keys().map(|name| Application { name: name.clone(), since: since(name) }).collect()
}

/// Those of a published box that goes on as it was which are still there.
pub(super) fn remaining(index: &Index, published: &MailBox) -> BTreeMap<String, PasswordHash> {
    let is_there = |name: &str, hash: &PasswordHash| {
        let bytes = index.secret_value(&application_secret(&published.owner, name), HASH_KEY);
        bytes.is_some_and(|bytes| is_hash(bytes, hash))
    };
    let all = published.applications.iter().filter(|(name, hash)| is_there(name, hash));
    all.map(|(name, hash)| (name.clone(), hash.clone())).collect()
}

fn is_hash(bytes: &[u8], hash: &PasswordHash) -> bool {
    PasswordHash::parse(&String::from_utf8_lossy(bytes)).is_ok_and(|there| there == *hash)
}
