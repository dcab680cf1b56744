//! Who may write to a group.

use cst_api::Posting;

use super::routes::{Book as _, Installed, ends};
use super::{BoxRole, Domains, MailBox};
use crate::model::{Address, Member, Recipient};

/// Whether mail for a recipient is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As far as its members are concerned.
    Takes,
    /// Bounces and other mail without a sender are not: what a group sends on comes back to nobody.
    NoBounces,
    /// Only those who are logged in with a box of the same tenant.
    TenantOnly,
    /// Only those who are logged in with a box that is a member.
    MembersOnly,
}

/// Judges a mail to `recipient`, as SMTP says it. `sender`: the envelope's, empty for the null sender; `login`: who is logged in, empty:
/// nobody.
pub fn judge(domains: &Domains, recipient: &str, sender: &str, login: &str) -> Verdict {
    let book = Installed::new(domains);
    let address = Recipient::parse(recipient).ok().and_then(|recipient| recipient.as_address());
    let Some(group) = address.and_then(|address| book.mailbox(&address)) else { return Verdict::Takes };
    let BoxRole::Group { members, posting } = &group.role else { return Verdict::Takes };
    if sender.is_empty() && !book.elsewhere(group).is_empty() {
        return Verdict::NoBounces;
    }
    let poster = Address::parse(login).ok().and_then(|login| book.mailbox(&login));
    let is_kin = poster.is_some_and(|poster| poster.owner.namespace == group.owner.namespace);
    match posting {
        Posting::Anyone => Verdict::Takes,
        Posting::Tenant if is_kin => Verdict::Takes,
        Posting::Tenant => Verdict::TenantOnly,
        Posting::Members if is_kin && poster.is_some_and(|poster| is_member(book, members, poster)) => Verdict::Takes,
        Posting::Members => Verdict::MembersOnly,
    }
}

/// Whether a box is among the members, by its address, an alias, a pattern or a group within.
fn is_member(book: Installed<'_>, members: &[Member], poster: &MailBox) -> bool {
    members.iter().any(|member| match member {
        Member::All { .. } => book.covered(member).contains(&poster.address),
        Member::One(recipient) => recipient.as_address().is_some_and(|address| {
            book.mailbox(&address).is_some_and(|named| named.address == poster.address)
                || ends(&book, &address).contains(&poster.address)
        }),
    })
}
