//! Whether those whom a Mailbox names are there: its delegates, whom it forwards to, its members.

use cst_api::{Posting, Reason};

use super::MailboxVerdict;
use super::reach::{self, Reach};
use crate::index::Lookup;
use crate::model::{Address, Member, Recipient};
use crate::parse::{MailboxModel, Role};
use crate::problem::{Kind, ObjectRef};

type Refusal = (Reason, String);

impl<'a> MailboxVerdict<'a> {
    /// Takes up whom the Mailbox names and may have, and tells of the others.
    pub(super) fn judge_named(&mut self, lookup: &Lookup<'_>, model: &'a MailboxModel) {
        for (at, delegate) in &model.delegates {
            match may_use(lookup, model, &delegate.user) {
                Ok(()) => self.delegates.push(delegate),
                Err(why) => self.refuse(model, format!("spec.delegates[{at}].user"), why),
            }
        }
        for (at, recipient) in model.forward.iter().flat_map(|forward| forward.to.placed()) {
            match may_reach(lookup, model, recipient) {
                Ok(()) => self.forward_to.push(recipient),
                Err(why) => self.refuse(model, format!("spec.forward.to[{at}]"), why),
            }
        }
        if let Role::Group { members, .. } = &model.role {
            for (at, member) in members.placed() {
                match may_be_member(lookup, model, member) {
                    Ok(()) => self.members.push(member),
                    Err(why) => self.refuse(model, format!("spec.members[{at}]"), why),
                }
            }
        }
        self.judge_reach(lookup, model);
    }

    /// Tells of a box or group whose mail would reach nobody, or too many.
    fn judge_reach(&mut self, lookup: &Lookup<'_>, model: &MailboxModel) {
        let field = if model.is_group() { "spec.members" } else { "spec.forward.to" };
        let may_reach_nobody = model.is_group() || model.forward.as_ref().is_some_and(|forward| !forward.keep_copy);
        let is_whole = self.members.is_empty() == self.forward_to.is_empty();
        if !may_reach_nobody || !self.holds_address || is_whole {
            return;
        }
        match reach::of(lookup, &model.address) {
            Reach::Somebody => {}
            Reach::Nobody => {
                let message =
                    "mail for it would reach nobody: those it goes to lead in a circle, or to nobody who keeps it";
                self.refuse(model, field.into(), (Reason::Invalid, message.into()));
            }
            Reach::TooMany(limit) => {
                let message = format!("mail for it would come to more than {limit} boxes: make several groups");
                self.refuse(model, field.into(), (Reason::LimitExceeded, message));
            }
        }
    }

    fn refuse(&mut self, model: &MailboxModel, field: String, (reason, message): Refusal) {
        let object = ObjectRef::new(Kind::Mailbox, model.key.clone());
        self.problems.push(object.error(field, reason, message));
    }
}

/// A delegate has a login of his own, in the same tenant.
fn may_use(lookup: &Lookup<'_>, model: &MailboxModel, user: &Address) -> Result<(), Refusal> {
    let holder = lookup.mail_holder(user).filter(|holder| holder.key.namespace == model.key.namespace);
    match holder {
        Some(holder) if holder.address != *user => {
            Err((Reason::AddressMissing, format!("`{user}` is an alias: name the login, {}", holder.address)))
        }
        Some(holder) if holder.password().is_some() => Ok(()),
        _ => {
            let namespace = &model.key.namespace;
            let message = format!(
                "`{user}` is not the address of a Personal Mailbox in {namespace}: a delegate uses the box with a login of his own"
            );
            Err((Reason::AddressMissing, message))
        }
    }
}

/// An address of ours must be somebody's; others only where the centre allows it.
fn may_reach(lookup: &Lookup<'_>, model: &MailboxModel, recipient: &Recipient) -> Result<(), Refusal> {
    if !lookup.receives_for(recipient.domain()) {
        let allowed = lookup.index().settings().mail.as_ref().is_some_and(|mail| mail.forward_elsewhere);
        let message = || {
            format!(
                "`{recipient}` is received elsewhere, and this centre sends no mail on to other hosts (settings: mail.forwardElsewhere)"
            )
        };
        return if allowed { Ok(()) } else { Err((Reason::Invalid, message())) };
    }
    let Some(holder) = recipient.as_address().and_then(|address| lookup.mail_holder(&address)) else {
        return Err((Reason::AddressMissing, format!("`{recipient}` is nobody's: no Mailbox has this address")));
    };
    let posting = if let Role::Group { posting, .. } = &holder.role { *posting } else { Posting::Anyone };
    if posting != Posting::Anyone && holder.key.namespace != model.key.namespace {
        let message = format!("`{recipient}` is a Group of another tenant to which not everybody may write");
        return Err((Reason::Invalid, message));
    }
    Ok(())
}

fn may_be_member(lookup: &Lookup<'_>, model: &MailboxModel, member: &Member) -> Result<(), Refusal> {
    match member {
        Member::One(recipient) => may_reach(lookup, model, recipient),
        Member::All { domain, .. } => {
            let own =
                lookup.held_zone(domain).filter(|zone| zone.hosts_mail() && zone.key.namespace == model.key.namespace);
            own.map(|_| ()).ok_or_else(|| {
                let message =
                    format!("`{member}`: there is no Domain {domain} in {} whose mail is Hosted", model.key.namespace);
                (Reason::DomainMissing, message)
            })
        }
    }
}
