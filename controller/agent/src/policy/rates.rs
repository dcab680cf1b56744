//! Answers Postfix, at DATA of what is submitted, whether who is logged in may send to so many recipients (SMTP access policy delegation).
//!
//! What each login has used is kept in memory: an agent that starts knows of nothing. Each mail server counts for itself.

mod bucket;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cst_compiler::desired::mail::Domains;
use cst_compiler::model::Address;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::request::Request;
use super::{DUNNO, MAX_IDLE};
use crate::listen::listen;
use bucket::{Buckets, Verdict};

/// What all logins have used, by a clock that starts with it.
struct Rates {
    start: Instant,
    buckets: Mutex<Buckets<Address>>,
    installed: watch::Receiver<Domains>,
}

/// Answers by what is installed, endlessly.
pub async fn serve(at: SocketAddr, installed: watch::Receiver<Domains>) {
    let rates = Arc::new(Rates { start: Instant::now(), buckets: Mutex::default(), installed });
    listen(at, |stream| answer_all(stream, Arc::clone(&rates))).await;
}

/// Answers the requests of one connection until it ends.
async fn answer_all(stream: TcpStream, rates: Arc<Rates>) {
    let mut stream = BufReader::new(stream);
    while let Ok(Ok(Some(request))) = timeout(MAX_IDLE, Request::read(&mut stream)).await {
        let action = rates.judge(&request).unwrap_or_else(|| DUNNO.to_owned());
        if stream.get_mut().write_all(format!("action={action}\n\n").as_bytes()).await.is_err() {
            break;
        }
    }
}

impl Rates {
    /// The refusal, if it is one. Who is no box has no limit here, and nothing that he may send as.
    fn judge(&self, request: &Request) -> Option<String> {
        let login = Address::parse(request.login()).ok()?;
        let limit = self.installed.borrow().get(login.domain())?.limits().recipients_per_hour?;
        let recipients = request.recipients();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        match buckets.take(&login, recipients, limit, self.start.elapsed()) {
            Verdict::Taken { refused } => {
                if refused > 0 {
                    tracing::info!(%login, refused, "sends again after messages that were too many");
                }
                None
            }
            Verdict::Wait { pause, is_first } => {
                if is_first {
                    tracing::warn!(%login, limit, "sends to more recipients than its limit of an hour allows");
                }
                Some(wait(limit, pause))
            }
            Verdict::Never => Some(format!(
                "550 5.7.1 This message goes to {recipients} recipients and your limit is {limit} an hour: send it to fewer at a time, or \
                 to a list that your administrator makes"
            )),
        }
    }
}

fn wait(limit: u32, pause: Duration) -> String {
    let minutes = pause.as_secs().div_ceil(60);
    format!(
        "450 4.7.1 You have sent to as many recipients as your limit of {limit} an hour allows: try again in {minutes} min, and change your \
         password if it was not you"
    )
}
