//! Tells Postfix whether the header of a submission names its sender, as a milter (the protocol of Sendmail 8, as Postfix' `milter8.c`
//! speaks it, version 6).
//!
//! ```text
//! Postfix: O(options)  D(macros of MAIL)  M(MAIL)  L(header)…  N(end of header)              A(abort)  Q(quit)
//! agent:   O(options)                     c        c…          a(accept) or y(reply 550)
//! ```
//!
//! A packet is its length in 4 octets (the most significant first), a letter, and data. Only the submission services ask here, and take
//! nothing while nobody answers: who sends tries again.

use std::io;
use std::net::SocketAddr;

use cst_compiler::desired::mail::Domains;
use cst_compiler::desired::mail::sender::Authors;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::listen::listen;

/// The longest packet, in octets: Postfix cuts a header field at `header_size_limit`, 102,400, and we take no bodies.
const MAX_PACKET: u32 = 256 * 1024;
/// The version of the protocol.
const VERSION: u32 = 6;
/// What Postfix need not tell, where it offers that: connections (1), HELO (2), RCPT (8), bodies (0x10), unknown commands (0x100), DATA (0x200).
const UNWANTED: u32 = 0x31b;

/// Answers by what is installed, endlessly.
pub async fn serve(at: SocketAddr, installed: watch::Receiver<Domains>) {
    listen(at, |stream| converse(stream, installed.clone())).await;
}

/// One SMTP session. It may be silent for as long as a message takes to come, and ends with Postfix' process.
async fn converse(stream: TcpStream, installed: watch::Receiver<Domains>) {
    let (mut stream, mut session) = (BufReader::new(stream), Session::default());
    while let Ok((command, data)) = read_packet(&mut stream).await {
        let step = session.take(command, &data, &installed.borrow());
        let sent = match step {
            Step::Silent => Ok(()),
            Step::Say(packet) => stream.get_mut().write_all(&packet).await,
            Step::End => break,
        };
        if sent.is_err() {
            break;
        }
    }
}

async fn read_packet(stream: &mut BufReader<TcpStream>) -> io::Result<(u8, Vec<u8>)> {
    let length = stream.read_u32().await?;
    if length == 0 || length > MAX_PACKET {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let command = stream.read_u8().await?;
    let mut data = vec![0; length as usize - 1];
    stream.read_exact(&mut data).await?;
    Ok((command, data))
}

/// What follows a packet.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Silent,
    Say(Vec<u8>),
    End,
}

impl Step {
    fn packet(command: u8, data: &[u8]) -> Self {
        let length = u32::try_from(data.len() + 1).unwrap_or(u32::MAX);
        Self::Say([&length.to_be_bytes()[..], &[command], data].concat())
    }

    fn go_on() -> Self {
        Self::packet(b'c', b"")
    }
}

/// What is known of the message that is coming.
#[derive(Debug, Default)]
struct Session {
    /// Who is logged in; empty: nobody.
    login: String,
    authors: Authors,
}

impl Session {
    fn take(&mut self, command: u8, data: &[u8], domains: &Domains) -> Step {
        match command {
            b'O' => negotiate(data),
            b'D' => {
                if let Some(macros) = data.strip_prefix(b"M") {
                    self.login = value_of(b"{auth_authen}", macros);
                }
                Step::Silent
            }
            b'M' => {
                self.authors = Authors::default();
                Step::go_on()
            }
            b'L' => {
                let mut texts = data.split(|byte| *byte == 0);
                self.authors.add(texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
                Step::go_on()
            }
            b'N' | b'E' => self.verdict(domains),
            b'A' | b'K' => {
                *self = Self::default();
                Step::Silent
            }
            b'Q' => Step::End,
            _ => Step::go_on(),
        }
    }

    fn verdict(&self, domains: &Domains) -> Step {
        match self.authors.judge(domains, &self.login) {
            Ok(()) => Step::packet(b'a', b""),
            Err(refusal) => Step::packet(b'y', format!("550 5.7.1 {refusal}\0").as_bytes()),
        }
    }
}

/// The options: version, changes to messages (none), and what is not told.
fn negotiate(offered: &[u8]) -> Step {
    let Some((_, [a, b, c, d])) = offered.get(..12).and_then(<[u8]>::split_last_chunk::<4>) else { return Step::End };
    let unwanted = u32::from_be_bytes([*a, *b, *c, *d]) & UNWANTED;
    Step::packet(b'O', &[VERSION, 0, unwanted].map(u32::to_be_bytes).concat())
}

/// A macro's value among names and values, each closed by a zero; empty: it is not there.
fn value_of(name: &[u8], macros: &[u8]) -> String {
    let texts: Vec<&[u8]> = macros.split(|byte| *byte == 0).collect();
    let pair = texts.chunks_exact(2).find(|pair| pair[0] == name);
    pair.map(|pair| String::from_utf8_lossy(pair[1]).into_owned()).unwrap_or_default()
}
