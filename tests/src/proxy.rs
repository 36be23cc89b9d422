//! A proxy before a provider's endpoints, which watches and interferes.
//!
//! It can hold a request before the provider sees it or an answer before Latchkey does, lose an
//! answer, be down, and make a plain provider a quirky one.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming};
use reqwest::Method;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use latchkey_emulators::connection::serve;

use crate::http_client;

/// A request that came by.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The method.
    pub method: Method,
    /// The path with its query.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Seen {
    /// The operation of AWS that is asked for, if it is a request of that sort.
    #[must_use]
    pub fn operation(&self) -> Option<String> {
        let target = self.headers.get("x-amz-target")?;
        Some(target.rsplit('.').next()?.to_owned())
    }

    /// A field of a form body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.body.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// An answer on its way back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What the proxy does with the next requests.
#[derive(Debug, Clone)]
pub enum Mode {
    /// Passes them on.
    Pass,
    /// Holds them before the provider has seen them.
    HoldRequests,
    /// Has them answered, and holds the answers.
    HoldAnswers,
    /// Has them answered, and loses the answers.
    LoseAnswers,
    /// Answers itself.
    Answer(Reply),
}

impl Mode {
    /// Answers with JSON.
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Answer(Reply {
            status,
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            body: body.to_string(),
        })
    }
}

/// Makes a quirky provider out of a plain one.
pub trait Quirk: Send + Sync {
    /// What the plain provider is asked; an answer of its own if the request is not as this provider wants it.
    ///
    /// # Errors
    /// The answer that the quirky provider gives by itself.
    fn ask(&self, seen: &Seen) -> Result<Seen, Reply>;

    /// What the quirky provider answers.
    fn answer(&self, plain: Reply) -> Reply;
}

/// A proxy that runs; it ends with this value.
pub struct Proxy {
    /// Where it is.
    pub url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
    task: Mutex<JoinHandle<()>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

struct Shared {
    upstream: String,
    client: reqwest::Client,
    quirk: Option<Box<dyn Quirk>>,
    mode: Mutex<Mode>,
    only: Mutex<Option<String>>,
    seen: Mutex<Vec<Seen>>,
    held: Notify,
    released: Notify,
    connections: Mutex<Vec<tokio::task::AbortHandle>>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.down();
    }
}

impl Proxy {
    /// A proxy before `upstream`.
    pub async fn before(upstream: &str) -> Self {
        Self::start(upstream, None).await
    }

    /// A proxy that makes `upstream` a quirky provider.
    pub async fn quirky(upstream: &str, quirk: impl Quirk + 'static) -> Self {
        Self::start(upstream, Some(Box::new(quirk))).await
    }

    async fn start(upstream: &str, quirk: Option<Box<dyn Quirk>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            client: http_client(),
            quirk,
            mode: Mutex::new(Mode::Pass),
            only: Mutex::new(None),
            seen: Mutex::default(),
            held: Notify::new(),
            released: Notify::new(),
            connections: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            url: format!("http://{address}"),
            address,
            shared,
            task: Mutex::new(task),
        }
    }

    /// Sets what happens to the next requests.
    pub fn set(&self, mode: Mode) {
        *lock(&self.shared.mode) = mode;
    }

    /// Sets what happens to the next requests for one operation of AWS; others pass.
    pub fn set_for(&self, operation: &str, mode: Mode) {
        *lock(&self.shared.only) = Some(operation.to_owned());
        self.set(mode);
    }

    /// The operations of AWS that came by were asked for.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.seen().iter().filter_map(Seen::operation).collect()
    }

    /// Waits until a request or an answer is held.
    pub async fn held(&self) {
        self.shared.held.notified().await;
    }

    /// Lets what is held go on.
    pub fn release(&self) {
        self.set(Mode::Pass);
        self.shared.released.notify_waiters();
    }

    /// Refuses connections, and drops those that there are.
    pub fn down(&self) {
        lock(&self.task).abort();
        lock(&self.shared.connections)
            .drain(..)
            .for_each(|connection| connection.abort());
    }

    /// Takes connections again.
    pub async fn up(&self) {
        let listener = loop {
            // The task that is being aborted may have the port for a moment longer.
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        *lock(&self.task) = tokio::spawn(accept(listener, Arc::clone(&self.shared)));
    }

    /// All requests that came by.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// How many requests with this grant type came by.
    #[must_use]
    pub fn count(&self, grant_type: &str) -> usize {
        self.seen()
            .iter()
            .filter(|seen| seen.field("grant_type").as_deref() == Some(grant_type))
            .count()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let serving = Arc::clone(&shared);
        let connection = tokio::spawn(async move {
            serve(stream, |request| pass(&serving, request)).await;
        });
        lock(&shared.connections).push(connection.abort_handle());
    }
}

async fn pass(shared: &Shared, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let seen = Seen {
        method: parts.method,
        path: parts.uri.to_string(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    lock(&shared.seen).push(seen.clone());
    let is_meant = match &*lock(&shared.only) {
        Some(only) => seen.operation().as_ref() == Some(only),
        None => true,
    };
    let mode = match is_meant {
        true => lock(&shared.mode).clone(),
        false => Mode::Pass,
    };
    if matches!(mode, Mode::HoldRequests) {
        hold(shared).await;
    }
    let reply = match &mode {
        Mode::Answer(reply) => reply.clone(),
        Mode::Pass | Mode::HoldRequests | Mode::HoldAnswers | Mode::LoseAnswers => {
            forward(shared, &seen).await
        }
    };
    match mode {
        Mode::LoseAnswers => return None,
        Mode::HoldAnswers => hold(shared).await,
        Mode::Pass | Mode::HoldRequests | Mode::Answer(_) => {}
    }
    let mut response = Response::builder()
        .status(reply.status)
        .header("content-type", reply.content_type);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(reply.body))).ok()
}

async fn hold(shared: &Shared) {
    let released = shared.released.notified();
    shared.held.notify_one();
    released.await;
}

async fn forward(shared: &Shared, seen: &Seen) -> Reply {
    let asked = match shared
        .quirk
        .as_ref()
        .map_or_else(|| Ok(seen.clone()), |quirk| quirk.ask(seen))
    {
        Ok(asked) => asked,
        Err(reply) => return reply,
    };
    let url = format!("{}{}", shared.upstream, asked.path);
    let mut request = shared.client.request(asked.method, url);
    let passed = [
        "authorization",
        "content-type",
        "accept",
        "x-amz-date",
        "x-amz-target",
    ];
    for name in passed {
        if let Some(value) = asked.headers.get(name) {
            request = request.header(name, value);
        }
    }
    let answer = request
        .body(asked.body)
        .send()
        .await
        .expect("the provider answers");
    let content_type = answer
        .headers()
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let reply = Reply {
        status: answer.status().as_u16(),
        content_type: content_type.unwrap_or("text/plain").to_owned(),
        headers: Vec::new(),
        body: answer.text().await.expect("a text"),
    };
    shared
        .quirk
        .as_ref()
        .map_or_else(|| reply.clone(), |quirk| quirk.answer(reply.clone()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panicked with it")
}
