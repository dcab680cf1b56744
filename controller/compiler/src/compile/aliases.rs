//! Aliases that lead nowhere, and hosts that have to have addresses themselves and are aliases: told with the record that names them. In a zone
//! by its own records; in a whole repository by all of its zones.

use std::collections::BTreeMap;
use std::sync::Arc;

use cst_api::{Reason, RecordType};

use crate::model::{DomainName, RecordData, RecordSet, Zone};
use crate::parse::DomainModel;
use crate::problem::{Kind, ObjectRef, Problem};
use crate::settings::Settings;

/// The zones whose content is known, by their names.
pub(super) type Known = BTreeMap<DomainName, Arc<Zone>>;

/// An alias: whose records a name has instead of its own, and the set that says so, which may be a wildcard's.
struct Alias<'a> {
    owner: &'a DomainName,
    target: &'a DomainName,
}

/// What is to be told of the records and the exchangers that a Domain writes.
pub(super) fn problems(known: &Known, zone: &Zone, model: &DomainModel, settings: &Settings) -> Vec<Problem> {
    let object = ObjectRef::new(Kind::Domain, model.key.clone());
    let is_served = |set: &&(usize, RecordSet)| zone.get(&set.1.name, set.1.type_()).is_some();
    let records = model.sets.iter().filter(is_served).filter_map(|(at, set)| {
        let message = if set.type_() == RecordType::CNAME { circle(known, set) } else { host_by_alias(known, set) };
        Some((format!("spec.records[{at}]"), message?))
    });
    let mail = model.mail.iter().map(|mail| ("spec.mail.hosts", &mail.hosts));
    let pec = model.pec.iter().map(|pec| ("spec.pec.hosts", &pec.hosts));
    let exchangers = mail.chain(pec).flat_map(|(field, hosts)| {
        let told = move |(at, (_, host)): (usize, &(u16, DomainName))| {
            Some((format!("{field}[{at}].name"), by_alias(known, RecordType::MX, host)?))
        };
        hosts.iter().enumerate().filter_map(told)
    });
    let centre = hosts_of_the_centre(known, model, settings);
    records
        .chain(exchangers)
        .chain(centre)
        .map(|(field, message)| object.warning(field, Reason::Invalid, message))
        .collect()
}

/// The aliases that the Domain makes of hosts that the settings name.
fn hosts_of_the_centre<'a>(
    known: &'a Known,
    model: &'a DomainModel,
    settings: &'a Settings,
) -> impl Iterator<Item = (String, String)> + 'a {
    let servers = settings.dns.name_servers.iter().map(|host| (RecordType::NS, host));
    let exchangers = settings.mail.iter().flat_map(|mail| &mail.hosts).map(|host| (RecordType::MX, &host.name));
    servers.chain(exchangers).filter(|(_, host)| host.is_within(&model.zone)).filter_map(|(type_, host)| {
        let owner = alias(known, host)?.owner;
        let (at, _) = model.sets.iter().find(|(_, set)| set.name == *owner && set.type_() == RecordType::CNAME)?;
        Some((format!("spec.records[{at}]"), by_alias(known, type_, host)?))
    })
}

/// The first host of mail, name servers or a service that is an alias.
fn host_by_alias(known: &Known, set: &RecordSet) -> Option<String> {
    let type_ = set.type_();
    let is_bound = matches!(type_, RecordType::MX | RecordType::NS | RecordType::SRV);
    let mut targets = set.values().iter().filter(|_| is_bound).filter_map(RecordData::target);
    targets.find_map(|target| by_alias(known, type_, target))
}

fn by_alias(known: &Known, type_: RecordType, host: &DomainName) -> Option<String> {
    let Alias { owner, target } = alias(known, host)?;
    let by = if owner == host { String::new() } else { format!(" by `{owner}`") };
    Some(format!(
        "`{host}` is{by} an alias for `{target}`, and some do not follow one there: the host of {type_} has addresses itself (RFC 2181 §10.3)"
    ))
}

/// How a CNAME leads back to itself (RFC 1034 §3.6.2).
fn circle(known: &Known, set: &RecordSet) -> Option<String> {
    let mut names = vec![set.values().first()?.target()?];
    let mut owners = Vec::new();
    loop {
        let Alias { owner, target } = alias(known, names.last()?)?;
        if *owner == set.name {
            let way = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Some(format!(
                "the alias `{}` leads back to itself by {way} (RFC 1034 §3.6.2), so that nobody finds anything there: name a host that has \
                 addresses",
                set.name
            ));
        }
        // It leads into a circle of others, who are told.
        if owners.contains(&owner) {
            return None;
        }
        owners.push(owner);
        names.push(target);
    }
}

/// What a name is an alias for, as far as that is known.
fn alias<'a>(known: &'a Known, name: &DomainName) -> Option<Alias<'a>> {
    let zone = name.and_ancestors().find_map(|apex| known.get(&apex))?;
    let mut inside = name.and_ancestors().take_while(|above| above != zone.apex());
    if inside.any(|cut| zone.get(&cut, RecordType::NS).is_some()) {
        return None;
    }
    // What there is nothing at or below has what the wildcard of the closest name above says (RFC 4592 §3.3.1).
    let exists = |name: &DomainName| name == zone.apex() || zone.has(name);
    let wildcard = || name.and_ancestors().find(exists)?.child("*").ok();
    let owner = if exists(name) { Some(name.clone()) } else { wildcard() };
    let set = zone.get(&owner?, RecordType::CNAME)?;
    Some(Alias { owner: &set.name, target: set.values().first()?.target()? })
}
