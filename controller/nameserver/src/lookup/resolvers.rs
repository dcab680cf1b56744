//! The configured resolvers: the first that answers.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cst_compiler::model::{DomainName, RecordType};
use tokio::net::lookup_host;
use tracing::debug;

use super::{Client, LookupError, Question, Record, Reply, Transport};

/// Servers that ask others for us. Copies share what is known of them.
#[derive(Clone, Debug)]
pub struct Resolvers {
    servers: Arc<[String]>,
    client: Client,
    /// The one that answered last is asked first, so that one that is down does not delay every question.
    first: Arc<AtomicUsize>,
}

impl Resolvers {
    /// Resolvers as `host:port`, in the order of preference.
    pub fn new(servers: impl IntoIterator<Item = String>, client: Client) -> Self {
        Self { servers: servers.into_iter().collect(), client, first: Arc::default() }
    }

    /// Whether there are none, so that nothing can be asked.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// What the first resolver says that says what there is; else the error of the last.
    pub async fn ask(&self, name: &DomainName, type_: RecordType) -> Result<Reply, LookupError> {
        let question = Question::new(name, type_).recursive();
        let first = self.first.load(Ordering::Relaxed);
        let mut failure = LookupError::NoResolver;
        for index in (0..self.servers.len()).map(|offset| (first + offset) % self.servers.len()) {
            match self.ask_one(&self.servers[index], &question).await {
                Ok(reply) => {
                    self.first.store(index, Ordering::Relaxed);
                    return Ok(reply);
                }
                Err(error) => failure = error,
            }
            debug!(error = %failure, "a resolver gives no answer");
        }
        Err(failure)
    }

    async fn ask_one(&self, resolver: &str, question: &Question) -> Result<Reply, LookupError> {
        let unknown = |source| LookupError::ResolverName { name: resolver.to_owned(), source };
        let found = lookup_host(resolver).await.map_err(unknown)?.next();
        let server: SocketAddr = found.ok_or_else(|| unknown(std::io::ErrorKind::NotFound.into()))?;
        let reply = self.client.ask(server, question, Transport::Any).await?;
        if !reply.is_answer() {
            return Err(LookupError::Rcode { server, question: question.to_string(), rcode: reply.rcode });
        }
        if reply.recursion_available { Ok(reply) } else { Err(LookupError::NotRecursive { server }) }
    }

    /// The name servers of a zone.
    pub async fn name_servers(&self, zone: &DomainName) -> Result<BTreeSet<DomainName>, LookupError> {
        let reply = self.ask(zone, RecordType::NS).await?;
        let servers: BTreeSet<_> = reply.set(zone, RecordType::NS).filter_map(Record::ns).cloned().collect();
        if servers.is_empty() { Err(LookupError::NoServers(zone.clone())) } else { Ok(servers) }
    }

    /// The addresses of a host, those of IPv4 first; none when it has none. Half an answer is better than none: some servers fail at AAAA.
    pub async fn addresses(&self, host: &DomainName) -> Result<Vec<IpAddr>, LookupError> {
        let (v4, v6) = tokio::join!(self.ask(host, RecordType::A), self.ask(host, RecordType::AAAA));
        let (v4, v6) = match (v4, v6) {
            (Err(error), Err(_)) => return Err(error),
            (v4, v6) => (v4.unwrap_or_default(), v6.unwrap_or_default()),
        };
        let addresses: BTreeSet<_> = v4.addresses().chain(v6.addresses()).collect();
        Ok(addresses.into_iter().collect())
    }

    /// The zone right above: where the records are that delegate this one.
    pub async fn zone_above(&self, zone: &DomainName) -> Result<DomainName, LookupError> {
        let mut candidate = zone.parent();
        while let Some(name) = candidate {
            let reply = self.ask(&name, RecordType::SOA).await?;
            if reply.soa(&name).is_some() {
                return Ok(name);
            }
            // Who denies it says which zone it is in.
            if let Some(above) = reply.denied_by().filter(|above| name.is_within(above)) {
                return Ok(above.clone());
            }
            candidate = name.parent();
        }
        Err(LookupError::NoParent(zone.clone()))
    }
}
