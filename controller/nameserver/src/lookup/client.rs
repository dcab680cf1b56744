//! One question to one server: over UDP, again over TCP when the answer does not fit.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use cst_compiler::model::DomainName;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::Question;
use super::reply::{NoReply, Reply, rcode_name};
use crate::frame::{read_message, write_message};

/// The longest datagram that is read: more than we say that we take.
const DATAGRAM: usize = 4096;

/// How a question is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// Over UDP, and over TCP when the answer is truncated.
    Any,
    /// Over UDP alone: a truncated answer is the answer.
    Udp,
    /// Over TCP alone.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Tcp { "TCP" } else { "UDP" })
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// Nothing came in time.
    #[error("{server} did not answer over {transport}: check that it runs, and that its port is open for {transport}")]
    Timeout {
        /// Who was asked.
        server: SocketAddr,
        /// How.
        transport: Transport,
    },
    /// The network says no.
    #[error(
        "{server} cannot be reached over {transport}: check its address, and that its port is open for {transport}"
    )]
    Unreachable {
        /// Who was asked.
        server: SocketAddr,
        /// How.
        transport: Transport,
        /// Why.
        source: io::Error,
    },
    /// What came is no DNS message that answers the question.
    #[error(
        "what {server} answered to `{question}` over {transport} is no answer to it: look at the server, and at what is in between"
    )]
    Malformed {
        /// Who was asked.
        server: SocketAddr,
        /// How.
        transport: Transport,
        /// What.
        question: String,
    },
    /// The server does not say what there is.
    #[error("{server} answered {} to `{question}`: look at that server's log", rcode_name(*rcode))]
    Rcode {
        /// Who was asked.
        server: SocketAddr,
        /// What.
        question: String,
        /// The response code.
        rcode: u16,
    },
    /// A resolver that does not resolve.
    #[error("{server} does not ask other servers: name a resolver that does so for this machine")]
    NotRecursive {
        /// Who was asked.
        server: SocketAddr,
    },
    /// A resolver's name has no address.
    #[error("the resolver `{name}` has no address: check the name, or write its address")]
    ResolverName {
        /// As configured.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// There is nobody to ask.
    #[error("no resolver is known: name one, such as dns.resolvers: [\"192.0.2.53:53\"] in the settings")]
    NoResolver,
    /// The root has no zone above it.
    #[error("there is no zone above `{0}` to ask")]
    NoParent(DomainName),
    /// A zone without servers.
    #[error("the resolvers find no name servers of `{0}`, the zone above: ask again later, and look at the resolvers")]
    NoServers(DomainName),
    /// No unguessable numbers.
    #[error("the system gives no random numbers, without which questions would be guessable")]
    Random,
}

/// Asks questions.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// How long one message's answer is waited for; over TCP from the connection on.
    pub timeout: Duration,
    /// How often a question is sent over UDP until it is answered; at least 1.
    pub tries: u32,
}

impl Default for Client {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(2), tries: 3 }
    }
}

impl Client {
    /// Asks a server, for at most `timeout` times the `tries`, and once more over TCP.
    pub async fn ask(
        &self,
        server: SocketAddr,
        question: &Question,
        transport: Transport,
    ) -> Result<Reply, LookupError> {
        if transport == Transport::Tcp {
            return self.over_tcp(server, question).await;
        }
        let reply = self.over_udp(server, question).await?;
        if reply.truncated && transport == Transport::Any { self.over_tcp(server, question).await } else { Ok(reply) }
    }

    async fn over_udp(&self, server: SocketAddr, question: &Question) -> Result<Reply, LookupError> {
        let transport = Transport::Udp;
        for _ in 0..self.tries.max(1) {
            let id = random_id()?;
            match timeout(self.timeout, datagram(server, question, id)).await {
                Ok(Ok(reply)) => return reply.map_err(|_| malformed(server, transport, question)),
                Ok(Err(source)) => return Err(LookupError::Unreachable { server, transport, source }),
                Err(_) => {}
            }
        }
        Err(LookupError::Timeout { server, transport })
    }

    async fn over_tcp(&self, server: SocketAddr, question: &Question) -> Result<Reply, LookupError> {
        let (transport, id) = (Transport::Tcp, random_id()?);
        match timeout(self.timeout, converse(server, &question.write(id))).await {
            Ok(Ok(bytes)) => Reply::read(&bytes, question, id).map_err(|_| malformed(server, transport, question)),
            Ok(Err(source)) => Err(LookupError::Unreachable { server, transport, source }),
            Err(_) => Err(LookupError::Timeout { server, transport }),
        }
    }
}

fn malformed(server: SocketAddr, transport: Transport, question: &Question) -> LookupError {
    LookupError::Malformed { server, transport, question: question.to_string() }
}

/// Sends a question from a port of its own, and waits for its answer, whatever else comes.
async fn datagram(server: SocketAddr, question: &Question, id: u16) -> io::Result<Result<Reply, NoReply>> {
    let socket = connect(server).await?;
    socket.send(&question.write(id)).await?;
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let reply = Reply::read(&buffer[..length], question, id);
        if reply != Err(NoReply::Other) {
            return Ok(reply);
        }
    }
}

async fn converse(server: SocketAddr, message: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    write_message(&mut stream, message).await?;
    read_message(&mut stream, usize::from(u16::MAX)).await
}

/// A socket on a port of its own that hears from this server alone.
pub(crate) async fn connect(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    Ok(socket)
}

fn random_id() -> Result<u16, LookupError> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|_| LookupError::Random)?;
    Ok(u16::from_be_bytes(id))
}
