mod named;
mod reach;

use cst_api::{Date, MailboxState, Reason, TenantState};

use crate::index::Index;
use crate::model::{Address, Member, ObjectKey, Quantity, Recipient};
use crate::parse::{DelegateModel, Lock, MailboxModel};
use crate::problem::{Kind, ObjectRef, Problem};
use crate::settings::Settings;

/// What a Mailbox gets of what it asks for.
#[derive(Clone, Debug)]
pub struct MailboxVerdict<'a> {
    /// The model in force.
    pub model: Option<&'a MailboxModel>,
    /// Whether it may have its own address.
    pub holds_address: bool,
    /// The aliases it may have.
    pub aliases: Vec<&'a Address>,
    /// The delegates it may have.
    pub delegates: Vec<&'a DelegateModel>,
    /// Whom it may forward to.
    pub forward_to: Vec<&'a Recipient>,
    /// The members it may have.
    pub members: Vec<&'a Member>,
    /// Whether the tenant is suspended, which suspends the box.
    pub tenant_suspended: bool,
    /// The helpdesk's lock, which suspends the box, too.
    pub lock: Option<Lock>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl MailboxVerdict<'_> {
    /// What the box may do on a day: a suspended tenant's boxes, and one that is locked, lose their login, whatever they were; its groups go on.
    pub fn state(&self, today: Date) -> Option<MailboxState> {
        self.model.map(|model| match model.state_on(today) {
            state if model.is_group() => state,
            MailboxState::Active if self.loses_login() => MailboxState::Suspended,
            MailboxState::Archived if self.loses_login() => MailboxState::Closed,
            state => state,
        })
    }

    fn loses_login(&self) -> bool {
        self.tenant_suspended || self.lock.is_some()
    }

    /// How much the box may hold: what it says, else the centre's default.
    pub fn quota(&self, settings: &Settings) -> Option<Quantity> {
        let default = settings.mail.as_ref().map(|mail| mail.default_quota);
        self.model.filter(|model| !model.is_group()).and_then(|model| model.quota.or(default))
    }
}

/// Judges a Mailbox.
pub fn mailbox<'a>(index: &'a Index, key: &ObjectKey) -> MailboxVerdict<'a> {
    let object = ObjectRef::new(Kind::Mailbox, key.clone());
    let entry = index.mailbox(key);
    let model = entry.and_then(|entry| entry.model.as_ref());
    let mut verdict = MailboxVerdict {
        model,
        holds_address: false,
        aliases: Vec::new(),
        delegates: Vec::new(),
        forward_to: Vec::new(),
        members: Vec::new(),
        tenant_suspended: false,
        lock: model.and_then(|model| index.lock(model)),
        problems: entry.map(|entry| entry.problems.clone()).unwrap_or_default(),
    };
    let Some(model) = model else { return verdict };
    let tenant = key.tenant().unwrap_or_default();
    if let Err(refusal) = index.tenant_serves(tenant) {
        verdict.problems.push(object.refused("metadata.namespace", refusal));
        return verdict;
    }
    if index.settings().mail.is_none() {
        let message = "the centre's settings have no mail: no mailbox can be had";
        verdict.problems.push(object.error("spec.address", Reason::Invalid, message));
        return verdict;
    }
    if !index.admits_mailbox(key) {
        let message = format!(
            "tenant {tenant} has reached its limit of mailboxes or mail storage: ask the coordinator, or remove another box"
        );
        verdict.problems.push(object.error("spec.address", Reason::LimitExceeded, message));
        return verdict;
    }
    verdict.tenant_suspended =
        index.tenant(tenant).and_then(|e| e.model.as_ref()).is_some_and(|m| m.state == TenantState::Suspended);
    match (may_have(index, key, &model.address), may_keep(index, model)) {
        (Ok(()), Ok(())) => verdict.holds_address = true,
        (address, store) => {
            let told = |field, (reason, message): (Reason, String)| object.error(field, reason, message);
            verdict.problems.extend(address.err().map(|why| told("spec.address", why)));
            verdict.problems.extend(store.err().map(|why| told("spec.store", why)));
        }
    }
    for (at, alias) in model.aliases.placed() {
        match may_have(index, key, alias) {
            Ok(()) => verdict.aliases.push(alias),
            Err((reason, message)) => {
                verdict.problems.push(object.error(format!("spec.aliases[{at}]"), reason, message));
            }
        }
    }
    verdict.judge_named(index, model);
    verdict
}

/// Whether a Mailbox may keep its mail where it says: under a name of its tenant, and no other box's mail is there.
fn may_keep(index: &Index, model: &MailboxModel) -> Result<(), (Reason, String)> {
    if model.is_group() {
        return Ok(());
    }
    let tenant = model.key.tenant().unwrap_or_default();
    if model.store != model.address {
        index.may_hold(tenant, model.store.domain(), false).map_err(|refusal| (refusal.reason, refusal.message))?;
    }
    match index.store_holder(&model.store) {
        Some(holder) if *holder != model.key => {
            let holder = ObjectRef::new(Kind::Mailbox, holder.clone());
            let message = format!(
                "the mail stored under `{}` is that of {holder}: leave store out, or remove that one",
                model.store
            );
            Err((Reason::Conflict, message))
        }
        _ => Ok(()),
    }
}

/// Whether a Mailbox may have an address: a hosted Domain of its tenant, and nobody else holds it.
fn may_have(index: &Index, key: &ObjectKey, address: &Address) -> Result<(), (Reason, String)> {
    let domain = address.domain();
    let held = index.mailbox(key).is_some_and(|entry| entry.held.contains(&address.to_string()));
    index
        .may_hold(key.tenant().unwrap_or_default(), domain, held)
        .map_err(|refusal| (refusal.reason, refusal.message))?;
    let hosted =
        index.held_zone(domain).is_some_and(|model| model.key.namespace == key.namespace && model.hosts_mail());
    let itself = ObjectKey::new(&key.namespace, domain.as_str());
    if !hosted && index.domain(&itself).is_some_and(|entry| !entry.is_current()) {
        return Err((Reason::DomainMissing, format!("Domain {domain} cannot be used as it is: mend it first")));
    }
    if !hosted {
        let message = format!(
            "there is no Domain {domain} in {} whose mail is Hosted: create it, or set its spec.mail.mode to Hosted",
            key.namespace
        );
        return Err((Reason::DomainMissing, message));
    }
    match index.address_holder(address) {
        Some(holder) if holder != key => {
            Err((Reason::Conflict, super::asked_for(address, ObjectRef::new(Kind::Mailbox, holder.clone()))))
        }
        _ => Ok(()),
    }
}
