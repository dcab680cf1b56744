//! A mistake in a Domain's records that a controller finds when it starts: of what was right before it knows only what is published.

use super::passwords::hash;
use super::*;

/// What was published before, met by a new controller: the Domain has a record that is wrong by now.
fn restarted(before: &Play, records: &Value) -> Play {
    let mut play = Play::new();
    play.version = before.version;
    play.engine.zone_stored(before.published(DOMAIN).unwrap(), play.now.instant);
    for secret in before.secrets() {
        play.take(Event::Shard(Seen::There(Box::new(secret))));
    }
    play.tenant("urbino", &[DOMAIN]);
    play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "Hosted"}, "records": records}));
    play.writes("nuova", &json!({"passwordOwner": "User"}));
    play.changes_password("nuova", "nuova");
    play.listed();
    play.engine.lead(true);
    play.settle();
    play
}

#[test]
fn a_mistake_in_a_record_keeps_back_the_zone_and_no_password() {
    let mut before = urbino(0);
    before.writes("nuova", &json!({"passwordOwner": "User"}));
    before.settle();
    before.installs_all();
    before.settle();
    let served = before.published(DOMAIN).unwrap();
    assert!(before.has_mx() && before.login("nuova") != hash("nuova"));
    let wrong = json!([{"name": "www", "type": "A", "values": ["nonsense"]}]);
    let mut play = restarted(&before, &wrong);
    assert_eq!(play.published(DOMAIN).unwrap().zone, served.zone);
    assert_eq!(play.login("nuova"), hash("nuova"));
    let told = play.told(Kind::Domain, &ObjectKey::new("t-urbino", DOMAIN), "Stalled").unwrap();
    assert!(told.contains("spec.records[0].values[0]"), "{told}");

    play.domain(
        "urbino",
        DOMAIN,
        &json!({"mail": {"mode": "Hosted"}, "records": [{"name": "www", "type": "A", "values": ["192.0.2.7"]}]}),
    );
    play.settle();
    let mended = play.published(DOMAIN).unwrap();
    assert!(
        mended.serial > served.serial && mended.zone.get(&name("www.comune.urbino.pu.it"), RecordType::A).is_some()
    );
}
