//! The statements, made of checked names and digests alone: nothing in them can end a quotation.

use std::fmt::{self, Write as _};

use cst_compiler::desired::web::Password;
use sha1::{Digest, Sha1};

/// How many connections one site may hold, so that none takes them all.
const CONNECTIONS: u8 = 30;

/// The server's limit for a database's name, in characters.
const LENGTH: usize = 64;

/// A database's or user's name: lower-case letters, digits, `-`, and at least one `_`, which no name of the server's own user has.
pub(super) struct Name(String);

/// A name that no site's database has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the name of a site's database: a-z, 0-9, `-` and at least one `_`, up to 64 with each `_` counted twice, not the server's own"
)]
pub struct InvalidName(pub String);

impl Name {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidName> {
        let letters = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'));
        let own = matches!(text, "information_schema" | "performance_schema");
        let underscores = text.matches('_').count();
        // In a GRANT the escapes count.
        let right = letters && !own && underscores > 0 && text.len() + underscores <= LENGTH;
        right.then(|| Self(text.to_owned())).ok_or_else(|| InvalidName(text.to_owned()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn create_database(database: &Name) -> String {
    format!("CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4")
}

pub(super) fn create_user(user: &Name, password: &Password) -> String {
    format!("CREATE USER IF NOT EXISTS '{user}'@'%' {}", authentication(password))
}

/// For a user that was there: its password may be an older one.
pub(super) fn set_password(user: &Name, password: &Password) -> String {
    format!("ALTER USER '{user}'@'%' {} WITH MAX_USER_CONNECTIONS {CONNECTIONS}", authentication(password))
}

/// `_` in the database of a GRANT stands for any character: escaped, or `a_b` would open `axb` too.
pub(super) fn grant(database: &Name, user: &Name) -> String {
    format!("GRANT ALL PRIVILEGES ON `{}`.* TO '{user}'@'%'", database.0.replace('_', "\\_"))
}

pub(super) fn drop_database(database: &Name) -> String {
    format!("DROP DATABASE IF EXISTS `{database}`")
}

pub(super) fn drop_user(user: &Name) -> String {
    format!("DROP USER IF EXISTS '{user}'@'%'")
}

/// What the server stores of a password: `*` and the SHA-1 of its SHA-1. Weak for guessable passwords; ours are random and long, and
/// PHP's own client knows nothing better that `MariaDB` has.
fn authentication(password: &Password) -> String {
    let digest = Sha1::digest(Sha1::digest(password.expose().as_bytes()));
    let hex = digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02X}").ok();
        hex
    });
    format!("IDENTIFIED VIA mysql_native_password USING '*{hex}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_break_out_are_refused() {
        for text in [
            "",
            "mysql",
            "root",
            "a_b`; DROP DATABASE mysql; --",
            "a_'b",
            "a_b\\",
            "A_B",
            "a_b\n",
            "à_b",
            "information_schema",
        ] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
        assert!(Name::parse(&format!("a_{}", "b".repeat(62))).is_err());
        assert!(Name::parse("comune-di-urbino_1861").is_ok());
    }

    #[test]
    fn a_grant_opens_one_database() {
        let (database, user) = (Name::parse("a_b").unwrap(), Name::parse("a_b").unwrap());
        assert_eq!(grant(&database, &user), "GRANT ALL PRIVILEGES ON `a\\_b`.* TO 'a_b'@'%'");
    }

    /// The value that `SELECT PASSWORD('secret')` gives.
    #[test]
    fn no_statement_holds_a_password() {
        let user = Name::parse("a_b").unwrap();
        let statement = create_user(&user, &Password::new("secret".into()));
        assert!(statement.ends_with("USING '*14E65567ABDB5135D0CFD9A70B3032C179A49EE7'"), "{statement}");
    }
}
