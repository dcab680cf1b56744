//! What was seen of a zone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use cst_compiler::model::record::Ds;
use cst_compiler::model::{DomainName, RecordType};

use crate::lookup::{Delegation, Delegations, LookupError, Record, Reply};

/// All that is judged.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) zone: DomainName,
    /// When it was seen, in seconds since 1970 modulo 2^32, as signatures count.
    pub(super) now: u32,
    /// The name servers it shall have, where that is known.
    pub(super) intended: Option<BTreeSet<DomainName>>,
    pub(super) parent: Delegations,
    /// Every name that is a name server, the SOA's first server or an exchanger.
    pub(super) hosts: BTreeMap<DomainName, Host>,
    /// Every address of every name server, in the order of the names.
    pub(super) servers: Vec<Server>,
}

/// What is known of a name.
#[derive(Clone, Debug, Default)]
pub(super) struct Host {
    pub(super) addresses: BTreeSet<IpAddr>,
    pub(super) is_alias: bool,
    /// The addresses that the zone itself gives, for a name in it.
    pub(super) own: Option<BTreeSet<IpAddr>>,
    /// Why the resolvers do not say.
    pub(super) failure: Option<String>,
}

/// What an address of a name server answers.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: DomainName,
    pub(super) address: SocketAddr,
    /// The SOA over UDP, with DNSSEC records.
    pub(super) soa: Answer,
    /// The SOA over TCP.
    pub(super) tcp: Answer,
    /// What follows is asked where UDP or TCP answered; with DNSSEC records.
    pub(super) ns: Answer,
    pub(super) keys: Answer,
    pub(super) mx: Answer,
    /// A name that there is not.
    pub(super) nobody: Answer,
    /// The zone, of a type that there is not.
    pub(super) nothing: Answer,
    /// A question for a name of others, with the wish to ask on.
    pub(super) recursion: Answer,
    /// The beginning of a transfer.
    pub(super) transfer: Answer,
}

/// An answer, or why there is none.
pub(super) type Answer = Result<Reply, Silence>;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) reason: String,
    /// This machine has no way there, as without IPv6: that says nothing of the server.
    pub(super) no_route: bool,
}

impl From<LookupError> for Silence {
    fn from(error: LookupError) -> Self {
        let no_route = matches!(&error, LookupError::Unreachable { source, .. } if is_no_route(source));
        let reason = match &error {
            LookupError::Timeout { .. } => "no answer in time".to_owned(),
            LookupError::Unreachable { source, .. } => source.to_string(),
            LookupError::Malformed { .. } => "an answer that cannot be read".to_owned(),
            other => other.to_string(),
        };
        Self { reason, no_route }
    }
}

fn is_no_route(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AddrNotAvailable, NetworkUnreachable};
    matches!(error.kind(), NetworkUnreachable | AddrNotAvailable)
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.address.ip())
    }
}

impl Server {
    /// Whether the zone is answered with authority.
    pub(super) fn serial(&self, zone: &DomainName) -> Option<u32> {
        let reply = [&self.soa, &self.tcp].into_iter().flatten().find(|reply| reply.authoritative)?;
        reply.soa(zone).map(|soa| soa.serial)
    }

    /// The name servers that it gives.
    pub(super) fn name_servers(&self, zone: &DomainName) -> Option<BTreeSet<DomainName>> {
        let reply = self.ns.as_ref().ok().filter(|reply| reply.authoritative)?;
        let servers: BTreeSet<_> = reply.set(zone, RecordType::NS).filter_map(Record::ns).cloned().collect();
        (!servers.is_empty()).then_some(servers)
    }

    /// Whether this machine cannot know.
    pub(super) fn has_no_route(&self) -> bool {
        [&self.soa, &self.tcp].into_iter().all(|answer| answer.as_ref().is_err_and(|silence| silence.no_route))
    }
}

impl Observed {
    /// What the servers of the zone above say that answered.
    pub(super) fn delegations(&self) -> impl Iterator<Item = (&str, &Delegation)> {
        self.parent.servers.iter().filter_map(|(server, told)| Some((server.as_str(), told.as_ref()?)))
    }

    /// The name servers that any of them delegates to.
    pub(super) fn delegated(&self) -> BTreeSet<&DomainName> {
        self.delegations().flat_map(|(_, told)| &told.answer.ns).collect()
    }

    /// The DS that any of them has.
    pub(super) fn signers(&self) -> BTreeSet<&Ds> {
        self.delegations().flat_map(|(_, told)| &told.answer.ds).collect()
    }

    /// The servers that answer the zone with authority.
    pub(super) fn authorities(&self) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(|server| server.serial(&self.zone).is_some())
    }

    /// The servers that this machine can ask; none when there is nothing to judge by.
    pub(super) fn reachable(&self) -> Option<Vec<&Server>> {
        let servers: Vec<_> = self.servers.iter().filter(|server| !server.has_no_route()).collect();
        (!servers.is_empty()).then_some(servers)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;
    use crate::lookup::Transport;

    #[test]
    fn what_this_machine_has_no_way_to_is_not_called_silent() {
        let unreachable = |kind: ErrorKind| {
            let (server, transport) = ("[2001:db8::53]:53".parse().unwrap(), Transport::Udp);
            Silence::from(LookupError::Unreachable { server, transport, source: Error::from(kind) })
        };
        assert!(unreachable(ErrorKind::NetworkUnreachable).no_route);
        assert!(!unreachable(ErrorKind::ConnectionRefused).no_route);
        assert!(!unreachable(ErrorKind::HostUnreachable).no_route);
    }
}
