//! A token endpoint that grants every request, after as long as it takes.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming};
use latchkey_emulators::connection;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::fleet::granted;

/// One that runs; it ends with this value.
#[derive(Debug)]
pub struct Provider {
    /// Its token URL.
    pub token_url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    delay: Duration,
    lifetime: AtomicUsize,
    connections: AtomicUsize,
    asked: AtomicUsize,
    last: Mutex<Bytes>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// One that takes so long for each.
    pub async fn taking(delay: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            delay,
            lifetime: AtomicUsize::new(3600),
            connections: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            last: Mutex::default(),
        });
        Self {
            token_url: format!("http://{address}/token"),
            task: tokio::spawn(accept(listener, Arc::clone(&shared))),
            shared,
        }
    }

    /// Lets access tokens live for so many seconds, from now on.
    pub fn live(&self, seconds: usize) {
        self.shared.lifetime.store(seconds, Ordering::Relaxed);
    }

    /// How many connections have been made to it.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// The body of the last request.
    #[must_use]
    pub fn last(&self) -> String {
        let last = self.shared.last.lock();
        let last = last.unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&last).into_owned()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        stream.set_nodelay(true).expect("a socket");
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            connection::serve(stream, |request| answer(request, &shared)).await;
        });
    }
}

async fn answer(request: Request<Incoming>, shared: &Shared) -> Option<Response<Full<Bytes>>> {
    shared.asked.fetch_add(1, Ordering::Relaxed);
    let body = request.into_body().collect().await.ok()?.to_bytes();
    *shared.last.lock().unwrap_or_else(PoisonError::into_inner) = body;
    if !shared.delay.is_zero() {
        tokio::time::sleep(shared.delay).await;
    }
    let mut body: Value = serde_json::from_slice(granted().body.expose()).ok()?;
    body["expires_in"] = shared.lifetime.load(Ordering::Relaxed).into();
    let response = Response::builder().header("content-type", "application/json");
    response.body(Full::new(body.to_string().into())).ok()
}
