//! What of the settings no single value shows: everything that is wrong, by field.

use std::collections::BTreeSet;

use super::{Settings, TtlBounds};
use crate::model::{DomainName, Network, Quantity};

impl Settings {
    /// What is wrong, as field and message. `knows_time_zone`: whether an IANA time zone is known where it is asked.
    pub fn problems(&self, knows_time_zone: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let mut found = Vec::new();
        self.dns_problems(&mut found);
        self.mail_problems(&mut found);
        self.web_problems(&mut found);
        if !knows_time_zone(&self.time_zone) {
            let message =
                format!("there is no time zone `{}`: write one of the IANA's, such as Europe/Rome", self.time_zone);
            found.push(("timeZone".into(), message));
        }
        found
    }

    fn dns_problems(&self, found: &mut Vec<(String, String)>) {
        let dns = &self.dns;
        if dns.name_servers.is_empty() {
            found.push(("dns.nameServers".into(), "a zone needs name servers: name one at least, better two".into()));
        }
        for (at, name) in dns.name_servers.iter().enumerate() {
            found.extend(no_host(format!("dns.nameServers[{at}]"), name));
        }
        if dns.hostmaster.local().contains('.') {
            let message = format!(
                "`{}` has a dot before the @, which an SOA record cannot carry here: use an address without",
                dns.hostmaster
            );
            found.push(("dns.hostmaster".into(), message));
        }
        let TtlBounds { min, max } = dns.ttl;
        if min < 30 || max > 604_800 || min > max {
            found.push((
                "dns.ttl".into(),
                format!("{min} to {max}: write a min from 30 and a max up to 604800, both in seconds"),
            ));
        }
        if let Some(days) = dns.dnssec.key_lifetime_days.filter(|days| *days < 30) {
            let message = format!(
                "{days}: a key that is replaced so often is always on its way: write 30 or more, or leave it out"
            );
            found.push(("dns.dnssec.keyLifetimeDays".into(), message));
        }
        for (at, issuer) in dns.certificate_issuers.iter().enumerate() {
            found.extend(no_host(format!("dns.certificateIssuers[{at}]"), issuer));
        }
        self.secondary_problems(found);
        for (at, resolver) in dns.resolvers.iter().enumerate() {
            found.extend(no_host_and_port(format!("dns.resolvers[{at}]"), resolver));
        }
        for (at, rule) in dns.transfers.iter().enumerate() {
            found.extend(nowhere(format!("dns.transfers[{at}].from"), &rule.from));
        }
        self.acme_problems(found);
    }

    fn secondary_problems(&self, found: &mut Vec<(String, String)>) {
        let mut names = BTreeSet::new();
        for (at, server) in self.dns.secondaries.iter().enumerate() {
            if server.name.is_empty() || !names.insert(server.name.as_str()) {
                let message = format!("`{}`: every server has a name of its own, which statuses show", server.name);
                found.push((format!("dns.secondaries[{at}].name"), message));
            }
            found.extend(no_host_and_port(format!("dns.secondaries[{at}].address"), &server.address));
            let from = server.from.as_deref();
            found.extend(from.and_then(|from| nowhere(format!("dns.secondaries[{at}].from"), from)));
        }
    }

    fn mail_problems(&self, found: &mut Vec<(String, String)>) {
        let Some(mail) = &self.mail else { return };
        found.extend(mail.access.iter().filter_map(|host| no_host("mail.access".into(), host)));
        if mail.hosts.is_empty() {
            found.push((
                "mail.hosts".into(),
                "mail needs a host that domains name in their MX: name one, or leave mail out".into(),
            ));
        }
        for (at, host) in mail.hosts.iter().enumerate() {
            found.extend(no_host(format!("mail.hosts[{at}].name"), &host.name));
        }
        found.extend(too_small("mail.defaultQuota".into(), mail.default_quota));
        found.extend(mail.limits.problems());
        found.extend(mail.dkim.problems());
    }

    fn web_problems(&self, found: &mut Vec<(String, String)>) {
        let Some(web) = &self.web else { return };
        if web.addresses.is_empty() {
            found.push((
                "web.addresses".into(),
                "sites need an address that the public reaches: name one, or leave web out".into(),
            ));
        }
        for (name, application) in &web.applications {
            let size = application.storage.as_ref().map(|storage| storage.size);
            found.extend(size.and_then(|size| too_small(format!("web.applications.{name}.storage.size"), size)));
        }
    }
}

fn nowhere(field: String, from: &[Network]) -> Option<(String, String)> {
    let message = "an empty list lets nobody transfer: name an address or a network, or leave the list out";
    from.is_empty().then(|| (field, message.to_owned()))
}

pub(super) fn no_host(field: String, name: &DomainName) -> Option<(String, String)> {
    let is_address = name.as_str().parse::<std::net::Ipv4Addr>().is_ok();
    let is_whole = name.labels().count() > 1;
    let message = format!(
        "`{name}` is no whole host name: write letters, digits, inner hyphens and at least one dot, such as ns1.example.net"
    );
    (is_address || !is_whole || !name.is_host_name()).then_some((field, message))
}

fn too_small(field: String, size: Quantity) -> Option<(String, String)> {
    Quantity::parse_room(&size.to_string()).err().map(|message| (field, message))
}

fn no_host_and_port(field: String, address: &str) -> Option<(String, String)> {
    let message = format!("`{address}` is no host and port: write them as ns1.example.net:53 or [2001:db8::53]:53");
    (!is_host_and_port(address)).then_some((field, message))
}

fn is_host_and_port(address: &str) -> bool {
    let Some((host, port)) = address.rsplit_once(':') else { return false };
    let host_is_right = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => DomainName::parse(host).is_ok_and(|name| name.is_host_name()),
    };
    host_is_right && port.parse::<u16>().is_ok_and(|port| port > 0)
}
