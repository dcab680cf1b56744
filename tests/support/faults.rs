//! An API server that fails: requests that are refused, and such that are done but whose answer is lost.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Either, Full, StreamBody};
use kube::client::Body;
use tokio::sync::watch;
use tower::{BoxError, Layer, Service};

/// What goes wrong; shared by all clients made with it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Plan>);

#[derive(Debug, Default)]
struct Plan {
    away: AtomicBool,
    every: AtomicUsize,
    writes: AtomicUsize,
    conflicts: AtomicUsize,
    refused_reads: AtomicUsize,
    refused_writes: AtomicUsize,
    cut: watch::Sender<()>,
}

impl Faults {
    /// No request is answered, or all is well again. What a watch that began before tells still comes, until [`Self::cut`].
    pub fn away(&self, away: bool) {
        self.0.away.store(away, Ordering::SeqCst);
    }

    /// Ends every answer that has not ended, which all watches are.
    pub fn cut(&self) {
        self.0.cut.send_replace(());
    }

    /// The next so many status writes are answered 409.
    pub fn of_statuses(&self, conflicts: usize) {
        self.0.conflicts.store(conflicts, Ordering::SeqCst);
    }

    /// How many of these were answered so.
    pub fn statuses_to_refuse(&self) -> usize {
        self.0.conflicts.load(Ordering::SeqCst)
    }

    /// Of so many writes one fails: by turns it answers 500, answers 409, or is done and its answer is lost. 0: none.
    pub fn of_writes(&self, every: usize) {
        self.0.every.store(every, Ordering::SeqCst);
    }

    /// How many writes were tried.
    pub fn writes(&self) -> usize {
        self.0.writes.load(Ordering::SeqCst)
    }

    /// How many reads, watches among them, and how many writes were refused because nothing is answered.
    pub fn refused(&self) -> (usize, usize) {
        (self.0.refused_reads.load(Ordering::SeqCst), self.0.refused_writes.load(Ordering::SeqCst))
    }

    fn fault(&self, request: &Request<Body>) -> Fault {
        let reads = request.method() == Method::GET;
        if self.0.away.load(Ordering::SeqCst) {
            let refused = if reads { &self.0.refused_reads } else { &self.0.refused_writes };
            refused.fetch_add(1, Ordering::SeqCst);
            return Fault::Away;
        }
        let path = request.uri().path();
        if reads || path.contains("/leases/") {
            return Fault::None;
        }
        let one_less = |left: usize| left.checked_sub(1);
        if path.ends_with("/status")
            && self.0.conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
        {
            return Fault::Answer(StatusCode::CONFLICT);
        }
        let number = self.0.writes.fetch_add(1, Ordering::SeqCst);
        let every = self.0.every.load(Ordering::SeqCst);
        if every == 0 || !number.is_multiple_of(every) {
            return Fault::None;
        }
        match (number / every) % 3 {
            0 => Fault::Answer(StatusCode::INTERNAL_SERVER_ERROR),
            1 => Fault::Answer(StatusCode::CONFLICT),
            _ => Fault::LostAnswer,
        }
    }
}

enum Fault {
    None,
    Away,
    Answer(StatusCode),
    LostAnswer,
}

/// A service with these faults in front.
#[derive(Clone, Debug)]
pub struct Faulty<S> {
    inner: S,
    faults: Faults,
}

impl<S> Layer<S> for Faults {
    type Service = Faulty<S>;

    fn layer(&self, inner: S) -> Faulty<S> {
        Faulty { inner, faults: self.clone() }
    }
}

impl<S, B> Service<Request<Body>> for Faulty<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = BoxError>,
    S::Future: Send + 'static,
    B: BodyExt<Data = Bytes> + Send + 'static,
{
    type Response = Response<Either<UnsyncBoxBody<Bytes, B::Error>, Full<Bytes>>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.faults.fault(&request) {
            Fault::None => {
                let call = self.inner.call(request);
                let mut cut = self.faults.0.cut.subscribe();
                Box::pin(async move {
                    let until = async move { drop(cut.changed().await) };
                    let answer = call.await?;
                    Ok(answer.map(|body| {
                        Either::Left(StreamBody::new(BodyStream::new(body).take_until(until)).boxed_unsync())
                    }))
                })
            }
            Fault::Away => Box::pin(async { Err("connection refused".into()) }),
            Fault::Answer(code) => Box::pin(async move { Ok(refusal(code)?.map(Either::Right)) }),
            Fault::LostAnswer => {
                let call = self.inner.call(request);
                Box::pin(async {
                    call.await?;
                    Err("connection reset by peer".into())
                })
            }
        }
    }
}

fn refusal(code: StatusCode) -> http::Result<Response<Full<Bytes>>> {
    let reason = if code == StatusCode::CONFLICT { "Conflict" } else { "InternalError" };
    let status = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "injected", "reason": reason, "code": code.as_u16(),
    });
    Response::builder().status(code).body(Full::from(status.to_string()))
}
