//! Whom the egress trusts, and what a failed handshake leaves.

use std::{sync::Arc, time::Duration};

use latchkey_core::port::{NotSent, SendError};
use rcgen::{CertifiedKey, KeyPair};
use rustls::{RootCertStore, ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tokio_rustls::TlsAcceptor;

use super::{
    LOCAL, failure, local, post, send,
    server::{Reply, Server, ok},
};
use crate::{EgressSettings, ReqwestEgress, client, resolver::SystemLookup};

const NO_CONNECTION: SendError = SendError::NotSent(NotSent::Connection);
const NO_TRUST: SendError = SendError::NotSent(NotSent::Trust);

#[tokio::test]
async fn a_trusted_server_answers_over_tls() {
    let identity = identity("localhost");
    let script = [Reply::Keep(ok(b"one")), Reply::Keep(ok(b"two"))];
    let server = Server::start_tls(script, acceptor(&identity)).await;
    let egress = trusting(&identity);
    for expected in [b"one", b"two"] {
        let answer = send(&egress, post(&server.https())).await.unwrap();
        assert_eq!(answer.body.expose(), expected);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_untrusted_certificate_stops_the_request() {
    let server = Server::start_tls([], acceptor(&identity("localhost"))).await;
    assert_eq!(failure(&local(), post(&server.https())).await, NO_TRUST);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_stops_the_request() {
    let identity = identity("provider.example");
    let server = Server::start_tls([], acceptor(&identity)).await;
    let error = failure(&trusting(&identity), post(&server.https())).await;
    assert_eq!(error, NO_TRUST);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_was_not_sent_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let server = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .unwrap();
    };
    let egress = local();
    let (error, ()) = tokio::join!(failure(&egress, post(&url)), server);
    assert_eq!(error, NO_CONNECTION);
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_cut_at_the_connect_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let settings = EgressSettings {
        connect_limit: Duration::from_millis(100),
        ..LOCAL
    };
    let egress = ReqwestEgress::new(settings).unwrap();
    assert_eq!(failure(&egress, post(&url)).await, NO_CONNECTION);
}

pub(super) fn identity(name: &str) -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed([name.to_owned()]).unwrap()
}

pub(super) fn acceptor(identity: &CertifiedKey<KeyPair>) -> TlsAcceptor {
    let key = PrivatePkcs8KeyDer::from(identity.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key.into())
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

pub(super) fn trusting(identity: &CertifiedKey<KeyPair>) -> ReqwestEgress {
    let mut roots = RootCertStore::empty();
    roots.add(identity.cert.der().clone()).unwrap();
    let tls = client::tls(roots).unwrap();
    ReqwestEgress::assemble(LOCAL, tls, Arc::new(SystemLookup)).unwrap()
}
