mod named;
mod reach;

use cst_api::{Date, MailboxState, Reason, TenantState};

use crate::index::{Entry, Index, Lookup};
use crate::model::{Address, DomainName, Member, ObjectKey, Quantity, Recipient};
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
    mailbox_by(&Lookup::new(index), key)
}

/// Judges a Mailbox, one of many.
pub fn mailbox_by<'a>(lookup: &Lookup<'a>, key: &ObjectKey) -> MailboxVerdict<'a> {
    judge(lookup, key, lookup.index().mailbox(key))
}

/// Judges a Mailbox, one of many. `entry`: its own, if it is there.
pub(super) fn judge<'a>(
    lookup: &Lookup<'a>,
    key: &ObjectKey,
    entry: Option<&'a Entry<MailboxModel>>,
) -> MailboxVerdict<'a> {
    let index = lookup.index();
    let object = || ObjectRef::new(Kind::Mailbox, key.clone());
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
    let (Some(model), Some(entry)) = (model, entry) else { return verdict };
    let tenant = key.tenant().unwrap_or_default();
    if let Err(refusal) = index.tenant_serves(tenant) {
        verdict.problems.push(object().refused("metadata.namespace", refusal));
        return verdict;
    }
    if index.settings().mail.is_none() {
        let message = "the centre's settings have no mail: no mailbox can be had";
        verdict.problems.push(object().error("spec.address", Reason::Invalid, message));
        return verdict;
    }
    if !index.admits_mailbox(key, entry) {
        let message = format!(
            "tenant {tenant} has reached its limit of mailboxes or mail storage: ask the coordinator, or remove another box"
        );
        verdict.problems.push(object().error("spec.address", Reason::LimitExceeded, message));
        return verdict;
    }
    verdict.tenant_suspended =
        index.tenant(tenant).and_then(|e| e.model.as_ref()).is_some_and(|m| m.state == TenantState::Suspended);
    let address = may_have(lookup, key, entry, &model.address);
    let store = may_keep(lookup, model, address.is_ok());
    verdict.holds_address = address.is_ok() && store.is_ok();
    for (field, why) in [("spec.address", address.err()), ("spec.store", store.err())] {
        verdict.problems.extend(why.map(|(reason, message)| object().error(field, reason, message)));
    }
    for (at, alias) in model.aliases.placed() {
        match may_have(lookup, key, entry, alias) {
            Ok(()) => verdict.aliases.push(alias),
            Err((reason, message)) => {
                verdict.problems.push(object().error(format!("spec.aliases[{at}]"), reason, message));
            }
        }
    }
    verdict.judge_named(lookup, model);
    verdict
}

/// Whether a Mailbox may keep its mail where it says: under a name of its tenant, and no other box's mail is there. `has_address`: it may
/// have its own.
fn may_keep(lookup: &Lookup<'_>, model: &MailboxModel, has_address: bool) -> Result<(), (Reason, String)> {
    // Under its own address nobody else's mail can be.
    if model.is_group() || (has_address && model.store == model.address) {
        return Ok(());
    }
    let index = lookup.index();
    let tenant = model.key.tenant().unwrap_or_default();
    if model.store != model.address {
        index.may_hold(tenant, model.store.domain(), false).map_err(|refusal| (refusal.reason, refusal.message))?;
    }
    match lookup.store_holder(&model.store) {
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
fn may_have(
    lookup: &Lookup<'_>,
    key: &ObjectKey,
    entry: &Entry<MailboxModel>,
    address: &Address,
) -> Result<(), (Reason, String)> {
    let (index, domain) = (lookup.index(), address.domain());
    if !lookup.is_entitled(&key.namespace, domain) {
        let held = entry.held.contains(&address.to_string());
        index
            .may_hold(key.tenant().unwrap_or_default(), domain, held)
            .map_err(|refusal| (refusal.reason, refusal.message))?;
    }
    let hosted =
        lookup.held_zone(domain).is_some_and(|model| model.key.namespace == key.namespace && model.hosts_mail());
    if !hosted {
        return Err(not_hosted(index, &key.namespace, domain));
    }
    match lookup.address_holder(address) {
        Some(holder) if holder != key => {
            Err((Reason::Conflict, super::asked_for(address, ObjectRef::new(Kind::Mailbox, holder.clone()))))
        }
        _ => Ok(()),
    }
}

/// Why there are no addresses in a domain.
fn not_hosted(index: &Index, namespace: &str, domain: &DomainName) -> (Reason, String) {
    let itself = ObjectKey::new(namespace, domain.as_str());
    let message = if index.domain(&itself).is_some_and(|entry| !entry.is_current()) {
        format!("Domain {domain} cannot be used as it is: mend it first")
    } else {
        format!(
            "there is no Domain {domain} in {namespace} whose mail is Hosted: create it, or set its spec.mail.mode to Hosted"
        )
    };
    (Reason::DomainMissing, message)
}
