//! What the parent had, and for how long caches may still hold it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::wait::passed;
use crate::model::record::Ds;
use crate::plan::parent::Parent;

/// The DS that the parent was seen to have, noted whether or not anything waits for it: whoever takes a DS out before they say that the
/// zone shall be unsigned leaves it in caches all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// Every DS that some server had, or may have: one that is silent has what it had.
    ds: BTreeSet<Ds>,
    /// How long they may be kept, in seconds.
    ttl: u32,
    /// Since when it is these, seconds since 1970.
    pub(super) since: u32,
    /// How long from then on caches may hold what there was before, in seconds.
    pub(super) before: u32,
}

impl Trust {
    /// Takes in what the parent says.
    pub(super) fn hear(&mut self, parent: &Parent, now: u32) {
        let (mut ds, mut ttl): (BTreeSet<Ds>, u32) = (parent.ds().into_iter().cloned().collect(), parent.ttl());
        if !parent.is_known() {
            ds.extend(self.ds.iter().cloned());
            ttl = ttl.max(self.ttl);
        }
        if ds == self.ds {
            self.ttl = self.ttl.max(ttl);
            return;
        }
        let earlier = if passed(self.since, self.before, now) { 0 } else { self.before };
        *self = Self { ds, ttl, since: now, before: earlier.max(self.ttl) };
    }

    /// Whether nothing was ever seen there.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::parent::ParentAnswer;

    const NOW: u32 = 1_795_392_000;

    fn parent(servers: &[Option<(u16, u32)>]) -> Parent {
        let answer = |(key_tag, ttl): (u16, u32)| {
            let ds = Ds { key_tag, algorithm: 13, digest_type: 2, digest: vec![0; 32] };
            ParentAnswer { ds: (ttl > 0).then_some(ds).into_iter().collect(), ttl, ..ParentAnswer::default() }
        };
        let named = servers.iter().enumerate().map(|(at, said)| (format!("{at}.dns.it"), said.map(answer)));
        Parent { servers: named.collect() }
    }

    #[test]
    fn what_was_there_is_remembered_for_its_time_to_live() {
        let mut trust = Trust::default();
        trust.hear(&parent(&[Some((1, 7200)), Some((1, 7200))]), NOW);
        assert_eq!((trust.since, trust.before), (NOW, 0), "nothing was there before");
        trust.hear(&parent(&[Some((1, 7200)), None]), NOW + 10);
        trust.hear(&parent(&[Some((0, 0)), None]), NOW + 20);
        assert_eq!((trust.since, trust.before), (NOW, 0), "the silent one may have it");
        trust.hear(&parent(&[Some((0, 0)), Some((0, 0))]), NOW + 30);
        assert_eq!((trust.since, trust.before), (NOW + 30, 7200));
        trust.hear(&parent(&[Some((2, 60)), Some((2, 60))]), NOW + 40);
        assert_eq!((trust.since, trust.before), (NOW + 40, 7200), "the first is still in caches");
        trust.hear(&parent(&[Some((0, 0)), Some((0, 0))]), NOW + 9000);
        assert_eq!((trust.since, trust.before), (NOW + 9000, 60), "and now it is not");
    }
}
