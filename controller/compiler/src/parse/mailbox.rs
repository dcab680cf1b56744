mod application;
mod delivery;
mod lock;
mod password;
mod role;

use cst_api::{Date, DeletionPolicy, Mailbox, MailboxState, MailboxType};

use super::{List, Parsed, Reader};
use crate::model::{Address, DomainName, ObjectKey, Quantity};
use crate::problem::{Kind, ObjectRef};

pub use application::{MAX_APPLICATIONS, application_of, application_secret, check_application};
pub use delivery::{DelegateModel, ForwardModel, VacationModel};
pub use lock::{Lock, SINCE_KEY, lock_secret};
pub use password::{CHANGED_KEY, GENERATED_KEY, HASH_KEY, PasswordSource, password_secret};
pub use role::Role;

/// A Mailbox, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct MailboxModel {
    /// Which object.
    pub key: ObjectKey,
    /// What it is.
    pub role: Role,
    /// Its address.
    pub address: Address,
    /// Other addresses delivered to it, in the order written.
    pub aliases: List<Address>,
    /// The address under which its mail is stored.
    pub store: Address,
    /// How much it may hold; `None`: the centre's default.
    pub quota: Option<Quantity>,
    /// Who else uses it, in the order written, each with its place.
    pub delegates: Vec<(usize, DelegateModel)>,
    /// Where else its mail goes.
    pub forward: Option<ForwardModel>,
    /// What is answered while its owner is away.
    pub vacation: Option<VacationModel>,
    /// What was declared.
    pub state: MailboxState,
    /// From when on it is closed.
    pub close_on: Option<Date>,
    /// What its deletion means.
    pub deletion_policy: DeletionPolicy,
}

impl MailboxModel {
    /// Reads a Mailbox.
    pub fn parse(mailbox: &Mailbox) -> Parsed<Self> {
        let meta = &mailbox.metadata;
        let key = ObjectKey::new(meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
        let mut reader = Reader::new(ObjectRef::new(Kind::Mailbox, key.clone()));
        let spec = &mailbox.spec;
        let role = reader.role(&key, spec);
        let address = reader.take("spec.address", Address::parse(&spec.address));
        let store = spec.store.as_deref().and_then(|text| reader.take("spec.store", Address::parse(text)));
        let quota = spec.quota.as_deref().and_then(|text| reader.take("spec.quota", Quantity::parse_room(text)));
        let itself = |alias: &Address| {
            (address.as_ref() == Some(alias)).then(|| format!("`{alias}` is the address itself: leave it out"))
        };
        let aliases = reader.list("spec.aliases", &spec.aliases, Address::parse, itself);
        let delegates = reader.delegates(&spec.delegates, address.as_ref());
        let forward = spec.forward.as_ref().map(|forward| reader.forward(forward, address.as_ref()));
        let vacation = spec.vacation.as_ref().and_then(|vacation| reader.vacation(vacation));
        let model = address.map(|address| Self {
            role,
            store: store.unwrap_or_else(|| address.clone()),
            address,
            aliases,
            quota,
            delegates,
            forward,
            vacation,
            state: spec.state.unwrap_or_default(),
            close_on: spec.close_on,
            deletion_policy: spec.deletion_policy.unwrap_or_default(),
            key,
        });
        Parsed::new(model, reader)
    }

    /// Every address it asks for, its own first.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.address).chain(self.aliases.iter())
    }

    /// Where the hash of its password comes from; `None`: nobody logs in to it.
    pub fn password(&self) -> Option<&PasswordSource> {
        match &self.role {
            Role::Personal(source) => Some(source),
            Role::Shared | Role::Group { .. } => None,
        }
    }

    /// The Secrets of its tenant's that it depends on.
    pub fn secrets(&self) -> impl Iterator<Item = ObjectKey> {
        self.password().into_iter().flat_map(PasswordSource::secrets).cloned().chain(self.lock())
    }

    /// What it is, as it is written.
    pub fn mailbox_type(&self) -> MailboxType {
        match self.role {
            Role::Personal(_) => MailboxType::Personal,
            Role::Shared => MailboxType::Shared,
            Role::Group { .. } => MailboxType::Group,
        }
    }

    /// Whether it is a list of others and keeps nothing itself.
    pub fn is_group(&self) -> bool {
        matches!(self.role, Role::Group { .. })
    }

    /// What was declared, as it is on a day.
    pub fn state_on(&self, today: Date) -> MailboxState {
        if self.close_on.is_some_and(|day| day <= today) { MailboxState::Closed } else { self.state }
    }

    /// The domains of whom it names: its delegates, whom it forwards to, its members, where its mail is.
    pub fn named_domains(&self) -> impl Iterator<Item = &DomainName> {
        let members = match &self.role {
            Role::Group { members, .. } => Some(members),
            Role::Personal(_) | Role::Shared => None,
        };
        let members = members.into_iter().flat_map(List::iter).map(crate::model::Member::domain);
        let forward = self.forward.iter().flat_map(|forward| forward.to.iter()).map(crate::model::Recipient::domain);
        let delegates = self.delegates.iter().map(|(_, delegate)| delegate.user.domain());
        members.chain(forward).chain(delegates).chain([self.store.domain()])
    }
}
