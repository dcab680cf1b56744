//! Requests in datagrams.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::sleep;

use crate::respond::{Responder, Response, Transport};

use super::{Limits, stopped};

/// The pause after receiving failed, so that a socket that always fails takes no core.
const RECEIVE_PAUSE: Duration = Duration::from_millis(10);

/// How much the system is to keep of what comes until it is taken, in octets: some thousand requests.
const BUFFER: usize = 4 << 20;

/// A socket, and a thread of its own that takes what comes: the system keeps a few hundred datagrams, so where every core signs or transfers, more
/// would be lost, and a secondary asks again only seconds later.
pub(crate) struct Datagrams {
    socket: Arc<UdpSocket>,
    arrivals: std::net::UdpSocket,
}

impl Datagrams {
    pub(super) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let arrivals = UdpSocket::bind(address).await?.into_std()?;
        // As far as the system lets it be (net.core.rmem_max).
        SockRef::from(&arrivals).set_recv_buffer_size(BUFFER)?;
        Ok(Self { socket: Arc::new(UdpSocket::from_std(arrivals.try_clone()?)?), arrivals })
    }

    /// Serves until the end is announced, and answers what is in work then.
    pub(super) async fn serve(self, responder: Arc<Responder>, limits: Limits, stop: watch::Receiver<bool>) {
        let places = Arc::new(Semaphore::new(limits.requests));
        let answering =
            Answering { socket: self.socket, responder, places: Arc::clone(&places), tasks: Handle::current() };
        let (ended, end) = oneshot::channel();
        let arrivals = self.arrivals;
        let receiving = move || {
            let received = Builder::new_current_thread().enable_all().build();
            let received = received.and_then(|alone| alone.block_on(receive(arrivals, &answering, limits, stop)));
            ended.send(received).ok();
        };
        let started = thread::Builder::new().name("datagrams".into()).spawn(receiving);
        if let Err(error) = started.and(end.await.unwrap_or(Ok(()))) {
            tracing::error!(%error, "no requests are received over UDP");
        }
        let all = u32::try_from(limits.requests).unwrap_or(u32::MAX);
        places.acquire_many(all).await.ok();
    }
}

/// Who answers: the tasks of all cores, so many at once as there are places.
struct Answering {
    socket: Arc<UdpSocket>,
    responder: Arc<Responder>,
    places: Arc<Semaphore>,
    tasks: Handle,
}

async fn receive(
    arrivals: std::net::UdpSocket,
    answering: &Answering,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let arrivals = UdpSocket::from_std(arrivals)?;
    let mut buffer = vec![0; limits.request_size + 1];
    loop {
        let received = tokio::select! {
            received = arrivals.recv_from(&mut buffer) => received,
            () = stopped(&mut stop) => return Ok(()),
        };
        let Ok((length, client)) = received else {
            sleep(RECEIVE_PAUSE).await;
            continue;
        };
        if length > limits.request_size {
            continue;
        }
        let Ok(place) = Arc::clone(&answering.places).try_acquire_owned() else { continue };
        let (socket, responder) = (Arc::clone(&answering.socket), Arc::clone(&answering.responder));
        let request = buffer[..length].to_vec();
        answering.tasks.spawn(async move {
            respond(&socket, &responder, &request, client).await;
            drop(place);
        });
    }
}

async fn respond(socket: &UdpSocket, responder: &Responder, request: &[u8], client: SocketAddr) {
    if let Response::Message(message) = responder.respond(request, client.ip(), Transport::Udp).await {
        // Undelivered, it is as lost as any datagram: the client asks again.
        socket.send_to(&message, client).await.ok();
    }
}
