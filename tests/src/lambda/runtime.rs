//! The Runtime API, by which a function has its events
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

use std::{fmt, net::Ipv4Addr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming};
use latchkey_aws::SystemClock;
use latchkey_core::port::Clock as _;
use latchkey_emulators::connection::serve;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

const PREFIX: &str = "/2018-06-01/runtime/";
/// How long an event may take, the longest that there is.
const LIMIT: Duration = Duration::from_secs(900);

/// A Runtime API that runs; it ends with this value.
pub(super) struct Runtime {
    /// Its host and port.
    pub(super) address: String,
    events: mpsc::UnboundedSender<Invocation>,
    asked: Mutex<mpsc::UnboundedReceiver<()>>,
    answers: Mutex<mpsc::UnboundedReceiver<Result<String, String>>>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An event for a function.
pub(super) struct Invocation {
    /// The request's id.
    pub(super) id: String,
    /// The header of X-Ray, if it is traced.
    pub(super) trace: Option<String>,
    /// The event.
    pub(super) event: String,
}

/// The function's side.
struct Shared {
    events: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    asked: mpsc::UnboundedSender<()>,
    answers: mpsc::UnboundedSender<Result<String, String>>,
}

impl Runtime {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (events, handed) = mpsc::unbounded_channel();
        let (asks, asked) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            events: Mutex::new(handed),
            asked: asks,
            answers: answered,
        });
        Self {
            address,
            events,
            asked: Mutex::new(asked),
            answers: Mutex::new(answers),
            task: tokio::spawn(accept(listener, shared)),
        }
    }

    /// Waits until the function asks for an event.
    pub(super) async fn asked(&self) {
        self.asked.lock().await.recv().await.expect("it runs");
    }

    /// Gives the function an event.
    pub(super) fn hand(&self, invocation: Invocation) {
        self.events.send(invocation).expect("it runs");
    }

    /// What the function answers; an error is what it says went wrong.
    pub(super) async fn answer(&self) -> Result<String, String> {
        self.answers.lock().await.recv().await.expect("it runs")
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Or the second write of an answer waits for the first to be acknowledged.
        stream.set_nodelay(true).expect("a socket");
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { serve(stream, |request| respond(&shared, request)).await });
    }
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let text = String::from_utf8_lossy(&body).into_owned();
    let path = parts.uri.path().strip_prefix(PREFIX)?.to_owned();
    if parts.method == Method::GET && path == "invocation/next" {
        // Whoever started it may be gone.
        shared.asked.send(()).unwrap_or_default();
        return next(shared).await;
    }
    let outcome = if path.ends_with("/response") {
        Ok(text)
    } else {
        Err(text)
    };
    shared.answers.send(outcome).unwrap_or_default();
    let accepted = Response::builder().status(StatusCode::ACCEPTED);
    accepted.body(Full::default()).ok()
}

/// The next event, once there is one.
async fn next(shared: &Shared) -> Option<Response<Full<Bytes>>> {
    let Invocation { id, trace, event } = shared.events.lock().await.recv().await?;
    let deadline = SystemClock.now().checked_add(LIMIT).ok()?.as_millisecond();
    let mut response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", id)
        .header("lambda-runtime-deadline-ms", deadline.to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:000000000000:function:measured",
        );
    if let Some(trace) = trace {
        response = response.header("lambda-runtime-trace-id", trace);
    }
    response.body(Full::from(event)).ok()
}
