//! Passwords for boxes whose manifest gives none.

use std::fmt;

use sha_crypt::{PasswordHasher as _, ShaCrypt};

/// Letters and digits that are not taken for one another when a password is read out: 32 of them, five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 4 groups of 5 characters: 100 bits, beyond guessing, so the hash needs no more rounds than its scheme's default.
const GROUPS: usize = 4;
const GROUP: usize = 5;

/// A generated password and the hash that Dovecot checks it with.
#[derive(Clone, PartialEq, Eq)]
pub struct Generated {
    /// The password, for its user.
    pub password: String,
    /// Its hash with the scheme's prefix, such as `{SHA512-CRYPT}$6$…`.
    pub hash: String,
}

/// Why no password could be made.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The system gave no randomness.
    #[error("the system has no random numbers; it is tried again")]
    Random(#[source] getrandom::Error),
    /// The hash could not be computed.
    #[error("the password could not be hashed")]
    Hash,
}

impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Generated(…)")
    }
}

/// A new password and its SHA512-CRYPT hash (5,000 rounds, as crypt(3) has by default). Computes for some milliseconds.
pub fn generate() -> Result<Generated, PasswordError> {
    let mut random = [0_u8; GROUPS * GROUP];
    getrandom::fill(&mut random).map_err(PasswordError::Random)?;
    let characters = random.map(|byte| char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
    let password = characters.chunks(GROUP).map(String::from_iter).collect::<Vec<_>>().join("-");
    let mut salt = [0_u8; 12];
    getrandom::fill(&mut salt).map_err(PasswordError::Random)?;
    let hash = ShaCrypt::SHA512.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
    Ok(Generated { hash: format!("{{SHA512-CRYPT}}{hash}"), password })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_readable_hashed_and_never_the_same() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_eq!(one.password.len(), 23);
        assert!(one.password.bytes().all(|b| b == b'-' || ALPHABET.contains(&b)));
        assert!(one.hash.starts_with("{SHA512-CRYPT}$6$"));
        assert_ne!((&one.password, &one.hash), (&other.password, &other.hash));
        assert_eq!(format!("{one:?}"), "Generated(…)");
    }
}
