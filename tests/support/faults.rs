//! An API server that fails: requests that are refused, and such that are done but whose answer is lost.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use kube::client::Body;
use tower::{BoxError, Layer, Service};

/// What goes wrong; shared by all clients made with it.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Plan>);

#[derive(Debug, Default)]
struct Plan {
    away: AtomicBool,
    every: AtomicUsize,
    writes: AtomicUsize,
}

impl Faults {
    /// Nothing is answered at all, or all is well again.
    pub fn away(&self, away: bool) {
        self.0.away.store(away, Ordering::SeqCst);
    }

    /// Of so many writes one fails: by turns it answers 500, answers 409, or is done and its answer is lost. 0: none.
    pub fn of_writes(&self, every: usize) {
        self.0.every.store(every, Ordering::SeqCst);
    }

    /// How many writes were tried.
    pub fn writes(&self) -> usize {
        self.0.writes.load(Ordering::SeqCst)
    }

    fn fault(&self, request: &Request<Body>) -> Fault {
        if self.0.away.load(Ordering::SeqCst) {
            return Fault::Away;
        }
        if request.method() == Method::GET || request.uri().path().contains("/leases/") {
            return Fault::None;
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
{
    type Response = Response<Either<B, Full<Bytes>>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.faults.fault(&request) {
            Fault::None => {
                let call = self.inner.call(request);
                Box::pin(async { Ok(call.await?.map(Either::Left)) })
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
