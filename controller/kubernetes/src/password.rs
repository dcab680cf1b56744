//! Passwords for boxes whose manifest gives none, and hashes of those that people choose.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use cst_compiler::desired::mail::PasswordHash;
use sha_crypt::{PasswordHasher as _, ShaCrypt};

/// Letters and digits that are not taken for one another when a password is read out: 32 of them, five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 4 groups of 5 characters: 100 bits, beyond guessing, so the hash needs no more rounds than its scheme's default.
const GROUPS: usize = 4;
const GROUP: usize = 5;

/// What a chosen password's hash costs: OWASP's least for ARGON2ID, 19 MiB and two passes, so that a mail server checks some dozens a second.
const CHOSEN: (u32, u32, u32) = (19 * 1024, 2, 1);
/// The shortest chosen password, in characters (NIST SP 800-63B §5.1.1.2).
const SHORTEST: usize = 8;
/// The longest, in octets: far from what the mail servers take in one login.
const LONGEST: usize = 256;

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

/// Why a chosen password is none. It never holds the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too few characters.
    #[error("the password has {0} characters, and at least {SHORTEST} are needed: take a longer one, or --generate")]
    Short(usize),
    /// Too many octets.
    #[error("the password has {0} octets, and at most {LONGEST} are possible")]
    Long(usize),
    /// Something that nobody types at a login.
    #[error("the password has a control character, such as a tab: leave it out")]
    Control,
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

/// Whether a password that somebody chose can be one.
pub fn fits(password: &str) -> Result<(), Unfit> {
    let characters = password.chars().count();
    match password.len() {
        _ if characters < SHORTEST => Err(Unfit::Short(characters)),
        octets if octets > LONGEST => Err(Unfit::Long(octets)),
        _ if password.chars().any(char::is_control) => Err(Unfit::Control),
        _ => Ok(()),
    }
}

/// The ARGON2ID hash (RFC 9106) of a password that somebody chose, with a salt of its own. Computes for some hundredths of a second.
pub fn hash(password: &str) -> Result<PasswordHash, PasswordError> {
    let (memory, passes, lanes) = CHOSEN;
    let params = Params::new(memory, passes, lanes, None).map_err(|_| PasswordError::Hash)?;
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).map_err(PasswordError::Random)?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = hasher.hash_password_with_salt(password.as_bytes(), &salt).map_err(|_| PasswordError::Hash)?;
    PasswordHash::parse(&hash.to_string()).map_err(|_| PasswordError::Hash)
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

    #[test]
    fn a_chosen_password_is_hashed_within_bounds_and_verifies() {
        use argon2::PasswordVerifier as _;
        let (one, other) = (hash("città di Fano").unwrap(), hash("città di Fano").unwrap());
        assert!(one.expose().starts_with("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$"), "{}", one.expose());
        assert_ne!(one, other);
        let verifies = |password: &str| {
            let hash = argon2::PasswordHash::new(one.expose().trim_start_matches("{ARGON2ID}")).unwrap();
            Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
        };
        assert!(verifies("città di Fano") && !verifies("citta di Fano"));
    }

    #[test]
    fn what_nobody_can_type_or_anybody_can_guess_is_no_password() {
        assert_eq!(fits("perché 8"), Ok(()));
        assert_eq!(fits("perché7"), Err(Unfit::Short(7)));
        assert_eq!(fits(&"è".repeat(128)), Ok(()));
        assert_eq!(fits(&"è".repeat(129)), Err(Unfit::Long(258)));
        assert_eq!(fits("tab\tulatore"), Err(Unfit::Control));
    }
}
