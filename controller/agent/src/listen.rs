//! Takes connections of Postfix, which asks on the loopback interface.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// Hands every connection to a task of its own, endlessly. An address that is in use is tried again.
pub(crate) async fn listen<T: Future<Output = ()> + Send + 'static>(at: SocketAddr, answer: impl Fn(TcpStream) -> T) {
    let listener = loop {
        match TcpListener::bind(at).await {
            Ok(listener) => break listener,
            Err(error) => tracing::error!(%error, %at, "cannot listen for Postfix' questions"),
        }
        sleep(Duration::from_secs(1)).await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(answer(stream))),
            Err(error) => {
                tracing::warn!(%error, "a connection of Postfix broke off");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
