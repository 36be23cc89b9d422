//! A server on loopback that reads requests properly and answers as it is told.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

/// What the server does once it has read a whole request.
pub(super) enum Reply {
    /// Writes this and waits for the next request.
    Keep(Vec<u8>),
    /// Writes this and closes the connection.
    Close(Vec<u8>),
    /// Writes this, then nothing, and keeps the connection open.
    Stall(Vec<u8>),
    /// Writes the first, then the second again and again until the client is gone.
    Repeat(Vec<u8>, Vec<u8>, Duration),
}

/// A running server; it ends with the test's runtime.
pub(super) struct Server {
    port: u16,
    state: Arc<State>,
    closed: watch::Receiver<usize>,
}

struct State {
    script: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    closed: watch::Sender<usize>,
}

impl Server {
    /// A server without TLS that goes through `script`, one reply a request, whatever the connection.
    pub(super) async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        Self::listen(script, None).await
    }

    /// The same behind TLS.
    pub(super) async fn start_tls(
        script: impl IntoIterator<Item = Reply>,
        acceptor: TlsAcceptor,
    ) -> Self {
        Self::listen(script, Some(acceptor)).await
    }

    pub(super) fn http(&self) -> String {
        format!("http://127.0.0.1:{}/token", self.port)
    }

    pub(super) fn https(&self) -> String {
        format!("https://localhost:{}/token", self.port)
    }

    /// All requests that were read to their end, head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Waits until the server is done with `count` connections, and the news had time to arrive.
    pub(super) async fn closed(&mut self, count: usize) {
        self.closed
            .wait_for(|closed| *closed >= count)
            .await
            .unwrap();
        for _ in 0..8 {
            // Each turn asks the sockets once.
            tokio::task::yield_now().await;
        }
    }

    async fn listen(
        script: impl IntoIterator<Item = Reply>,
        acceptor: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, closed) = watch::channel(0);
        let state = Arc::new(State {
            script: Mutex::new(script.into_iter().collect()),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            closed: sender,
        });
        tokio::spawn(accept(listener, acceptor, Arc::clone(&state)));
        Self {
            port,
            state,
            closed,
        }
    }
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        state.connections.fetch_add(1, Ordering::SeqCst);
        let state = Arc::clone(&state);
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // A client that goes away is what many of the tests are about.
            let _ = match acceptor {
                None => serve(socket, &state).await,
                Some(acceptor) => match acceptor.accept(socket).await {
                    Ok(socket) => serve(socket, &state).await,
                    Err(error) => Err(error),
                },
            };
            state.closed.send_modify(|closed| *closed += 1);
        });
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut socket: S, state: &State) -> io::Result<()> {
    loop {
        let request = read_request(&mut socket).await?;
        state.requests.lock().unwrap().push(request);
        let reply = state.script.lock().unwrap().pop_front();
        match reply {
            Some(Reply::Keep(bytes)) => socket.write_all(&bytes).await?,
            Some(Reply::Close(bytes)) => {
                socket.write_all(&bytes).await?;
                return socket.shutdown().await;
            }
            Some(Reply::Stall(bytes)) => {
                socket.write_all(&bytes).await?;
                std::future::pending::<()>().await;
            }
            Some(Reply::Repeat(head, again, pause)) => {
                socket.write_all(&head).await?;
                loop {
                    socket.write_all(&again).await?;
                    tokio::time::sleep(pause).await;
                }
            }
            None => return Ok(()),
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(socket: &mut S) -> io::Result<String> {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        request.push(char::from(socket.read_u8().await?));
    }
    let length = request
        .to_ascii_lowercase()
        .split("content-length: ")
        .nth(1)
        .map_or(0, |rest| rest.lines().next().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    request.push_str(&String::from_utf8(body).unwrap());
    Ok(request)
}

/// A complete answer with `body`.
pub(super) fn ok(body: &[u8]) -> Vec<u8> {
    answer("200 OK", "", body)
}

/// A complete answer with more headers, each ended by CRLF.
pub(super) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n");
    [head.as_bytes(), body].concat()
}

/// The head of a chunked answer.
pub(super) const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/// One chunk of `length` bytes.
pub(super) fn chunk(length: usize) -> Vec<u8> {
    [
        format!("{length:x}\r\n").as_bytes(),
        &vec![b'x'; length],
        b"\r\n",
    ]
    .concat()
}
