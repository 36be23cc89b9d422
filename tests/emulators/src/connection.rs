//! One connection to a server of the tests, whose answers may be lost on purpose.

use std::fmt;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Answers what comes by a connection. Where there is no answer the connection ends without one.
pub async fn serve<F>(stream: TcpStream, respond: impl Fn(Request<Incoming>) -> F)
where
    F: Future<Output = Option<Response<Full<Bytes>>>>,
{
    let answer = |request| {
        let response = respond(request);
        async move { response.await.ok_or(Lost) }
    };
    // An error ends the connection without an answer, which is what it is for.
    hyper::server::conn::http1::Builder::new()
        // It would be the system's, and these servers go by clocks that are moved.
        .auto_date_header(false)
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
