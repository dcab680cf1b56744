//! Requests over connections (RFC 7766): each message with its length before it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::frame::{read_message, write_message};
use crate::respond::{Responder, Response, Transport};
use crate::transfer::Transfer;

use super::places::{Awaited, Place, Places};
use super::{Limits, stopped};

/// The pause after an accept failed, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn serve(
    listener: TcpListener,
    responder: Arc<Responder>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::new(limits));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = stopped(&mut stop) => break,
        };
        let (mut stream, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "a TCP connection cannot be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let guest = tokio::select! {
            guest = places.enter(client.ip()) => guest,
            () = stopped(&mut stop) => break,
        };
        let Some(guest) = guest else {
            responder.counts.connections_refused.add(1);
            continue;
        };
        let (responder, mut stop) = (Arc::clone(&responder), stop.clone());
        connections.spawn(async move {
            let place = tokio::select! {
                place = guest.place() => place,
                () = stopped(&mut stop) => return,
            };
            let Some(place) = place else {
                responder.counts.connections_refused.add(1);
                return;
            };
            responder.counts.connections.add(1);
            // How a connection ends is the client's affair.
            converse(&mut stream, &place, &responder, limits, stop).await.ok();
            responder.counts.connections.subtract(1);
            // The place is free before the client sees the end.
            drop((place, stream));
        });
    }
    while connections.join_next().await.is_some() {}
}

/// Answers one request after another until the client goes, is idle for too long, waits while others need its place, or asks for too much.
async fn converse(
    stream: &mut TcpStream,
    place: &Place,
    responder: &Responder,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut awaits = Awaited::First;
    loop {
        let mut wait = place.wait(awaits);
        let request = tokio::select! {
            request = timeout(limits.idle, read_message(stream, limits.request_size)) => request??,
            () = wait.asked_to_leave() => return Ok(()),
            () = stopped(&mut stop) => return Ok(()),
        };
        if !wait.end() {
            return Ok(());
        }
        awaits = Awaited::Another;
        match responder.respond(&request, place.client(), Transport::Tcp).await {
            Response::Silence => return Ok(()),
            Response::Message(message) => write(stream, place, &message, limits.write).await?,
            Response::Transfer(mut transfer) => {
                let sent = send(stream, place, &mut transfer, responder, limits.write);
                let sent = timeout(limits.transfer, sent).await;
                let counts = transfer.content.counts(&responder.counts);
                if matches!(sent, Ok(Ok(_))) { &counts.complete } else { &counts.broken }.add(1);
                counts.octets.add(sent??);
            }
        }
    }
}

/// Sends a transfer; its octets.
async fn send(
    stream: &mut TcpStream,
    place: &Place,
    transfer: &mut Transfer,
    responder: &Responder,
    limit: Duration,
) -> io::Result<u64> {
    let mut octets = 0;
    for message in transfer.messages(&responder.clock) {
        write(stream, place, &message, limit).await?;
        octets += u64::try_from(message.len()).unwrap_or(0);
    }
    Ok(octets)
}

/// Sends a message, unless the client takes too long over it, or others need the place of one that does not read.
async fn write(stream: &mut TcpStream, place: &Place, message: &[u8], limit: Duration) -> io::Result<()> {
    let mut wait = place.wait(Awaited::Reading);
    tokio::select! {
        written = timeout(limit, write_message(stream, message)) => written?,
        () = wait.asked_to_leave() => Err(io::ErrorKind::TimedOut.into()),
    }
}
