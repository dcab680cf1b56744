//! A zone that comes from other servers: caches may have it as those serve it, which is not by its keys here.

use serde::{Deserialize, Serialize};

use super::wait::until;
use super::{Facts, Signing, Wait};
use crate::model::DomainName;
use crate::plan::parent::{Parent, ParentAnswer};

/// For how long caches keep anything at most, in seconds: a week (RFC 8767 §4). Nobody here knows what times to live other servers give.
const LONGEST: u32 = 604_800;

/// Where the parent delegates a zone to that it was seen to delegate to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arrival {
    /// To others, or to others too.
    Elsewhere,
    /// Here alone, since then, seconds since 1970.
    Here(u32),
}

impl Signing {
    /// A zone that others serve begins with a key that nobody is to trust yet.
    pub fn arrive(&mut self, facts: &Facts<'_>) {
        let Some(parent) = facts.parent else { return };
        self.hear_delegation(parent, facts);
        let is_trusted = !parent.ds().is_empty();
        if let [key] = &mut self.keys[..]
            && self.arrival == Some(Arrival::Elsewhere)
        {
            key.trusted = is_trusted;
        }
    }

    /// Notes where the parent delegates to. Who is silent while the others agree for a week has what they have, or is no server of it any more.
    pub(super) fn hear_delegation(&mut self, parent: &Parent, facts: &Facts<'_>) {
        let is_elsewhere = |said: &ParentAnswer| said.ns.iter().any(|server| !facts.servers.contains(server));
        if parent.answers().any(|(_, said)| is_elsewhere(said)) {
            self.arrival = Some(Arrival::Elsewhere);
        } else if parent.answers().next().is_some() && self.arrival == Some(Arrival::Elsewhere) {
            self.arrival = Some(Arrival::Here(facts.now));
        }
    }

    /// No cache has the zone from other servers.
    pub(super) fn has_arrived(&mut self, facts: &Facts<'_>) -> Result<(), Wait> {
        let why = "; by a DS nobody who validates would believe other servers";
        self.arrival.map_or(Ok(()), |arrival| arrival.is_over(facts.servers, facts.now, why))?;
        self.arrival = None;
        Ok(())
    }
}

impl Arrival {
    /// No cache has the zone from other servers than these. `now`: seconds since 1970; `why`: for what that matters, in words.
    pub fn is_over(self, servers: &[DomainName], now: u32, why: &str) -> Result<(), Wait> {
        match self {
            Self::Elsewhere => {
                let ours: Vec<String> = servers.iter().map(ToString::to_string).collect();
                Err(Wait::new(format!("the parent to delegate the zone to {} alone{why}", ours.join(", "))))
            }
            Self::Here(since) => until(since, LONGEST, now, "caches to forget what other servers served"),
        }
    }
}
