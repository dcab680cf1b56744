//! Dovecot's own policy service, which knows what is full.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to it, opened when it is needed.
pub(super) struct Quota {
    at: SocketAddr,
    open: Option<BufReader<TcpStream>>,
}

impl Quota {
    pub fn new(at: SocketAddr) -> Self {
        Self { at, open: None }
    }

    /// Its answer to a question; `None`: it does not answer. A connection that it has closed meanwhile is opened once more.
    pub async fn ask(&mut self, question: &str) -> Option<String> {
        let was_open = self.open.is_some();
        match timeout(PATIENCE, self.exchange(question)).await {
            Ok(Ok(action)) => return Some(action),
            _ => self.open = None,
        }
        let again = if was_open { timeout(PATIENCE, self.exchange(question)).await } else { return None };
        again.ok()?.ok()
    }

    async fn exchange(&mut self, question: &str) -> io::Result<String> {
        let mut stream = match self.open.take() {
            Some(stream) => stream,
            None => BufReader::new(TcpStream::connect(self.at).await?),
        };
        stream.get_mut().write_all(question.as_bytes()).await?;
        let mut action = None;
        let mut line = String::new();
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match (line.trim_end_matches('\n').strip_prefix("action="), action) {
                (Some(value), _) => action = Some(value.to_owned()),
                (None, Some(value)) if line == "\n" => {
                    self.open = Some(stream);
                    return Ok(value);
                }
                (None, known) => action = known,
            }
        }
    }
}
