//! Ends the sessions of those who may no longer log in, or no longer with the password they logged in with.
//!
//! Dovecot is told by its doveadm socket (protocol 1.0: words separated by tabs, `\t<user>\tkick\t<user>`), which belongs to root alone.

use std::io;
use std::path::Path;
use std::time::Duration;

use cst_compiler::desired::mail::{DomainContent, MailBox};
use cst_compiler::model::Address;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long Dovecot may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whose sessions a domain's next content ends: who may have logged in with a hash that is none to log in with any more.
pub fn ended<'a>(before: Option<&'a DomainContent>, after: &'a DomainContent) -> impl Iterator<Item = &'a Address> {
    let goes_on = |mailbox: &MailBox| {
        after.find(&mailbox.address).is_some_and(|after| {
            mailbox.login() == after.login()
                && mailbox.application_logins().all(|hash| after.application_logins().any(|still| still == hash))
        })
    };
    let boxes = before.into_iter().flat_map(DomainContent::boxes);
    boxes.filter(move |mailbox| mailbox.login().is_some() && !goes_on(mailbox)).map(|mailbox| &mailbox.address)
}

/// Ends all sessions of these logins. Where Dovecot does not run, there are none.
pub async fn end(socket: &Path, logins: impl Iterator<Item = &Address>) -> io::Result<()> {
    let stream = match timeout(PATIENCE, UnixStream::connect(socket)).await? {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(());
        }
        stream => stream?,
    };
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(b"VERSION\tdoveadm-server\t1\t0\n").await?;
    // Who may open the socket is taken at his word.
    if reply(&mut stream).await? != "+" {
        return Err(io::Error::other("Dovecot does not take commands on its doveadm socket"));
    }
    for login in logins {
        stream.get_mut().write_all(format!("\t\tkick\t{login}\n").as_bytes()).await?;
        // How many were ended is in a line of its own, before the verdict.
        reply(&mut stream).await?;
        let verdict = reply(&mut stream).await?;
        // Who has no session is `not found`.
        if verdict != "+" && !verdict.starts_with("-NOTFOUND") && verdict != "-68" {
            return Err(io::Error::other(format!("Dovecot does not end the sessions of {login}: {verdict}")));
        }
    }
    Ok(())
}

async fn reply(stream: &mut BufReader<UnixStream>) -> io::Result<String> {
    let mut line = String::new();
    if timeout(PATIENCE, stream.read_line(&mut line)).await?? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
