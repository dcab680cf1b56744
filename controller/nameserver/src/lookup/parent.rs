//! What the zone above says of a zone, asked at each of its servers. What is not said by authority of that zone is no answer: who waits for a
//! DS to be gone must not take silence, a cache or a server that lost the zone for it.

mod silence;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use cst_compiler::model::record::Ds;
use cst_compiler::model::{DomainName, RecordType};
use cst_compiler::plan::parent::{Parent, ParentAnswer};
use tokio::task::JoinSet;
use tracing::debug;

pub(super) use silence::Silence;

use super::{Client, LookupError, Question, Record, Reply, Resolvers, Transport};

/// What one server of the zone above says in full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delegation {
    /// The delegation and its signers.
    pub answer: ParentAnswer,
    /// The addresses it gives of the name servers.
    pub glue: BTreeMap<DomainName, BTreeSet<IpAddr>>,
}

/// The zone above, and what each of its servers says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegations {
    /// The zone above.
    pub above: DomainName,
    /// By the server's name, and where its addresses say different things by `NAME (ADDRESS)`; `None`: none of them answered.
    pub servers: BTreeMap<String, Option<Delegation>>,
}

/// What a server says, by its name, or by its addresses where these differ. One that is silent now and spoke before may still say what it
/// said.
fn by_name(server: &DomainName, told: Vec<(IpAddr, Option<Delegation>)>) -> Vec<(String, Option<Delegation>)> {
    let said =
        |delegation: &Option<Delegation>| delegation.as_ref().map(|d| (d.answer.ns.clone(), d.answer.ds.clone()));
    let mut answers = told.iter().map(|(_, delegation)| said(delegation));
    let first = answers.next();
    if !answers.all(|answer| first.as_ref() == Some(&answer)) {
        return told.into_iter().map(|(address, told)| (format!("{server} ({address})"), told)).collect();
    }
    let ttl = told.iter().filter_map(|(_, told)| Some(told.as_ref()?.answer.ttl)).max();
    let any = told.into_iter().find_map(|(_, told)| told).zip(ttl);
    vec![(
        server.to_string(),
        any.map(|(told, ttl)| Delegation { answer: ParentAnswer { ttl, ..told.answer }, ..told }),
    )]
}

/// Asks the servers of the zone above.
#[derive(Clone, Debug)]
pub struct ParentLookup {
    /// Who finds that zone, its servers and their addresses.
    pub resolvers: Resolvers,
    /// How the servers are asked.
    pub client: Client,
    /// At which port: 53, unless in a test.
    pub port: u16,
}

impl ParentLookup {
    /// What every server of the zone above answers. An error: it is not known which servers there are.
    pub async fn ask(&self, zone: &DomainName) -> Result<Parent, LookupError> {
        self.ask_but(zone, &Arc::default()).await
    }

    /// The same, in which who was silent a moment ago is so still.
    pub(super) async fn ask_but(&self, zone: &DomainName, silence: &Arc<Silence>) -> Result<Parent, LookupError> {
        let servers = self.delegations_but(zone, silence).await?.servers.into_iter();
        let answer = |delegation: Option<Delegation>| delegation.map(|delegation| delegation.answer);
        Ok(Parent { servers: servers.map(|(server, told)| (server, answer(told))).collect() })
    }

    /// The same with the addresses that are given of the name servers.
    pub async fn delegations(&self, zone: &DomainName) -> Result<Delegations, LookupError> {
        self.delegations_but(zone, &Arc::default()).await
    }

    async fn delegations_but(&self, zone: &DomainName, silence: &Arc<Silence>) -> Result<Delegations, LookupError> {
        let above = self.resolvers.zone_above(zone).await?;
        let mut asked = JoinSet::new();
        for server in self.resolvers.name_servers(&above).await? {
            let (lookup, zone, above, silence) = (self.clone(), zone.clone(), above.clone(), Arc::clone(silence));
            asked.spawn(async move {
                let told = lookup.ask_server(&server, &zone, &above, &silence).await;
                by_name(&server, told)
            });
        }
        Ok(Delegations { servers: asked.join_all().await.into_iter().flatten().collect(), above })
    }

    /// What each of a server's addresses answers: behind two of them there may be two programs. `None`: it spoke before, and is silent.
    async fn ask_server(
        &self,
        server: &DomainName,
        zone: &DomainName,
        above: &DomainName,
        silence: &Silence,
    ) -> Vec<(IpAddr, Option<Delegation>)> {
        let addresses = self.resolvers.addresses(server).await;
        let addresses = addresses.inspect_err(|error| debug!(%server, %error, "a server's addresses are not found"));
        let mut told = Vec::new();
        for address in addresses.unwrap_or_default() {
            let at = SocketAddr::new(address, self.port);
            let answer = self.ask_unless_silent(at, zone, above, silence).await;
            if answer.is_some() {
                silence.note_speech(at, above);
            }
            if silence.has_spoken(at, above) {
                told.push((address, answer));
            }
        }
        told
    }

    async fn ask_unless_silent(
        &self,
        server: SocketAddr,
        zone: &DomainName,
        above: &DomainName,
        silence: &Silence,
    ) -> Option<Delegation> {
        if silence.is_recent(server) {
            return None;
        }
        match self.ask_address(server, zone, above).await {
            Ok(Some(answer)) => return Some(answer),
            Ok(None) => debug!(%server, %zone, "a server of the zone above does not speak for it"),
            Err(error) => {
                debug!(%server, %zone, %error, "a server of the zone above does not answer");
                if matches!(error, LookupError::Timeout { .. }) {
                    silence.note(server);
                }
            }
        }
        None
    }

    async fn ask_address(
        &self,
        server: SocketAddr,
        zone: &DomainName,
        above: &DomainName,
    ) -> Result<Option<Delegation>, LookupError> {
        let ask = async |type_| self.client.ask(server, &Question::new(zone, type_), Transport::Any).await;
        let reply = ask(RecordType::NS).await?;
        let Some(ns) = delegation(&reply, zone, above) else { return Ok(None) };
        let signers = signers(&ask(RecordType::DS).await?, zone, above);
        Ok(signers.map(|(ds, ttl)| Delegation { answer: ParentAnswer { ns, ds, ttl }, glue: glue(&reply) }))
    }
}

/// The name servers that the zone is delegated to. A server that has both zones answers with the lower one's.
fn delegation(reply: &Reply, zone: &DomainName, above: &DomainName) -> Option<BTreeSet<DomainName>> {
    let records = if reply.authoritative { &reply.answers } else { &reply.authorities };
    let servers = records.iter().filter(|record| record.name == *zone).filter_map(Record::ns);
    let servers: BTreeSet<_> = servers.cloned().collect();
    let is_delegated = reply.rcode == 0 && !servers.is_empty();
    (is_delegated || denies(reply, zone, above)).then_some(servers)
}

/// The addresses beside a delegation.
fn glue(reply: &Reply) -> BTreeMap<DomainName, BTreeSet<IpAddr>> {
    let mut glue = BTreeMap::<_, BTreeSet<_>>::new();
    let addresses = reply.additionals.iter().filter_map(|record| Some((&record.name, record.address()?)));
    addresses.for_each(|(name, address)| {
        glue.entry(name.clone()).or_default().insert(address);
    });
    glue
}

/// The DS records and their time to live, which only the zone above has (RFC 4035 §3.1.4.1).
fn signers(reply: &Reply, zone: &DomainName, above: &DomainName) -> Option<(BTreeSet<Ds>, u32)> {
    let set: Vec<_> = reply.set(zone, RecordType::DS).collect();
    let ttl = set.iter().map(|record| record.ttl).min().unwrap_or_default();
    let is_there = reply.rcode == 0 && reply.authoritative && !set.is_empty();
    let ds = set.into_iter().filter_map(Record::ds).cloned().collect();
    (is_there || denies(reply, zone, above)).then_some((ds, ttl))
}

/// Whether it is said with authority that there is no such record: by the zone above, or in that an alias is there instead.
fn denies(reply: &Reply, zone: &DomainName, above: &DomainName) -> bool {
    let is_alias = reply.set(zone, RecordType::CNAME).next().is_some();
    reply.authoritative && reply.is_answer() && (is_alias || reply.denied_by() == Some(above))
}

#[cfg(test)]
mod tests;
