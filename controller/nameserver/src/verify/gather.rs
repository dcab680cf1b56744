//! Asks everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use cst_compiler::model::{DomainName, RecordData, RecordType};
use tokio::task::JoinSet;

use super::denial;
use super::observed::{Answer, Host, Observed, Server};
use crate::lookup::{Client, Data, LookupError, ParentLookup, Question, Record, Resolvers, Transport};

/// A zone transfer (RFC 5936).
const AXFR: RecordType = RecordType::from_number(252);

/// What is seen of a zone now.
pub(super) async fn observe(zone: &DomainName, lookup: &ParentLookup, now: u32) -> Result<Observed, LookupError> {
    let parent = lookup.delegations(zone).await?;
    let (hosts, servers) = (BTreeMap::new(), Vec::new());
    let mut observed = Observed { zone: zone.clone(), now, intended: None, parent, hosts, servers };
    let delegated = observed.delegated().into_iter().cloned().collect();
    ask_servers(&mut observed, lookup, delegated).await;
    // Servers that the zone names and the zone above does not.
    let named = observed.servers.iter().filter_map(|server| server.name_servers(zone)).flatten().collect();
    ask_servers(&mut observed, lookup, named).await;
    let others = other_hosts(&observed);
    find_hosts(&mut observed, lookup, others).await;
    Ok(observed)
}

/// Asks the servers of these names that were not asked yet.
async fn ask_servers(observed: &mut Observed, lookup: &ParentLookup, names: BTreeSet<DomainName>) {
    let new: BTreeSet<_> = names.into_iter().filter(|name| !observed.hosts.contains_key(name)).collect();
    find_hosts(observed, lookup, new.clone()).await;
    let mut asked = JoinSet::new();
    for name in new {
        let addresses = observed.hosts.get(&name).map(|host| host.addresses.clone()).unwrap_or_default();
        for address in addresses {
            let (zone, above, name) = (observed.zone.clone(), observed.parent.above.clone(), name.clone());
            let server = (address, lookup.port).into();
            asked.spawn(ask_server(lookup.client, server, name, zone, above));
        }
    }
    observed.servers.extend(asked.join_all().await);
    observed.servers.sort_by(|one, other| (&one.name, one.address).cmp(&(&other.name, other.address)));
    own_addresses(observed, lookup.client).await;
}

async fn ask_server(
    client: Client,
    address: SocketAddr,
    name: DomainName,
    zone: DomainName,
    above: DomainName,
) -> Server {
    let ask = async |question: Question, transport| -> Answer { Ok(client.ask(address, &question, transport).await?) };
    let of_zone = |type_| Question::new(&zone, type_).with_dnssec();
    let soa = ask(of_zone(RecordType::SOA), Transport::Udp).await;
    let tcp = ask(of_zone(RecordType::SOA), Transport::Tcp).await;
    // Who did not answer twice is not waited for five times more.
    let silence = soa.as_ref().err().filter(|_| tcp.is_err()).cloned();
    let further = async |question, transport| match &silence {
        Some(silence) => Err(silence.clone()),
        None => ask(question, transport).await,
    };
    Server {
        ns: further(of_zone(RecordType::NS), Transport::Any).await,
        keys: further(of_zone(RecordType::DNSKEY), Transport::Any).await,
        mx: further(of_zone(RecordType::MX), Transport::Any).await,
        nobody: further(Question::new(&denial::nobody(&zone), RecordType::A).with_dnssec(), Transport::Any).await,
        nothing: further(of_zone(denial::NOTHING), Transport::Any).await,
        recursion: further(Question::new(&above, RecordType::SOA).recursive(), Transport::Any).await,
        transfer: further(Question { edns: None, ..Question::new(&zone, AXFR) }, Transport::Tcp).await,
        name,
        address,
        soa,
        tcp,
    }
}

/// The SOA's first server and the exchangers.
fn other_hosts(observed: &Observed) -> BTreeSet<DomainName> {
    let mut hosts = BTreeSet::new();
    for server in observed.authorities() {
        hosts.extend(server.soa.iter().filter_map(|reply| reply.soa(&observed.zone)).map(|soa| soa.mname.clone()));
        hosts.extend(server.mx.iter().flat_map(|reply| &reply.answers).filter_map(exchange));
    }
    hosts.retain(|host| !observed.hosts.contains_key(host));
    hosts
}

/// The exchanger of an MX; none of a null MX (RFC 7505).
pub(super) fn exchange(record: &Record) -> Option<DomainName> {
    match &record.data {
        Data::Record(RecordData::Mx(_, exchange)) if *exchange != DomainName::ROOT => Some(exchange.clone()),
        _ => None,
    }
}

async fn find_hosts(observed: &mut Observed, lookup: &ParentLookup, names: BTreeSet<DomainName>) {
    let mut found = JoinSet::new();
    for name in names {
        let resolvers = lookup.resolvers.clone();
        found.spawn(async move { (name.clone(), find_host(&resolvers, &name).await) });
    }
    observed.hosts.extend(found.join_all().await);
}

async fn find_host(resolvers: &Resolvers, name: &DomainName) -> Host {
    let mut host = Host::default();
    for type_ in [RecordType::A, RecordType::AAAA] {
        match resolvers.ask(name, type_).await {
            Ok(reply) => {
                host.is_alias |= reply.set(name, RecordType::CNAME).next().is_some();
                host.addresses.extend(reply.addresses());
            }
            Err(error) => host.failure = Some(error.to_string()),
        }
    }
    host
}

/// Of the name servers in the zone itself, what the zone says: asked at the first server that answers.
async fn own_addresses(observed: &mut Observed, client: Client) {
    let Some(server) = observed.authorities().next().map(|server| server.address) else { return };
    let inside = observed.hosts.iter_mut().filter(|(name, host)| name.is_within(&observed.zone) && host.own.is_none());
    for (name, host) in inside {
        let mut own = BTreeSet::new();
        for type_ in [RecordType::A, RecordType::AAAA] {
            match client.ask(server, &Question::new(name, type_), Transport::Any).await {
                Ok(reply) if reply.authoritative && reply.is_answer() => own.extend(reply.addresses()),
                // In a zone further below, or silent now.
                _ => return,
            }
        }
        host.own = Some(own);
    }
}
