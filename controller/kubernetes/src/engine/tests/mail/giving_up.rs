//! A Domain whose mail is no longer to be received here.

use super::*;

fn received(boxes: usize) -> Play {
    let mut play = urbino(boxes);
    play.installs_all();
    play.settle();
    assert!(play.has_mx());
    play
}

impl Play {
    fn declares(&mut self, spec: &Value, approval: Option<&str>) {
        let annotations = approval.map(|digest| json!({"territorial.services/approve": digest}));
        let metadata = json!({"name": DOMAIN, "namespace": "t-urbino", "annotations": annotations});
        self.object(Event::Domain, json!({"metadata": metadata, "spec": spec}));
        self.settle();
    }

    fn records(&self) -> String {
        self.published(DOMAIN).unwrap().zone.to_text(1)
    }

    /// The zone names the centre's mail servers.
    fn receives(&self) -> bool {
        let text = self.records();
        text.contains("MX 10 mx.cst.example.net.") && text.contains("v=spf1 mx")
    }
}

#[test]
fn of_many_boxes_it_is_held_and_all_else_is_published() {
    for mail in [json!({"mode": "None"}), Value::Null, json!({"mode": "External", "provider": "Microsoft365"})] {
        let mut play = received(20);
        let www = json!([{"name": "www", "type": "A", "values": ["192.0.2.1"]}]);
        let spec = json!({"mail": mail, "records": www});
        play.declares(&spec, None);
        assert!(play.receives() && play.records().contains("192.0.2.1"), "{mail}: {}", play.records());
        let message = play.held().unwrap();
        assert!(message.starts_with("would drop 20 of 20 addresses"), "{message}");
        play.declares(&spec, Some("0123456789ab"));
        assert!(play.receives(), "{mail}");
        play.declares(&spec, message.rsplit(' ').next());
        assert!(!play.receives(), "{mail}: {}", play.records());
        assert_eq!(play.held(), None);
        play.declares(&spec, None);
        assert!(!play.receives(), "once approved it is done");
    }
}

#[test]
fn of_few_boxes_it_is_done() {
    let mut play = received(9);
    play.declares(&json!({}), None);
    assert!(!play.receives());
}

#[test]
fn put_back_it_was_never_gone() {
    let mut play = received(20);
    let before = play.records();
    play.declares(&json!({"mail": {"mode": "None"}}), None);
    play.declares(&json!({"mail": {"mode": "Hosted"}}), None);
    assert_eq!((play.records(), play.held()), (before, None));
}

#[test]
fn a_new_controller_holds_it_before_it_knows_the_boxes() {
    let before = received(20);
    let mut play = Play::new();
    play.engine.lead(true);
    play.version = 1_000;
    play.tenant("urbino", &[DOMAIN]);
    play.domain("urbino", DOMAIN, &json!({}));
    play.engine.zone_stored(before.published(DOMAIN).unwrap(), play.now.instant);
    for source in [Event::Tenant(Seen::Listed), Event::Domain(Seen::Listed), Event::Mailbox(Seen::Listed)] {
        play.take(source);
    }
    play.take(Event::WebSite(Seen::Listed));
    play.take(Event::Published(Seen::Listed));
    play.settle();
    assert!(play.receives(), "the shards are not listed yet");
    for secret in before.secrets() {
        play.take(Event::Shard(Seen::There(Box::new(secret))));
    }
    play.take(Event::Shard(Seen::Listed));
    play.take(Event::Ack(Seen::Listed));
    play.settle();
    assert!(play.receives() && play.held().is_some());
}
