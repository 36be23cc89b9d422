//! A token endpoint that grants every refresh, after as long as it takes.

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
use latchkey_tests::fleet::granted;
use tokio::{net::TcpListener, task::JoinHandle};

/// One that runs; it ends with this value.
pub(crate) struct Provider {
    pub(crate) token_url: String,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// One that takes so long for each.
    pub(crate) async fn taking(delay: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).expect("a socket");
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    connection::serve(stream, |request| answer(request, delay, &counted)).await;
                });
            }
        });
        Self {
            token_url: format!("http://{address}/token"),
            asked,
            task,
        }
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn answer(
    request: Request<Incoming>,
    delay: Duration,
    asked: &AtomicUsize,
) -> Option<Response<Full<Bytes>>> {
    asked.fetch_add(1, Ordering::Relaxed);
    request.into_body().collect().await.ok()?;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let body = granted().body.expose().clone();
    let response = Response::builder().header("content-type", "application/json");
    response.body(Full::new(body.into())).ok()
}
