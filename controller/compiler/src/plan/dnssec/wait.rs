//! What a step waits for.

use std::collections::BTreeSet;

use super::{Facts, Signing, Trust};
use crate::model::record::Ds;
use crate::plan::guard::{self, Held};
use crate::plan::parent::Parent;

/// Who is silent for so many seconds may be so for good.
const SILENCE: u32 = 86_400;

/// Why a step is not taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What is waited for, in words.
    pub text: String,
    /// When time alone brings it, seconds since 1970.
    pub until: Option<u32>,
    /// Nobody can see whether it is there: the coordinator's word stands for it.
    pub held: Option<Held>,
    /// It is an answer of the zone above that is asked for from now on.
    pub anew: bool,
}

impl Wait {
    /// Something comes by itself, nobody knows when.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), until: None, held: None, anew: false }
    }

    /// All is as it should be, as far as was heard; but that was asked for before it mattered.
    pub fn anew() -> Self {
        Self { anew: true, ..Self::new("the parent to say once more what DS it has") }
    }
}

impl Signing {
    /// Every public server serves this state, and what was served before is in no cache.
    pub(super) fn is_known_everywhere(&mut self, facts: &Facts<'_>) -> Result<(), Wait> {
        if self.everywhere.is_none() && !facts.behind.is_empty() {
            return Err(Wait::new(format!("{} to serve the keys as they are", facts.behind.join(", "))));
        }
        let since = *self.everywhere.get_or_insert(facts.now);
        until(since, facts.ttl, facts.now, "caches to forget what was served before")
    }

    /// No server of the zone above has one of these DS, or any at all, no cache does, and none can come by what was served before.
    pub(super) fn is_let_go(&mut self, gone: Option<&BTreeSet<&Ds>>, facts: &Facts<'_>) -> Result<(), Wait> {
        // Both are awaited at the same time; what a human can do is said first.
        let known = self.is_known_everywhere(facts);
        self.parent_is_without(gone, facts).and(known)?;
        // Where a DS was put that was not there before, nobody waited for anything.
        let is_heard = facts.parent.is_none() || self.everywhere.is_some_and(|since| passed(since, 0, facts.asked));
        if is_heard { Ok(()) } else { Err(Wait::anew()) }
    }

    fn parent_is_without(&self, gone: Option<&BTreeSet<&Ds>>, facts: &Facts<'_>) -> Result<(), Wait> {
        let Some(parent) = facts.parent else { return self.somebody_saw_to_it(facts) };
        let any = parent.ds();
        let gone = gone.unwrap_or(&any);
        let holders: Vec<&str> = parent.holders(gone).collect();
        if !holders.is_empty() {
            return Err(Wait::new(still_there(&holders, gone, &self.wish())));
        }
        if !parent.is_known() {
            self.silence_is_judged(parent, facts)?;
        }
        let Trust { since, before, .. } = self.parent;
        until(since, before, facts.now, "caches to forget the DS that the parent had")
    }

    /// What the parent shall have, in words.
    fn wish(&self) -> String {
        let ds: Vec<String> = self.ds().map(ToString::to_string).collect();
        if ds.is_empty() { "no DS".into() } else { format!("the DS {}", ds.join(" and ")) }
    }

    /// A server of the parent that is silent may have what it had. When one is silent for long, the coordinator's word stands for it.
    fn silence_is_judged(&self, parent: &Parent, facts: &Facts<'_>) -> Result<(), Wait> {
        let silent: Vec<&str> = parent.silent().collect();
        let who = if silent.is_empty() { "the parent's name servers".into() } else { silent.join(", ") };
        let wait = Wait::new(format!("{who} to say what DS the parent has"));
        let is_long = self.everywhere.is_some_and(|since| is_long(since, facts.now));
        if !is_long || parent.answers().next().is_none() {
            return Err(wait);
        }
        let message = format!(
            "{who} does not say what DS the parent has, for a day and more: see to it that it has {}, and no other DS, or is no name server of \
             the parent any more, wait until the time to live of what it had is over, then approve",
            self.wish()
        );
        let held = guard::by_hand(&format!("{} silent {who} {}", facts.zone, self.wish()), message);
        let held = held.in_epoch(facts.epoch);
        if (facts.approves)(&held) { Ok(()) } else { Err(Wait { held: Some(held), ..wait }) }
    }

    fn somebody_saw_to_it(&self, facts: &Facts<'_>) -> Result<(), Wait> {
        let message = format!(
            "nobody asks what the parent has, because the settings name no `dns.resolvers`: see to it that every server of the parent \
             has {}, and no other DS, wait until the time to live of what it had is over, then approve",
            self.wish()
        );
        let held = guard::by_hand(&format!("{} parent {}", facts.zone, self.wish()), message.clone());
        let held = held.in_epoch(facts.epoch);
        if (facts.approves)(&held) { Ok(()) } else { Err(Wait { held: Some(held), ..Wait::new(message) }) }
    }
}

fn still_there(holders: &[&str], gone: &BTreeSet<&Ds>, wish: &str) -> String {
    let old: Vec<String> = gone.iter().map(|ds| ds.key_tag.to_string()).collect();
    format!("the parent to have {wish}: {} still has the DS of key {}", holders.join(", "), old.join(" and "))
}

/// Time alone brings it.
pub(in crate::plan) fn until(since: u32, seconds: u32, now: u32, what: &str) -> Result<(), Wait> {
    if passed(since, seconds, now) {
        return Ok(());
    }
    Err(Wait { until: Some(since.wrapping_add(seconds)), ..Wait::new(what) })
}

/// Whether who was silent all the time since then may be so for good.
pub(in crate::plan) fn is_long(since: u32, now: u32) -> bool {
    passed(since, SILENCE, now)
}

/// Whether so many seconds have passed. A clock gone back makes an age beyond half the number space: the time begins anew.
pub(super) fn passed(since: u32, seconds: u32, now: u32) -> bool {
    let age = now.wrapping_sub(since);
    age < 1 << 31 && age >= seconds
}
