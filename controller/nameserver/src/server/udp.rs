//! Requests in datagrams.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::respond::{Responder, Response, Transport};

use super::{Limits, stopped};

/// The pause after receiving failed, so that a socket that always fails takes no core.
const RECEIVE_PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn serve(
    socket: Arc<UdpSocket>,
    responder: Arc<Responder>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(limits.requests));
    let mut tasks = JoinSet::new();
    let mut buffer = vec![0; limits.request_size + 1];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut buffer) => received,
            Some(_) = tasks.join_next() => continue,
            () = stopped(&mut stop) => return,
        };
        let Ok((length, client)) = received else {
            sleep(RECEIVE_PAUSE).await;
            continue;
        };
        if length > limits.request_size {
            continue;
        }
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let (socket, responder, request) = (Arc::clone(&socket), Arc::clone(&responder), buffer[..length].to_vec());
        tasks.spawn(async move {
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
