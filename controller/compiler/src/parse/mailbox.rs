use cst_api::{DeletionPolicy, Mailbox, MailboxState};

use super::{List, Parsed, Reader};
use crate::model::{Address, ObjectKey, Quantity};
use crate::problem::{Kind, ObjectRef};

/// The key of a generated password's hash in its Secret.
pub const GENERATED_HASH_KEY: &str = "hash";

/// What a generated password's Secret is called after the box's name.
const GENERATED_SUFFIX: &str = "-password";
/// The longest name of an object, in characters (a DNS subdomain, RFC 1123).
const MAX_NAME: usize = 253;

/// A Mailbox, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct MailboxModel {
    /// Which object.
    pub key: ObjectKey,
    /// Its address.
    pub address: Address,
    /// Other addresses delivered to it, in the order written.
    pub aliases: List<Address>,
    /// How much it may hold; `None`: the centre's default.
    pub quota: Option<Quantity>,
    /// The Secret and the key in it that hold the password's hash.
    pub password: PasswordSource,
    /// What was declared.
    pub state: MailboxState,
    /// What its deletion means.
    pub deletion_policy: DeletionPolicy,
}

/// Where a password's hash comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSource {
    /// The Secret.
    pub secret: ObjectKey,
    /// The key in it.
    pub key: String,
    /// Whether we make it when it is not there.
    pub generated: bool,
}

impl MailboxModel {
    /// Reads a Mailbox.
    pub fn parse(mailbox: &Mailbox) -> Parsed<Self> {
        let meta = &mailbox.metadata;
        let key = ObjectKey::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
        let mut reader = Reader::new(ObjectRef::new(Kind::Mailbox, key.clone()));
        let spec = &mailbox.spec;
        check_name(&mut reader, &key.name);
        let address = reader.take("spec.address", Address::parse(&spec.address));
        let quota = spec.quota.as_deref().and_then(|text| reader.take("spec.quota", Quantity::parse_room(text)));
        let itself = |alias: &Address| {
            (address.as_ref() == Some(alias)).then(|| format!("`{alias}` is the address itself: leave it out"))
        };
        let aliases = reader.list("spec.aliases", &spec.aliases, Address::parse, itself);
        let model = address.map(|address| Self {
            password: password_source(mailbox, &key),
            address,
            aliases,
            quota,
            state: spec.state.unwrap_or_default(),
            deletion_policy: spec.deletion_policy.unwrap_or_default(),
            key,
        });
        Parsed { model, problems: reader.problems }
    }

    /// Every address it asks for, its own first.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.address).chain(self.aliases.iter())
    }
}

/// The Secret that a generated password of this Mailbox goes into.
pub fn generated_secret(mailbox: &ObjectKey) -> ObjectKey {
    ObjectKey::new(&mailbox.namespace, format!("{}{GENERATED_SUFFIX}", mailbox.name))
}

fn check_name(reader: &mut Reader, name: &str) {
    let longest = MAX_NAME - GENERATED_SUFFIX.len();
    if name.len() > longest {
        let message = format!(
            "has {} characters, and at most {longest} are possible: a generated password goes into the Secret <name>{GENERATED_SUFFIX}",
            name.len()
        );
        reader.invalid("metadata.name", message);
    }
}

fn password_source(mailbox: &Mailbox, key: &ObjectKey) -> PasswordSource {
    match &mailbox.spec.password_secret_ref {
        Some(reference) => PasswordSource {
            secret: ObjectKey::new(&key.namespace, &reference.name),
            key: reference.key.clone().unwrap_or_else(|| key.name.clone()),
            generated: false,
        },
        None => PasswordSource { secret: generated_secret(key), key: GENERATED_HASH_KEY.into(), generated: true },
    }
}
