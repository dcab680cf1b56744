//! Asks Postfix and Dovecot whether they know what was installed: a rename says nothing about what a running server sees.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use cst_compiler::desired::mail::{DomainContent, MailBox};
use cst_compiler::model::{Address, DomainName};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// How long a server may take for one reply.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is to be asked about one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The address.
    pub address: Address,
    /// It is a box that receives: Postfix and Dovecot accept mail for it. Otherwise Postfix must only know the domain.
    pub is_box: bool,
}

/// Which of the two is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// Postfix, by SMTP (RFC 5321).
    Postfix,
    /// Dovecot, by LMTP (RFC 2033).
    Dovecot,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Probe {
    /// What shows that `content` is served, where `before` was: a box that newly receives, or, of a new domain without one, the domain
    /// itself. `None`: nothing that a server could be asked has changed.
    pub fn of(before: Option<&DomainContent>, content: &DomainContent) -> Option<Self> {
        let received = |address: &Address| before.and_then(|b| b.find(address)).is_some_and(MailBox::receives);
        let fresh = content.boxes().find(|mailbox| mailbox.receives() && !received(&mailbox.address));
        if let Some(mailbox) = fresh {
            return Some(Self { address: mailbox.address.clone(), is_box: true });
        }
        let postmaster = || Address::parse(&format!("postmaster@{}", content.domain())).ok();
        before.is_none().then(postmaster).flatten().map(|address| Self { address, is_box: false })
    }

    /// Whether it can still be asked of this content.
    pub fn holds_for(&self, content: &DomainContent) -> bool {
        !self.is_box || content.find(&self.address).is_some_and(MailBox::receives)
    }

    /// Whether a server's reply to RCPT shows it. A full box is a known one, and so is a list that does not take mail of everybody.
    fn is_shown_by(&self, code: u16, text: &str) -> bool {
        match code {
            200..=299 => true,
            452 => self.is_box && text.contains("4.2.2"),
            550 => !self.is_box || text.starts_with("550 5.7.1"),
            _ => false,
        }
    }
}

/// Why a domain is not shown to be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unshown {
    /// A server answered, and not as it should: it may not have seen the tables yet.
    Refused(String),
    /// Nobody answered, or was asked.
    Unknown(String),
}

impl Unshown {
    /// The reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused(reason) | Self::Unknown(reason) => reason,
        }
    }
}

/// Asks both servers about each domain; returns those that are not shown yet. What is not asked within `budget` is not shown.
pub async fn ask_all(
    smtp: SocketAddr,
    lmtp: SocketAddr,
    probes: &BTreeMap<DomainName, Probe>,
    budget: Duration,
) -> BTreeMap<DomainName, Unshown> {
    let end = Instant::now() + budget;
    let boxes: Vec<_> = probes.iter().filter(|(_, probe)| probe.is_box).collect();
    let mut unshown = ask(Server::Dovecot, lmtp, &boxes, end).await;
    let rest: Vec<_> = probes.iter().filter(|(domain, _)| !unshown.contains_key(domain)).collect();
    unshown.extend(ask(Server::Postfix, smtp, &rest, end).await);
    unshown
}

/// Asks one server, in as few sessions as it goes: after a refusal a new one, for a session goes on seeing the tables of its start, and
/// a server slows down one that errs.
async fn ask(
    server: Server,
    at: SocketAddr,
    probes: &[(&DomainName, &Probe)],
    end: Instant,
) -> BTreeMap<DomainName, Unshown> {
    let mut unshown = BTreeMap::new();
    let mut session = None;
    let mut broken = None;
    for (domain, probe) in probes {
        if Instant::now() >= end {
            broken.get_or_insert_with(|| Unshown::Unknown(format!("{server} was not asked about it yet")));
        }
        let unshown_here = match &broken {
            Some(reason) => Some(reason.clone()),
            None => match ask_one(server, at, &mut session, probe).await {
                Ok(refused) => refused.map(Unshown::Refused),
                Err(error) => {
                    Some(broken.insert(Unshown::Unknown(format!("{server} does not answer: {error}"))).clone())
                }
            },
        };
        unshown.extend(unshown_here.map(|reason| ((*domain).clone(), reason)));
    }
    if let Some(session) = session {
        session.quit().await;
    }
    unshown
}

/// Asks one question; the reason, where the answer does not show what it should.
async fn ask_one(
    server: Server,
    at: SocketAddr,
    open: &mut Option<Session>,
    probe: &Probe,
) -> io::Result<Option<String>> {
    let mut session = match open.take() {
        Some(session) => session,
        None => Session::open(server, at).await?,
    };
    let (code, text) = session.recipient(&probe.address).await?;
    if probe.is_shown_by(code, &text) {
        *open = Some(session);
        return Ok(None);
    }
    session.quit().await;
    Ok(Some(format!("{server} does not accept mail for {} yet ({code})", probe.address)))
}

struct Session {
    stream: BufReader<TcpStream>,
    recipients: usize,
}

impl Session {
    async fn open(server: Server, at: SocketAddr) -> io::Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(at)).await.map_err(late)??;
        stream.set_nodelay(true)?;
        let mut session = Self { stream: BufReader::new(stream), recipients: 0 };
        expect(session.reply().await?)?;
        let hello = match server {
            Server::Postfix => "EHLO agent.invalid",
            Server::Dovecot => "LHLO agent.invalid",
        };
        session.command_ok(hello).await?;
        Ok(session)
    }

    /// A new transaction every hundred recipients: servers bound them.
    async fn recipient(&mut self, address: &Address) -> io::Result<(u16, String)> {
        if self.recipients.is_multiple_of(100) {
            if self.recipients > 0 {
                self.command_ok("RSET").await?;
            }
            self.command_ok("MAIL FROM:<>").await?;
        }
        self.recipients += 1;
        self.command(&format!("RCPT TO:<{address}>")).await
    }

    async fn quit(mut self) {
        // What was asked is answered; how the session ends says nothing.
        let _ = self.command("QUIT").await;
    }

    async fn command_ok(&mut self, command: &str) -> io::Result<()> {
        expect(self.command(command).await?)
    }

    async fn command(&mut self, command: &str) -> io::Result<(u16, String)> {
        let line = format!("{command}\r\n");
        timeout(PATIENCE, self.stream.get_mut().write_all(line.as_bytes())).await.map_err(late)??;
        self.reply().await
    }

    /// One reply of one or more lines; its last line's text.
    async fn reply(&mut self) -> io::Result<(u16, String)> {
        loop {
            let mut line = String::new();
            if timeout(PATIENCE, self.stream.read_line(&mut line)).await.map_err(late)?? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) != Some(&b'-') {
                let code = line.get(..3).and_then(|code| code.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
                return Ok((code, line.trim_end().to_owned()));
            }
        }
    }
}

fn expect((code, text): (u16, String)) -> io::Result<()> {
    if (200..=299).contains(&code) { Ok(()) } else { Err(io::Error::other(text)) }
}

fn late(_: tokio::time::error::Elapsed) -> io::Error {
    io::ErrorKind::TimedOut.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_refuses_the_probe_is_known_and_an_unknown_address_is_not() {
        let probe = Probe { address: Address::parse("tutti@comune.fano.pu.it").unwrap(), is_box: true };
        for (text, is_shown) in [
            ("250 2.1.5 Ok", true),
            ("452 4.2.2 Mailbox is full", true),
            ("550 5.7.1 <tutti@comune.fano.pu.it>: Recipient address rejected: Only members may write", true),
            ("550 5.1.1 <tutti@comune.fano.pu.it>: Recipient address rejected: User unknown", false),
            ("554 5.7.1 <tutti@comune.fano.pu.it>: Relay access denied", false),
            ("451 4.3.0 <tutti@comune.fano.pu.it>: Temporary lookup failure", false),
        ] {
            assert_eq!(probe.is_shown_by(text[..3].parse().unwrap(), text), is_shown, "{text}");
        }
    }
}
