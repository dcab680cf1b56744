use cst_api::MailboxState;
use cst_compiler::desired::mail::ack::Ack;
use cst_compiler::desired::mail::{MailDomain, Shard};
use cst_compiler::model::{Address, RecordType};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;

use super::*;

mod dkim;
mod generate;
mod giving_up;
mod mistakes;
mod other_domain;
mod passwords;

const DOMAIN: &str = "comune.urbino.pu.it";

pub(super) fn urbino(boxes: usize) -> Play {
    let mut play = Play::leading();
    play.tenant("urbino", &[DOMAIN]);
    play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "Hosted"}}));
    let locals = (0..boxes).map(|n| format!("box{n}")).chain((0..14).map(|n| format!("gone{n:02}")));
    let hash =
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$F065s3INV7ie8kEO1yVswQ$QqbP49NEJ3vOUKGmig3XpYYfL3T4rZ6NkzKVuUJrqMU";
    let data: BTreeMap<String, ByteString> =
        locals.chain(["nuova".into()]).map(|local| (local, ByteString(hash.into()))).collect();
    let metadata = json!({"name": "passwords", "namespace": "t-urbino"});
    let secret = serde_json::from_value(json!({"metadata": metadata, "data": data})).unwrap();
    play.take(Event::Secret("t-urbino".into(), Seen::There(Box::new(secret))));
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

    pub(super) fn installs_all(&mut self) {
        let watermark = self.version;
        self.acknowledges("mail-0", &Ack { watermark, ..Ack::default() });
    }

    pub(super) fn content(&self) -> Option<MailDomain> {
        crate::shards::published(&name(DOMAIN), &self.engine.mail.get(&name(DOMAIN))?.shards)
    }

    pub(super) fn boxes(&self) -> usize {
        self.content().map_or(0, |domain| domain.boxes.len())
    }

    fn state_of(&self, local: &str) -> Option<MailboxState> {
        let boxes = self.content()?.boxes.into_iter();
        boxes.map(|b| (b.address.local().to_owned(), b.state)).find(|(name, _)| name == local).map(|(_, state)| state)
    }

    /// Writes a box of Urbino.
    pub(super) fn writes(&mut self, local: &str, more: &Value) {
        let mut spec = json!({"address": format!("{local}@{DOMAIN}"), "passwordSecretRef": {"name": "passwords"}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.object(Event::Mailbox, json!({"metadata": {"name": local, "namespace": "t-urbino"}, "spec": spec}));
    }

    pub(super) fn deletes(&mut self, local: &str) {
        self.take(Event::Mailbox(Seen::Gone(ObjectKey::new("t-urbino", local))));
        self.settle();
    }

    fn approves_on_the_domain(&mut self, digest: &str) {
        let annotations = json!({"territorial.services/approve": digest});
        let metadata = json!({"name": DOMAIN, "namespace": "t-urbino", "annotations": annotations});
        self.object(Event::Domain, json!({"metadata": metadata, "spec": {"mail": {"mode": "Hosted"}}}));
        self.settle();
    }

    /// What the Domain says of a step that is held.
    fn held(&mut self) -> Option<String> {
        self.turn(2);
        self.engine.mark(Work::Unit(Unit::Zone(name(DOMAIN))));
        self.settle();
        self.told(Kind::Domain, &ObjectKey::new("t-urbino", DOMAIN), "PlanHeld")
    }

    /// The stored Secrets of the mail domain, as somebody finds them in the cluster.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let shards = self.content().unwrap().shards(&self.postmaster(), 0);
        let stored = &self.engine.mail[&name(DOMAIN)].shards;
        let secret = |shard: &Shard| {
            let mut secret = crate::shards::secret(shard);
            secret.metadata.resource_version = Some(stored[&shard.bucket].version.to_string());
            secret
        };
        shards.iter().map(secret).collect()
    }

    fn postmaster(&self) -> Address {
        self.engine.index.settings().mail.as_ref().unwrap().postmaster.clone()
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

/// Sixteen boxes, fourteen of them to be deleted at once when their Mailbox is.
fn sixteen() -> Play {
    let mut play = urbino(2);
    for number in 0..14 {
        play.writes(&format!("gone{number:02}"), &json!({"deletionPolicy": "Delete"}));
    }
    play.settle();
    play.installs_all();
    play.settle();
    play
}

#[test]
fn many_boxes_deleted_one_by_one_are_held_told_and_approved_and_others_go_on() {
    let mut play = sixteen();
    for number in 0..14 {
        play.deletes(&format!("gone{number:02}"));
    }
    assert_eq!(play.boxes(), 12, "4 of 16 went before it was too much");
    let message = play.held().unwrap();
    assert!(message.starts_with("would drop 10 of 12 addresses (gone04@"), "{message}");

    // Meanwhile a box comes, and another loses its login.
    play.writes("nuova", &json!({}));
    play.writes("box1", &json!({"state": "Suspended"}));
    play.settle();
    assert_eq!(
        (play.state_of("nuova"), play.state_of("box1")),
        (Some(MailboxState::Active), Some(MailboxState::Suspended))
    );
    assert_eq!(play.state_of("gone13"), Some(MailboxState::Active), "what is held stays as it was");
    let key = |local: &str| ObjectKey::new("t-urbino", local);
    play.turn(2);
    play.engine.mark(Work::Unit(Unit::Mail(name(DOMAIN))));
    play.settle();
    assert_eq!(play.told(Kind::Mailbox, &key("nuova"), "Installed"), None, "not before the mail servers say so");
    play.installs_all();
    play.settle();
    for local in ["nuova", "box0", "box1"] {
        assert!(play.told(Kind::Mailbox, &key(local), "Ready").is_some(), "{local}");
    }
    assert_eq!(play.held().as_deref(), Some(message.replace("of 12", "of 13").as_str()), "the digest is the same");

    play.approves_on_the_domain("0123456789ab");
    assert_eq!(play.boxes(), 13);
    play.approves_on_the_domain(message.rsplit(' ').next().unwrap());
    assert_eq!((play.boxes(), play.held()), (3, None));
    play.deletes("box0");
    play.now.today = Date::parse("2027-01-01").unwrap();
    play.engine.tick();
    play.settle();
    assert_eq!((play.boxes(), play.held()), (2, None), "an approved step does not count against the next one");
}

#[test]
fn a_held_alias_is_told_to_its_box() {
    let mut play = urbino(1);
    let aliases: Vec<String> = (0..12).map(|n| format!("a{n}@{DOMAIN}")).collect();
    play.writes("box0", &json!({"aliases": aliases}));
    play.settle();
    play.installs_all();
    play.settle();
    let key = ObjectKey::new("t-urbino", "box0");
    let mut fewer = json!({"metadata": {"name": "box0", "namespace": "t-urbino"}});
    fewer["spec"] = json!({"address": format!("box0@{DOMAIN}"), "passwordSecretRef": {"name": "passwords"}, "aliases": aliases[..2]});
    play.object(Event::Mailbox, fewer);
    play.engine.known.get_mut(&ObjectRef::new(Kind::Mailbox, key.clone())).unwrap().generation = Some(2);
    play.settle();
    assert_eq!(play.content().unwrap().aliases.len(), 12);
    assert!(play.told(Kind::Mailbox, &key, "PlanHeld").unwrap().starts_with("would drop 10 of 13 addresses"));
    assert_eq!(play.told(Kind::Mailbox, &key, "Installed"), None);
    assert!(play.held().is_some());
}

#[test]
fn what_is_held_is_told_on_the_tenant_where_the_domain_is_gone() {
    let mut play = sixteen();
    play.take(Event::Domain(Seen::Gone(ObjectKey::new("t-urbino", DOMAIN))));
    for number in 0..14 {
        play.deletes(&format!("gone{number:02}"));
    }
    assert!(play.engine.held_without_domain("urbino")[0].message.starts_with("would drop"));
    assert_eq!(play.engine.held_without_domain("fano"), []);
}

#[test]
fn a_shard_that_somebody_removes_or_damages_is_written_again_with_all_that_was_in_it() {
    for damage in ["removed", "emptied", "cut", "unlabelled"] {
        let mut play = urbino(12);
        play.deletes("box3");
        let before = play.content().unwrap();
        assert_eq!(play.state_of("box3"), Some(MailboxState::Suspended), "retained, and nowhere else");
        let mut secret = play.secrets().remove(0);
        play.version += 1;
        secret.metadata.resource_version = Some(play.version.to_string());
        let bytes = secret.data.as_mut().unwrap().get_mut("shard").unwrap();
        match damage {
            "emptied" => bytes.0.clear(),
            "cut" => bytes.0.truncate(bytes.0.iter().position(|byte| *byte == b'\n').unwrap() + 1),
            _ => secret.metadata.annotations = None,
        }
        play.take(match damage {
            "removed" => Event::Shard(Seen::Gone(ObjectKey::new("cst-mail", secret.metadata.name.unwrap()))),
            _ => Event::Shard(Seen::There(Box::new(secret))),
        });
        assert!(!play.engine.mail[&name(DOMAIN)].shards[&0].intact, "{damage}");
        play.settle();
        assert!(play.engine.mail[&name(DOMAIN)].shards[&0].intact, "{damage}");
        assert_eq!(play.content().unwrap(), before, "{damage}");
    }
}

#[test]
fn what_a_new_controller_cannot_read_is_not_taken_for_empty() {
    let mut before = urbino(12);
    before.deletes("box3");
    let mut secret = before.secrets().remove(0);
    secret.data.as_mut().unwrap().get_mut("shard").unwrap().0.truncate(400);
    let digest = |play: &mut Play| play.held().unwrap().rsplit(' ').next().unwrap().to_owned();
    for lost in ["cut", "gone"] {
        let mut play = Play::new();
        play.engine.lead(true);
        play.tenant("urbino", &[DOMAIN]);
        play.domain("urbino", DOMAIN, &json!({"mail": {"mode": "Hosted"}}));
        play.mailbox("urbino", &format!("box0@{DOMAIN}"));
        play.version = 1_000;
        let refused = [(DOMAIN.to_owned(), "nothing withdrew it".to_owned())].into();
        play.acknowledges("mail-0", &Ack { watermark: 900, refused, ..Ack::default() });
        if lost == "cut" {
            play.take(Event::Shard(Seen::There(Box::new(secret.clone()))));
        }
        play.listed();
        play.settle();
        assert_eq!(play.boxes(), 0, "{lost}: nothing is written over it");
        assert!(play.held().unwrap().contains("lost"), "{lost}");
        let digest = digest(&mut play);
        play.approves_on_the_domain(&digest);
        assert_eq!((play.boxes(), play.held()), (1, None), "{lost}");
    }
}

#[test]
fn a_box_that_cannot_be_written_is_not_ready_when_what_was_there_before_is_installed() {
    let mut play = urbino(2);
    play.installs_all();
    play.settle();
    play.writes("nuova", &json!({}));
    let mut told = Vec::new();
    for _ in 0..6 {
        play.turn(60);
        play.installs_all();
        while let Some((work, job)) = play.engine.next(&play.now) {
            let effects = play.carry_out(job);
            let is_mail = matches!(&work, Work::Unit(Unit::Mail(_)));
            let (effects, result) = if is_mail {
                told.extend(effects.iter().filter_map(|effect| match effect {
                    Effect::Reported(reported) if reported.object.key.name == "nuova" => Some(reported.status.clone()),
                    _ => None,
                }));
                (effects.into_iter().filter(|effect| matches!(effect, Effect::Reported(_))).collect(), Err(broken()))
            } else {
                (effects, Ok(()))
            };
            play.engine.done(&work, effects, result, play.now.instant);
        }
    }
    let ready = |status: &crate::report::ObjectStatus| {
        status.conditions().iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
    };
    assert!(!told.is_empty() && !told.iter().any(ready), "{told:#?}");
    assert!(format!("{told:?}").contains("the API server is away"));
}
