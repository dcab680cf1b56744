//! A domain that has only aliases, of boxes in another one.

use super::*;

const OTHER: &str = "urbino.example";

/// Urbino with a box that has an alias in another domain too.
fn with_an_alias_elsewhere() -> Play {
    let mut play = urbino(0);
    play.tenant("urbino", &[DOMAIN, OTHER]);
    play.domain("urbino", OTHER, &json!({"mail": {"mode": "Hosted"}}));
    play.writes("nuova", &json!({"aliases": [format!("urp@{OTHER}")]}));
    play.settle();
    play.installs_all();
    play.settle();
    assert_eq!(elsewhere(&play), [format!("urp@{OTHER}")]);
    play
}

fn elsewhere(play: &Play) -> Vec<String> {
    let state = play.engine.mail.get(&name(OTHER));
    let content = state.and_then(|state| crate::shards::published(&name(OTHER), &state.shards));
    content.iter().flat_map(|content| content.aliases.keys()).map(ToString::to_string).collect()
}

fn withdrawn(play: &Play) -> bool {
    play.engine.mail.get(&name(OTHER)).is_none_or(crate::engine::mail::MailState::is_withdrawn)
}

#[test]
fn its_mail_goes_on_while_its_domain_is_gone_and_ends_with_the_alias() {
    let mut play = with_an_alias_elsewhere();
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", OTHER))));
    play.settle();
    assert_eq!((elsewhere(&play), withdrawn(&play)), (vec![format!("urp@{OTHER}")], false));
    play.turn(2);
    play.engine.tick();
    play.settle();
    let key = ObjectKey::new("t-urbino", "nuova");
    let told = play.told(Kind::Mailbox, &key, "Stalled").unwrap();
    assert!(told.starts_with(&format!("spec.aliases[0]: there is no Domain {OTHER} in t-urbino")), "{told}");

    play.writes("nuova", &json!({}));
    play.settle();
    assert_eq!((elsewhere(&play), withdrawn(&play)), (vec![], true));
}

#[test]
fn its_mail_goes_on_when_its_name_is_granted_no_longer() {
    let mut play = with_an_alias_elsewhere();
    play.tenant("urbino", &[DOMAIN]);
    play.settle();
    assert_eq!((elsewhere(&play), withdrawn(&play)), (vec![format!("urp@{OTHER}")], false));
}

#[test]
fn its_mail_goes_on_when_a_new_controller_cannot_read_its_domain() {
    let before = with_an_alias_elsewhere();
    let mut play = Play::new();
    play.engine.lead(true);
    play.version = 1_000;
    play.tenant("urbino", &[DOMAIN, OTHER]);
    play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "Hosted"}}));
    let wrong = json!([{"name": "www", "type": "A", "values": ["no address"]}]);
    play.domain("urbino", OTHER, &json!({"mail": {"mode": "Hosted"}, "records": wrong}));
    play.writes("nuova", &json!({"aliases": [format!("urp@{OTHER}")]}));
    for (domain, state) in &before.engine.mail {
        let content = crate::shards::published(domain, &state.shards).unwrap();
        for shard in content.shards(&before.postmaster(), 0) {
            let mut secret = crate::shards::secret(&shard);
            secret.metadata.resource_version = Some("900".into());
            play.take(Event::Shard(Seen::There(Box::new(secret))));
        }
    }
    play.listed();
    play.settle();
    assert_eq!((elsewhere(&play), withdrawn(&play)), (vec![format!("urp@{OTHER}")], false));
}
