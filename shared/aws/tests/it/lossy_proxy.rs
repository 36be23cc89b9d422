//! A way to the store on which a reply can be lost after the store has done as asked.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A proxy on this machine that loses replies when told to.
pub(crate) struct LossyProxy {
    address: String,
    losses: Arc<Losses>,
}

#[derive(Default)]
struct Losses {
    wanted: AtomicU64,
    made: AtomicU64,
}

impl LossyProxy {
    /// A proxy to the store at an `http` URL.
    pub(crate) async fn to(endpoint: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let store = endpoint.trim_start_matches("http://").trim_end_matches('/');
        let (store, losses) = (store.to_owned(), Arc::new(Losses::default()));
        tokio::spawn(serve(listener, store, Arc::clone(&losses)));
        Self { address, losses }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Loses the next reply.
    pub(crate) fn lose_next(&self) {
        self.losses.wanted.fetch_add(1, Ordering::SeqCst);
    }

    /// How many replies have been lost.
    pub(crate) fn lost(&self) -> u64 {
        self.losses.made.load(Ordering::SeqCst)
    }
}

async fn serve(listener: TcpListener, store: String, losses: Arc<Losses>) {
    while let Ok((caller, _)) = listener.accept().await {
        tokio::spawn(relay(caller, store.clone(), Arc::clone(&losses)));
    }
}

/// Relays request by request; a lost reply ends the connection.
async fn relay(mut caller: TcpStream, store: String, losses: Arc<Losses>) {
    while let Some(request) = message(&mut caller).await {
        let mut store = TcpStream::connect(&store).await.unwrap();
        store.write_all(&request).await.unwrap();
        let reply = message(&mut store).await.unwrap();
        if losses.is_wanted() {
            return;
        }
        caller.write_all(&reply).await.unwrap();
    }
}

impl Losses {
    fn is_wanted(&self) -> bool {
        let made = self.made.load(Ordering::SeqCst);
        let is_wanted = made < self.wanted.load(Ordering::SeqCst);
        self.made.fetch_add(u64::from(is_wanted), Ordering::SeqCst);
        is_wanted
    }
}

/// Reads one HTTP/1.1 message that says its length.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let whole = head + 4 + content_length(bytes.split_at(head).0);
            if bytes.len() >= whole {
                return Some(bytes);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let mut lengths = head
        .lines()
        .filter_map(|line| line.strip_prefix("content-length:"));
    lengths
        .next()
        .map_or(0, |length| length.trim().parse().unwrap())
}
