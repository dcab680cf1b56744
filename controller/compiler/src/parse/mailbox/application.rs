//! Passwords of one device or program each, beside the owner's own: what a scanner knows opens no more when it is taken away.

use crate::model::ObjectKey;

/// How many of them a box may have: each is one more look-up of every login.
pub const MAX_APPLICATIONS: usize = 8;

/// How long an application's name may be, in characters.
const MAX_NAME: usize = 20;
/// What stands between the names of a box and of an application in that of their Secret. An application's name has no hyphen, so the last one
/// parts them.
const INFIX: &str = "-app-";

/// The Secret of an application's password: its hash, under the keys of a box's own Secret.
pub fn application_secret(mailbox: &ObjectKey, application: &str) -> ObjectKey {
    ObjectKey::new(&mailbox.namespace, format!("{}{INFIX}{application}", mailbox.name))
}

/// The names of the box and of the application that a Secret is called after; `None`: it is no application's.
pub fn application_of(secret: &str) -> Option<(&str, &str)> {
    let (mailbox, application) = secret.rsplit_once(INFIX)?;
    check_application(application).ok().map(|()| (mailbox, application))
}

/// Whether an application may be called so.
pub fn check_application(name: &str) -> Result<(), String> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if is_plain && (1..=MAX_NAME).contains(&name.len()) {
        return Ok(());
    }
    Err(format!(
        "`{name}` is no application's name: lower-case letters and digits, at most {MAX_NAME}, such as `scanner2`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secrets_name_is_one_boxs_and_one_applications() {
        for (mailbox, application) in [("anna", "scanner"), ("anna-app", "app"), ("a-app-b", "c2"), ("x-app", "9")] {
            let secret = application_secret(&ObjectKey::new("t-fano", mailbox), application);
            assert_eq!(application_of(&secret.name), Some((mailbox, application)));
        }
        for other in ["anna-password", "anna-app-", "anna-app-Scanner", "anna-app-two-words", "-app", "anna-lock"] {
            assert_eq!(application_of(other), None, "{other}");
        }
        assert!(check_application(&"a".repeat(21)).is_err());
    }
}
