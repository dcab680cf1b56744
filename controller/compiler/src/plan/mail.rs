//! What is published of a mail domain's next content: all that is new or changed at once, and removals unless they are too many.

use std::collections::{BTreeMap, BTreeSet};

use cst_api::Date;

use super::guard::{self, Held, Watched};
use crate::desired::mail::MailDomain;
use crate::model::Address;

/// What is done about a mail domain's next content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailStep {
    /// What is published: the next content; while removals are held, with all that they would take, as it was.
    pub domain: MailDomain,
    /// The removals that wait for approval.
    pub held: Option<Held>,
    /// The addresses that they would take.
    pub kept: BTreeSet<Address>,
}

impl MailStep {
    /// All of the next content at once.
    pub fn free(domain: MailDomain) -> Self {
        Self { domain, held: None, kept: BTreeSet::new() }
    }
}

/// Judges the step from what is published to `next`. An approved step begins the count and another epoch. `now`: the day, and seconds
/// since 1970.
pub fn step(
    published: Option<&MailDomain>,
    next: MailDomain,
    now: (Date, u32),
    approves: impl FnOnce(&Held) -> bool,
) -> MailStep {
    let (today, now) = now;
    let Some(published) = published else { return MailStep::free(MailDomain { epoch: now, ..next }) };
    let next = MailDomain { epoch: published.epoch, ..next };
    let (before, after) = (addresses(published), addresses(&next));
    let counts = |(address, on): &(&Address, &Date)| guard::counts(**on, today) && !after.contains(address);
    let earlier: BTreeMap<Address, Date> =
        published.removed.iter().filter(counts).map(|(address, on)| (address.clone(), *on)).collect();
    let going: BTreeSet<Address> = before.difference(&after).copied().cloned().collect();
    let judge = || {
        let names = (texts(earlier.keys()), texts(before.iter().copied()), texts(after.iter().copied()));
        guard::names(Watched::Addresses, next.domain.as_str(), &names.0, &names.1, &names.2)
    };
    // A step that takes nothing is never held.
    let held = if going.is_empty() { None } else { judge() };
    let held = held.map(|held| held.in_epoch(published.epoch));
    drop(after);
    match held {
        None => {
            let removed = earlier.into_iter().chain(going.into_iter().map(|address| (address, today))).collect();
            MailStep::free(MailDomain { removed, ..next })
        }
        Some(held) if approves(&held) => {
            MailStep::free(MailDomain { epoch: guard::next_epoch(published.epoch, now), ..next })
        }
        Some(held) => {
            let domain = MailDomain { removed: earlier, ..with(next, published, &going) };
            MailStep { domain, held: Some(held), kept: going }
        }
    }
}

/// Judges that a domain's mail is given up: all its addresses at once. `epoch`: its zone's.
pub fn giving_up(published: &MailDomain, epoch: u32) -> Option<Held> {
    let before = texts(addresses(published).into_iter());
    let none = BTreeSet::new();
    guard::names(Watched::Addresses, published.domain.as_str(), &none, &before, &none).map(|held| held.in_epoch(epoch))
}

/// The next content, and of the published one what has these addresses.
fn with(mut next: MailDomain, published: &MailDomain, addresses: &BTreeSet<Address>) -> MailDomain {
    next.boxes.extend(published.boxes.iter().filter(|mailbox| addresses.contains(&mailbox.address)).cloned());
    next.boxes.sort_by(|a, b| a.address.cmp(&b.address));
    let aliases = published.aliases.iter().filter(|(alias, _)| addresses.contains(alias));
    next.aliases.extend(aliases.map(|(alias, to)| (alias.clone(), to.clone())));
    next
}

fn addresses(domain: &MailDomain) -> BTreeSet<&Address> {
    domain.boxes.iter().map(|mailbox| &mailbox.address).chain(domain.aliases.keys()).collect()
}

fn texts<'a>(addresses: impl Iterator<Item = &'a Address>) -> BTreeSet<String> {
    addresses.map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use cst_api::{DeletionPolicy, MailboxState};

    use super::*;
    use crate::desired::mail::MailBox;
    use crate::model::{DomainName, ObjectKey, Quantity};

    fn address(local: &str) -> Address {
        Address::parse(&format!("{local}@comune.fano.pu.it")).unwrap()
    }

    fn domain(boxes: std::ops::Range<usize>) -> MailDomain {
        let boxes = boxes.map(|number| {
            let owner = ObjectKey::new("t-fano", format!("box{number}"));
            let mailbox = MailBox::new(owner, address(&format!("box{number:02}")), Quantity(1));
            MailBox { delete_policy: DeletionPolicy::Delete, ..mailbox }
        });
        let domain = DomainName::parse("comune.fano.pu.it").unwrap();
        MailDomain { boxes: boxes.collect(), ..MailDomain::empty(domain) }
    }

    const NOW: u32 = 1_795_392_000;

    fn day(day: u8) -> Date {
        Date { year: 2026, month: 11, day }
    }

    fn judged(published: &MailDomain, next: MailDomain, today: Date) -> MailStep {
        step(Some(published), next, (today, NOW), |_| false)
    }

    #[test]
    fn removals_one_by_one_are_held_as_soon_as_they_are_too_many() {
        let mut published = domain(0..16);
        for from in 1..=4 {
            let step = judged(&published, domain(from..16), day(1));
            assert_eq!((step.held, step.domain.boxes.len()), (None, 16 - from), "{from} of 16");
            published = step.domain;
        }
        let step = judged(&published, domain(5..16), day(1));
        let message = "would drop 1 of 12 addresses (box04@comune.fano.pu.it), and 4 more went since yesterday";
        assert_eq!(step.held.unwrap().message, message);
        assert_eq!(step.domain, published, "it stays, and what went is remembered");
        // All the others after it.
        let step = judged(&published, domain(14..16), day(1));
        assert!(step.held.unwrap().message.starts_with("would drop 10 of 12 addresses"));
    }

    #[test]
    fn what_is_added_or_changed_meanwhile_is_published() {
        let published = domain(0..16);
        let mut next = domain(14..20);
        next.boxes[0].state = MailboxState::Suspended;
        let first = judged(&published, next.clone(), day(1));
        let digest = first.held.as_ref().unwrap().digest.clone();
        assert_eq!((first.domain.boxes.len(), first.kept.len()), (20, 14));
        assert_eq!(first.domain.boxes[14].state, MailboxState::Suspended);
        assert_eq!(first.domain.boxes[..14], published.boxes[..14]);
        let again = judged(&first.domain, next.clone(), day(2));
        assert_eq!((again.held.unwrap().digest, &again.domain), (digest.clone(), &first.domain), "it stays held");
        let approved = step(Some(&first.domain), next.clone(), (day(2), NOW), |held| held.digest == digest);
        let wanted = MailDomain { epoch: NOW, ..next };
        assert_eq!(approved, MailStep { domain: wanted, held: None, kept: BTreeSet::new() });
    }

    #[test]
    fn an_approval_begins_the_count_anew() {
        let approved = step(Some(&domain(0..30)), domain(18..30), (day(1), NOW), |_| true).domain;
        assert_eq!(judged(&approved, domain(19..30), day(1)).held, None, "1 of 12");
    }

    #[test]
    fn an_approval_is_good_once() {
        let full = domain(0..20);
        let digest = judged(&full, domain(0..0), day(1)).held.unwrap().digest;
        let by_word =
            |published: &MailDomain| step(Some(published), domain(0..0), (day(1), NOW), |held| held.digest == digest);
        let gone = by_word(&full).domain;
        assert_eq!(gone.boxes.len(), 0);
        let back = judged(&gone, domain(0..20), day(1)).domain;
        assert_ne!(by_word(&back).held.unwrap().digest, digest);
    }

    #[test]
    fn removals_count_today_and_tomorrow() {
        let first = judged(&domain(0..16), domain(4..16), day(1)).domain;
        assert!(judged(&first, domain(5..16), day(2)).held.is_some());
        let later = judged(&first, domain(5..16), day(3));
        assert_eq!(later.held, None);
        assert_eq!(later.domain.removed, [(address("box04"), day(3))].into(), "the others are forgotten");
        assert_eq!(judged(&first, domain(0..16), day(1)).domain, domain(0..16), "put back they never went");
    }

    #[test]
    fn an_alias_that_is_kept_leads_where_it_did() {
        let with = |count: usize| {
            let aliases = (0..count).map(|n| (address(&format!("a{n:02}")), address("box00")));
            MailDomain { aliases: aliases.collect(), ..domain(0..1) }
        };
        let step = judged(&with(12), with(2), day(1));
        assert_eq!(step.domain, with(12));
        assert!(step.kept.contains(&address("a11")));
    }
}
