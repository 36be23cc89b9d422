//! A token endpoint that grants every request, after as long as it takes.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
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
    asked: Arc<AtomicUsize>,
    connections: Arc<AtomicUsize>,
    lifetime: Arc<AtomicUsize>,
    task: JoinHandle<()>,
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
        let asked = Arc::new(AtomicUsize::new(0));
        let connections = Arc::new(AtomicUsize::new(0));
        let lifetime = Arc::new(AtomicUsize::new(3600));
        let (counted, made) = (Arc::clone(&asked), Arc::clone(&connections));
        let lives = Arc::clone(&lifetime);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                made.fetch_add(1, Ordering::Relaxed);
                stream.set_nodelay(true).expect("a socket");
                let (counted, lives) = (Arc::clone(&counted), Arc::clone(&lives));
                tokio::spawn(async move {
                    let respond = |request| answer(request, delay, &counted, &lives);
                    connection::serve(stream, respond).await;
                });
            }
        });
        Self {
            token_url: format!("http://{address}/token"),
            asked,
            connections,
            lifetime,
            task,
        }
    }

    /// How many connections have been made to it.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Lets access tokens live for so many seconds, from now on.
    pub fn live(&self, seconds: usize) {
        self.lifetime.store(seconds, Ordering::Relaxed);
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn answer(
    request: Request<Incoming>,
    delay: Duration,
    asked: &AtomicUsize,
    lifetime: &AtomicUsize,
) -> Option<Response<Full<Bytes>>> {
    asked.fetch_add(1, Ordering::Relaxed);
    request.into_body().collect().await.ok()?;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let mut body: Value = serde_json::from_slice(granted().body.expose()).ok()?;
    body["expires_in"] = lifetime.load(Ordering::Relaxed).into();
    let response = Response::builder().header("content-type", "application/json");
    response.body(Full::new(body.to_string().into())).ok()
}
