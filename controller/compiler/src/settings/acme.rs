//! What the settings say of ACME: the dynamic zone where names are proved by DNS (RFC 8555 §8.4), and who may prove which.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Settings;
use crate::model::{DomainName, NameError};

/// `dns.acme` of the settings.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acme {
    /// The dynamic zone's name (RFC 2136). It is no Domain: the chart's public servers hold it, and the Domain above delegates it by itself.
    pub zone: DomainName,
    /// The servers of the dynamic zone, whose first takes the updates; absent: `dns.nameServers`, which is right when the chart runs all of them.
    #[serde(default)]
    pub name_servers: Option<Vec<DomainName>>,
    /// Who may prove names.
    #[serde(default)]
    pub clients: Vec<AcmeClient>,
}

/// Who may prove names, with a TSIG key of its own: `acme-` and its name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcmeClient {
    /// Its name, a DNS label. The Secret with its key is `acme-` and this.
    pub name: String,
    /// The names that it may prove, each alone and with its wildcard (`*.` and the name).
    #[serde(default)]
    pub names: Vec<DomainName>,
    /// The names that it may prove with all below them; `.` is every name.
    #[serde(default)]
    pub within: Vec<DomainName>,
    /// A namespace that has a copy of its Secret, such as cert-manager's.
    #[serde(default)]
    pub namespace: Option<String>,
}

impl Acme {
    /// Where the challenge of a host is answered, below the dynamic zone: the whole host, so that a key can be limited to it or to all below it.
    pub fn place(&self, host: &DomainName) -> Result<DomainName, NameError> {
        DomainName::parse(&format!("{host}.{}", self.zone))
    }
}

impl Settings {
    /// The servers of the dynamic zone.
    pub fn acme_servers(&self) -> &[DomainName] {
        let own = self.dns.acme.as_ref().and_then(|acme| acme.name_servers.as_deref());
        own.unwrap_or(&self.dns.name_servers)
    }

    pub(super) fn acme_problems(&self, found: &mut Vec<(String, String)>) {
        let Some(acme) = &self.dns.acme else { return };
        found.extend(super::check::no_host("dns.acme.zone".into(), &acme.zone));
        self.zone_problem(&acme.zone, found);
        for (at, name) in acme.name_servers.iter().flatten().enumerate() {
            found.extend(super::check::no_host(format!("dns.acme.nameServers[{at}]"), name));
        }
        if acme.name_servers.as_ref().is_some_and(Vec::is_empty) {
            let message = "a zone needs name servers: name one at least, or leave the list out";
            found.push(("dns.acme.nameServers".into(), message.into()));
        }
        let mut names = BTreeSet::new();
        for (at, client) in acme.clients.iter().enumerate() {
            let field = format!("dns.acme.clients[{at}]");
            if !names.insert(client.name.as_str()) {
                let message = format!("`{}`: every client has a name of its own, which is its key's", client.name);
                found.push((format!("{field}.name"), message));
            }
            client.problems(&field, found);
        }
    }

    /// The dynamic zone has nothing but what clients write.
    fn zone_problem(&self, zone: &DomainName, found: &mut Vec<(String, String)>) {
        let mail = self.mail.iter().flat_map(|mail| &mail.hosts).map(|host| &host.name);
        let servers = self.dns.name_servers.iter().chain(self.acme_servers());
        let inside = [&self.dns.catalog].into_iter().chain(servers).chain(mail).find(|name| name.is_within(zone));
        if let Some(name) = inside {
            let message = format!(
                "`{name}` is, or lies in, this zone, which is the challenges' alone: give it a name of its own"
            );
            found.push(("dns.acme.zone".into(), message));
        } else if zone.is_within(&self.dns.catalog) {
            let message = format!(
                "it lies in the catalog zone `{}`, which is no zone to resolve: give it another name",
                self.dns.catalog
            );
            found.push(("dns.acme.zone".into(), message));
        }
    }
}

impl AcmeClient {
    fn problems(&self, field: &str, found: &mut Vec<(String, String)>) {
        for (key, label) in [("name", Some(&self.name)), ("namespace", self.namespace.as_ref())] {
            if let Some(label) = label.filter(|label| !is_label(label)) {
                let message =
                    format!("`{label}` is no DNS label: write up to 58 lower-case letters, digits and inner hyphens");
                found.push((format!("{field}.{key}"), message));
            }
        }
        if self.names.is_empty() && self.within.is_empty() {
            let message = "it may prove no name: write names, or within for names with all below them";
            found.push((field.to_owned(), message.into()));
        }
        let names = self.names.iter().enumerate().map(|(at, name)| ("names", at, name));
        let within = self.within.iter().enumerate().filter(|(_, name)| **name != DomainName::ROOT);
        for (key, at, name) in names.chain(within.map(|(at, name)| ("within", at, name))) {
            if !name.is_host_name() {
                let message = format!(
                    "`{name}` is no host name: write letters, digits and inner hyphens; a wildcard is proved by the name after its `*.`"
                );
                found.push((format!("{field}.{key}[{at}]"), message));
            }
        }
    }
}

/// Whether it can be the rest of a label that begins with `acme-`.
fn is_label(text: &str) -> bool {
    let right = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=58).contains(&text.len()) && text.bytes().all(right) && !text.starts_with('-') && !text.ends_with('-')
}
