//! A Mailbox as it shall be served on a day.

use std::collections::BTreeMap;

use cst_api::Date;

use super::super::MailboxVerdict;
use super::password::Password;
use crate::desired::mail::{Answer, BoxRole, Delegation, Forwarding, MailBox};
use crate::index::Index;
use crate::model::Quantity;
use crate::parse::{DelegateModel, MailboxModel, Role};

pub(super) fn mailbox(
    index: &Index,
    model: &MailboxModel,
    verdict: &MailboxVerdict<'_>,
    today: Date,
    password: Option<Password>,
) -> MailBox {
    let (password, password_change) = password.map_or((None, None), |found| (Some(found.hash), found.change));
    MailBox {
        owner: model.key.clone(),
        role: role(model, verdict),
        address: model.address.clone(),
        store: model.store.clone(),
        state: verdict.state(today).unwrap_or_default(),
        password,
        password_change,
        applications: BTreeMap::new(),
        quota: verdict.quota(index.settings()).unwrap_or(Quantity(0)),
        delegates: verdict.delegates.iter().copied().map(delegation).collect(),
        forward: forward(model, verdict, today),
        answer: answer(model, verdict, today),
        delete_policy: model.deletion_policy,
        retained_since: None,
    }
}

fn role(model: &MailboxModel, verdict: &MailboxVerdict<'_>) -> BoxRole {
    match &model.role {
        Role::Personal(_) => BoxRole::Personal,
        Role::Shared => BoxRole::Shared,
        Role::Group { posting, .. } => {
            BoxRole::Group { members: verdict.members.iter().copied().cloned().collect(), posting: *posting }
        }
    }
}

fn delegation(delegate: &DelegateModel) -> Delegation {
    Delegation { user: delegate.user.clone(), rights: delegate.rights, send_as: delegate.send_as }
}

/// Of a forward that has nobody left to go to, the box keeps its mail.
fn forward(model: &MailboxModel, verdict: &MailboxVerdict<'_>, today: Date) -> Option<Forwarding> {
    let forward = model.forward.as_ref().filter(|forward| forward.is_on(today) && !verdict.forward_to.is_empty())?;
    Some(Forwarding { to: verdict.forward_to.iter().copied().cloned().collect(), keep_copy: forward.keep_copy })
}

fn answer(model: &MailboxModel, verdict: &MailboxVerdict<'_>, today: Date) -> Option<Answer> {
    let vacation = model.vacation.as_ref().filter(|vacation| vacation.is_on(today))?;
    let addresses = [&model.address].into_iter().chain(verdict.aliases.iter().copied());
    Some(Answer {
        subject: vacation.subject.clone(),
        text: vacation.text.clone(),
        addresses: addresses.cloned().collect(),
    })
}
