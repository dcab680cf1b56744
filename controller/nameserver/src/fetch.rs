//! Fetches a zone from another server (AXFR over TCP, RFC 5936), each message checked where a key is given (RFC 8945 §5.3.1).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cst_compiler::model::DomainName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::message::request::last_tsig;
use crate::message::tsig::TsigSession;
use crate::message::{HEADER, IN, read_u16};
use crate::respond::AXFR;
use crate::tsig::TsigKey;

/// How long the server may take to be reached, and between two messages.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many messages may come unsigned between two that are signed (RFC 8945 §5.3.1).
const MOST_UNSIGNED: usize = 99;
/// How many octets a transfer may have.
const LARGEST: usize = 1 << 30;

/// Why a zone could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError<E: std::error::Error + 'static> {
    /// Not reached, or the connection broke.
    #[error("cannot transfer from {server}: {source}")]
    Io {
        /// The server.
        server: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A message is not signed by the key.
    #[error("{server} does not sign with the key {key}, or its clock is not ours: use the key that it has")]
    Unsigned {
        /// The server.
        server: SocketAddr,
        /// The key.
        key: DomainName,
    },
    /// A message of another question.
    #[error("{0} answers another question than ours")]
    Foreign(SocketAddr),
    /// What is taken of the messages is wrong.
    #[error(transparent)]
    Content(#[from] E),
}

/// Asks a server for a zone and hands each message to `take` until it says that the zone is complete.
///
/// A message is handed on as it comes. With a key, the zone may be trusted only when this returns `Ok`: the last message is signed.
pub async fn fetch_zone<E: std::error::Error + 'static>(
    server: SocketAddr,
    zone: &DomainName,
    key: Option<&TsigKey>,
    clock: &Clock,
    mut take: impl FnMut(&[u8]) -> Result<bool, E>,
) -> Result<(), FetchError<E>> {
    let failed = |source| FetchError::Io { server, source };
    let mut stream = within(TcpStream::connect(server)).await.map_err(failed)?;
    let id = request_id().map_err(failed)?;
    let mut request = question(id, zone);
    let session = key.map(|key| TsigSession::request(&Arc::new(key.clone()), &mut request, clock.now()));
    let mut check = session.map(Check::new);
    let mut framed = u16::try_from(request.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    framed.extend(request);
    within(stream.write_all(&framed)).await.map_err(failed)?;
    let mut octets = 0;
    loop {
        let message = within(read_message(&mut stream)).await.map_err(failed)?;
        octets += message.len();
        if octets > LARGEST {
            return Err(failed(io::Error::other("the transfer is larger than 1 GiB")));
        }
        if read_u16(&message, 0) != Some(id) {
            return Err(FetchError::Foreign(server));
        }
        let is_refusal = message.get(3).is_some_and(|code| code & 0xF != 0);
        let is_right = check.as_mut().is_none_or(|check| check.next(&message, clock.now()));
        // What a server refuses it may say unsigned: it is not believed in anything else.
        let is_complete = if is_right || is_refusal { take(&message)? } else { false };
        let is_trusted = check.as_ref().is_none_or(|check| !is_complete || check.unsigned.is_empty());
        match (key, is_right && is_trusted) {
            (Some(key), false) => return Err(FetchError::Unsigned { server, key: key.name().clone() }),
            _ if is_complete => return Ok(()),
            _ => {}
        }
    }
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "it does not answer in time")))
}

async fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; length.into()];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

fn request_id() -> io::Result<u16> {
    let mut octets = [0; 2];
    getrandom::fill(&mut octets).map_err(io::Error::other)?;
    Ok(u16::from_be_bytes(octets))
}

fn question(id: u16, zone: &DomainName) -> Vec<u8> {
    let mut message = Vec::with_capacity(HEADER + 64);
    for word in [id, 0, 1, 0, 0, 0] {
        message.extend_from_slice(&word.to_be_bytes());
    }
    zone.write_wire(&mut message);
    message.extend_from_slice(&AXFR.to_be_bytes());
    message.extend_from_slice(&IN.to_be_bytes());
    message
}

/// The signatures of a response of many messages.
struct Check {
    session: TsigSession,
    /// The messages since the last signature.
    unsigned: Vec<u8>,
    count: usize,
}

impl Check {
    fn new(session: TsigSession) -> Self {
        Self { session, unsigned: Vec::new(), count: 0 }
    }

    /// Whether the next message is signed, or may be without: never the first.
    fn next(&mut self, message: &[u8], now: u64) -> bool {
        match last_tsig(message) {
            Some(Some(record)) => {
                let is_right = self.session.verify_next(&self.unsigned, message, &record, now);
                (self.unsigned, self.count) = (Vec::new(), 0);
                is_right
            }
            Some(None) if !self.session.is_first() && self.count < MOST_UNSIGNED => {
                self.unsigned.extend_from_slice(message);
                self.count += 1;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tsig::TsigAlgorithm;

    const NOW: u64 = 1_800_000_000;

    /// What checks a response, and what signs it.
    fn pair() -> (Check, TsigSession) {
        let name = |text: &str| DomainName::parse(text).unwrap();
        let key =
            TsigKey::from_base64(name("k.example"), TsigAlgorithm::HmacSha256, "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0");
        let session = TsigSession::request(&Arc::new(key.unwrap()), &mut question(7, &name("x.example")), NOW);
        (Check::new(session.clone()), session)
    }

    fn messages(count: u16) -> Vec<Vec<u8>> {
        (0..count).map(|n| question(n, &DomainName::parse("x.example").unwrap())).collect()
    }

    /// Whether each of the messages is taken.
    fn checked(check: &mut Check, messages: &[Vec<u8>]) -> Vec<bool> {
        messages.iter().map(|message| check.next(message, NOW + 10)).collect()
    }

    #[test]
    fn every_message_is_signed_or_covered_by_the_next_that_is() {
        let (mut check, mut server) = pair();
        let mut all = messages(5);
        server.sign(&mut all[0], NOW);
        let between = all[1..3].concat();
        server.sign_after(&between, &mut all[3], NOW);
        assert_eq!(checked(&mut check, &all), [true; 5]);
        assert_eq!(check.unsigned, all[4], "nothing vouches for the last one");
    }

    #[test]
    fn nothing_can_be_changed_left_out_or_moved() {
        let signed = || {
            let (check, mut server) = pair();
            let mut all = messages(3);
            for message in &mut all {
                server.sign(message, NOW);
            }
            (check, all)
        };
        let (mut check, mut all) = signed();
        all[1][14] ^= 1;
        assert_eq!(checked(&mut check, &all)[..2], [true, false]);
        let (mut check, mut all) = signed();
        all.remove(1);
        assert_eq!(checked(&mut check, &all), [true, false]);
        let (mut check, mut all) = signed();
        all.swap(1, 2);
        assert_eq!(checked(&mut check, &all)[..2], [true, false]);
        let (mut check, all) = signed();
        assert!(!check.next(&all[0], NOW + 301), "too late");
        let (mut check, _) = signed();
        assert!(!check.next(&messages(1)[0], NOW), "the first is signed");
        let (mut check, mut server) = pair();
        let mut all = messages(102);
        server.sign(&mut all[0], NOW);
        assert_eq!(checked(&mut check, &all).iter().filter(|is_right| **is_right).count(), 100, "99 may be without");
    }
}
