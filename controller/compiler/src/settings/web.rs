//! What the settings say of the web: where the public reaches it, and the catalogue of applications.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer, de};

use crate::model::Quantity;

/// `web` of the settings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Web {
    /// The gateway's public addresses; every site's host gets them as A and AAAA records.
    pub addresses: Vec<IpAddr>,
    /// The Gateway (Gateway API) that every site's routes join.
    #[serde(default)]
    pub gateway: Gateway,
    /// The Service of the MariaDB server that holds the sites' databases.
    #[serde(default = "Web::own_database")]
    pub database: Reference,
    /// What a `WebSite` may name as its `application`.
    #[serde(default)]
    pub applications: Applications,
}

/// The application catalogue: what `spec.application` of a `WebSite` names, and what it means.
pub type Applications = BTreeMap<String, Application>;

/// The Gateway in front of all sites, and where what carries its traffic runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gateway {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The namespace of the pods through which visitors come, for the sites' network policies; the Gateway's own unless given.
    #[serde(default)]
    pub pod_namespace: Option<String>,
}

/// An object of the cluster that the sites of every tenant share.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// One application. The image's contract: it runs as any user and group without root, with a read-only root file system on which
/// only its volume, `/tmp` and `/run` can be written; it answers the probes; it takes `SITE_HOST` and, with a database, `DATABASE_HOST`,
/// `DATABASE_NAME`, `DATABASE_USERNAME` and `DATABASE_PASSWORD` from its environment; it fills an empty volume by itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// The container image, such as `registry.example.net/docweb:3.1`.
    #[serde(deserialize_with = "image")]
    pub image: String,
    /// The port on which it speaks HTTP, 1024 or above; 8080 unless given.
    #[serde(default = "Application::default_port", deserialize_with = "unprivileged_port")]
    pub port: u16,
    /// Its volume; without one it keeps no files.
    #[serde(default)]
    pub storage: Option<Storage>,
    /// Whether it gets a database of its own and a user for it.
    #[serde(default)]
    pub database: bool,
    /// What its container reserves and may use at most.
    #[serde(default)]
    pub resources: Resources,
    /// The paths that say how it is.
    #[serde(default)]
    pub probes: Probes,
}

/// An application's volume.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Storage {
    /// How large it is for a site that does not say, such as `5Gi`.
    #[serde(deserialize_with = "quantity")]
    pub size: Quantity,
    /// Where the container sees it; `/data` unless given.
    #[serde(default = "Storage::default_mount_path", deserialize_with = "mount_path")]
    pub mount_path: String,
}

/// Reserved and highest use of a container.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// What is set aside for it.
    pub requests: Amounts,
    /// What it cannot exceed.
    pub limits: Amounts,
}

/// Processor time and memory.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// In cores (`1`) or thousandths (`250m`).
    #[serde(deserialize_with = "cores")]
    pub cpu: String,
    /// In bytes, such as `512Mi`.
    #[serde(deserialize_with = "quantity")]
    pub memory: Quantity,
}

/// HTTP paths that answer 200 when all is well.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Probes {
    /// The process is alive, whatever its database does; `/-/live` unless given.
    #[serde(deserialize_with = "absolute_path")]
    pub live: String,
    /// It can serve: files and database answer; `/-/ready` unless given.
    #[serde(deserialize_with = "absolute_path")]
    pub ready: String,
}

impl Web {
    fn own_database() -> Reference {
        Reference { name: "mariadb".into(), namespace: "cst-web".into() }
    }

    /// The database server's host name, as a site in any namespace reaches it.
    pub fn database_host(&self) -> String {
        format!("{}.{}.svc", self.database.name, self.database.namespace)
    }
}

impl Gateway {
    /// The namespace from which visitors reach a site's pod.
    pub fn pod_namespace(&self) -> &str {
        self.pod_namespace.as_deref().unwrap_or(&self.namespace)
    }
}

impl Default for Gateway {
    fn default() -> Self {
        Self { name: "cst".into(), namespace: "cst-web".into(), pod_namespace: None }
    }
}

impl Application {
    fn default_port() -> u16 {
        8080
    }
}

impl Storage {
    fn default_mount_path() -> String {
        "/data".into()
    }
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            requests: Amounts { cpu: "25m".into(), memory: Quantity(64 << 20) },
            limits: Amounts { cpu: "1".into(), memory: Quantity(512 << 20) },
        }
    }
}

impl Default for Probes {
    fn default() -> Self {
        Self { live: "/-/live".into(), ready: "/-/ready".into() }
    }
}

fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
    Quantity::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

fn cores<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_suffix('m').unwrap_or(&text);
    let right = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    right
        .then_some(text)
        .ok_or_else(|| de::Error::custom("not processor time: write cores or thousandths, such as \"1\" or 250m"))
}

fn image<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let right = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    right.then_some(text).ok_or_else(|| {
        de::Error::custom("not an image: write its name and tag, such as registry.example.net/docweb:3.1")
    })
}

fn unprivileged_port<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let port = u16::deserialize(deserializer)?;
    (port >= 1024)
        .then_some(port)
        .ok_or_else(|| de::Error::custom("a site's process is not root: its port is 1024 or above"))
}

fn absolute_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = String::deserialize(deserializer)?;
    path.starts_with('/').then_some(path).ok_or_else(|| de::Error::custom("not an absolute path: begin it with /"))
}

/// Not the places the operator gives to every container.
fn mount_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = absolute_path(deserializer)?;
    let taken = matches!(path.trim_end_matches('/'), "" | "/tmp" | "/run") || path.contains(':');
    if taken {
        Err(de::Error::custom("a volume cannot be mounted there: choose a folder such as /data"))
    } else {
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Application, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn an_image_alone_is_an_application() {
        let lamp = read("image: lamp:1\nstorage: {size: 5Gi}").unwrap();
        assert_eq!((lamp.port, lamp.probes.ready.as_str(), lamp.database), (8080, "/-/ready", false));
        assert_eq!(lamp.storage.unwrap(), Storage { size: Quantity(5 << 30), mount_path: "/data".into() });
    }

    #[test]
    fn wrong_values_say_what_would_be_right() {
        for (yaml, hint) in [
            ("image: ''", "such as registry"),
            ("image: a\nport: 80", "1024 or above"),
            ("image: a\nstorage: {size: 5gb}", "such as 5Gi"),
            ("image: a\nstorage: {size: 5Gi, mountPath: /tmp/}", "such as /data"),
            ("image: a\nprobes: {live: live}", "begin it with /"),
            ("image: a\nresources: {requests: {cpu: a, memory: 1Gi}, limits: {cpu: '1', memory: 1Gi}}", "or 250m"),
            ("image: a\nimages: b", "unknown field"),
        ] {
            let error = read(yaml).unwrap_err();
            assert!(error.contains(hint), "{yaml}: {error}");
        }
    }

    #[test]
    fn the_rest_has_defaults() {
        let web: Web = serde_yaml::from_str("addresses: ['192.0.2.80', '2001:db8::80']").unwrap();
        assert_eq!(web.database_host(), "mariadb.cst-web.svc");
        assert_eq!((web.addresses.len(), web.gateway.name.as_str()), (2, "cst"));
        assert_eq!(web.gateway.pod_namespace(), "cst-web");
    }
}
