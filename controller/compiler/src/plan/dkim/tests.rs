//! The steps, and a world in which they are taken: whoever looks for a signature's key finds it.

mod world;

use super::*;
use crate::desired::mail::dkim::DkimSelector;
use world::{DAY, Haste, World, day_of};

const NOW: u32 = world::START;
const ABSENCE: u32 = 300;

fn wanted() -> Wanted {
    Wanted { algorithms: DkimAlgorithm::ALL.into(), rotation: None, lifetime: Some(180), keep_days: 7 }
}

fn without_mail() -> Wanted {
    Wanted { algorithms: [].into(), ..wanted() }
}

/// A domain whose zone and mail servers follow as the test says.
struct Play {
    dkim: Dkim,
    now: u32,
    stored: Vec<StoredSet>,
    behind: Vec<String>,
    /// What the newest version holds.
    zone: Vec<KeyRecord>,
    taken: Vec<String>,
    /// What agents may sign with.
    agents: Vec<DkimSelector>,
    /// What is known of the others.
    of_others: InUse,
    arrival: Result<(), Wait>,
    waits: Vec<Wait>,
}

impl Play {
    fn new() -> Self {
        let absence = Caches::default().with(ABSENCE, NOW);
        Self {
            dkim: Dkim { absence, ..Dkim::default() },
            now: NOW,
            stored: Vec::new(),
            behind: Vec::new(),
            zone: Vec::new(),
            taken: Vec::new(),
            agents: Vec::new(),
            of_others: InUse::No,
            arrival: Ok(()),
            waits: Vec::new(),
        }
    }

    /// A domain whose first keys sign.
    fn signing() -> Self {
        let mut play = Self::new();
        play.steps(&wanted(), 3);
        play.after(ABSENCE);
        play.step(&wanted());
        play.follow();
        assert_eq!(play.phases(), "20261201 Signing");
        play
    }

    fn after(&mut self, seconds: u32) {
        self.now += seconds;
    }

    /// Judges, and makes what is to be made. The zone has what it shall have.
    fn step(&mut self, wanted: &Wanted) {
        let judged = self.judge(wanted);
        self.zone = judged.dkim.records();
        (self.dkim, self.waits) = (judged.dkim, judged.waits);
        self.stored.extend(judged.make.as_ref().map(world::make));
    }

    fn judge(&self, wanted: &Wanted) -> Judged {
        step(
            &self.dkim,
            wanted,
            &Facts {
                now: self.now,
                today: day_of(self.now),
                behind: &self.behind,
                stored: &self.stored,
                serves: &|set| set.records().iter().all(|record| self.zone.contains(record)),
                is_taken: &|selector| self.taken.iter().any(|taken| taken == selector.as_str()),
                in_use: &|selector| if self.agents.contains(selector) { InUse::Yes } else { self.of_others },
                arrival: self.arrival.clone(),
            },
        )
    }

    fn steps(&mut self, wanted: &Wanted, count: usize) {
        (0..count).for_each(|_| self.step(wanted));
    }

    /// The agents sign as they shall.
    fn follow(&mut self) {
        self.agents = self.dkim.signing().flat_map(KeySet::selectors).collect();
    }

    fn phases(&self) -> String {
        let sets = self.dkim.sets.iter().map(|set| format!("{} {:?}", set.name, set.phase));
        sets.collect::<Vec<_>>().join(", ")
    }

    fn waits_for(&self) -> &str {
        self.waits.first().map_or("", |wait| &wait.text)
    }
}

#[test]
fn keys_sign_when_every_server_has_them_and_no_cache_their_absence() {
    let mut play = Play::new();
    play.behind = vec!["ns2".into()];
    play.step(&wanted());
    assert_eq!((play.phases().as_str(), play.waits_for()), ("", "the keys 20261201 to be made"));
    play.step(&wanted());
    assert_eq!(play.phases(), "20261201 Published");
    let texts: Vec<&str> = play.zone.iter().map(|record| record.text.as_str()).collect();
    assert_eq!(texts, ["v=DKIM1; k=rsa; p=R0", "v=DKIM1; k=ed25519; p=E0"]);
    play.after(DAY);
    play.step(&wanted());
    assert_eq!((play.phases().as_str(), play.waits_for()), ("20261201 Published", "ns2 to serve the keys 20261201"));
    play.behind.clear();
    play.step(&wanted());
    assert_eq!(play.waits[0].until, Some(play.now + ABSENCE));
    play.after(ABSENCE - 1);
    play.behind = vec!["ns1".into(), "ns2".into()];
    play.step(&wanted());
    assert_eq!(play.phases(), "20261201 Published");
    play.after(1);
    play.step(&wanted());
    assert_eq!(play.phases(), "20261201 Signing", "another version is on its way, which has them too");
}

#[test]
fn a_version_without_them_makes_nobody_find_them() {
    let mut play = Play::new();
    play.steps(&wanted(), 2);
    play.zone.pop();
    let judged = play.judge(&wanted());
    assert_eq!(judged.dkim.sets[0].settled, None);
    assert_eq!(judged.waits[0].text, "the zone to hold r20261201 and e20261201 and nothing else there");
}

#[test]
fn a_zone_that_others_serve_signs_nothing() {
    let mut play = Play::new();
    play.arrival = Err(Wait::new("the parent to delegate"));
    play.steps(&wanted(), 3);
    play.after(DAY);
    play.step(&wanted());
    assert_eq!((play.phases().as_str(), play.waits_for()), ("20261201 Published", "the parent to delegate"));
    play.arrival = Ok(());
    play.step(&wanted());
    assert_eq!(play.phases(), "20261201 Signing");
}

#[test]
fn old_keys_stay_until_what_they_signed_arrived_and_say_then_that_they_are_revoked() {
    let mut play = Play::signing();
    play.after(DAY);
    let rotated = Wanted { rotation: Some(day_of(play.now)), ..wanted() };
    play.steps(&rotated, 3);
    assert_eq!(play.phases(), "20261201 Signing, 20261202 Published");
    play.after(ABSENCE);
    play.step(&rotated);
    assert_eq!(play.phases(), "20261201 Retired, 20261202 Signing");
    // One agent is away.
    play.after(30 * DAY);
    play.step(&rotated);
    assert_eq!(play.waits_for(), "the mail servers to sign no more with the keys 20261201");
    play.follow();
    play.step(&rotated);
    assert_eq!(play.waits[0].until, Some(play.now + 7 * DAY));
    play.after(7 * DAY - 1);
    play.step(&rotated);
    assert_eq!(play.phases(), "20261201 Retired, 20261202 Signing");
    play.after(1);
    play.step(&rotated);
    assert_eq!(play.phases(), "20261201 Revoked, 20261202 Signing");
    let texts: Vec<&str> = play.zone.iter().map(|record| record.text.as_str()).collect();
    assert_eq!(texts[..2], ["v=DKIM1; k=rsa; p=", "v=DKIM1; k=ed25519; p="]);
    assert!(!play.dkim.needs(play.dkim.sets[0].name) && play.dkim.needs(play.dkim.sets[1].name));
    play.step(&rotated);
    play.after(30 * DAY);
    play.step(&rotated);
    assert_eq!(play.phases(), "20261202 Signing", "once is enough");
    assert!(!play.dkim.needs(play.stored[0].name), "a set that is gone is not taken up again");
}

#[test]
fn an_agent_that_signs_again_with_a_retired_key_begins_the_time_anew() {
    let mut play = Play::signing();
    play.agents.clear();
    play.steps(&without_mail(), 2);
    assert_eq!(play.dkim.sets[0].settled, Some(play.now));
    play.after(6 * DAY);
    play.agents = play.dkim.sets[0].selectors().collect();
    play.step(&without_mail());
    play.agents.clear();
    play.after(DAY);
    play.step(&without_mail());
    assert_eq!((play.phases().as_str(), play.dkim.sets[0].settled), ("20261201 Retired", Some(play.now)));
}

#[test]
fn of_agents_that_all_had_stopped_nothing_is_doubted_while_they_take_something_else_in() {
    let mut play = Play::signing();
    play.agents.clear();
    play.of_others = InUse::Unknown;
    play.steps(&without_mail(), 2);
    assert_eq!(play.dkim.sets[0].settled, None);
    assert_eq!(play.waits[0].text, "the mail servers to sign no more with the keys 20261201");
    play.of_others = InUse::No;
    play.step(&without_mail());
    let since = Some(play.now);
    assert_eq!(play.dkim.sets[0].settled, since);
    play.after(DAY);
    play.of_others = InUse::Unknown;
    play.step(&without_mail());
    assert_eq!(play.dkim.sets[0].settled, since);
}

#[test]
fn keys_age_and_algorithms_change_by_a_rotation() {
    let mut play = Play::signing();
    assert_eq!(play.judge(&wanted()).waits[0].text, "2027-05-30, when new keys are due");
    assert_eq!(play.judge(&Wanted { lifetime: None, ..wanted() }).waits, []);
    let rsa = Wanted { algorithms: [DkimAlgorithm::RsaSha256].into(), ..wanted() };
    play.steps(&rsa, 2);
    assert_eq!(play.phases(), "20261201 Signing, 20261201-2 Published");
    assert_eq!(play.zone.len(), 3);
    let mut play = Play::signing();
    play.after(180 * DAY);
    play.steps(&wanted(), 2);
    assert_eq!(play.phases(), "20261201 Signing, 20270530 Published");
}

#[test]
fn lost_keys_sign_no_more_and_what_they_signed_is_verified() {
    let mut play = Play::signing();
    play.stored.clear();
    play.step(&wanted());
    assert_eq!((play.phases().as_str(), play.waits_for()), ("20261201 Retired", "the keys 20261201-2 to be made"));
    play.steps(&wanted(), 2);
    assert_eq!(play.phases(), "20261201 Retired, 20261201-2 Published");
    assert_eq!(play.zone.len(), 4);
}

#[test]
fn keys_that_changed_where_they_are_stored_are_lost() {
    let mut play = Play::signing();
    play.stored[0].keys[0].key = "R9".into();
    play.step(&wanted());
    assert_eq!(play.phases(), "20261201 Retired");
}

#[test]
fn of_a_lost_state_the_stored_keys_are_taken_up() {
    let mut play = Play::signing();
    play.after(DAY);
    play.steps(&Wanted { rotation: Some(day_of(play.now)), ..wanted() }, 2);
    let absence = play.dkim.absence;
    for (wish, phases) in
        [(wanted(), "20261201 Retired, 20261202 Published"), (without_mail(), "20261201 Retired, 20261202 Retired")]
    {
        play.dkim = Dkim { absence, ..Dkim::default() };
        play.step(&wish);
        assert_eq!(play.phases(), phases);
    }
    assert_eq!(play.stored.len(), 2, "none is made");
}

#[test]
fn mail_that_is_given_up_leaves_its_keys_for_what_they_signed() {
    let mut play = Play::signing();
    play.step(&without_mail());
    assert_eq!(play.phases(), "20261201 Retired");
    play.follow();
    play.step(&without_mail());
    play.after(7 * DAY);
    play.step(&without_mail());
    assert_eq!(play.phases(), "20261201 Revoked");
    // Nobody goes back to a key.
    play.steps(&wanted(), 2);
    assert_eq!(play.phases(), "20261201 Revoked, 20261208 Published");
}

#[test]
fn what_hides_a_key_in_the_zone_has_another_take_its_place() {
    let mut play = Play::signing();
    play.taken = vec!["e20261201-2".into()];
    play.zone.pop();
    play.step(&wanted());
    assert_eq!((play.phases().as_str(), play.waits_for()), ("20261201 Retired", "the keys 20261201-3 to be made"));
}

#[test]
fn a_time_ahead_of_the_clock_begins_anew() {
    let mut play = Play::new();
    play.after(10 * 365 * DAY);
    play.steps(&wanted(), 3);
    assert_eq!(play.dkim.sets[0].settled, Some(play.now));
    play.now = NOW;
    play.step(&wanted());
    assert_eq!(play.dkim.sets[0].settled, Some(NOW));
    play.after(ABSENCE);
    play.step(&wanted());
    assert_eq!(play.phases(), "20361128 Signing");
    play.after(DAY);
    play.steps(&Wanted { algorithms: [DkimAlgorithm::Ed25519Sha256].into(), ..wanted() }, 2);
    assert_eq!(play.phases(), "20361128 Signing, 20361128-2 Published", "names rise");
}

#[test]
fn nothing_changes_where_nothing_is_to_change() {
    let mut play = Play::signing();
    play.follow();
    let before = play.dkim.clone();
    for _ in 0..100 {
        play.after(DAY);
        play.step(&wanted());
    }
    assert_eq!(play.dkim, before);
}

#[test]
fn a_state_is_stored_and_read_back() {
    let mut play = Play::signing();
    play.after(DAY);
    play.steps(&Wanted { rotation: Some(day_of(play.now)), ..wanted() }, 3);
    let text = serde_json::to_string(&play.dkim).unwrap();
    assert_eq!(serde_json::from_str::<Dkim>(&text).unwrap(), play.dkim);
    assert_eq!(serde_json::from_str::<Dkim>("{}").unwrap(), Dkim::default());
}

#[test]
fn whatever_happens_whoever_looks_for_a_key_finds_it() {
    let mut signed = 0;
    for seed in 1..=60 {
        let mut world = World::new(seed, Haste::None);
        let result = world.live(120);
        assert_eq!(result, Ok(()), "seed {seed}");
        signed += world.signatures;
        assert_eq!(world.calm(), Ok(()), "seed {seed}");
    }
    assert!(signed > 30_000, "{signed}");
}

#[test]
fn every_wait_is_needed() {
    for haste in [Haste::Servers, Haste::Caches, Haste::Version, Haste::Agents, Haste::Mail] {
        let found = (1..=200).find_map(|seed| World::new(seed, haste).live(120).err());
        assert!(found.is_some(), "without {haste:?} nothing goes wrong");
    }
}
