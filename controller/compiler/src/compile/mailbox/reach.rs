//! Whether mail for an address reaches somebody, by what is declared.

use cst_api::Posting;

use crate::desired::mail::routes::{self, Book, Covered, MAX_ENDS, Route};
use crate::index::Lookup;
use crate::model::{Address, Member};
use crate::parse::{MailboxModel, Role};

/// How many get what is sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nobody.
    Nobody,
    /// As many as may.
    Somebody,
    /// More than this.
    TooMany(usize),
}

pub(super) fn of(lookup: &Lookup<'_>, address: &Address) -> Reach {
    match routes::ends(&Declared(lookup), address).len() {
        0 => Reach::Nobody,
        1..=MAX_ENDS => Reach::Somebody,
        _ => Reach::TooMany(MAX_ENDS),
    }
}

/// What is declared, as an address book: as if every box received and every forward were in force, for days go by.
struct Declared<'a, 'i>(&'a Lookup<'i>);

impl Declared<'_, '_> {
    fn is_elsewhere(&self, member: &Member) -> bool {
        matches!(member, Member::One(recipient) if !self.0.receives_for(recipient.domain()))
    }
}

impl Book for Declared<'_, '_> {
    fn route(&self, address: &Address, through: Option<&str>) -> Option<Route> {
        let model = self.0.mail_holder(address)?;
        let posting = if let Role::Group { posting, .. } = &model.role { *posting } else { Posting::Anyone };
        if !routes::lets_through(posting, through, &model.key.namespace) {
            return None;
        }
        let to: Vec<Member> = onward(model);
        let keeps = !model.is_group() && model.forward.as_ref().is_none_or(|forward| forward.keep_copy);
        let ends = keeps || to.iter().any(|member| self.is_elsewhere(member));
        Some(Route { address: model.address.clone(), namespace: model.key.namespace.clone(), ends, to })
    }

    fn covered(&self, pattern: &Member) -> Covered<'_> {
        let boxes = self.0.index().entries_in(pattern.domain()).filter_map(|(_, entry)| entry.model.as_ref());
        let personal = boxes.filter(|model| model.password().is_some() && pattern.covers(&model.address));
        // One that asks for an address of somebody else is no end.
        let has = |model: &MailboxModel| self.0.address_holder(&model.address) == Some(&model.key);
        Covered::of(personal.map(|model| (&model.address, model.forward.is_none() && has(model))))
    }
}

fn onward(model: &MailboxModel) -> Vec<Member> {
    match (&model.role, &model.forward) {
        (Role::Group { members, .. }, _) => members.iter().cloned().collect(),
        (_, Some(forward)) => forward.to.iter().cloned().map(Member::One).collect(),
        (_, None) => Vec::new(),
    }
}
