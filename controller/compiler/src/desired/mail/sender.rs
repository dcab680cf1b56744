//! Who may send as whom, and whether a message that is submitted says so in its header.
//!
//! Postfix compares the envelope's sender with the login by its table `smtpd_sender_login_maps`. What the reader sees is the header's
//! `From` (RFC 5322 §3.6.2), which Postfix does not look at: the agent judges it by the same rule.

mod mailboxes;
mod shown;

use std::fmt;

use super::routes::Installed;
use super::{Domains, MailBox};
use crate::model::{Address, Recipient};
use mailboxes::{Mailbox, Unreadable};

/// The most that header fields which name the sender may hold together, in octets: far beyond what is written, far below what would
/// fill the memory when many send at once.
const MAX_OCTETS: usize = 64 * 1024;

/// The logins that may send as a box: its own, and those of its delegates who may.
pub fn logins<'a>(mailbox: &'a MailBox, book: Installed<'a>) -> Vec<&'a Address> {
    let own = mailbox.sends().then_some(&mailbox.address);
    let is_active = mailbox.state == cst_api::MailboxState::Active;
    let may_send = |user: &&Address| book.mailbox(user).is_some_and(|other| other.address == **user && other.sends());
    let delegates =
        mailbox.delegates.iter().filter(|delegate| is_active && delegate.send_as).map(|delegate| &delegate.user);
    own.into_iter().chain(delegates.filter(may_send)).collect()
}

/// Whether a login may send as an address, whatever its `+tag` and case.
pub fn may_send_as(domains: &Domains, login: &str, address: &Recipient) -> bool {
    let book = Installed::new(domains);
    let mailbox = address.as_address().and_then(|address| book.mailbox(&address));
    let login = Address::parse(login).ok();
    mailbox.zip(login).is_some_and(|(mailbox, login)| logins(mailbox, book).contains(&&login))
}

/// A header field that says who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Whose message it is: always there, once.
    From,
    /// Who sends it for several authors, or for another: at most once.
    Sender,
    /// The same of a message that is sent once more; once for each time (RFC 5322 §3.6.6).
    ResentFrom,
    /// The same, where somebody else does it.
    ResentSender,
}

impl Field {
    const ALL: [Self; 4] = [Self::From, Self::Sender, Self::ResentFrom, Self::ResentSender];

    fn name(self) -> &'static str {
        match self {
            Self::From => "From",
            Self::Sender => "Sender",
            Self::ResentFrom => "Resent-From",
            Self::ResentSender => "Resent-Sender",
        }
    }

    fn of(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|field| name.trim_ascii().eq_ignore_ascii_case(field.name().as_bytes()))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a message is not taken. As text: ASCII, one line, below 450 characters, nothing of the message but plain addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No `From`, or no other one that is needed.
    #[error("The message has no From: set your address in your mail program")]
    Missing,
    /// A field that may be there once only.
    #[error("The message has {0} twice: mail programs show one of them, and not the same")]
    Twice(Field),
    /// A field that is not written plainly: another program might read something else in it.
    #[error("{0} cannot be read: {1}")]
    Unreadable(Field, Unreadable),
    /// `Sender` with more than one address (RFC 5322 §3.6.2).
    #[error("{0} names several addresses: one person sends")]
    Several(Field),
    /// Several in `From` and no `Sender` (RFC 5322 §3.6.2).
    #[error("From names several addresses: a Sender must say which of them sends")]
    NoSender,
    /// An address of somebody else; `None`: one that no box of ours has for its form.
    #[error("{0} names {addr}, as which this login may not send", addr = .1.as_ref().map_or("an address".into(), ToString::to_string))]
    NotTheirs(Field, Option<Recipient>),
    /// The same, in the name that is shown instead of the address.
    #[error("The name in {0} shows the address {1}, as which this login may not send: write the name alone")]
    Shown(Field, Recipient),
    /// More than anybody writes.
    #[error("From, Sender and the like are longer than 64 KiB together")]
    TooLong,
}

/// What a message says of its senders, as its header is read.
#[derive(Debug, Default)]
pub struct Authors {
    fields: Vec<(Field, Vec<u8>)>,
    octets: usize,
}

impl Authors {
    /// Takes in a header field: its name in any case and its value, folded or not. Others than those of [`Field`] do not matter.
    pub fn add(&mut self, name: &[u8], value: &[u8]) {
        let Some(field) = Field::of(name) else { return };
        // An empty field is an entry too.
        self.octets = self.octets.saturating_add(value.len() + 16);
        if self.octets <= MAX_OCTETS {
            self.fields.push((field, value.to_vec()));
        }
    }

    /// Judges the whole header. `login`: who is logged in, empty: nobody, who may send as no address.
    pub fn judge(&self, domains: &Domains, login: &str) -> Result<(), Refusal> {
        if self.octets > MAX_OCTETS {
            return Err(Refusal::TooLong);
        }
        self.check_counts()?;
        let mut authors = 0;
        for (field, value) in &self.fields {
            let mailboxes = mailboxes::read(value).map_err(|why| Refusal::Unreadable(*field, why))?;
            for mailbox in &mailboxes {
                check(domains, login, *field, mailbox)?;
            }
            match field {
                Field::From => authors = mailboxes.len(),
                Field::Sender | Field::ResentSender if mailboxes.len() > 1 => return Err(Refusal::Several(*field)),
                _ => {}
            }
        }
        if authors > 1 && self.count(Field::Sender) == 0 { Err(Refusal::NoSender) } else { Ok(()) }
    }

    fn check_counts(&self) -> Result<(), Refusal> {
        if self.count(Field::From) == 0 {
            return Err(Refusal::Missing);
        }
        let twice = [Field::From, Field::Sender].into_iter().find(|field| self.count(*field) > 1);
        twice.map_or(Ok(()), |field| Err(Refusal::Twice(field)))
    }

    fn count(&self, field: Field) -> usize {
        self.fields.iter().filter(|(of, _)| *of == field).count()
    }
}

/// The address must be theirs. The name beside it is free, but for addresses of the centre's domains: those it vouches for, and many
/// programs show the name alone. An address elsewhere in it (a certified box, a private one) is no claim that can be judged here.
fn check(domains: &Domains, login: &str, field: Field, mailbox: &Mailbox) -> Result<(), Refusal> {
    let address = Recipient::parse(&mailbox.address).ok();
    if !address.as_ref().is_some_and(|address| may_send_as(domains, login, address)) {
        return Err(Refusal::NotTheirs(field, address));
    }
    let shown = shown::decode(&mailbox.shown).map_err(|why| Refusal::Unreadable(field, why))?;
    let is_other =
        |address: &Recipient| domains.contains_key(address.domain()) && !may_send_as(domains, login, address);
    shown::addresses(&shown).find(is_other).map_or(Ok(()), |address| Err(Refusal::Shown(field, address)))
}
