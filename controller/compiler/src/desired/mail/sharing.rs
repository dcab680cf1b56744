//! Who uses whose box, as Dovecot reads it.
//!
//! All of it stands in files of ours and nothing in the stores, so that a right that was taken away is gone everywhere at once, whatever
//! backup a store came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use cst_api::DelegateRights;

use super::{DomainContent, Domains};
use crate::model::{Address, DomainName};

/// Below which folder others' boxes are in a user's list.
pub const PREFIX: &str = "shared";
/// Lookup, read, mark as seen (RFC 4314 §2.1).
const READ: &str = "lrs";
/// And flags, deletion, insertion, posting, expunging, folders; not the rights themselves (`a`).
const WRITE: &str = "lrwstipekx";

/// Who uses whose box.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// By the delegate's domain: who, whose, and how.
    rights: BTreeMap<DomainName, BTreeSet<(Address, Address, &'static str)>>,
}

impl Sharing {
    /// That of all domains.
    pub fn of(domains: &Domains) -> Self {
        let mut sharing = Self::default();
        for mailbox in domains.values().flat_map(DomainContent::boxes) {
            for delegation in mailbox.delegations() {
                let rights = match delegation.rights {
                    DelegateRights::Read => READ,
                    DelegateRights::Write => WRITE,
                };
                let of_domain = sharing.rights.entry(delegation.user.domain().clone()).or_default();
                of_domain.insert((delegation.user.clone(), mailbox.address.clone(), rights));
            }
        }
        sharing
    }

    /// Whether a domain's logins may use the same boxes in the same way.
    pub fn is_same_for(&self, domain: &DomainName, other: &Self) -> bool {
        self.rights.get(domain) == other.rights.get(domain)
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
