//! Postfix' lookup tables, over all domains.

use std::collections::BTreeMap;

use super::DomainContent;
use crate::model::{Address, DomainName};

/// A lookup table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// `virtual_mailbox_domains`: the domains mail is received for.
    Domains,
    /// `virtual_mailbox_maps`: the boxes mail is received for.
    Boxes,
    /// `virtual_alias_maps`: where an address is delivered. A box is there as itself, so that no other entry can divert it.
    Aliases,
    /// `smtpd_sender_login_maps`: whose address an address is, for those who may send.
    Senders,
}

impl Table {
    /// All, in the order in which they are installed when something is added: a domain is made known last.
    pub const ALL: [Self; 4] = [Self::Boxes, Self::Aliases, Self::Senders, Self::Domains];

    /// The table's file name, without the suffix that Postfix adds for its type.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Domains => "virtual_mailbox_domains",
            Self::Boxes => "virtual_mailbox_maps",
            Self::Aliases => "virtual_alias_maps",
            Self::Senders => "smtpd_sender_login_maps",
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
}

impl Tables {
    /// The tables of all domains.
    pub fn of(domains: &BTreeMap<DomainName, DomainContent>) -> Self {
        let mut tables = Self::default();
        for content in domains.values().filter(|content| !content.is_withdrawn()) {
            tables.add(content, domains);
        }
        tables
    }

    /// The entries of one table: no key twice, neither key nor value with a line end.
    pub fn entries(&self, table: Table) -> &[(String, String)] {
        match table {
            Table::Domains => &self.domains,
            Table::Boxes => &self.boxes,
            Table::Aliases => &self.aliases,
            Table::Senders => &self.senders,
        }
    }

    fn add(&mut self, content: &DomainContent, all: &BTreeMap<DomainName, DomainContent>) {
        self.domains.push((content.domain().to_string(), "hosted".into()));
        for mailbox in content.boxes() {
            let address = mailbox.address.to_string();
            if mailbox.sends() {
                self.senders.push((address.clone(), address.clone()));
            }
            if mailbox.receives() {
                self.boxes.push((address.clone(), "box".into()));
                self.aliases.push((address.clone(), address));
            }
        }
        for (alias, to) in content.aliases() {
            let Some(mailbox) = find(all, to) else { continue };
            if mailbox.receives() {
                self.aliases.push((alias.to_string(), to.to_string()));
            }
            if mailbox.sends() {
                self.senders.push((alias.to_string(), to.to_string()));
            }
        }
        for (address, to) in content.required() {
            if let Some(to) = delivered_to(all, to) {
                self.aliases.push((address.to_string(), to.to_string()));
            }
        }
    }
}

fn find<'a>(all: &'a BTreeMap<DomainName, DomainContent>, address: &Address) -> Option<&'a super::MailBox> {
    all.get(address.domain())?.find(address)
}

/// Where the centre's postmaster reads: a box here, by itself or by an alias, or an address elsewhere. `None`: an address of ours that
/// does not receive, so that what is sent to it is refused rather than bounced.
fn delivered_to<'a>(all: &'a BTreeMap<DomainName, DomainContent>, to: &'a Address) -> Option<&'a Address> {
    let Some(content) = all.get(to.domain()) else { return Some(to) };
    let to = content.alias(to).unwrap_or(to);
    find(all, to).filter(|mailbox| mailbox.receives()).map(|_| to)
}
