//! Who uses whose box, as Dovecot reads it.
//!
//! All of it stands in files of ours and nothing in the stores, so that a right that was taken away is gone everywhere at once, whatever
//! backup a store came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use cst_api::DelegateRights;

use super::{Delegation, DomainContent, Domains, MailBox};
use crate::model::{Address, DomainName};

/// Below which folder others' boxes are in a user's list.
pub const PREFIX: &str = "shared";
/// Lookup, read, mark as seen (RFC 4314 §2.1).
const READ: &str = "lrs";
/// And flags, deletion, insertion, posting, expunging, folders; not the rights themselves (`a`).
const WRITE: &str = "lrwstipekx";

/// Who, whose box, and how.
type Right = (Address, Address, &'static str);

/// Who uses whose box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// By the delegate's domain.
    rights: BTreeMap<DomainName, BTreeSet<Right>>,
}

impl Sharing {
    /// That of all domains.
    pub fn of(domains: &Domains) -> Self {
        let mut sharing = Self::default();
        for content in domains.values() {
            sharing.replace(None, Some(content));
        }
        sharing
    }

    /// A domain's boxes are others now; the domains whose logins may use other boxes because of that, or in another way.
    pub fn replace(&mut self, before: Option<&DomainContent>, after: Option<&DomainContent>) -> BTreeSet<DomainName> {
        let (before, after) = (rights(before), rights(after));
        for right in before.difference(&after) {
            if let Some(of_domain) = self.rights.get_mut(right.0.domain()) {
                of_domain.remove(right);
                if of_domain.is_empty() {
                    self.rights.remove(right.0.domain());
                }
            }
        }
        for right in after.difference(&before) {
            self.rights.entry(right.0.domain().clone()).or_default().insert(right.clone());
        }
        before.symmetric_difference(&after).map(|(user, ..)| user.domain().clone()).collect()
    }

    /// The ACL file of a domain's logins: `<mailbox pattern> user=<login> <rights>`, for the box itself and for all folders in it. The
    /// pattern ends with the address or at a `/`, for another's address may begin with this one.
    pub fn acl(&self, domain: &DomainName) -> String {
        self.rights.get(domain).into_iter().flatten().fold(String::new(), |mut text, (user, of, rights)| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{PREFIX}/{of} user={user} {rights}\n{PREFIX}/{of}/* user={user} {rights}\n");
            text
        })
    }

    /// The map by which Dovecot finds what to list for a login: a key and a value in a line each.
    pub fn map(&self) -> String {
        self.rights.values().flatten().fold(String::new(), |mut text, (user, of, _)| {
            let _ = write!(text, "shared/shared-boxes/user/{user}/{of}\n1\n");
            text
        })
    }
}

fn rights(content: Option<&DomainContent>) -> BTreeSet<Right> {
    let boxes = content.into_iter().flat_map(DomainContent::boxes);
    let of_box = |mailbox: &MailBox| {
        let rights = |delegation: &Delegation| match delegation.rights {
            DelegateRights::Read => READ,
            DelegateRights::Write => WRITE,
        };
        let right = |delegation: &Delegation| (delegation.user.clone(), mailbox.address.clone(), rights(delegation));
        mailbox.delegations().map(right).collect::<Vec<_>>()
    };
    boxes.flat_map(of_box).collect()
}
