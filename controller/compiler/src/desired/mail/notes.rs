//! What the tables of a domain asked of other domains: they are to be made anew when the answer may be another.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::model::{Address, DomainName};

/// What was asked about a domain. Whether it is there, and what it is an alias of, is asked with each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Nothing more.
    Presence,
    /// All that is in it.
    Whole,
    /// Whose an address of it is, and what becomes of mail for it.
    Address(Address),
}

/// Domains and what was asked about them, in order, each once.
pub type Asked = Vec<(DomainName, Subject)>;

/// Notes what is asked on behalf of one domain, of all others.
#[derive(Debug)]
pub struct Notes {
    of: DomainName,
    asked: RefCell<BTreeSet<(DomainName, Subject)>>,
}

impl Notes {
    /// Nothing was asked yet.
    pub fn of(domain: DomainName) -> Self {
        Self { of: domain, asked: RefCell::default() }
    }

    pub(super) fn add(&self, domain: &DomainName, subject: impl FnOnce() -> Subject) {
        if *domain != self.of {
            self.asked.borrow_mut().insert((domain.clone(), subject()));
        }
    }

    /// All that was noted.
    pub fn asked(self) -> Asked {
        self.asked.into_inner().into_iter().collect()
    }
}
