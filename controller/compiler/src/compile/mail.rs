use std::collections::{BTreeMap, BTreeSet};

mod applications;
mod declared;
mod password;

use cst_api::{Date, DeletionPolicy, MailboxState};

use super::Standing;
use super::mailbox::judge;
use super::zone::mail::{alias_for, caught_by, limits};
use crate::desired::mail::{MailBox, MailDomain};
use crate::index::{Index, Lookup};
use crate::model::{Address, DomainName, ObjectKey};
use crate::plan::absence::Absence;
use crate::plan::retention::{self, Retention};
use crate::problem::Problem;

pub use applications::applications;
pub use password::{MissingPassword, Password, changed_password};

/// A compiled mail domain.
#[derive(Clone, Debug)]
pub struct MailOutcome {
    /// What to do; `Kept` and `Retired` domains go on with what `domain` still holds of the published one.
    pub standing: Standing,
    /// The domain as it shall be served: declared boxes, and published ones that are kept or retained. Empty: withdraw it.
    pub domain: MailDomain,
    /// The passwords that are not in their boxes' own Secrets, and are to be put there.
    pub missing: Vec<MissingPassword>,
    /// What is wrong, of all Mailboxes whose own address is here.
    pub problems: Vec<Problem>,
}

/// Compiles a mail domain. `published`: what it last published; `today` in the settings' time zone; `absence`: what it means that the Mailbox of a
/// box is gone that is to go.
pub fn mail(
    index: &Index,
    name: &DomainName,
    published: Option<&MailDomain>,
    today: Date,
    absence: impl Fn(&MailBox) -> Absence,
) -> MailOutcome {
    let lookup = Lookup::new(index);
    let held = lookup.held_zone(name);
    let model = held.filter(|held| held.hosts_mail());
    let asked_for = index.domains_of_zone(name).next().is_some();
    let standing = match (model, asked_for) {
        (Some(_), _) => Standing::Live,
        (None, true) if held.is_none() => Standing::Kept,
        (None, _) => Standing::Retired,
    };
    let domain = MailDomain {
        catch_all: model.and_then(|model| caught_by(index, model)).cloned(),
        alias_of: model.and_then(|model| alias_for(index, model)).cloned(),
        limits: model.map(|model| limits(index, model)).unwrap_or_default(),
        ..MailDomain::empty(name.clone())
    };
    let mut outcome = MailOutcome { standing, domain, missing: Vec::new(), problems: Vec::new() };
    declared(&lookup, name, published, today, &mut outcome);
    if let Some(published) = published {
        if standing != Standing::Live {
            outcome.domain.catch_all.clone_from(&published.catch_all);
            outcome.domain.alias_of.clone_from(&published.alias_of);
            outcome.domain.limits = published.limits;
        }
        carried_over(index, published, today, absence, &mut outcome.domain);
    }
    outcome.domain.boxes.sort_by(|a, b| a.address.cmp(&b.address));
    outcome
}

/// The boxes and aliases of this domain that Mailboxes declare and may have.
fn declared(
    lookup: &Lookup<'_>,
    name: &DomainName,
    published: Option<&MailDomain>,
    today: Date,
    outcome: &mut MailOutcome,
) {
    let index = lookup.index();
    let last: BTreeMap<&Address, &MailBox> = published.iter().flat_map(|p| &p.boxes).map(|b| (&b.address, b)).collect();
    for (key, entry) in index.entries_in(name) {
        let mut verdict = judge(lookup, key, Some(entry));
        let Some(model) = verdict.model else { continue };
        let home = model.address.domain() == name;
        let last = last.get(&model.address).copied().filter(|last| went_before(index, last, key));
        let source = model.password().filter(|_| home);
        let password = source.and_then(|source| password::judge(index, model, source, last, outcome));
        if home {
            outcome.problems.append(&mut verdict.problems);
        }
        if !verdict.holds_address {
            continue;
        }
        if home {
            let password = password.or_else(|| last.and_then(Password::of));
            let mut mailbox = declared::mailbox(index, model, &verdict, today, password);
            if source.is_some() {
                mailbox.applications = applications::judge(index, model, last, &mut outcome.problems);
            }
            outcome.domain.boxes.push(mailbox);
        }
        let here = verdict.aliases.into_iter().filter(|alias| alias.domain() == name);
        outcome.domain.aliases.extend(here.map(|alias| (alias.clone(), model.address.clone())));
    }
}

/// Whether a published box is what a Mailbox was before: its own, or that of one of its tenant's that is gone, such as under another name.
fn went_before(index: &Index, last: &MailBox, key: &ObjectKey) -> bool {
    let is_renamed = last.owner.namespace == key.namespace && index.mailbox(&last.owner).is_none();
    last.owner == *key || (is_renamed && last.delete_policy == DeletionPolicy::Retain)
}

/// What was published and is not declared now: kept while its Mailbox is there but refused, retained once it is gone.
fn carried_over(
    index: &Index,
    published: &MailDomain,
    today: Date,
    absence: impl Fn(&MailBox) -> Absence,
    domain: &mut MailDomain,
) {
    let retain_days = index.settings().retain_days;
    let declared: BTreeSet<Address> = domain.boxes.iter().map(|b| b.address.clone()).collect();
    let mut carried = BTreeMap::new();
    for last in &published.boxes {
        // What is somebody's alias now is his: a box that was renamed leaves its old name to the new one.
        if declared.contains(&last.address) || domain.aliases.contains_key(&last.address) {
            continue;
        }
        if is_asked_for(index, &last.owner, &last.address) {
            let (state, applications) = (locked_or(index, last), applications::remaining(index, last));
            carried.insert(last.address.clone(), MailBox { state, applications, ..last.clone() });
        } else if let Some(kept) = undeclared(last, today, retain_days, &absence) {
            carried.insert(last.address.clone(), kept);
        }
    }
    for (alias, target) in &published.aliases {
        let taken = domain.aliases.contains_key(alias) || declared.contains(alias);
        if !taken && goes_on(index, alias, target, &carried) {
            domain.aliases.insert(alias.clone(), target.clone());
        }
    }
    domain.boxes.extend(carried.into_values());
}

/// The state of a published box that goes on. One that was locked meanwhile stays so until its Mailbox is mended: what it was is not known then.
fn locked_or(index: &Index, last: &MailBox) -> MailboxState {
    let model = index.mailbox(&last.owner).and_then(|entry| entry.model.as_ref());
    let is_locked = model.is_some_and(|model| index.lock(model).is_some());
    match last.state {
        MailboxState::Active if is_locked => MailboxState::Suspended,
        MailboxState::Archived if is_locked => MailboxState::Closed,
        state => state,
    }
}

/// What goes on of a box that nobody declares any more. One that was to go at once, and that nobody deleted, is retained from now on, as if it had
/// been written so.
fn undeclared(last: &MailBox, today: Date, days: u16, absence: impl Fn(&MailBox) -> Absence) -> Option<MailBox> {
    let state = if last.receives() { MailboxState::Suspended } else { MailboxState::Closed };
    let retained = |since| MailBox { state, retained_since: Some(since), ..last.clone() };
    match retention::judge(last.delete_policy, last.retained_since, today, days) {
        Retention::Serve(since) => Some(retained(since)),
        Retention::Drop => match absence(last) {
            Absence::Deleted => None,
            Absence::Swept if last.delete_policy == DeletionPolicy::Delete => {
                Some(MailBox { delete_policy: DeletionPolicy::Retain, ..retained(today) })
            }
            Absence::Swept | Absence::Unclear => Some(last.clone()),
        },
    }
}

/// Whether the Mailbox is there and, as far as can be told, still asks for the address.
fn is_asked_for(index: &Index, owner: &ObjectKey, address: &Address) -> bool {
    index
        .mailbox(owner)
        .is_some_and(|entry| entry.model.as_ref().is_none_or(|model| model.addresses().any(|a| a == address)))
}

/// Whether an alias goes on that nobody may have now: its box is carried over, or, in another domain, goes on asking for it. Of a box there
/// that is gone too nothing more is known here.
fn goes_on(index: &Index, alias: &Address, target: &Address, carried: &BTreeMap<Address, MailBox>) -> bool {
    if target.domain() == alias.domain() {
        return carried.contains_key(target);
    }
    index.address_holder(target).is_none_or(|owner| is_asked_for(index, owner, alias))
}
