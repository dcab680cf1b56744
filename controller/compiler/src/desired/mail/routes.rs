//! Who gets what is sent to an address: through aliases, forwards and groups to the boxes at their ends, each once.
//!
//! Postfix is told the ends only. It never follows a chain, so no circle and no bomb of groups reaches it.

use std::collections::BTreeSet;

use cst_api::Posting;

use super::{BoxRole, Domains, MailBox};
use crate::model::{Address, Member, Recipient};

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

    /// The addresses of the Personal boxes that a pattern covers, and that receive.
    fn covered(&self, pattern: &Member) -> Vec<Address>;
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
        for member in &route.to {
            let named = match member {
                Member::One(recipient) => recipient.as_address().into_iter().collect(),
                Member::All { .. } => book.covered(member),
            };
            due.extend(named.into_iter().map(|address| (address, Some(route.namespace.clone()))));
        }
        if route.ends {
            ends.insert(route.address);
        }
    }
    ends
}

/// All installed domains as an address book.
#[derive(Clone, Copy, Debug)]
pub struct Installed<'a>(pub &'a Domains);

impl<'a> Installed<'a> {
    /// The box or group that an address leads to: its own, that of its alias, or of the domain that this one is an alias of.
    pub fn mailbox(self, address: &Address) -> Option<&'a MailBox> {
        self.own(address).or_else(|| {
            let other = self.0.get(address.domain())?.alias_of()?;
            self.own(&address.at(other))
        })
    }

    /// The boxes at which mail for an address ends, those of the domain's catch-all where the address is nobody's.
    pub fn delivered(self, address: &Address) -> BTreeSet<Address> {
        let caught = || self.0.get(address.domain()).and_then(|content| content.catch_all());
        match self.mailbox(address).map_or_else(caught, |mailbox| Some(&mailbox.address)) {
            Some(address) => ends(&self, address),
            None => BTreeSet::new(),
        }
    }

    fn own(self, address: &Address) -> Option<&'a MailBox> {
        let content = self.0.get(address.domain())?;
        let address = content.alias(address).unwrap_or(address);
        self.0.get(address.domain())?.find(address)
    }

    /// Those of a box's forwards, or of a group's members, that other hosts receive for.
    pub fn elsewhere(self, mailbox: &MailBox) -> Vec<&Recipient> {
        let recipients: Vec<&Recipient> = match (&mailbox.role, &mailbox.forward) {
            (BoxRole::Group { members, .. }, _) => members.iter().filter_map(Member::one).collect(),
            (_, Some(forward)) => forward.to.iter().collect(),
            (_, None) => Vec::new(),
        };
        recipients.into_iter().filter(|recipient| !self.0.contains_key(recipient.domain())).collect()
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

    fn covered(&self, pattern: &Member) -> Vec<Address> {
        let Some(content) = self.0.get(pattern.domain()) else { return Vec::new() };
        let boxes = content.boxes().filter(|mailbox| mailbox.role == BoxRole::Personal && mailbox.receives());
        boxes.map(|mailbox| &mailbox.address).filter(|address| pattern.covers(address)).cloned().collect()
    }
}

/// Whether mail comes into a group through a box of a namespace: a stranger's forward is no way around who may write to it.
pub fn lets_through(posting: Posting, through: Option<&str>, own: &str) -> bool {
    posting == Posting::Anyone || through.is_none_or(|namespace| namespace == own)
}
