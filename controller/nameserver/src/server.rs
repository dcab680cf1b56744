//! The listeners: UDP and TCP, with bounds on everything that a stranger could use up.

mod places;
mod tcp;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::respond::Responder;

/// How often a free port that serves both transports is looked for.
const PORT_ATTEMPTS: usize = 20;

/// What the listeners hold at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// TCP connections at once; beyond it a new one waits, and the longest idle one is closed, or one that is not read ([`Self::stall`]).
    pub connections: usize,
    /// TCP connections at once from one address; beyond it a new one waits, and its longest idle one is closed. So many may wait.
    pub client_connections: usize,
    /// How long a connection may wait for a place.
    pub queue: Duration,
    /// UDP requests that are answered or wait for it at once; beyond it a new one is dropped, and the client asks again, after seconds.
    pub requests: usize,
    /// The octets of a request; a longer one ends its connection, or is dropped where it came over UDP.
    pub request_size: usize,
    /// How long a connection may be idle, or take over one request.
    pub idle: Duration,
    /// How long a client may take over one message of ours.
    pub write: Duration,
    /// After how much of that its connection is closed already, where all places are taken and a client that has fewer of them wants one.
    pub stall: Duration,
    /// How long it may take over a whole transfer, so that none is kept going by reading a little now and then.
    pub transfer: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            client_connections: 256,
            queue: Duration::from_secs(30),
            requests: 8192,
            request_size: 4096,
            idle: Duration::from_secs(10),
            write: Duration::from_secs(30),
            stall: Duration::from_secs(2),
            transfer: Duration::from_mins(30),
        }
    }
}

/// Both sockets of one address.
pub(crate) struct Sockets {
    pub(crate) udp: udp::Datagrams,
    pub(crate) tcp: TcpListener,
}

impl Sockets {
    /// Binds both transports; with port 0 to one free port for both.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut attempt = 0;
        loop {
            let tcp = TcpListener::bind(address).await?;
            match udp::Datagrams::bind(tcp.local_addr()?).await {
                Ok(udp) => return Ok(Self { udp, tcp }),
                Err(error)
                    if address.port() == 0 && error.kind() == io::ErrorKind::AddrInUse && attempt < PORT_ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Serves until the end is announced; connections in work are let finish by whoever waits for the task.
    pub(crate) async fn serve(self, responder: Arc<Responder>, limits: Limits, stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        tasks.spawn(self.udp.serve(Arc::clone(&responder), limits, stop.clone()));
        tasks.spawn(tcp::serve(self.tcp, responder, limits, stop));
        tasks.join_all().await;
    }
}

/// Waits until the end is announced, or nobody is left to announce it.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}
