//! A zone that is to be withdrawn leaves the zone above first, where that is one of ours: who still finds the delegation would find no zone.

use serde::{Deserialize, Serialize};

use super::dnssec::{Wait, is_long, until};
use super::guard;
use super::guard::Held;
use super::parent::{Parent, ParentAnswer};
use crate::model::DomainName;

/// That the zone above is to delegate a zone no more. Stored with the zone's version, so that a restart goes on where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// Since when, seconds since 1970.
    since: u32,
    /// Since when every server of the zone above serves it so, seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    out: Option<u32>,
}

/// What is known when it is judged whether a zone has left.
pub struct Facts<'a> {
    /// The zone.
    pub zone: &'a DomainName,
    /// The zone above.
    pub above: &'a DomainName,
    /// What the zone above says.
    pub parent: &'a Parent,
    /// Our own name servers.
    pub servers: &'a [DomainName],
    /// For how long the records of the zone above may be kept, in seconds; `None`: nobody knows what it had.
    pub ttl: Option<u32>,
    /// Why the zone above may stay as it is, in words.
    pub trouble: Option<&'a str>,
    /// Seconds since 1970.
    pub now: u32,
    /// Of the zone's approvals ([`Held::in_epoch`]).
    pub epoch: u32,
    /// Whether the coordinator approved a step.
    pub approves: &'a dyn Fn(&Held) -> bool,
}

impl Leave {
    /// It is to leave from now on, seconds since 1970.
    pub fn begin(now: u32) -> Self {
        Self { since: now, out: None }
    }

    /// Takes in what the zone above says; whether no cache has the delegation any more, or what that waits for.
    pub fn step(&mut self, facts: &Facts<'_>) -> Result<(), Wait> {
        if facts.parent.answers().any(|(_, said)| leads_to(said, facts.servers)) {
            self.out = None;
        } else if facts.parent.is_known() {
            self.out.get_or_insert(facts.now);
        }
        match self.out.zip(facts.ttl) {
            Some((out, ttl)) => {
                until(out, ttl, facts.now, &format!("caches to forget that {} delegated it", facts.above))
            }
            None => self.is_judged(facts),
        }
    }

    /// Who says nothing may be gone for good: when they do so for long, the coordinator's word stands for it.
    fn is_judged(&self, facts: &Facts<'_>) -> Result<(), Wait> {
        let Facts { zone, above, .. } = facts;
        let why = facts.trouble.map(|why| format!(" ({why})")).unwrap_or_default();
        let who = late(facts);
        let wait = Wait::new(format!("{who} to serve {above} without the delegation of {zone}{why}"));
        if !is_long(self.since, facts.now) {
            return Err(wait);
        }
        let message = format!(
            "{zone} is to be withdrawn, and for a day and more that waits for {}: see to it, or that nobody who serves {above} delegates {zone} \
             any more, wait until the time to live of the delegation is over, then approve",
            wait.text
        );
        let held = guard::by_hand(&format!("{zone} above {who}"), message).in_epoch(facts.epoch);
        if (facts.approves)(&held) { Ok(()) } else { Err(Wait { held: Some(held), ..wait }) }
    }
}

/// Whether a server of the zone above delegates to any of these.
pub fn leads_to(said: &ParentAnswer, servers: &[DomainName]) -> bool {
    said.ns.iter().any(|server| servers.contains(server))
}

/// Who does not serve the zone above without the delegation.
fn late(facts: &Facts<'_>) -> String {
    let is_late = |said: &Option<ParentAnswer>| said.as_ref().is_none_or(|said| leads_to(said, facts.servers));
    let late: Vec<&str> =
        facts.parent.servers.iter().filter(|(_, said)| is_late(said)).map(|(name, _)| &**name).collect();
    if late.is_empty() { "the public servers, which nobody knows,".into() } else { late.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u32 = 1_795_392_000;
    const TTL: u32 = 3600;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    /// What servers say: whether they delegate to us; `None`: nothing.
    fn parent(said: &[Option<bool>]) -> Parent {
        let answer = |is_ours: bool| {
            let ns = if is_ours { "ns1.cst.example" } else { "ns.elsewhere.example" };
            ParentAnswer { ns: [name(ns)].into(), ..ParentAnswer::default() }
        };
        Parent { servers: said.iter().enumerate().map(|(at, said)| (format!("ns{at}"), said.map(answer))).collect() }
    }

    struct Play {
        leave: Leave,
        ttl: Option<u32>,
        approved: Option<String>,
    }

    impl Play {
        fn new() -> Self {
            Self { leave: Leave::begin(NOW), ttl: Some(TTL), approved: None }
        }

        fn step(&mut self, said: &[Option<bool>], later: u32) -> Result<(), Wait> {
            self.leave.step(&Facts {
                zone: &name("museo.urbino.pu.it"),
                above: &name("urbino.pu.it"),
                parent: &parent(said),
                servers: &[name("ns1.cst.example")],
                ttl: self.ttl,
                trouble: None,
                now: NOW + later,
                epoch: 1,
                approves: &|held| Some(&held.digest) == self.approved.as_ref(),
            })
        }
    }

    #[test]
    fn every_server_above_and_then_the_caches_are_waited_for() {
        let mut play = Play::new();
        let waits = play.step(&[Some(true), Some(false)], 0).unwrap_err();
        assert_eq!(waits.text, "ns0 to serve urbino.pu.it without the delegation of museo.urbino.pu.it");
        let waits = play.step(&[Some(false), Some(false)], 10).unwrap_err();
        assert_eq!(waits.until, Some(NOW + 10 + TTL));
        assert_eq!(play.step(&[Some(false), None], 9 + TTL).unwrap_err().until, Some(NOW + 10 + TTL), "it had its say");
        assert_eq!(play.step(&[None, None], 10 + TTL), Ok(()));
        assert!(play.step(&[Some(true), None], 10 + TTL).unwrap_err().until.is_none(), "it is delegated again");
        assert_eq!(play.step(&[Some(false), Some(false)], 20 + TTL).unwrap_err().until, Some(NOW + 20 + 2 * TTL));
    }

    #[test]
    fn who_is_silent_for_a_day_leaves_a_word_to_the_coordinator() {
        for said in [&[Some(false), None][..], &[Some(true), Some(true)], &[]] {
            let mut play = Play::new();
            assert_eq!(play.step(said, 86_399).unwrap_err().held, None);
            let held = play.step(said, 86_400).unwrap_err().held.unwrap();
            play.approved = Some(held.digest);
            assert_eq!(play.step(said, 86_500), Ok(()));
            assert!(play.step(&[None, None, None], 86_500).is_err(), "others are silent");
        }
    }

    #[test]
    fn what_the_zone_above_had_is_waited_for_when_it_is_not_known() {
        let mut play = Play::new();
        play.step(&[Some(false)], 0).unwrap_err();
        play.ttl = None;
        let wait = play.step(&[], 86_400).unwrap_err();
        assert!(wait.text.starts_with("the public servers, which nobody knows, to serve"), "{}", wait.text);
        assert!(wait.held.is_some());
    }

    #[test]
    fn it_is_stored_and_read_back() {
        let mut play = Play::new();
        play.step(&[Some(false)], 0).unwrap_err();
        let text = serde_json::to_string(&play.leave).unwrap();
        assert_eq!(serde_json::from_str::<Leave>(&text).unwrap(), play.leave);
    }
}
