//! What is done outside of git: changed passwords, locked boxes.

use cst_api::MailboxStatus;

use super::*;
use crate::report::ObjectStatus;

const AT: &str = "2026-11-23T08:15:30.123456Z";

pub(super) fn hash(whose: &str) -> String {
    format!("{{SHA512-CRYPT}}$6${whose}${}", "a".repeat(86))
}

impl Play {
    pub(super) fn changes_password(&mut self, local: &str, whose: &str) {
        let data: BTreeMap<_, _> = [("hash", hash(whose)), ("changed", AT.to_owned())]
            .map(|(key, value)| (key, ByteString(value.into_bytes())))
            .into();
        let metadata = json!({"name": format!("{local}-password"), "namespace": "t-urbino"});
        let secret = serde_json::from_value(json!({"metadata": metadata, "data": data})).unwrap();
        self.take(Event::Secret("t-urbino".into(), Seen::There(Box::new(secret))));
    }

    fn box_status(&self, local: &str) -> MailboxStatus {
        let known = self.engine.known.get(&ObjectRef::new(Kind::Mailbox, ObjectKey::new("t-urbino", local))).unwrap();
        let ObjectStatus::Mailbox(status) = known.status.clone() else { panic!("it is a Mailbox") };
        status
    }

    pub(super) fn login(&self, local: &str) -> String {
        let content = self.content().unwrap();
        let mailbox = content.boxes.iter().find(|mailbox| mailbox.address.local() == local).unwrap();
        mailbox.login().unwrap().expose().to_owned()
    }
}

/// Urbino with a box whose user owns the password, installed.
fn with_a_users() -> Play {
    let mut play = urbino(2);
    play.writes("nuova", &json!({"passwordOwner": "User"}));
    play.settle();
    play.installs_all();
    play.settle();
    assert!(play.told(Kind::Mailbox, &ObjectKey::new("t-urbino", "nuova"), "Ready").is_some());
    play
}

#[test]
fn a_changed_password_is_told_when_every_mail_server_has_it() {
    let mut play = with_a_users();
    let told = |play: &Play| {
        let status = play.box_status("nuova");
        (status.password_secret, status.password_changed.map(|at| at.0.to_string()))
    };
    assert_eq!(told(&play), (None, None));
    play.changes_password("nuova", "nuova");
    play.settle();
    assert_eq!(play.login("nuova"), hash("nuova"));
    assert_eq!(told(&play).1, None, "no mail server has it");
    play.turn(60);
    play.mailbox("urbino", &format!("box0@{DOMAIN}"));
    play.engine.mark(Work::Unit(Unit::Mail(name(DOMAIN))));
    play.settle();
    assert_eq!(told(&play).1, None, "nor later, whatever else is told");
    play.installs_all();
    play.settle();
    assert_eq!(told(&play), (Some("nuova-password".into()), Some(AT.into())));
    assert_eq!(play.settle(), [], "once");
    // Git takes it over.
    play.writes("nuova", &json!({}));
    play.settle();
    assert_ne!(play.login("nuova"), hash("nuova"));
    play.installs_all();
    play.settle();
    assert_eq!(told(&play), (None, None));
}

#[test]
fn a_changed_password_that_was_lost_goes_on_and_is_put_back() {
    let mut play = with_a_users();
    play.changes_password("nuova", "nuova");
    play.settle();
    let secret = ObjectKey::new("t-urbino", "nuova-password");
    play.take(Event::Secret("t-urbino".into(), Seen::Gone(secret.clone())));
    let (work, job) = play.making();
    assert_eq!(job.generates(), std::slice::from_ref(&secret));
    assert_eq!(play.login("nuova"), hash("nuova"));
    let refused = Effect::PasswordRefused(name(DOMAIN), secret, "it may not be written".into());
    play.engine.done(&work, vec![refused], Ok(()), play.now.instant);
    play.settle();
    play.installs_all();
    play.settle();
    assert_eq!(play.login("nuova"), hash("nuova"), "also while it cannot be put back");
    let told = play.told(Kind::Mailbox, &ObjectKey::new("t-urbino", "nuova"), "Stalled").unwrap();
    assert!(told.contains("cannot be put into Secret t-urbino/nuova-password: it may not be written"), "{told}");
}

#[test]
fn a_lock_is_told_when_every_mail_server_keeps_it_and_so_is_its_end() {
    let mut play = with_a_users();
    let secret = |since: &str| {
        let data = json!({"since": ByteString(since.as_bytes().to_vec())});
        let metadata = json!({"name": "nuova-lock", "namespace": "t-urbino"});
        Seen::There(serde_json::from_value(json!({"metadata": metadata, "data": data})).unwrap())
    };
    let told = |play: &Play| {
        let status = play.box_status("nuova");
        (status.state, status.locked_since.map(|since| since.0.to_string()))
    };
    play.take(Event::Secret("t-urbino".into(), secret(AT)));
    play.settle();
    assert_eq!(play.state_of("nuova"), Some(MailboxState::Suspended));
    assert_eq!(told(&play), (Some(MailboxState::Active), None), "no mail server has it");
    play.installs_all();
    play.settle();
    assert_eq!(told(&play), (Some(MailboxState::Suspended), Some(AT.into())));
    let message = play.told(Kind::Mailbox, &ObjectKey::new("t-urbino", "nuova"), "Ready").unwrap();
    assert!(message.contains(&format!("the helpdesk locked it since {AT}")), "{message}");
    // Whoever locked it by hand may have said nothing of use.
    play.take(Event::Secret("t-urbino".into(), secret("now")));
    play.settle();
    assert_eq!(play.state_of("nuova"), Some(MailboxState::Suspended));
    play.take(Event::Secret("t-urbino".into(), Seen::Gone(ObjectKey::new("t-urbino", "nuova-lock"))));
    play.settle();
    assert_eq!(play.state_of("nuova"), Some(MailboxState::Active));
    play.installs_all();
    play.settle();
    assert_eq!(told(&play), (Some(MailboxState::Active), None));
}
