//! Password hashes: the four schemes that are accepted, within bounds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A password's hash as Dovecot's passwd-file holds it, scheme in front: `{ARGON2ID}$argon2id$…`.
///
/// One login with a hostile cost delays every other one (a bcrypt cost of 17 takes seconds), so the cost is bounded; the text is
/// read whole, and no character in it can end a passwd-file field.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash(String);

/// Why a text is no usable hash. It never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Nothing there.
    #[error("the password hash is empty: write what `doveadm pw -s ARGON2ID` prints")]
    Empty,
    /// Not one of the four schemes.
    #[error(
        "the password is not a hash of an accepted scheme: write {{ARGON2ID}}, {{BLF-CRYPT}}, {{SHA512-CRYPT}} or {{SCRAM-SHA-256}} as `doveadm pw -s` prints it"
    )]
    Scheme,
    /// Not of its scheme's form.
    #[error("the {scheme} hash is not complete: its form is {form}, as `doveadm pw -s {scheme}` prints it")]
    Form {
        /// The scheme.
        scheme: &'static str,
        /// How it is built.
        form: &'static str,
    },
    /// Too costly, or too cheap.
    #[error("the {scheme} hash has {parameter} outside {low} to {high}: make it again within these bounds")]
    Cost {
        /// The scheme.
        scheme: &'static str,
        /// What is out of bounds.
        parameter: &'static str,
        /// The smallest accepted value.
        low: u32,
        /// The largest accepted value.
        high: u32,
    },
}

impl PasswordHash {
    /// Reads a hash, with its scheme in braces (in any case) or bare where its own prefix says it; white space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let text = text.trim_ascii();
        let (scheme, hash) = match text.strip_prefix('{') {
            Some(rest) => rest.split_once('}').ok_or(PasswordError::Scheme)?,
            None => (scheme_of_bare(text)?, text),
        };
        let scheme = match scheme.to_ascii_uppercase().as_str() {
            "ARGON2ID" => argon2id(hash)?,
            "BLF-CRYPT" => bcrypt(hash)?,
            "SHA512-CRYPT" => sha512_crypt(hash)?,
            "SCRAM-SHA-256" => scram_sha_256(hash)?,
            _ => return Err(PasswordError::Scheme),
        };
        Ok(Self(format!("{{{scheme}}}{hash}")))
    }

    /// The hash with its scheme: a secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn scheme_of_bare(text: &str) -> Result<&'static str, PasswordError> {
    match text.split('$').nth(1) {
        _ if text.is_empty() => Err(PasswordError::Empty),
        Some("argon2id") => Ok("ARGON2ID"),
        Some("2a" | "2b" | "2y") => Ok("BLF-CRYPT"),
        Some("6") => Ok("SHA512-CRYPT"),
        _ => Err(PasswordError::Scheme),
    }
}

/// RFC 9106; the text form of its reference implementation.
fn argon2id(hash: &str) -> Result<&'static str, PasswordError> {
    const SCHEME: &str = "ARGON2ID";
    let wrong =
        PasswordError::Form { scheme: SCHEME, form: "$argon2id$v=19$m=…,t=…,p=…$salt$ and 43 characters" };
    let [_, "argon2id", "v=19", cost, salt, key] = parts::<6>(hash, '$').ok_or(wrong)? else { return Err(wrong) };
    let [m, t, p] = parts::<3>(cost, ',').ok_or(wrong)?;
    let (m, t, p) = (keyed(m, "m=").ok_or(wrong)?, keyed(t, "t=").ok_or(wrong)?, keyed(p, "p=").ok_or(wrong)?);
    bounded(SCHEME, "memory (m, KiB)", m, 8_192, 65_536)?;
    bounded(SCHEME, "passes (t)", t, 1, 3)?;
    bounded(SCHEME, "lanes (p)", p, 1, 4)?;
    let fits = |text: &str, low, high| is_base64(text) && (low..=high).contains(&text.len()) && text.len() % 4 != 1;
    if hash.starts_with('$') && fits(salt, 11, 86) && fits(key, 43, 43) { Ok(SCHEME) } else { Err(wrong) }
}

fn bcrypt(hash: &str) -> Result<&'static str, PasswordError> {
    const SCHEME: &str = "BLF-CRYPT";
    let wrong = PasswordError::Form { scheme: SCHEME, form: "$2y$cost$ and 53 characters" };
    let ["", "2a" | "2b" | "2y", cost, rest] = parts::<4>(hash, '$').ok_or(wrong)? else { return Err(wrong) };
    if cost.len() != 2 || rest.len() != 53 || !is_crypt64(rest) {
        return Err(wrong);
    }
    bounded(SCHEME, "a cost", number(cost).ok_or(wrong)?, 5, 12).map(|()| SCHEME)
}

/// The scheme of crypt(3) with `$6$`, 5000 rounds unless it says otherwise.
fn sha512_crypt(hash: &str) -> Result<&'static str, PasswordError> {
    const SCHEME: &str = "SHA512-CRYPT";
    let wrong = PasswordError::Form {
        scheme: SCHEME,
        form: "$6$salt$ and 86 characters, with rounds=… before the salt or not",
    };
    let rest = hash.strip_prefix("$6$").ok_or(wrong)?;
    let (rounds, rest) = match rest.strip_prefix("rounds=") {
        Some(rest) => rest.split_once('$').map(|(n, rest)| (number(n), rest)).ok_or(wrong)?,
        None => (Some(5_000), rest),
    };
    let [salt, key] = parts::<2>(rest, '$').ok_or(wrong)?;
    if !(1..=16).contains(&salt.len()) || key.len() != 86 || !is_crypt64(salt) || !is_crypt64(key) {
        return Err(wrong);
    }
    bounded(SCHEME, "rounds", rounds.ok_or(wrong)?, 1_000, 200_000).map(|()| SCHEME)
}

/// RFC 7677, stored as Dovecot does: iterations, salt, stored key and server key.
fn scram_sha_256(hash: &str) -> Result<&'static str, PasswordError> {
    const SCHEME: &str = "SCRAM-SHA-256";
    let wrong = PasswordError::Form { scheme: SCHEME, form: "iterations,salt,stored key,server key" };
    let [iterations, salt, stored, server] = parts::<4>(hash, ',').ok_or(wrong)?;
    bounded(SCHEME, "iterations", number(iterations).ok_or(wrong)?, 4_096, 50_000)?;
    let padded =
        |text: &str| text.len().is_multiple_of(4) && is_base64(text.trim_end_matches('=')) && !text.ends_with("===");
    let key = |text: &str| text.len() == 44 && text.ends_with('=') && !text.ends_with("==") && padded(text);
    if (12..=88).contains(&salt.len()) && padded(salt) && key(stored) && key(server) { Ok(SCHEME) } else { Err(wrong) }
}

fn parts<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    text.split(separator).collect::<Vec<_>>().try_into().ok()
}

fn keyed(text: &str, key: &str) -> Option<u32> {
    number(text.strip_prefix(key)?)
}

/// A decimal number as the hash functions' parsers read it: digits only, no leading zero but bcrypt's.
fn number(text: &str) -> Option<u32> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn bounded(
    scheme: &'static str,
    parameter: &'static str,
    value: u32,
    low: u32,
    high: u32,
) -> Result<(), PasswordError> {
    if (low..=high).contains(&value) { Ok(()) } else { Err(PasswordError::Cost { scheme, parameter, low, high }) }
}

fn is_base64(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

fn is_crypt64(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/')
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = PasswordError;

    fn try_from(text: String) -> Result<Self, PasswordError> {
        Self::parse(&text)
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Dovecot 2.4's `doveadm pw` printed for one word.
    const PRINTED: [&str; 6] = [
        "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$F065s3INV7ie8kEO1yVswQ$QqbP49NEJ3vOUKGmig3XpYYfL3T4rZ6NkzKVuUJrqMU",
        "{BLF-CRYPT}$2y$05$U2dg2dGDq/U0sUk9RSSUrOQqvWOTbi4r2Xt79dD0SQ/8NOo6t4UDC",
        "{BLF-CRYPT}$2y$10$TbYWZ6JOsfN2uapnWUbc6OAvW8XVyRD28qQn4aDLu4Hc7kOc.aC5C",
        "{SHA512-CRYPT}$6$QHVnXN//sO.fAdcI$rdZ3Lgq9YfX3qyN/hjGZ7KR41N5DdvBGGuwhXRv7hId0KmZXYAb/4KdG2qAt1jkKa/Brw63OEgwwRCJU4CrSe/",
        "{SHA512-CRYPT}$6$rounds=10000$.2kXRytuxKVtqiw1$leejPOaIjof.CtVnExBubqkmYFw0v1q/t0fmyNhDbIdL6D.I/Co2xcBrgeIqeKDvEEblYmQpmGOJJqJ89xmxp1",
        "{SCRAM-SHA-256}4096,02MYxYSi3guac9M34/vxdw==,xMVBm/UuCYet75O0YYvssnLrOADflewrd7wf+PRUKHg=,l4WsCXxsFAkaOYBDStRoBg1QSBlzbOAebT8k1AV8U/Y=",
    ];

    #[test]
    fn reads_what_doveadm_prints() {
        for text in PRINTED {
            assert_eq!(PasswordHash::parse(text).unwrap().expose(), text);
            assert_eq!(PasswordHash::parse(&format!("  {text}\n")).unwrap().expose(), text);
        }
    }

    #[test]
    fn gives_a_bare_hash_its_scheme() {
        for text in &PRINTED[..5] {
            let (scheme, bare) = text.split_once('}').unwrap();
            assert_eq!(PasswordHash::parse(bare).unwrap().expose(), *text);
            assert_eq!(PasswordHash::parse(&format!("{}}}{bare}", scheme.to_lowercase())).unwrap().expose(), *text);
        }
    }

    #[test]
    fn bounds_the_cost() {
        for (index, from, to) in [
            (0, "m=65536", "m=65537"),
            (0, "t=3", "t=4"),
            (0, "p=1", "p=5"),
            (0, "m=65536", "m=8"),
            (1, "$05$", "$04$"),
            (2, "$10$", "$17$"),
            (4, "rounds=10000", "rounds=20000000"),
            (4, "rounds=10000", "rounds=999"),
            (5, "4096,", "4095,"),
            (5, "4096,", "50001,"),
        ] {
            let error = PasswordHash::parse(&PRINTED[index].replacen(from, to, 1)).unwrap_err();
            assert!(matches!(error, PasswordError::Cost { .. }), "{to}: {error}");
        }
    }

    #[test]
    fn refuses_every_shortened_or_altered_hash() {
        for text in PRINTED {
            let hash_at = text.find('}').unwrap() + 1;
            for end in hash_at..text.len() {
                assert!(PasswordHash::parse(&text[..end]).is_err(), "{}", &text[..end]);
            }
            for at in hash_at..text.len() {
                for bad in [":", "\n", " ", "\0", "%", "{", "é"] {
                    let altered = format!("{}{bad}{}", &text[..at], &text[at + 1..]);
                    assert!(PasswordHash::parse(&altered).is_err(), "{altered:?}");
                }
            }
        }
    }

    #[test]
    fn refuses_other_schemes() {
        for text in [
            "",
            " ",
            "segreto",
            "{PLAIN}",
            "{PLAIN}segreto",
            "{CLEARTEXT}x",
            "{MD5}x",
            "{SSHA512}x",
            "{CRYPT}$6$x$y",
            "{",
            "{}",
            "$1$aaaaaaaa$bbbbbbbbbbbbbbbbbbbbbb",
            "$5$a$b",
            "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$LXY0f7rJ$yM",
            "*",
            "!",
            "{ARGON2ID.HEX}00",
            "{PBKDF2}$1$x$1$y",
            "$argon2id$",
            "{SCRAM-SHA-1}4096,a,b,c",
        ] {
            assert!(PasswordHash::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn is_never_printed() {
        for text in PRINTED {
            let hash = PasswordHash::parse(text).unwrap();
            assert_eq!(format!("{hash:?}"), "PasswordHash(…)");
            let error = PasswordHash::parse(&text[..text.len() - 1]).unwrap_err();
            assert!(!format!("{error} {error:?}").contains(&text[text.len() - 20..text.len() - 1]));
        }
    }
}
