//! The provider's endpoints, on loopback.

use std::{net::Ipv4Addr, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    ORIGIN, Shared,
    received::{Received, normal_origin},
};
use latchkey_emulators::connection::serve;

/// Starts to serve: where, and the task that does it.
pub(super) async fn start(shared: Arc<Shared>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                serve(stream, |request| respond(&shared, request)).await;
            });
        }
    });
    (format!("http://{address}"), task)
}

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
    let origin = headers.iter().find(|(name, _)| name == ORIGIN);
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
    if let Some(published) = &shared.metadata
        && published.is_asked_for(&received)
    {
        shared.state().note("metadata", &received, true, None);
        let response = Response::builder().header("content-type", "application/json");
        return response.body(published.document.clone().into()).ok();
    }
    let answer = shared.state().answer(&shared.known, &received)?;
    let mut response = Response::builder()
        .status(answer.status)
        .header("content-type", answer.content_type);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(answer.body))).ok()
}
