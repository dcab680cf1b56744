//! A site's database: its name, and the Secret that tells the site how to reach it.

use std::fmt::{self, Write as _};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use sha2::{Digest, Sha256};

use super::{Site, site_object};
use crate::model::ObjectKey;

/// `MariaDB`'s limit for a database's name is 64 characters (a user's may be longer), and in a GRANT, where each `_` is escaped, the
/// escapes count: a name has up to three.
const NAME_LENGTH: usize = 60;
/// How much of the digest stands in a shortened name, in hexadecimal digits.
const TAIL_LENGTH: usize = 16;

/// A database user's password. It shows in no log and no error.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// All a site needs to reach its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The server's host name.
    pub host: String,
    /// The database.
    pub database: String,
    /// Its user.
    pub username: String,
    /// The user's password.
    pub password: Password,
}

impl Password {
    /// Takes a password.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The password itself: a secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The server's own databases that a tenant's and a site's name could make up.
const RESERVED: [&str; 2] = ["information_schema", "performance_schema"];

/// The database of a site and its user, both of this one name: `<tenant>_<site>`, and with a digest at the end where that is too long or
/// the server's own.
///
/// No two sites share a name: neither part holds `_`, so a short name splits one way only, and only a shortened one holds `__`.
pub fn database_name(key: &ObjectKey) -> String {
    let name = format!("{}_{}", key.tenant().unwrap_or(&key.namespace), key.name);
    if name.len() <= NAME_LENGTH && !RESERVED.contains(&name.as_str()) {
        return name;
    }
    let head: String = name.chars().take(NAME_LENGTH - TAIL_LENGTH - 2).collect();
    format!("{head}__{}", hex(key.to_string().as_bytes(), TAIL_LENGTH))
}

/// The Secret with a site's [`Credentials`]: `<site>-database`.
pub fn secret_name(site: &str) -> String {
    format!("{site}-database")
}

impl Credentials {
    /// The credentials of a site for the server at `host`.
    pub fn new(key: &ObjectKey, host: String, password: Password) -> Self {
        let name = database_name(key);
        Self { host, database: name.clone(), username: name, password }
    }

    /// The Secret in the site's namespace, with the keys `host`, `database`, `username` and `password`.
    pub fn to_secret(&self, site: &Site) -> Secret {
        let object = site_object(site, "v1", "Secret", &secret_name(&site.key.name), serde_json::Value::Null);
        let data = self.entries().map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
        Secret { metadata: object.metadata, type_: Some("Opaque".into()), data: Some(data.into()), ..Secret::default() }
    }

    /// Changes with the credentials and gives none of them away: what makes a pod start anew when they change.
    pub(super) fn digest(&self) -> String {
        let text = self.entries().map(|(key, value)| format!("{key}={value}\n")).concat();
        hex(text.as_bytes(), TAIL_LENGTH)
    }

    fn entries(&self) -> [(&'static str, &str); 4] {
        let Self { host, database, username, password } = self;
        [("host", host), ("database", database), ("username", username), ("password", password.expose())]
    }
}

/// The first digits of the SHA-256.
fn hex(bytes: &[u8], digits: usize) -> String {
    Sha256::digest(bytes).iter().take(digits / 2).fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tenant: &str, site: &str) -> String {
        database_name(&ObjectKey::new(cst_api::tenant_namespace(tenant), site))
    }

    #[test]
    fn a_name_says_whose_it_is() {
        assert_eq!(name("urbino", "portale"), "urbino_portale");
        assert_eq!(name("a-b", "c"), "a-b_c");
        assert_ne!(name("a", "b-c"), name("a-b", "c"));
    }

    #[test]
    fn long_names_keep_within_the_limit_and_apart() {
        let (tenant, site) = ("x".repeat(61), "y".repeat(40));
        let long = name(&tenant, &site);
        assert_eq!((long.len(), &long[..42], &long[42..44]), (60, &tenant[..42], "__"));
        assert_ne!(long, name(&tenant, &"y".repeat(39)));
        assert_ne!(long, name(&"x".repeat(60), &site));
        assert!(!name(&"x".repeat(31), &"y".repeat(28)).contains("__"));
        assert!(name(&"x".repeat(31), &"y".repeat(29)).contains("__"));
    }

    #[test]
    fn the_servers_own_databases_are_nobodys() {
        for tenant in ["information", "performance"] {
            let name = name(tenant, "schema");
            assert!(name.starts_with(&format!("{tenant}_schema__")), "{name}");
        }
    }

    /// A site cannot be named so that its short name is another's shortened one.
    #[test]
    fn no_short_name_is_a_shortened_one() {
        let long = name(&"x".repeat(61), "portale");
        let (head, tail) = long.split_once("__").unwrap();
        assert_ne!(name(head, tail), long);
    }

    #[test]
    fn the_secret_has_every_part_and_a_log_shows_no_password() {
        let credentials = Credentials::new(
            &ObjectKey::new("t-urbino", "portale"),
            "mariadb.cst-web.svc".into(),
            Password::new("tiziano-e-raffaello".into()),
        );
        let data = credentials.to_secret(&super::super::tests::portale()).data.unwrap();
        let part = |key: &str| std::str::from_utf8(&data[key].0).unwrap();
        assert_eq!((part("host"), part("database")), ("mariadb.cst-web.svc", "urbino_portale"));
        assert_eq!((part("username"), part("password")), ("urbino_portale", "tiziano-e-raffaello"));
        assert!(!format!("{credentials:?}").contains("raffaello"));
    }

    #[test]
    fn the_digest_changes_with_each_part() {
        let key = ObjectKey::new("t-urbino", "portale");
        let made =
            |host: &str, password: &str| Credentials::new(&key, host.into(), Password::new(password.into())).digest();
        assert_ne!(made("a", "x"), made("a", "y"));
        assert_ne!(made("a", "x"), made("b", "x"));
    }
}
