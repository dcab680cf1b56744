//! The keys that sign a domain's mail, over weeks.

use cst_api::{DkimPhase, DomainMailStatus};
use cst_compiler::model::RecordData;

use super::*;
use crate::report::ObjectStatus;

const DAY: u32 = 86_400;
/// As a zone's SOA says.
const ABSENCE: u32 = 300;

/// A domain of two boxes, on a server that answers and a mail server that follows when the test says so.
fn keyed() -> Play {
    let mut play = urbino(2);
    play.take(Event::DkimKeys(Seen::Listed));
    play.settle();
    play
}

/// The same, with its first keys at work.
fn signing() -> Play {
    let mut play = keyed();
    play.follow();
    play.turn(ABSENCE + 1);
    play.follow();
    assert_eq!((play.dkim().as_str(), play.signers().len()), ("20261118 Signing", 2));
    play
}

impl Play {
    /// The public server and the mail server have what is published for them.
    fn follow(&mut self) {
        for _ in 0..3 {
            let serial = self.published(DOMAIN).unwrap().serial;
            self.answers(DOMAIN, serial);
            self.installs_all();
            self.settle();
        }
    }

    fn dkim(&self) -> String {
        let sets = self.published(DOMAIN).unwrap().dkim.sets;
        sets.iter().map(|set| format!("{} {:?}", set.name, set.phase)).collect::<Vec<_>>().join(", ")
    }

    /// The selectors in the domain's shards.
    fn signers(&self) -> Vec<String> {
        self.content().unwrap().dkim.iter().map(|signer| signer.selector.to_string()).collect()
    }

    /// The text of the key record of a selector.
    fn record(&self, selector: &str) -> Option<String> {
        let zone = self.published(DOMAIN).unwrap().zone;
        let at = name(&format!("{selector}._domainkey.{DOMAIN}"));
        let set = zone.get(&at, RecordType::TXT)?.values().to_vec();
        let [RecordData::Txt(text)] = &set[..] else { panic!("{set:?}") };
        Some(String::from_utf8(text.clone()).unwrap())
    }

    fn mail_status(&self) -> DomainMailStatus {
        let object = ObjectRef::new(Kind::Domain, ObjectKey::new("t-urbino", DOMAIN));
        let ObjectStatus::Domain(status) = self.engine.known[&object].status.clone() else { panic!("{object}") };
        status.mail.unwrap()
    }

    fn waits_for(&self) -> String {
        self.mail_status().next.unwrap().waits_for
    }

    fn is_day(&mut self, day: &str) {
        self.now.today = Date::parse(day).unwrap();
        self.turn(DAY);
        self.engine.tick();
        self.settle();
    }

    fn hosted(&mut self, more: &Value) {
        let mut spec = json!({"mail": {"mode": "Hosted"}});
        more.as_object().unwrap().iter().for_each(|(key, value)| spec["mail"][key] = value.clone());
        self.domain("urbino", DOMAIN, &spec);
        self.settle();
    }
}

#[test]
fn keys_are_published_with_the_domain_and_sign_when_whoever_looks_for_them_finds_them() {
    let mut play = keyed();
    assert_eq!(play.dkim(), "20261118 Published");
    assert!(play.record("r20261118").unwrap().starts_with("v=DKIM1; k=rsa; p="));
    assert!(play.record("e20261118").unwrap().starts_with("v=DKIM1; k=ed25519; p="));
    assert!(!play.published(DOMAIN).unwrap().mail_gate_open, "before the domain's mail comes here");
    play.turn(DAY);
    play.installs_all();
    play.settle();
    play.turn(2);
    play.settle();
    assert_eq!((play.dkim().as_str(), play.signers().len()), ("20261118 Published", 0));
    assert_eq!(play.waits_for(), "ns1 to serve the keys 20261118");
    play.follow();
    assert_eq!(play.mail_status().next.unwrap().not_before, Some(play.time_after(ABSENCE)));
    play.turn(ABSENCE - 1);
    play.follow();
    assert_eq!((play.dkim().as_str(), play.signers().len()), ("20261118 Published", 0));
    let serial = play.published(DOMAIN).unwrap().serial;
    play.turn(2);
    play.follow();
    assert_eq!(play.signers(), ["r20261118", "e20261118"]);
    assert_eq!(play.published(DOMAIN).unwrap().serial, serial, "the zone is as it was");
    let status = play.mail_status();
    assert_eq!(
        (status.dkim.len(), status.dkim[0].phase, status.dkim[0].selector.as_str()),
        (2, DkimPhase::Signing, "r20261118")
    );
    assert_eq!(play.waits_for(), "2027-05-17, when new keys are due");
    play.turn(DAY);
    assert_eq!(play.settle(), [], "nothing is left to do");
}

#[test]
fn before_the_keys_are_listed_nothing_else_is_said_of_them() {
    let mut play = signing();
    let told = play.mail_status();
    play.engine.missing.insert(Source::DkimKeys);
    play.engine.mark(Work::Unit(Unit::Zone(name(DOMAIN))));
    play.settle();
    assert_eq!((play.mail_status(), play.dkim().as_str()), (told, "20261118 Signing"));
}

#[test]
fn a_rotation_by_date_waits_for_servers_for_agents_and_for_mail_on_its_way() {
    let mut play = signing();
    play.hosted(&json!({"dkim": {"rotation": "2026-11-19"}}));
    assert_eq!(play.dkim(), "20261118 Signing");
    play.is_day("2026-11-19");
    assert_eq!(play.dkim(), "20261118 Signing, 20261119 Published");
    play.turn(10 * DAY);
    play.installs_all();
    play.settle();
    assert_eq!(play.signers(), ["r20261118", "e20261118"], "the server lags");
    let serial = play.published(DOMAIN).unwrap().serial;
    play.answers(DOMAIN, serial);
    play.settle();
    play.turn(ABSENCE + 1);
    play.settle();
    assert_eq!(play.signers(), ["r20261119", "e20261119"]);
    play.turn(30 * DAY);
    play.settle();
    assert_eq!(play.dkim(), "20261118 Retired, 20261119 Signing", "the mail server lags");
    assert_eq!(play.waits_for(), "the mail servers to sign no more with the keys 20261118");
    play.follow();
    play.turn(7 * DAY - 2);
    play.follow();
    assert!(play.record("r20261118").unwrap().len() > 20);
    play.turn(3);
    play.follow();
    assert_eq!(play.dkim(), "20261118 Revoked, 20261119 Signing");
    assert_eq!(play.record("r20261118").unwrap(), "v=DKIM1; k=rsa; p=");
    assert_eq!(play.stored(), ["20261119"], "the private keys are forgotten");
    play.turn(30 * DAY + 1);
    play.follow();
    assert_eq!((play.dkim().as_str(), play.record("r20261118")), ("20261119 Signing", None));
}

impl Play {
    /// The names of the stored keys.
    fn stored(&self) -> Vec<String> {
        let stored = self.engine.stored_dkim_keys(&name(DOMAIN)).unwrap();
        stored.iter().map(|set| set.name.to_string()).collect()
    }
}

#[test]
fn a_secret_that_is_gone_is_stored_again_and_one_that_is_lost_has_new_keys_made() {
    let mut play = signing();
    play.take(Event::DkimKeys(Seen::Gone(ObjectKey::new("cst", format!("dkim-key.{DOMAIN}")))));
    let done = play.settle();
    assert_eq!(done, [Work::Dkim(name(DOMAIN))]);
    assert_eq!((play.dkim().as_str(), play.signers().len()), ("20261118 Signing", 2));
    // Another controller begins, and finds no Secret.
    play.engine.dkim = crate::engine::dkim::Keyring::default();
    play.engine.tick();
    play.settle();
    assert_eq!(play.dkim(), "20261118 Retired, 20261118-2 Published");
    assert_eq!(play.signers(), Vec::<String>::new());
    assert!(play.record("r20261118").unwrap().len() > 20, "what was signed is verified");
}

#[test]
fn a_state_that_is_lost_takes_the_stored_keys_up() {
    let mut play = signing();
    let key = ObjectKey::new("t-urbino", DOMAIN);
    play.engine.zones.get_mut(&name(DOMAIN)).unwrap().published = None;
    play.engine.tick();
    play.settle();
    assert_eq!((play.dkim().as_str(), play.stored().len()), ("20261118 Published", 1), "{key}");
    play.follow();
    play.turn(ABSENCE + 1);
    play.follow();
    assert_eq!((play.dkim().as_str(), play.signers().len()), ("20261118 Signing", 2));
}

#[test]
fn mail_that_is_given_up_leaves_its_keys_for_a_week() {
    let mut play = signing();
    play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "None"}}));
    play.settle();
    assert_eq!(play.dkim(), "20261118 Retired");
    play.follow();
    play.turn(7 * DAY - 2);
    play.follow();
    assert!(play.record("e20261118").unwrap().len() > 24);
    play.turn(3);
    play.follow();
    assert_eq!(play.record("e20261118").unwrap(), "v=DKIM1; k=ed25519; p=");
}

#[test]
fn a_zone_that_goes_keeps_its_keys() {
    let mut play = signing();
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", DOMAIN))));
    play.settle();
    play.turn(20 * DAY);
    play.engine.tick();
    play.follow();
    assert!(play.record("r20261118").unwrap().len() > 20);
    assert_eq!(play.signers().len(), 2, "what it forwards is signed");
}

#[test]
fn what_somebody_writes_at_a_key_s_name_counts_and_other_keys_sign() {
    let mut play = signing();
    let record = json!({"name": "e20261118._domainkey", "type": "TXT", "values": ["k=ed25519; p=mine"]});
    play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "Hosted"}, "records": [record]}));
    play.follow();
    assert_eq!(play.record("e20261118").unwrap(), "k=ed25519; p=mine");
    assert_eq!((play.dkim().as_str(), play.signers().len()), ("20261118 Retired, 20261118-2 Published", 0));
    play.turn(ABSENCE + 1);
    play.follow();
    assert_eq!(play.signers(), ["r20261118-2", "e20261118-2"]);
}

#[test]
fn the_keys_of_many_domains_are_made_one_after_the_other() {
    let mut play = keyed();
    let zones: Vec<String> = (0..20).map(|n| format!("z{n:02}.urbino.pu.it")).collect();
    play.tenant("urbino", &[DOMAIN, "urbino.pu.it"]);
    for zone in &zones {
        play.domain("urbino", zone, &json!({"mail": {"mode": "Hosted"}}));
    }
    let mut in_hand = Vec::new();
    let mut made = 0;
    loop {
        while let Some((work, job)) = play.engine.next(&play.now.clone()) {
            match job {
                Job::Dkim(job) if job.makes() => in_hand.push((work, job)),
                job => {
                    let effects = play.carry_out(job);
                    play.engine.done(&work, effects, Ok(()), play.now.instant);
                }
            }
        }
        assert!(in_hand.len() <= 1);
        let Some((work, job)) = in_hand.pop() else { break };
        made += 1;
        let effects = play.carry_out(Job::Dkim(job));
        play.engine.done(&work, effects, Ok(()), play.now.instant);
    }
    assert_eq!(made, 20);
    assert!(zones.iter().all(|zone| play.published(zone).unwrap().dkim.sets.len() == 1));
}
