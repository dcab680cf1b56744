//! Who else gets or uses a box's mail, and what is answered.

use cst_api::{Date, Delegate, DelegateRights, Forward, Vacation};

use super::super::{List, Reader};
use crate::model::{Address, Recipient};

/// How many octets an answer may have.
const MAX_TEXT: usize = 4_000;

/// Somebody who uses another's box with his own login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelegateModel {
    /// His login.
    pub user: Address,
    /// What he may do with the mail.
    pub rights: DelegateRights,
    /// Whether he may send as the box.
    pub send_as: bool,
}

/// Where else a box's mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardModel {
    /// To whom, in the order written.
    pub to: List<Recipient>,
    /// Whether the box keeps its mail too.
    pub keep_copy: bool,
    /// The last day.
    pub until: Option<Date>,
}

/// What is answered while the owner is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VacationModel {
    /// The first day.
    pub from: Option<Date>,
    /// The last day.
    pub until: Option<Date>,
    /// The answer's subject.
    pub subject: Option<String>,
    /// The answer.
    pub text: String,
}

impl ForwardModel {
    /// Whether mail is forwarded on a day.
    pub fn is_on(&self, today: Date) -> bool {
        self.until.is_none_or(|until| today <= until)
    }
}

impl VacationModel {
    /// Whether it is answered on a day.
    pub fn is_on(&self, today: Date) -> bool {
        self.from.is_none_or(|from| from <= today) && self.until.is_none_or(|until| today <= until)
    }
}

impl Reader {
    /// Reads the delegates of the box with this address; one that is named twice counts once.
    pub(super) fn delegates(&mut self, written: &[Delegate], address: Option<&Address>) -> Vec<(usize, DelegateModel)> {
        let mut read: Vec<(usize, DelegateModel)> = Vec::with_capacity(written.len());
        for (at, delegate) in written.iter().enumerate() {
            let field = format!("spec.delegates[{at}].user");
            let Some(user) = self.take(&field, Address::parse(&delegate.user)) else { continue };
            if Some(&user) == address {
                self.invalid(&field, format!("`{user}` is the box itself: leave it out"));
            } else if read.iter().any(|(_, known)| known.user == user) {
                self.invalid(&field, format!("`{user}` is named twice: write it once, with the rights it shall have"));
            } else {
                let (rights, send_as) = (delegate.rights.unwrap_or_default(), delegate.send_as.unwrap_or_default());
                read.push((at, DelegateModel { user, rights, send_as }));
            }
        }
        read
    }

    pub(super) fn forward(&mut self, forward: &Forward, address: Option<&Address>) -> ForwardModel {
        let Forward { to, keep_copy, until } = forward;
        if to.is_empty() {
            self.invalid("spec.forward.to", "needs an address to forward to: write one, or leave forward out");
        }
        let itself = |recipient: &Recipient| {
            let own = address.is_some() && recipient.as_address().as_ref() == address;
            own.then(|| {
                format!("`{recipient}` is the box itself: leave it out, keepCopy says whether it keeps its mail")
            })
        };
        let to = self.list("spec.forward.to", to, Recipient::parse, itself);
        ForwardModel { to, keep_copy: keep_copy.unwrap_or(true), until: *until }
    }

    pub(super) fn vacation(&mut self, vacation: &Vacation) -> Option<VacationModel> {
        let Vacation { from, until, subject, text } = vacation;
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            self.invalid("spec.vacation.until", format!("{until} is before its first day, {from}"));
        }
        let subject_is_right = subject.as_ref().is_none_or(|subject| !subject.chars().any(char::is_control));
        if !subject_is_right {
            self.invalid("spec.vacation.subject", "is one line of text, without control characters");
        }
        let odd = |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
        let text_is_right = !text.trim().is_empty() && text.len() <= MAX_TEXT * 4 && !text.contains(odd);
        if !text_is_right {
            self.invalid(
                "spec.vacation.text",
                format!("is some text of at most {MAX_TEXT} characters, without control characters"),
            );
        }
        let model = VacationModel { from: *from, until: *until, subject: subject.clone(), text: text.clone() };
        (subject_is_right && text_is_right).then_some(model)
    }
}
