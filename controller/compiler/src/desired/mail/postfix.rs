//! Postfix' lookup tables, over all domains.

use cst_api::Posting;

use super::routes::{Installed, MAX_ENDS, ends};
use super::{BoxRole, DomainContent, Domains, MailBox, sender};
use crate::model::Address;

/// What `smtpd_recipient_access` says of an address that takes no mail (RFC 3463 §3.3, 5.2.1).
const DISABLED: &str = "550 5.2.1 Mailbox disabled, not accepting messages";
/// The same of one whose mail reaches nobody (RFC 3463 §3.5, 5.4.6) or too many (5.3.4 is about size, 5.5.3 about recipients).
const NOBODY: &str = "550 5.4.6 Mail for this address leads in a circle or to nobody";
const TOO_MANY: &str = "550 5.5.3 This list has too many members";
/// The restriction class of addresses that take no bounces: what they send on comes back to nobody.
const LIST: &str = "list";
/// The restriction class of addresses to which not everybody may write.
const POSTING: &str = "posting";

/// A lookup table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// `virtual_mailbox_domains`: the domains mail is received for.
    Domains,
    /// `virtual_mailbox_maps`: what Dovecot gets mail for: boxes, and groups with members elsewhere.
    Boxes,
    /// `virtual_alias_maps`: where an address is delivered. A box is there as itself, so that no other entry can divert it.
    Aliases,
    /// `smtpd_sender_login_maps`: whose address an address is, for those who may send.
    Senders,
    /// `smtpd_recipient_access`: the addresses that take no mail, or not everybody's.
    Access,
}

impl Table {
    /// All, in the order in which they are installed when something is added: a domain is made known last.
    pub const ALL: [Self; 5] = [Self::Boxes, Self::Access, Self::Aliases, Self::Senders, Self::Domains];

    /// The table's file name, without the suffix that Postfix adds for its type.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Domains => "virtual_mailbox_domains",
            Self::Boxes => "virtual_mailbox_maps",
            Self::Aliases => "virtual_alias_maps",
            Self::Senders => "smtpd_sender_login_maps",
            Self::Access => "smtpd_recipient_access",
        }
    }
}

/// All tables: keys with their values, in the order of the domains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    domains: Vec<(String, String)>,
    boxes: Vec<(String, String)>,
    aliases: Vec<(String, String)>,
    senders: Vec<(String, String)>,
    access: Vec<(String, String)>,
}

impl Tables {
    /// The tables of all domains.
    pub fn of(domains: &Domains) -> Self {
        let mut all = Self::default();
        for content in domains.values().filter(|content| !content.is_withdrawn()) {
            all.append(Self::of_domain(content, Installed::new(domains)));
        }
        all
    }

    /// One domain's part of them.
    pub fn of_domain(content: &DomainContent, book: Installed<'_>) -> Self {
        let mut tables = Self::default();
        tables.add(content, book);
        tables
    }

    fn append(&mut self, other: Self) {
        let Self { domains, boxes, aliases, senders, access } = other;
        self.domains.extend(domains);
        self.boxes.extend(boxes);
        self.aliases.extend(aliases);
        self.senders.extend(senders);
        self.access.extend(access);
    }

    /// The entries of one table: no key twice, neither key nor value with a line end.
    pub fn entries(&self, table: Table) -> &[(String, String)] {
        match table {
            Table::Domains => &self.domains,
            Table::Boxes => &self.boxes,
            Table::Aliases => &self.aliases,
            Table::Senders => &self.senders,
            Table::Access => &self.access,
        }
    }

    fn add(&mut self, content: &DomainContent, book: Installed<'_>) {
        self.domains.push((content.domain().to_string(), "hosted".into()));
        for mailbox in content.boxes() {
            self.add_address(&mailbox.address, mailbox, book);
            if mailbox.receives() && (!mailbox.is_group() || !book.elsewhere(mailbox).is_empty()) {
                self.boxes.push((mailbox.address.to_string(), "box".into()));
            }
        }
        for (alias, _) in content.aliases() {
            self.add_alias(alias, book);
        }
        let other = content.alias_of().and_then(|other| book.whole(other));
        for address in other.into_iter().flat_map(DomainContent::declared) {
            let here = address.at(content.domain());
            if !content.holds(&here) {
                self.add_alias(&here, book);
            }
        }
        // Of a domain that is an alias the other's postmaster reads these.
        let postmaster = Address::parse(&format!("postmaster@{}", content.domain())).ok();
        let own = postmaster.and_then(|postmaster| book.mailbox(&postmaster)).map(|mailbox| &mailbox.address);
        for (address, to) in content.required().filter(|(address, _)| book.mailbox(address).is_none()) {
            if let Some(to) = delivered_to(book, own.unwrap_or(to)) {
                self.aliases.push((address.to_string(), to.to_string()));
            }
        }
        let catch_all = content.catch_all().map(|to| ends(&book, to)).filter(|ends| !ends.is_empty());
        self.aliases.extend(catch_all.map(|ends| (format!("@{}", content.domain()), joined(ends.iter()))));
    }

    fn add_alias(&mut self, alias: &Address, book: Installed<'_>) {
        if let Some(mailbox) = book.mailbox(alias) {
            self.add_address(alias, mailbox, book);
        }
    }

    /// What is known of one address of a box or group.
    fn add_address(&mut self, address: &Address, mailbox: &MailBox, book: Installed<'_>) {
        let logins = sender::logins(mailbox, book);
        if !logins.is_empty() {
            self.senders.push((address.to_string(), joined(logins.into_iter())));
        }
        let refusal = if mailbox.receives() { self.add_route(address, mailbox, book) } else { Some(DISABLED) };
        let access = refusal.or_else(|| class(mailbox, book));
        self.access.extend(access.map(|value| (address.to_string(), value.to_owned())));
    }

    /// Where mail for an address goes; what is said instead, where it goes nowhere.
    fn add_route(&mut self, address: &Address, mailbox: &MailBox, book: Installed<'_>) -> Option<&'static str> {
        let is_plain = !mailbox.is_group() && mailbox.forward.is_none();
        if is_plain {
            self.aliases.push((address.to_string(), mailbox.address.to_string()));
            return None;
        }
        let ends = ends(&book, address);
        match ends.len() {
            0 => Some(NOBODY),
            1..=MAX_ENDS => {
                self.aliases.push((address.to_string(), joined(ends.iter())));
                None
            }
            _ => Some(TOO_MANY),
        }
    }
}

/// What is asked about mail for an address before it is taken.
fn class(mailbox: &MailBox, book: Installed<'_>) -> Option<&'static str> {
    match &mailbox.role {
        BoxRole::Group { posting: Posting::Tenant | Posting::Members, .. } => Some(POSTING),
        BoxRole::Group { .. } if !book.elsewhere(mailbox).is_empty() => Some(LIST),
        _ => None,
    }
}

fn joined<'a>(addresses: impl Iterator<Item = &'a Address>) -> String {
    addresses.map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Where the centre's postmaster reads: a box here, by itself or by an alias, or an address elsewhere. `None`: an address of ours that
/// does not receive, so that what is sent to it is refused rather than bounced.
fn delivered_to<'a>(book: Installed<'a>, to: &'a Address) -> Option<&'a Address> {
    if !book.has(to.domain()) {
        return Some(to);
    }
    book.mailbox(to).filter(|mailbox| mailbox.receives()).map(|mailbox| &mailbox.address)
}
