//! An API server in front of the real one, for controllers that are processes of their own.

use std::path::Path;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::faults::Faults;

/// A server on the loopback that hands on to the API server, as the account it was made for; ended with its value.
pub struct Proxy {
    /// What goes wrong on the way.
    pub faults: Faults,
    port: u16,
    task: JoinHandle<()>,
    held: Arc<Mutex<Option<Hold>>>,
}

/// When a write is held up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it is done.
    Before,
    /// When it is done, before that is answered.
    After,
}

/// A write that is held up.
#[derive(Clone)]
struct Hold {
    /// How its path ends.
    path: String,
    moment: Moment,
    is_there: watch::Sender<bool>,
    is_free: watch::Sender<bool>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// A proxy that reaches the API server like this.
    pub async fn start(config: Config) -> Self {
        let faults = Faults::default();
        let client = ClientBuilder::try_from(config).expect("a client can be made").with_layer(&faults).build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let held = Arc::default();
        Self { faults, port, task: tokio::spawn(serve(listener, client, Arc::clone(&held))), held }
    }

    /// Holds up the next write of an object whose path ends like this.
    pub fn hold(&self, path: &str, moment: Moment) {
        let (is_there, is_free) = (watch::Sender::new(false), watch::Sender::new(false));
        *self.held.lock().unwrap() = Some(Hold { path: path.into(), moment, is_there, is_free });
    }

    /// Waits until a write is held up.
    pub async fn until_held(&self) {
        let mut is_there = self.held.lock().unwrap().as_ref().expect("a write is to be held up").is_there.subscribe();
        is_there.wait_for(|there| *there).await.expect("it comes");
    }

    /// Lets the write go on that is held up.
    pub fn free(&self) {
        let hold = self.held.lock().unwrap().take();
        hold.expect("a write is held up").is_free.send_replace(true);
    }

    /// Writes a kubeconfig that leads here.
    pub fn write_kubeconfig(&self, file: &Path) {
        let server = format!("http://127.0.0.1:{}", self.port);
        let config = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": server}}],
            "users": [{"name": "proxy", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
        });
        std::fs::write(file, config.to_string()).expect("a kubeconfig can be written");
    }
}

impl Hold {
    /// Waits, if it is the moment, until the write may go on.
    async fn wait(&self, moment: Moment) {
        if self.moment == moment {
            self.is_there.send_replace(true);
            // Without a sender nobody waits for its end.
            self.is_free.subscribe().wait_for(|free| *free).await.ok();
        }
    }
}

async fn serve(listener: TcpListener, client: Client, held: Arc<Mutex<Option<Hold>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (client, held) = (client.clone(), Arc::clone(&held));
        let service = service_fn(move |request: Request<Incoming>| {
            let held = held.lock().unwrap().clone();
            let is_held = |hold: &Hold| request.method() != Method::GET && request.uri().path().ends_with(&hold.path);
            hand_on(client.clone(), held.filter(is_held), request)
        });
        // What ends badly is the controller's to mend.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn hand_on(
    client: Client,
    hold: Option<Hold>,
    request: Request<Incoming>,
) -> Result<Response<Body>, tower::BoxError> {
    let (mut head, body) = request.into_parts();
    head.headers.remove(http::header::HOST);
    let request = Request::from_parts(head, Body::from(body.collect().await?.to_bytes()));
    if let Some(hold) = &hold {
        hold.wait(Moment::Before).await;
    }
    let answer = client.send(request).await?;
    if let Some(hold) = &hold {
        hold.wait(Moment::After).await;
    }
    Ok(answer)
}
