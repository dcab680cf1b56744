//! Answers Postfix when it asks who may write to a group (SMTP access policy delegation).
//!
//! It is asked only about addresses that the table `smtpd_recipient_access` marks. While nobody answers here Postfix defers mail for
//! those, and takes all other mail.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cst_compiler::desired::mail::Domains;
use cst_compiler::desired::mail::posting::{self, Verdict};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// The longest request, in octets; Postfix' own are below 2 KiB.
const MAX_REQUEST: u64 = 64 * 1024;
/// How long a connection may be idle: somewhat longer than Postfix keeps one (`smtpd_policy_service_max_idle`, 300 s).
const MAX_IDLE: Duration = Duration::from_mins(10);

/// Answers by what is installed, endlessly.
pub async fn serve(at: SocketAddr, installed: watch::Receiver<Arc<Domains>>) {
    let listener = loop {
        match TcpListener::bind(at).await {
            Ok(listener) => break listener,
            Err(error) => tracing::error!(%error, %at, "cannot listen for Postfix' questions"),
        }
        sleep(Duration::from_secs(1)).await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(answer_all(stream, installed.clone()))),
            Err(error) => {
                tracing::warn!(%error, "a connection of Postfix broke off");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Answers the requests of one connection until it ends.
async fn answer_all(stream: TcpStream, installed: watch::Receiver<Arc<Domains>>) {
    let mut stream = BufReader::new(stream);
    while let Ok(Ok(Some(request))) = timeout(MAX_IDLE, Request::read(&mut stream)).await {
        let domains = installed.borrow().clone();
        let verdict = posting::judge(&domains, &request.recipient, &request.sender, &request.login);
        if stream.get_mut().write_all(action(verdict).as_bytes()).await.is_err() {
            break;
        }
    }
}

fn action(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Takes => "action=DUNNO\n\n",
        Verdict::NoBounces => "action=550 5.7.1 This list takes no mail without a sender\n\n",
        Verdict::TenantOnly => {
            "action=550 5.7.1 Only members of this organisation may write to this list, logged in with their own box\n\n"
        }
        Verdict::MembersOnly => {
            "action=550 5.7.1 Only its members may write to this list, logged in with their own box\n\n"
        }
    }
}

/// What is asked: the attributes that matter, of all that Postfix sends.
#[derive(Debug, Default)]
struct Request {
    recipient: String,
    sender: String,
    login: String,
}

impl Request {
    /// Lines `name=value`, closed by an empty one; `None`: the connection ended.
    async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let (mut request, mut line) = (Self::default(), String::new());
        let mut limited = stream.take(MAX_REQUEST);
        loop {
            line.clear();
            if limited.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            match line.trim_end_matches('\n').split_once('=') {
                Some(("recipient", value)) => request.recipient = value.to_owned(),
                Some(("sender", value)) => request.sender = value.to_owned(),
                Some(("sasl_username", value)) => request.login = value.to_owned(),
                Some(_) => {}
                None if line == "\n" => return Ok(Some(request)),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
    }
}
