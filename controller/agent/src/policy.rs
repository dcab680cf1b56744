//! Answers Postfix whether mail for an address is taken (SMTP access policy delegation): who may write to a group, and whether the boxes at
//! which the mail would end are full.
//!
//! Dovecot knows what is full, by box; Postfix asks by the address that the sender gave, before it looks where that leads. While nobody
//! answers here, mail for groups to which not everybody may write waits, and all other mail is taken.

mod quota;
pub mod rates;
mod request;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use cst_compiler::desired::mail::posting::{self, Verdict};
use cst_compiler::desired::mail::{Domains, routes};
use cst_compiler::model::{Address, Recipient};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::listen::listen;
use quota::Quota;
use request::Request;

/// How long a connection may be idle: somewhat longer than Postfix keeps one (`smtpd_policy_service_max_idle`, 300 s).
const MAX_IDLE: Duration = Duration::from_mins(10);
/// Mail that would come to more boxes than this is not held up by asking about each.
const MAX_ASKED: usize = 20;
/// Nothing is to be said.
const DUNNO: &str = "DUNNO";

/// Answers by what is installed, endlessly. `quota`: where Dovecot's own policy service answers.
pub async fn serve(at: SocketAddr, quota: SocketAddr, installed: watch::Receiver<Domains>) {
    listen(at, |stream| answer_all(stream, Quota::new(quota), installed.clone())).await;
}

/// Answers the requests of one connection until it ends.
async fn answer_all(stream: TcpStream, mut quota: Quota, installed: watch::Receiver<Domains>) {
    let mut stream = BufReader::new(stream);
    while let Ok(Ok(Some(request))) = timeout(MAX_IDLE, Request::read(&mut stream)).await {
        let judged = judge(&request, &installed.borrow());
        let action = match judged {
            Ok(ends) => full(&mut quota, &request, ends).await,
            Err(refusal) => refusal.to_owned(),
        };
        if stream.get_mut().write_all(format!("action={action}\n\n").as_bytes()).await.is_err() {
            break;
        }
    }
}

fn refusal(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Takes => None,
        Verdict::NoBounces => Some("550 5.7.1 This list takes no mail without a sender"),
        Verdict::TenantOnly => {
            Some("550 5.7.1 Only members of this organisation may write to this list, logged in with their own box")
        }
        Verdict::MembersOnly => Some("550 5.7.1 Only its members may write to this list, logged in with their own box"),
    }
}

/// The boxes at which the mail would end, or why it is not taken.
fn judge(request: &Request, domains: &Domains) -> Result<BTreeSet<Address>, &'static str> {
    let verdict = posting::judge(domains, request.recipient(), request.sender(), request.login());
    refusal(verdict).map_or(Ok(()), Err)?;
    let address = Recipient::parse(request.recipient()).ok().and_then(|recipient| recipient.as_address());
    Ok(address.map(|address| routes::Installed::new(domains).delivered(&address)).unwrap_or_default())
}

/// What Dovecot says of the boxes at which the mail would end. While one of them takes it, it is taken: what waits for a full one beside it
/// is delivered when there is room.
async fn full(quota: &mut Quota, request: &Request, ends: BTreeSet<Address>) -> String {
    let mut action = DUNNO.to_owned();
    if ends.len() > MAX_ASKED {
        return action;
    }
    for end in ends {
        action = quota.ask(&request.about(&end)).await.unwrap_or_else(|| DUNNO.to_owned());
        if action == DUNNO {
            break;
        }
    }
    action
}
