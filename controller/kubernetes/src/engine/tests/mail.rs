use cst_compiler::desired::mail::ack::Ack;
use cst_compiler::model::RecordType;

use super::*;

const DOMAIN: &str = "comune.urbino.pu.it";

fn urbino(boxes: usize) -> Play {
    let mut play = Play::leading();
    play.tenant("urbino", &[DOMAIN]);
    play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "Hosted"}}));
    for number in 0..boxes {
        play.mailbox("urbino", &format!("box{number}@{DOMAIN}"));
    }
    play.settle();
    play
}

impl Play {
    fn acknowledges(&mut self, pod: &str, ack: &Ack) {
        let map = json!({
            "metadata": {
                "name": format!("mail-agent-{pod}"),
                "namespace": "cst-mail",
                "labels": {"territorial.services/mail-agent": pod},
            },
            "data": ack.to_data(),
        });
        self.take(Event::Ack(Seen::There(serde_json::from_value(map).unwrap())));
    }

    fn installs_all(&mut self) {
        let watermark = self.version;
        self.acknowledges("mail-0", &Ack { watermark, ..Ack::default() });
    }

    fn boxes(&self) -> usize {
        let state = self.engine.mail.get(&name(DOMAIN));
        let published = state.and_then(|state| crate::shards::published(&name(DOMAIN), &state.shards));
        published.map_or(0, |domain| domain.boxes.len())
    }

    fn has_mx(&self) -> bool {
        let published = self.published(DOMAIN).unwrap();
        published.zone.get(published.apex(), RecordType::MX).is_some()
    }
}

#[test]
fn the_zone_names_the_mail_servers_after_the_configured_replica_acknowledged() {
    let mut play = urbino(3);
    assert_eq!((play.boxes(), play.has_mx()), (3, false));
    play.acknowledges("mail-7", &Ack { watermark: u64::MAX, ..Ack::default() });
    play.settle();
    assert!(!play.has_mx(), "a pod that is not configured does not count");
    let refused = [(DOMAIN.to_owned(), "its tables do not build".to_owned())].into();
    play.acknowledges("mail-0", &Ack { watermark: u64::MAX, refused, ..Ack::default() });
    play.settle();
    assert!(!play.has_mx());
    play.installs_all();
    play.settle();
    assert!(play.has_mx());
    // Once open the gate stays open: an agent that starts anew takes nobody's MX away.
    play.take(Event::Ack(Seen::Gone(ObjectKey::new("cst-mail", "mail-agent-mail-0"))));
    play.mailbox("urbino", &format!("one-more@{DOMAIN}"));
    play.settle();
    assert!(play.has_mx());
}

#[test]
fn only_the_bucket_that_changed_is_written() {
    let mut play = urbino(2000);
    let versions = |play: &Play| -> BTreeMap<u32, u64> {
        play.engine.mail[&name(DOMAIN)].shards.iter().map(|(bucket, shard)| (*bucket, shard.version)).collect()
    };
    let before = versions(&play);
    assert!(before.len() >= 4);
    play.mailbox("urbino", &format!("one-more@{DOMAIN}"));
    play.settle();
    let after = versions(&play);
    assert_eq!(after.iter().filter(|(bucket, version)| before.get(bucket) != Some(version)).count(), 1);
}

#[test]
fn boxes_that_vanish_all_at_once_are_kept_until_it_is_approved() {
    let mut play = urbino(20);
    for number in 0..20 {
        play.take(Event::Mailbox(Seen::Gone(ObjectKey::new("t-urbino", format!("box{number}")))));
    }
    play.settle();
    assert_eq!(play.boxes(), 20, "retained, without a login");
    play.now.today = Date::parse("2027-01-01").unwrap();
    play.engine.tick();
    play.settle();
    assert_eq!(play.boxes(), 20, "their time is over, but all of a domain is too much at once");
    assert!(play.engine.held.contains_key(&Unit::Mail(name(DOMAIN))));
}

#[test]
fn a_domain_without_boxes_that_is_no_longer_hosted_is_withdrawn_and_then_removed() {
    let mut play = urbino(0);
    play.installs_all();
    play.settle();
    play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "None"}}));
    play.settle();
    assert!(play.engine.mail[&name(DOMAIN)].is_withdrawn());
    play.installs_all();
    play.settle();
    assert!(play.engine.mail[&name(DOMAIN)].shards.is_empty());
}

#[test]
fn nothing_is_taken_for_missing_before_a_namespaces_secrets_have_been_listed() {
    let mut play = Play::leading();
    let spec = json!({"displayName": "Urbino", "entityType": "Comune", "domains": [DOMAIN]});
    play.there(Event::Tenant, "urbino", None, &spec);
    play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "Hosted"}}));
    play.mailbox("urbino", &format!("box@{DOMAIN}"));
    play.settle();
    assert_eq!(play.boxes(), 0);
    play.take(Event::Secret("t-urbino".into(), Seen::Listed));
    play.settle();
    assert_eq!(play.boxes(), 1);
}
