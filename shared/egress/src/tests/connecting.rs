//! Destinations that are refused, and those that can't be reached.

use std::{future, io, net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use latchkey_core::port::{InDoubt, NotSent, Refusal, SendError, WireRequest};
use tokio::net::TcpListener;

use super::{
    LOCAL, failure, get, local, post, send,
    server::{Reply, Server, ok},
    with_lookup,
};
use crate::{
    EgressSettings, ReqwestEgress, answer, client,
    destination::Reach,
    resolver::{GuardedResolver, Lookup},
};

const FORBIDDEN: SendError = SendError::Refused(Refusal::Address);
const NO_NAME: SendError = SendError::NotSent(NotSent::Name);
const NO_CONNECTION: SendError = SendError::NotSent(NotSent::Connection);

/// Knows these addresses for every name.
struct Knows(&'static [&'static str]);

/// Says that no name exists.
struct KnowsNothing;

/// Never answers.
struct Hangs;

#[async_trait]
impl Lookup for Knows {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.0.iter().map(|text| text.parse().unwrap()).collect())
    }
}

#[async_trait]
impl Lookup for KnowsNothing {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other("no such name"))
    }
}

#[async_trait]
impl Lookup for Hangs {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        future::pending().await
    }
}

#[tokio::test]
async fn this_machine_is_out_of_reach_unless_it_is_allowed() {
    let server = Server::start([]).await;
    let egress = ReqwestEgress::new(EgressSettings::default()).unwrap();
    let port = server.http().rsplit(':').next().unwrap().to_owned();
    for host in ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::1]"] {
        let refused = failure(&egress, post(&format!("https://{host}:{port}"))).await;
        assert_eq!(refused, FORBIDDEN, "{host}");
    }
    let refused = failure(&egress, post(&server.http())).await;
    assert_eq!(refused, SendError::Refused(Refusal::Scheme));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_name_localhost_is_this_machine_where_that_is_allowed() {
    let server = Server::start([Reply::Keep(ok(b"here"))]).await;
    let url = server.http().replace("127.0.0.1", "localhost");
    let answer = send(&with_lookup(LOCAL, KnowsNothing), post(&url))
        .await
        .unwrap();
    assert_eq!(answer.body.expose(), b"here");
}

#[tokio::test]
async fn a_url_that_breaks_a_rule_is_refused_before_anything_is_sent() {
    let rows = [
        (
            "https://user:secret@provider.example/",
            Refusal::UserInformation,
        ),
        ("ftp://provider.example/", Refusal::Scheme),
        ("http://provider.example/", Refusal::Scheme),
        (
            "https://169.254.169.254/latest/meta-data/",
            Refusal::Address,
        ),
        ("https://[::ffff:127.0.0.1]/", Refusal::Address),
        ("https://[fd00:ec2::254]/", Refusal::Address),
    ];
    for (url, refusal) in rows {
        let refused = failure(&local(), post(url)).await;
        assert_eq!(refused, SendError::Refused(refusal), "{url}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_forbidden_address_is_refused() {
    let answers: [&'static [&'static str]; 6] = [
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        // Not even where this machine is allowed: only `localhost` may lead here.
        &["127.0.0.1"],
        &["::1"],
        // One of many is enough.
        &["1.1.1.1", "2606:4700::1111", "192.168.1.1"],
    ];
    for answer in answers {
        let egress = with_lookup(LOCAL, Knows(answer));
        let refused = failure(&egress, post("https://provider.example/")).await;
        assert_eq!(refused, FORBIDDEN, "{answer:?}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_was_not_sent_to() {
    for egress in [
        with_lookup(LOCAL, KnowsNothing),
        with_lookup(LOCAL, Knows(&[])),
    ] {
        let error = failure(&egress, post("https://provider.example/")).await;
        assert_eq!(error, NO_NAME);
    }
}

/// RFC 6761 §6.4: no name below `invalid` exists.
#[tokio::test]
async fn the_machines_own_resolver_says_that_a_name_does_not_exist() {
    let error = failure(&local(), post("https://provider.invalid/")).await;
    assert_eq!(error, NO_NAME);
}

#[tokio::test]
async fn a_refused_connection_was_not_sent_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for request in [post, get] {
        let error = failure(&local(), request(&format!("http://{address}/"))).await;
        assert_eq!(error, NO_CONNECTION);
    }
}

#[tokio::test]
async fn a_connection_that_takes_longer_than_its_limit_was_not_sent_to() {
    let settings = EgressSettings {
        connect_limit: Duration::from_millis(100),
        ..LOCAL
    };
    let egress = with_lookup(settings, Hangs);
    for request in [post, get] {
        let error = failure(&egress, request("https://provider.example/")).await;
        assert_eq!(error, NO_CONNECTION);
    }
}

#[tokio::test]
async fn a_limit_that_passes_before_the_connection_leaves_no_doubt() {
    let request = WireRequest {
        limit: Duration::from_millis(100),
        ..post("https://provider.example/")
    };
    let error = failure(&with_lookup(LOCAL, Hangs), request).await;
    assert_eq!(error, NO_CONNECTION);
}

/// The resolver and the literals' check rule this out, so the test goes around both.
#[tokio::test]
async fn an_answer_from_a_forbidden_address_is_not_passed_on() {
    let server = Server::start([Reply::Keep(ok(b"inner service"))]).await;
    let resolver = GuardedResolver {
        loopback: LOCAL.loopback,
        lookup: Arc::new(KnowsNothing),
    };
    let tls = client::tls(client::public_roots()).unwrap();
    let client = client::build(LOCAL, tls, resolver).unwrap();
    let response = client.get(server.http()).send().await.unwrap();
    let error = answer::read(response, Reach::Public).await.unwrap_err();
    assert_eq!(error, SendError::InDoubt(InDoubt::Lost));
}
