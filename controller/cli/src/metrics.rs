//! `GET /metrics` for Prometheus, and nothing else: small, bounded, without a web server.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Requests at once.
const REQUESTS: usize = 16;
/// How long one may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The octets of a request's head.
const HEAD: usize = 8192;
/// The pause after an accept failed.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Answers with what `text` gives, in the text format of Prometheus, until it is dropped.
pub(crate) async fn serve(listener: TcpListener, text: impl Fn() -> String + Send + Sync + 'static) {
    let (places, text) = (Arc::new(Semaphore::new(REQUESTS)), Arc::new(text));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let text = Arc::clone(&text);
        tokio::spawn(async move {
            // How a request ends is the client's affair.
            timeout(PATIENCE, answer(stream, &*text)).await.ok();
            drop(place);
        });
    }
}

async fn answer(mut stream: TcpStream, text: &(impl Fn() -> String + Sync)) -> io::Result<()> {
    let response = match head(&mut stream).await?.split(' ').collect::<Vec<_>>()[..] {
        ["GET", "/metrics", _] => response("200 OK", &text()),
        ["GET", ..] => response("404 Not Found", "here is /metrics only\n"),
        _ => response("405 Method Not Allowed", "here is GET only\n"),
    };
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

/// The request's first line, once its head is complete.
async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let length = stream.read(&mut buffer).await?;
        if length == 0 || head.len() + length > HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&buffer[..length]);
    }
    let text = String::from_utf8_lossy(&head);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn response(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is answered to these octets.
    async fn ask(octets: &[u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, || "cst_dns_connections 3\n".to_owned()));
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may hang up before all is sent.
        stream.write_all(octets).await.ok();
        let mut told = Vec::new();
        stream.read_to_end(&mut told).await.ok();
        server.abort();
        String::from_utf8(told).unwrap()
    }

    #[tokio::test]
    async fn metrics_are_told_and_nothing_else() {
        let told = ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(told.starts_with("HTTP/1.1 200 OK\r\n") && told.ends_with("\r\n\r\ncst_dns_connections 3\n"), "{told}");
        assert!(told.contains("Content-Length: 22\r\n"), "{told}");
        assert!(ask(b"GET /../etc/passwd HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404"));
        assert!(ask(b"POST /metrics HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 405"));
    }

    #[tokio::test]
    async fn a_head_without_end_is_hung_up_on() {
        assert_eq!(ask(&[b'a'; HEAD + 2000]).await, "");
    }
}
