//! Whatever the history, what is derived domain by domain is what all domains give from scratch.

use std::collections::BTreeSet;

use cst_api::{DelegateRights, Posting};

use super::*;
use crate::desired::mail::fleet::{Derived, Fleet};
use crate::desired::mail::postfix::{Table, Tables};
use crate::desired::mail::routes::Installed;
use crate::desired::mail::sharing::Sharing;
use crate::desired::mail::{BoxRole, Delegation, Domains, Forwarding, sieve};
use crate::model::{Member, Recipient};

/// One is never installed; the last is the centre's, whose postmaster all the others name.
const NAMES: [&str; 6] = ["a.example", "b.example", "c.example", "d.example", "elsewhere.example", "cst.example.net"];
const LOCALS: [&str; 4] = ["u", "v", "w", "postmaster"];
/// What is named: `abuse` is where its domain has no such box, and leads to the postmaster.
const NAMED: [&str; 5] = ["u", "v", "w", "postmaster", "abuse"];

/// A small generator with a seed (xorshift), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    fn named(&mut self) -> String {
        format!("{}@{}", self.one_of(&NAMED), self.one_of(&NAMES))
    }

    fn member(&mut self) -> Member {
        let text = if self.roll(3) == 0 { format!("*@{}", self.one_of(&NAMES)) } else { self.named() };
        Member::parse(&text).unwrap()
    }

    fn mailbox(&mut self, text: &str) -> MailBox {
        use MailboxState::{Active, Archived, Closed, Suspended};
        let mut made = mailbox(text, self.one_of(&[Active, Active, Active, Suspended, Archived, Closed]));
        made.owner.namespace = self.one_of(&["t-urbino", "t-fano"]).into();
        made.password = made.password.filter(|_| self.roll(4) > 0);
        match self.roll(5) {
            0 => {
                let members = (0..=self.roll(2)).map(|_| self.member()).collect();
                let posting = self.one_of(&[Posting::Anyone, Posting::Tenant, Posting::Members]);
                made.role = BoxRole::Group { members, posting };
            }
            1 => {
                let to = vec![Recipient::parse(&self.named()).unwrap()];
                made.forward = Some(Forwarding { to, keep_copy: self.roll(2) == 0 });
            }
            2 => {
                let rights = self.one_of(&[DelegateRights::Read, DelegateRights::Write]);
                made.delegates = vec![Delegation { user: address(&self.named()), rights, send_as: self.roll(2) == 0 }];
            }
            _ => {}
        }
        made
    }

    fn domain(&mut self, name: &str) -> MailDomain {
        let mut made = MailDomain::empty(domain(name));
        for local in LOCALS {
            let text = format!("{local}@{name}");
            match self.roll(3) {
                0 => made.boxes.push(self.mailbox(&text)),
                1 => drop(made.aliases.insert(address(&text), address(&self.named()))),
                _ => {}
            }
        }
        made.catch_all = (self.roll(4) == 0).then(|| address(&self.named()));
        made.alias_of = (self.roll(4) == 0).then(|| domain(self.one_of(&NAMES)));
        made
    }
}

fn from_scratch(all: &Domains) -> BTreeMap<DomainName, Derived> {
    let book = Installed::new(all);
    let derived = |content: &DomainContent| Derived {
        tables: Tables::of_domain(content, book),
        scripts: sieve::scripts(content, book),
    };
    all.iter().map(|(name, content)| (name.clone(), derived(content))).collect()
}

#[test]
fn deriving_what_is_stale_equals_deriving_all_from_scratch() {
    let (mut spared, mut shared) = (0, 0);
    for seed in 1..=30 {
        let mut dice = Dice(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
        let (mut fleet, mut sharing, mut derived) = (Fleet::default(), Sharing::default(), BTreeMap::new());
        let mut rights: BTreeMap<DomainName, String> = BTreeMap::new();
        for step in 0..60 {
            let name = dice.one_of(&NAMES[..6]);
            if name == "elsewhere.example" {
                continue;
            }
            let next = match fleet.domains().get(&domain(name)) {
                Some(_) if dice.roll(6) == 0 => None,
                // One box is another.
                Some(before) if dice.roll(2) == 0 => {
                    let mut next = before.to_mail_domain();
                    let text = format!("{}@{name}", dice.one_of(&LOCALS));
                    next.boxes.retain(|mailbox| mailbox.address != address(&text));
                    next.boxes.push(dice.mailbox(&text));
                    Some(next)
                }
                _ => Some(dice.domain(name)),
            };
            let next = next.map(|next| {
                let buckets = dice.one_of(&[1, 1, 1, 2, 4]);
                DomainContent::assemble(&read(&next.shards(&centre(), buckets))).unwrap()
            });
            let before = fleet.put(&domain(name), next);
            for login in sharing.replace(before.as_ref(), fleet.domains().get(&domain(name))) {
                rights.insert(login.clone(), sharing.acl(&login));
            }
            let mut stale = BTreeSet::new();
            while let Some(name) = fleet.stale().first().cloned() {
                let (made, asked) = fleet.derive(&name);
                fleet.settle(&name, asked);
                derived.remove(&name);
                derived.extend(made.map(|made| (name.clone(), made)));
                assert!(stale.insert(name));
            }
            spared += usize::from(stale.len() < fleet.domains().len());
            assert_eq!(derived, from_scratch(fleet.domains()), "seed {seed}, step {step}: {name} changed");
            let scratch = Sharing::of(fleet.domains());
            assert_eq!(sharing, scratch, "seed {seed}, step {step}: {name} changed");
            for name in NAMES.map(domain) {
                let known = rights.get(&name).map(String::as_str).unwrap_or_default();
                assert_eq!(known, scratch.acl(&name), "seed {seed}, step {step}: {name}");
                shared += usize::from(!known.is_empty());
            }
        }
    }
    assert!(spared > 500, "{spared}: many steps leave domains as they were");
    assert!(shared > 500, "{shared}");
}

/// The whole is the parts, one after the other.
#[test]
fn all_tables_are_those_of_the_domains() {
    let all = fleet(&[urbino(), fano()]);
    let whole = Tables::of(&all);
    for table in Table::ALL {
        let parts = from_scratch(&all).into_values().flat_map(|derived| derived.tables.entries(table).to_vec());
        assert_eq!(whole.entries(table), parts.collect::<Vec<_>>());
    }
}

#[test]
fn a_box_in_the_centres_own_domain_concerns_nobody_but_its_postmaster_everybody() {
    let own = |boxes: &[&str]| {
        let boxes = boxes.iter().map(|local| mailbox(&format!("{local}@cst.example.net"), MailboxState::Active));
        content(&MailDomain { boxes: boxes.collect(), ..MailDomain::empty(domain("cst.example.net")) })
    };
    let mut fleet = Fleet::new(fleet(&[urbino(), fano()]));
    let settled = |fleet: &mut Fleet| {
        let mut names = Vec::new();
        while let Some(name) = fleet.stale().first().cloned() {
            let (_, asked) = fleet.derive(&name);
            fleet.settle(&name, asked);
            names.push(name.to_string());
        }
        names.sort();
        names
    };
    settled(&mut fleet);
    let centre = domain("cst.example.net");
    let all = ["comune.fano.pu.it", "comune.urbino.pu.it", "cst.example.net"];
    fleet.put(&centre, Some(own(&["postmaster", "x"])));
    assert_eq!(settled(&mut fleet), all[1..], "Fano has a postmaster of its own");
    fleet.put(&centre, Some(own(&["postmaster", "y"])));
    assert_eq!(settled(&mut fleet), ["cst.example.net"]);
    fleet.put(&centre, Some(own(&["y"])));
    assert_eq!(settled(&mut fleet), all[1..]);
}
