//! TLS before a server that has none, as AWS's endpoints have it.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;
use url::Url;

/// Fronts of this machine, with the certificate by which they are trusted.
pub(super) struct Fronts {
    acceptor: TlsAcceptor,
    bundle: PathBuf,
}

impl fmt::Debug for Fronts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fronts").field(&self.bundle).finish()
    }
}

impl Fronts {
    /// Fronts whose certificate is put into a directory.
    #[must_use]
    pub(super) fn new(directory: &Path) -> Self {
        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let identity = identity.expect("a certificate");
        let bundle = directory.join("bundle.pem");
        std::fs::write(&bundle, pem(identity.cert.der())).expect("a file");
        let key = PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![identity.cert.der().clone()], key.into());
        Self {
            acceptor: TlsAcceptor::from(Arc::new(config.expect("a certificate and its key"))),
            bundle,
        }
    }

    /// The file of the certificate.
    #[must_use]
    pub(super) fn bundle(&self) -> &str {
        self.bundle.to_str().expect("a path in UTF-8")
    }

    /// One before a server.
    pub(super) async fn before(&self, url: &str) -> Front {
        let url = Url::parse(url).expect("a URL");
        let addresses = url.socket_addrs(|| None).expect("a host and a port");
        let upstream = *addresses.first().expect("an address");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        Front {
            url: format!("https://localhost:{port}"),
            connections,
            task: tokio::spawn(accept(listener, self.acceptor.clone(), upstream, counted)),
        }
    }
}

/// A certificate as text (RFC 7468 §5.1).
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    let body = lines.join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

/// A front that runs; it ends with this value.
#[derive(Debug)]
pub(super) struct Front {
    /// Where it is.
    pub(super) url: String,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Front {
    /// How many connections have been made to it.
    #[must_use]
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    upstream: SocketAddr,
    counted: Arc<AtomicUsize>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        counted.fetch_add(1, Ordering::SeqCst);
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            stream.set_nodelay(true)?;
            let mut near = acceptor.accept(stream).await?;
            let mut far = TcpStream::connect(upstream).await?;
            far.set_nodelay(true)?;
            // A function is ended without a word: that is no failure of this connection.
            copy_bidirectional(&mut near, &mut far).await
        });
    }
}
