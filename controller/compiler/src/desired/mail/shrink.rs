//! The last guard before mail is refused: a domain that loses many addresses at once goes on as it was.

use std::sync::Arc;

use super::DomainContent;

/// A change that drops addresses: `dropped` of `before` are not among the `after` that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrinkage {
    /// How many addresses there were.
    pub before: usize,
    /// How many of them would go.
    pub dropped: usize,
    /// How many there would be.
    pub after: usize,
}

impl Shrinkage {
    /// What installing `next` over `installed` would drop.
    pub fn between(installed: &DomainContent, next: &DomainContent) -> Self {
        let same_layout = installed.shards().len() == next.shards().len();
        let changed = installed.shards().iter().enumerate().filter(|(bucket, shard)| {
            !(same_layout && next.shards().get(*bucket).is_some_and(|other| Arc::ptr_eq(shard, other)))
        });
        let addresses =
            changed.flat_map(|(_, shard)| shard.boxes.iter().map(|b| &b.address).chain(shard.aliases.keys()));
        let dropped = addresses.filter(|address| !next.holds(address)).count();
        Self { before: installed.addresses(), dropped, after: next.addresses() }
    }

    /// Whether it is held: more than 30 % of at least 10 addresses, unless exactly the resulting number was approved.
    pub fn is_held(self, approved: Option<usize>) -> bool {
        self.before >= 10 && self.dropped * 10 > self.before * 3 && approved != Some(self.after)
    }
}
