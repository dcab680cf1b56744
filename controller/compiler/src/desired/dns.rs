//! A zone's composition: SOA and NS from the settings, written records, what mail and sites contribute, delegations.

mod dmarc;
mod mail;
mod merge;

pub use dmarc::wanted_reports;
pub use mail::{autodiscover, mail_sets, pec_sets};
pub use merge::{Composition, Contributor, Displaced, Obstacle};

use std::net::IpAddr;

use crate::model::reverse::is_reverse;
use crate::model::{Caa, DomainName, RecordData, RecordSet, Soa, Zone};
use crate::settings::DnsSettings;

/// How long a secondary waits between checks when no NOTIFY comes, in seconds.
const REFRESH: u32 = 7200;
const RETRY: u32 = 900;
/// 28 days: a public server stops before its signatures (45 days, renewed before 30 are left) run out.
const EXPIRE: u32 = 28 * 86_400;
/// How long a denial is cached (RFC 2308): short, because a new record is often asked for before it is written.
const NEGATIVE: u32 = 300;
/// The longest TTL of what keeps a zone together: SOA, NS, DS, and with the SOA its keys. A zone whose own TTL is shorter has that: then a
/// change of its keys or its servers is seen sooner, too.
const APEX_TTL: u32 = 3600;

/// The TTL of what keeps a zone together, when its records have this one unless they say another.
pub fn apex_ttl(ttl: u32) -> u32 {
    ttl.min(APEX_TTL)
}

/// A zone with nothing but its SOA and NS.
pub fn bare_zone(apex: &DomainName, settings: &DnsSettings, ttl: u32) -> Zone {
    let mname = settings.name_servers.first().cloned().unwrap_or(DomainName::ROOT);
    let soa = Soa {
        mname,
        rname: hostmaster(settings),
        serial: 0,
        refresh: REFRESH,
        retry: RETRY,
        expire: EXPIRE,
        minimum: NEGATIVE,
    };
    let mut zone = Zone::new(apex.clone(), apex_ttl(ttl), soa);
    name_servers(apex, settings, ttl).map(|set| zone.insert(set));
    zone
}

/// The NS set of a zone of the centre: at its apex, and in the zone above as its delegation.
pub fn name_servers(apex: &DomainName, settings: &DnsSettings, ttl: u32) -> Option<RecordSet> {
    delegation(apex, &settings.name_servers, ttl)
}

/// The NS set of a zone at these servers.
pub fn delegation(apex: &DomainName, servers: &[DomainName], ttl: u32) -> Option<RecordSet> {
    RecordSet::new(apex.clone(), apex_ttl(ttl), servers.iter().cloned().map(RecordData::Ns).collect())
}

/// Which issuers may give certificates for the zone's names (RFC 8659), where the settings name any. Addresses have no certificates.
pub fn issuers(apex: &DomainName, settings: &DnsSettings, ttl: u32) -> Option<RecordSet> {
    if is_reverse(apex) {
        return None;
    }
    let issue =
        |issuer: &DomainName| RecordData::Caa(Caa { flags: 0, tag: "issue".into(), value: issuer.as_str().to_owned() });
    RecordSet::new(apex.clone(), apex_ttl(ttl), settings.certificate_issuers.iter().map(issue).collect())
}

/// The address records of a site's host.
pub fn address_sets(host: &DomainName, addresses: &[IpAddr], ttl: u32) -> impl Iterator<Item = RecordSet> {
    let of = |wanted_v4: bool| {
        let values = addresses.iter().filter(move |a| a.is_ipv4() == wanted_v4).map(|address| match address {
            IpAddr::V4(v4) => RecordData::A(*v4),
            IpAddr::V6(v6) => RecordData::Aaaa(*v6),
        });
        RecordSet::new(host.clone(), ttl, values.collect())
    };
    [of(true), of(false)].into_iter().flatten()
}

/// The hostmaster's address as RNAME: the `@` a dot, dots of the local part are not possible in our names and become hyphens.
fn hostmaster(settings: &DnsSettings) -> DomainName {
    let local = settings.hostmaster.local().replace('.', "-");
    settings.hostmaster.domain().child(&local).unwrap_or(DomainName::ROOT)
}
