//! The provider's endpoints, on loopback.

use std::{fmt, net::Ipv4Addr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{
    Shared,
    received::{Received, normal_origin},
};

/// Starts to serve: where, and the task that does it.
pub(super) async fn start(shared: Arc<Shared>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&shared)));
        }
    });
    (format!("http://{address}"), task)
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let answer = |request| {
        let shared = Arc::clone(&shared);
        async move { respond(&shared, request).await.ok_or(Lost) }
    };
    // An error ends the connection without an answer, which is what it is for.
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await
        .unwrap_or_default();
}

/// The answer is lost on purpose.
#[derive(Debug)]
struct Lost;

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("lost on purpose")
    }
}

impl std::error::Error for Lost {}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let origin = headers.iter().find(|(name, _)| name == "x-original-origin");
    let received = Received {
        method: parts.method.as_str().to_ascii_lowercase(),
        origin: origin
            .map(|(_, origin)| normal_origin(origin))
            .unwrap_or_default(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        fragment: None,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let answer = shared.state().answer(&shared.known, &received)?;
    let mut response = Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(answer.body))).ok()
}
