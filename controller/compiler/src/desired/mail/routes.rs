//! Who gets what is sent to an address: through aliases, forwards and groups to the boxes at their ends, each once.
//!
//! Postfix is told the ends only. It never follows a chain, so no circle and no bomb of groups reaches it.

use std::collections::BTreeSet;

use cst_api::Posting;

use super::notes::{Notes, Subject};
use super::{BoxRole, DomainContent, Domains, MailBox};
use crate::model::{Address, DomainName, Member, Recipient};

/// The most boxes that a message may come to by one address.
pub const MAX_ENDS: usize = 10_000;

/// What becomes of mail at one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The box or group, whatever alias led to it.
    pub address: Address,
    /// The namespace of its Mailbox.
    pub namespace: String,
    /// Whether a box is there that gets it: it keeps it, or sends it on to other hosts.
    pub ends: bool,
    /// Who of ours it goes on to.
    pub to: Vec<Member>,
}

/// An address book.
pub trait Book {
    /// What becomes of mail at an address; `None`: nobody gets it. `through`: the namespace of the box that it comes through;
    /// `None`: it comes from a sender.
    fn route(&self, address: &Address, through: Option<&str>) -> Option<Route>;

    /// The Personal boxes that a pattern covers, and that receive.
    fn covered(&self, pattern: &Member) -> Covered<'_>;
}

/// The addresses of boxes that a pattern covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered<'a> {
    /// Those that keep what they get and send nothing on: most of them, about which nothing more is to be asked.
    pub ends: Vec<&'a Address>,
    /// The others.
    pub others: Vec<&'a Address>,
}

impl<'a> Covered<'a> {
    /// Takes boxes' addresses, each with whether it is an end.
    pub fn of(boxes: impl Iterator<Item = (&'a Address, bool)>) -> Self {
        let mut covered = Self::default();
        for (address, is_end) in boxes {
            if is_end { covered.ends.push(address) } else { covered.others.push(address) }
        }
        covered
    }

    /// Whether an address is among them.
    pub fn contains(&self, address: &Address) -> bool {
        self.ends.contains(&address) || self.others.contains(&address)
    }
}

/// The boxes at which mail for an address ends, in the order of their addresses; those beyond [`MAX_ENDS`] are left out. Empty: it
/// reaches nobody.
pub fn ends(book: &impl Book, address: &Address) -> BTreeSet<Address> {
    let (mut ends, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut due: Vec<(Address, Option<String>)> = vec![(address.clone(), None)];
    while let Some((address, through)) = due.pop() {
        let Some(route) = book.route(&address, through.as_deref()) else { continue };
        if ends.len() > MAX_ENDS || !seen.insert(route.address.clone()) {
            continue;
        }
        let through = |address: Address| (address, Some(route.namespace.clone()));
        for member in &route.to {
            match member {
                Member::One(recipient) => due.extend(recipient.as_address().map(through)),
                Member::All { .. } => {
                    let covered = book.covered(member);
                    for end in covered.ends {
                        if ends.len() > MAX_ENDS {
                            break;
                        }
                        ends.insert(end.clone());
                    }
                    due.extend(covered.others.into_iter().cloned().map(through));
                }
            }
        }
        if route.ends {
            ends.insert(route.address);
        }
    }
    ends
}

/// All installed domains as an address book.
#[derive(Clone, Copy, Debug)]
pub struct Installed<'a> {
    domains: &'a Domains,
    notes: Option<&'a Notes>,
}

impl<'a> Installed<'a> {
    /// The book of these domains.
    pub fn new(domains: &'a Domains) -> Self {
        Self { domains, notes: None }
    }

    /// The same, for one domain's tables: what they ask is noted.
    pub fn noting(domains: &'a Domains, notes: &'a Notes) -> Self {
        Self { domains, notes: Some(notes) }
    }

    /// Whether a domain is ours.
    pub fn has(self, domain: &DomainName) -> bool {
        self.get(domain, || Subject::Presence).is_some()
    }

    /// A domain with all that is in it.
    pub fn whole(self, domain: &DomainName) -> Option<&'a DomainContent> {
        self.get(domain, || Subject::Whole)
    }

    /// The box or group that an address leads to: its own, that of its alias, or of the domain that this one is an alias of.
    pub fn mailbox(self, address: &Address) -> Option<&'a MailBox> {
        self.own(address).or_else(|| {
            let other = self.get(address.domain(), || Subject::Presence)?.alias_of()?;
            self.own(&address.at(other))
        })
    }

    /// The boxes at which mail for an address ends, those of the domain's catch-all where the address is nobody's.
    pub fn delivered(self, address: &Address) -> BTreeSet<Address> {
        let caught = || self.get(address.domain(), || Subject::Presence).and_then(|content| content.catch_all());
        match self.mailbox(address).map_or_else(caught, |mailbox| Some(&mailbox.address)) {
            Some(address) => ends(&self, address),
            None => BTreeSet::new(),
        }
    }

    /// Those of a box's forwards, or of a group's members, that other hosts receive for.
    pub fn elsewhere(self, mailbox: &MailBox) -> Vec<&Recipient> {
        let recipients: Vec<&Recipient> = match (&mailbox.role, &mailbox.forward) {
            (BoxRole::Group { members, .. }, _) => members.iter().filter_map(Member::one).collect(),
            (_, Some(forward)) => forward.to.iter().collect(),
            (_, None) => Vec::new(),
        };
        recipients.into_iter().filter(|recipient| !self.has(recipient.domain())).collect()
    }

    fn own(self, address: &Address) -> Option<&'a MailBox> {
        let content = self.get(address.domain(), || Subject::Address(address.clone()))?;
        let Some(to) = content.alias(address) else { return content.find(address) };
        self.get(to.domain(), || Subject::Address(to.clone()))?.find(to)
    }

    fn get(self, domain: &DomainName, subject: impl FnOnce() -> Subject) -> Option<&'a DomainContent> {
        if let Some(notes) = self.notes {
            notes.add(domain, subject);
        }
        self.domains.get(domain)
    }
}

impl Book for Installed<'_> {
    fn route(&self, address: &Address, through: Option<&str>) -> Option<Route> {
        let mailbox = self.mailbox(address).filter(|mailbox| mailbox.receives())?;
        let elsewhere = !self.elsewhere(mailbox).is_empty();
        let (ends, to) = match (&mailbox.role, &mailbox.forward) {
            (BoxRole::Group { posting, .. }, _) if !lets_through(*posting, through, &mailbox.owner.namespace) => {
                return None;
            }
            (BoxRole::Group { members, .. }, _) => (elsewhere, members.clone()),
            (_, Some(forward)) => {
                (forward.keep_copy || elsewhere, forward.to.iter().cloned().map(Member::One).collect())
            }
            (_, None) => (true, Vec::new()),
        };
        Some(Route { address: mailbox.address.clone(), namespace: mailbox.owner.namespace.clone(), ends, to })
    }

    fn covered(&self, pattern: &Member) -> Covered<'_> {
        let boxes = self.whole(pattern.domain()).into_iter().flat_map(DomainContent::boxes);
        let personal = boxes.filter(|mailbox| mailbox.role == BoxRole::Personal && mailbox.receives());
        let covered = personal.filter(|mailbox| pattern.covers(&mailbox.address));
        Covered::of(covered.map(|mailbox| (&mailbox.address, mailbox.forward.is_none())))
    }
}

/// Whether mail comes into a group through a box of a namespace: a stranger's forward is no way around who may write to it.
pub fn lets_through(posting: Posting, through: Option<&str>, own: &str) -> bool {
    posting == Posting::Anyone || through.is_none_or(|namespace| namespace == own)
}
