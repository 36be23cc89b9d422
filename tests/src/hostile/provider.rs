//! A server that reads a request as it should be read, and then does what it is told.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What a provider does with a connection after it has read a request. When it has done everything it
/// closes the connection.
pub type Script = Vec<Deed>;

/// One thing that it does.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Writes bytes.
    Write(Vec<u8>),
    /// Writes the same bytes so many times, or until the client is gone.
    Repeat {
        /// The bytes.
        piece: Vec<u8>,
        /// How often.
        times: u64,
        /// How long it waits after each.
        pause: Duration,
    },
    /// Does nothing for so long.
    Wait(Duration),
    /// Does nothing until the client is gone.
    Hang,
    /// Ends the connection with a reset.
    Reset,
}

/// How many have been started. Each has a path of its own: where hundreds of ports are taken at once,
/// some are of a server that has ended, whose callers have not.
static STARTED: AtomicUsize = AtomicUsize::new(0);

/// A provider that runs; it ends with this value.
#[derive(Debug)]
pub struct Provider {
    /// Its token URL.
    pub token_url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    path: String,
    script: Mutex<Script>,
    connections: AtomicUsize,
    requests: AtomicUsize,
    written: AtomicU64,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Provider {
    /// One that does this with every request.
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let path = format!("/{}/", STARTED.fetch_add(1, Ordering::SeqCst));
        let token_url = format!("http://{address}{path}token");
        let shared = Arc::new(Shared {
            path,
            script: Mutex::new(script),
            connections: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            written: AtomicU64::new(0),
        });
        Self {
            token_url,
            task: tokio::spawn(accept(listener, Arc::clone(&shared))),
            shared,
        }
    }

    /// Does this with every request from now on.
    pub fn set(&self, script: Script) {
        *self
            .shared
            .script
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// How many requests have come below the path of its token URL.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// How many connections have been made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many bytes the system has taken from it, to be sent.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.shared.written.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A client that goes away is what many of the scripts are about.
            serve(stream, &shared).await.unwrap_or_default();
        });
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    if !read_request(&mut stream).await?.starts_with(&shared.path) {
        return Ok(());
    }
    shared.requests.fetch_add(1, Ordering::SeqCst);
    let script = shared.script.lock();
    let script = script.unwrap_or_else(PoisonError::into_inner).clone();
    for deed in script {
        match deed {
            Deed::Write(bytes) => write(&mut stream, shared, &bytes).await?,
            Deed::Repeat {
                piece,
                times,
                pause,
            } => {
                for _ in 0..times {
                    write(&mut stream, shared, &piece).await?;
                    if !pause.is_zero() {
                        tokio::time::sleep(pause).await;
                    }
                }
            }
            Deed::Wait(span) => tokio::time::sleep(span).await,
            Deed::Hang => {
                // Whatever comes now is of no interest but for its end.
                while stream.read(&mut [0; 64]).await? > 0 {}
            }
            Deed::Reset => return stream.set_zero_linger(),
        }
    }
    stream.shutdown().await
}

async fn write(stream: &mut TcpStream, shared: &Shared, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    shared.written.fetch_add(count, Ordering::SeqCst);
    Ok(())
}

/// Reads one request, its body too, and gives its path.
async fn read_request(stream: &mut TcpStream) -> io::Result<String> {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    let (head, length) = loop {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        request.extend(piece.iter().take(read));
        if let Some(head) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break (head + 4, length(&request));
        }
    };
    let mut rest = vec![0; (head + length).saturating_sub(request.len())];
    stream.read_exact(&mut rest).await?;
    let text = String::from_utf8_lossy(&request);
    Ok(text.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// The length of a request's body, as its head says.
fn length(request: &[u8]) -> usize {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let said = text.lines().find_map(|line| {
        let value = line.strip_prefix("content-length:")?;
        value.trim().parse().ok()
    });
    said.unwrap_or_default()
}
