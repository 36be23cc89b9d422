//! What comes in from the process's environment, and what goes out to its log.

use std::{
    env,
    io::{self, ErrorKind, Write},
    net::TcpListener,
    process::Command,
    sync::{Arc, Mutex},
};

use http::{HeaderValue, header};
use latchkey_core::{model::Secret, port::WireRequest};
use tracing::Level;

use super::{
    local, post, send,
    server::{Reply, Server, ok},
    tls::{acceptor, identity, trusting},
};

/// The environment of a running process can't be changed safely, so this test runs the next one in
/// a process of its own.
#[test]
fn a_proxy_in_the_environment_is_ignored() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = Command::new(env::current_exe().unwrap());
    child.args([
        "--exact",
        "tests::surroundings::in_a_child_two_requests_arrive",
    ]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(name, &url).env(name.to_lowercase(), &url);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = child.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
    assert!(report.contains("1 passed"), "{report}");
    let nobody_came = proxy.accept().unwrap_err();
    assert_eq!(nobody_came.kind(), ErrorKind::WouldBlock);
}

#[tokio::test]
async fn in_a_child_two_requests_arrive() {
    let server = Server::start([Reply::Keep(ok(b""))]).await;
    send(&local(), post(&server.http())).await.unwrap();
    let identity = identity("localhost");
    let server = Server::start_tls([Reply::Keep(ok(b""))], acceptor(&identity)).await;
    send(&trusting(&identity), post(&server.https()))
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_secret_is_logged_or_printed() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let egress = local();
    let script = [
        Reply::Keep(ok(b"hunter2")),
        Reply::Close(b"hunter2".to_vec()),
    ];
    let server = Server::start(script).await;
    let answer = send(&egress, marked(&server.http())).await.unwrap();
    let error = send(&egress, marked(&server.http())).await.unwrap_err();
    drop(guard);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        log.contains("answered host=\"127.0.0.1\" status=200 ms="),
        "{log}"
    );
    assert!(
        log.contains("not answered host=\"127.0.0.1\" error="),
        "{log}"
    );
    for text in [
        log,
        format!("{egress:?} {:?} {error:?} {error}", answer.body),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

/// A request with the marker in every place that a secret may be in.
fn marked(url: &str) -> WireRequest {
    let mut request = WireRequest {
        body: Secret::new(b"client_secret=hunter2".to_vec()),
        ..post(&format!("{url}?client_secret=hunter2"))
    };
    let bearer = HeaderValue::from_static("Bearer hunter2");
    request.headers.insert(header::AUTHORIZATION, bearer);
    request
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
