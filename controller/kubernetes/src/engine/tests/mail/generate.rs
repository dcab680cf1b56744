//! Passwords that are made, and those that cannot be.

use super::*;
use crate::engine::mail::MailJob;

const WHY: &str = "data: Forbidden: field is immutable when `immutable` is set";

impl Play {
    fn without_a_secret(&mut self, local: &str) {
        let spec = json!({"address": format!("{local}@{DOMAIN}")});
        self.there(Event::Mailbox, local, Some("urbino"), &spec);
    }

    /// The next work that makes passwords, which is now in hand; all work before it gets done.
    pub(super) fn making(&mut self) -> (Work, Box<MailJob>) {
        while let Some((work, job)) = self.engine.next(&self.now) {
            if let Job::Mail(job) = job {
                if !job.generates().is_empty() {
                    return (work, job);
                }
                self.engine.done(&work, job.pretend(self.version), Ok(()), self.now.instant);
            } else {
                let effects = self.carry_out(job);
                self.engine.done(&work, effects, Ok(()), self.now.instant);
            }
        }
        panic!("no password is made");
    }
}

fn secret(local: &str) -> ObjectKey {
    ObjectKey::new("t-urbino", format!("{local}-password"))
}

/// Two boxes, of which the API server takes one's password.
fn with_one_refused() -> Play {
    let mut play = urbino(2);
    let immutable = json!({"metadata": {"name": "alba-password", "namespace": "t-urbino"}, "immutable": true});
    play.take(Event::Secret("t-urbino".into(), Seen::There(serde_json::from_value(immutable).unwrap())));
    play.without_a_secret("alba");
    play.without_a_secret("bruna");
    let (work, job) = play.making();
    assert_eq!(job.generates(), [secret("alba"), secret("bruna")]);
    let hash = b"{SHA512-CRYPT}$6$rounds=5000$abcdefghijklmnop$".iter().chain(&[b'a'; 86]).copied().collect();
    let effects = vec![
        Effect::PasswordRefused(name(DOMAIN), secret("alba"), WHY.into()),
        Effect::Secret(secret("bruna"), [("hash".to_owned(), hash)].into()),
    ];
    play.engine.done(&work, effects, Ok(()), play.now.instant);
    play.settle();
    play
}

#[test]
fn a_password_that_cannot_be_written_is_told_to_its_box_and_holds_back_no_other() {
    let mut play = with_one_refused();
    assert_eq!(play.boxes(), 4, "what else the domain has goes out");
    play.writes("nuova", &json!({}));
    play.settle();
    assert_eq!(play.boxes(), 5, "and goes on to");
    play.installs_all();
    play.settle();
    let told = |local: &str, condition: &str| play.told(Kind::Mailbox, &ObjectKey::new("t-urbino", local), condition);
    let message = told("alba", "Stalled").unwrap();
    assert!(message.contains("Secret t-urbino/alba-password") && message.contains(WHY), "{message}");
    assert!(told("bruna", "Ready").is_some() && told("nuova", "Ready").is_some());
    let content = play.content().unwrap();
    let logins: Vec<&str> = content.boxes.iter().filter(|b| b.login().is_some()).map(|b| b.address.local()).collect();
    assert_eq!(logins, ["box0", "box1", "bruna", "nuova"]);
}

#[test]
fn a_password_that_could_not_be_written_is_tried_again_now_and_then_and_when_its_secret_changes() {
    let mut play = with_one_refused();
    play.turn(5);
    let (work, job) = play.making();
    assert_eq!(job.generates(), [secret("alba")]);
    let refused = || vec![Effect::PasswordRefused(name(DOMAIN), secret("alba"), WHY.into())];
    play.engine.done(&work, refused(), Ok(()), play.now.instant);
    play.settle();
    play.turn(5);
    assert_eq!(play.settle(), [], "the second time later than the first");
    play.take(Event::Secret("t-urbino".into(), Seen::Gone(secret("alba"))));
    assert_eq!(play.making().1.generates(), [secret("alba")]);
}

#[test]
fn the_password_of_a_box_that_is_gone_for_good_is_forgotten_and_of_no_other() {
    for (policy, name_is_free) in [("Delete", true), ("Delete", false), ("Retain", true)] {
        let mut play = urbino(2);
        play.writes("nuova", &json!({"deletionPolicy": policy}));
        play.settle();
        play.take(Event::Mailbox(Seen::Gone(ObjectKey::new("t-urbino", "nuova"))));
        if !name_is_free {
            let spec = json!({"address": format!("gone00@{DOMAIN}"), "passwordSecretRef": {"name": "passwords", "key": "gone00"}});
            play.object(Event::Mailbox, json!({"metadata": {"name": "nuova", "namespace": "t-urbino"}, "spec": spec}));
        }
        let mut forgotten = Vec::new();
        while let Some((work, job)) = play.engine.next(&play.now) {
            if let Job::Mail(job) = &job {
                forgotten.extend(job.forgets());
            }
            let effects = play.carry_out(job);
            play.engine.done(&work, effects, Ok(()), play.now.instant);
        }
        let expected = (format!("nuova@{DOMAIN}"), name_is_free.then(|| secret("nuova")));
        assert_eq!(forgotten, if policy == "Delete" { vec![expected] } else { vec![] });
    }
}
