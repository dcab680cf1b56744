//! An API server that fails: requests that are refused, and such that are done but whose answer is lost.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
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
    config_maps: Mutex<Option<usize>>,
    every: AtomicUsize,
    writes: AtomicUsize,
    conflicts: AtomicUsize,
    refused_reads: AtomicUsize,
    refused_writes: AtomicUsize,
    cut: watch::Sender<()>,
    lists: Mutex<Option<Broken>>,
    broken_lists: Mutex<BTreeMap<String, usize>>,
}

/// How lists are broken; watches are told meanwhile that they have expired (410), so that they list again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// They are answered with this status.
    Status(u16),
    /// Their answer ends in the middle.
    Cut,
    /// Their first page comes with half of what there is, and then they expire (410).
    HalfThenGone,
    /// They are answered as though there were nothing.
    Empty,
}

impl Faults {
    /// No request is answered, or all is well again. What a watch that began before tells still comes, until [`Self::cut`].
    pub fn away(&self, away: bool) {
        self.0.away.store(away, Ordering::SeqCst);
    }

    /// As [`Self::away`] once so many more writes of ConfigMaps were let through.
    pub fn away_after_config_maps(&self, writes: usize) {
        *self.0.config_maps.lock().unwrap() = Some(writes);
    }

    /// Whether no request is answered.
    pub fn is_away(&self) -> bool {
        self.0.away.load(Ordering::SeqCst)
    }

    /// Counts a write of a ConfigMap; with the last one that is let through the server is away.
    fn count_config_map(&self) {
        let mut left = self.0.config_maps.lock().unwrap();
        match *left {
            Some(0) => {
                *left = None;
                self.away(true);
            }
            Some(more) => *left = Some(more - 1),
            None => {}
        }
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

    /// From now on lists are broken like this, or no longer. Watches that are open go on until [`Self::cut`].
    pub fn of_lists(&self, broken: Option<Broken>) {
        *self.0.lists.lock().unwrap() = broken;
    }

    /// What was listed, with how often it was broken, and has not been listed whole since.
    pub fn broken_lists(&self) -> BTreeMap<String, usize> {
        self.0.broken_lists.lock().unwrap().clone()
    }

    fn of_list(&self, request: &Request<Body>) -> Option<Fault> {
        let query = request.uri().query().unwrap_or_default();
        let path = request.uri().path();
        let is_list = request.method() == Method::GET && query.contains("limit=");
        let mut paths = self.0.broken_lists.lock().unwrap();
        let Some(broken) = *self.0.lists.lock().unwrap() else {
            // Who believed an empty list lists again.
            let is_stale = paths.contains_key(path) && query.contains("watch=");
            if is_list {
                paths.remove(path);
            }
            return is_stale.then_some(Fault::Expired);
        };
        if query.contains("watch=") {
            return Some(Fault::Expired);
        }
        // What kube lists it lists in pages.
        if !is_list {
            return None;
        }
        *paths.entry(path.to_owned()).or_default() += 1;
        Some(match broken {
            Broken::Status(code) => Fault::Answer(StatusCode::from_u16(code).expect("this is a status")),
            Broken::HalfThenGone if query.contains("continue=") => Fault::Answer(StatusCode::GONE),
            broken => Fault::List(broken),
        })
    }

    fn fault(&self, request: &Request<Body>) -> Fault {
        let reads = request.method() == Method::GET;
        if !reads && request.uri().path().contains("/configmaps") {
            self.count_config_map();
        }
        if self.0.away.load(Ordering::SeqCst) {
            let refused = if reads { &self.0.refused_reads } else { &self.0.refused_writes };
            refused.fetch_add(1, Ordering::SeqCst);
            return Fault::Away;
        }
        if let Some(fault) = self.of_list(request) {
            return fault;
        }
        let path = request.uri().path();
        if reads || path.contains("/leases") {
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
    List(Broken),
    Expired,
}

impl Broken {
    /// What is made of a list's answer.
    fn of(self, answer: &Bytes) -> Vec<u8> {
        if self == Self::Cut {
            return answer[..answer.len() / 2].to_vec();
        }
        let mut list: serde_json::Value = serde_json::from_slice(answer).expect("a list is JSON");
        let Some(items) = list["items"].as_array_mut() else { return answer.to_vec() };
        items.truncate(if self == Self::Empty { 0 } else { items.len() / 2 });
        list["metadata"]["continue"] = if self == Self::Empty { "" } else { "page 2" }.into();
        serde_json::to_vec(&list).expect("a list is JSON")
    }
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
    B::Error: Into<BoxError>,
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
            Fault::List(broken) => {
                let call = self.inner.call(request);
                Box::pin(async move {
                    let (mut head, body) = call.await?.into_parts();
                    let answer = body.collect().await.map_err(Into::into)?.to_bytes();
                    head.headers.remove(http::header::CONTENT_LENGTH);
                    Ok(Response::from_parts(head, Either::Right(Full::from(broken.of(&answer)))))
                })
            }
            Fault::Expired => Box::pin(async {
                let event = serde_json::json!({"type": "ERROR", "object": status(StatusCode::GONE)});
                Ok(Response::new(Either::Right(Full::from(event.to_string()))))
            }),
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
    Response::builder().status(code).body(Full::from(status(code).to_string()))
}

fn status(code: StatusCode) -> serde_json::Value {
    let reason = match code {
        StatusCode::CONFLICT => "Conflict",
        StatusCode::GONE => "Expired",
        _ => "InternalError",
    };
    serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "injected", "reason": reason, "code": code.as_u16(),
    })
}
