//! What goes out, and what comes back.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use latchkey_core::{model::Secret, port::WireRequest};

use super::{
    get, local, post, send,
    server::{Reply, Server, answer, ok},
};

#[tokio::test]
async fn an_answer_arrives_as_it_was_sent() {
    let bytes = answer(
        "201 Created",
        "x-provider: yes\r\n",
        b"{\"access_token\":\"a\"}",
    );
    let server = Server::start([Reply::Keep(bytes)]).await;
    let answer = send(&local(), post(&server.http())).await.unwrap();
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.headers["x-provider"], "yes");
    assert_eq!(answer.body.expose(), b"{\"access_token\":\"a\"}");
    assert!(!answer.round_trip.is_zero());
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made() {
    let server = Server::start([Reply::Keep(ok(b""))]).await;
    let request = WireRequest {
        headers: HeaderMap::from_iter([
            (header::ACCEPT, HeaderValue::from_static("application/json")),
            (header::USER_AGENT, HeaderValue::from_static("Acme")),
        ]),
        ..post(&format!("{}?tenant=a%26b", server.http()))
    };
    let host = request.url.port().unwrap();
    send(&local(), request).await.unwrap();
    let expected = format!(
        "POST /token?tenant=a%26b HTTP/1.1\r\naccept: application/json\r\nuser-agent: Acme\r\n\
         host: 127.0.0.1:{host}\r\ncontent-length: 41\r\n\r\n\
         grant_type=refresh_token&refresh_token=r1"
    );
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_nothing_is_sent_again() {
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 Temporary",
        "308 Permanent",
    ] {
        let elsewhere = Server::start([]).await;
        let location = format!("location: {}\r\n", elsewhere.http());
        let server = Server::start([Reply::Keep(answer(status, &location, b""))]).await;
        let answer = send(&local(), post(&server.http())).await.unwrap();
        assert!(answer.status.is_redirection(), "{status}");
        assert_eq!(answer.headers[header::LOCATION], elsewhere.http());
        assert_eq!(server.requests().len(), 1, "{status}");
        assert_eq!(elsewhere.connections(), 0, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_asks_for_a_retry_gets_none() {
    for status in [
        "408 Timeout",
        "421 Misdirected",
        "429 Slow Down",
        "503 Unavailable",
    ] {
        let bytes = answer(status, "retry-after: 0\r\n", b"");
        let server = Server::start([Reply::Keep(bytes)]).await;
        let answer = send(&local(), post(&server.http())).await.unwrap();
        assert_eq!(answer.headers[header::RETRY_AFTER], "0");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn requests_share_a_connection_and_nothing_else() {
    let first = answer("200 OK", "set-cookie: session=1; Path=/\r\n", b"one");
    let server = Server::start([Reply::Keep(first), Reply::Keep(ok(b"two"))]).await;
    let egress = local();
    for expected in [b"one", b"two"] {
        let answer = send(&egress, post(&server.http())).await.unwrap();
        assert_eq!(answer.body.expose(), expected);
    }
    let requests = server.requests();
    assert_eq!(server.connections(), 1);
    assert_eq!(requests[0], requests[1], "no cookie, no referer");
}

#[tokio::test]
async fn a_compressed_answer_is_neither_asked_for_nor_unpacked() {
    let bytes = answer(
        "200 OK",
        "content-encoding: gzip\r\n",
        b"\x1f\x8bnot really",
    );
    let server = Server::start([Reply::Keep(bytes)]).await;
    let mut request = post(&server.http());
    let gzip = HeaderValue::from_static("gzip");
    request.headers.insert(header::ACCEPT_ENCODING, gzip);
    let answer = send(&local(), request).await.unwrap();
    assert_eq!(answer.body.expose(), b"\x1f\x8bnot really");
    assert!(!server.requests()[0].contains("accept-encoding"));
}

#[tokio::test]
async fn headers_of_the_connection_are_not_the_callers_to_set() {
    let server = Server::start([Reply::Keep(ok(b""))]).await;
    let mut request = post(&server.http());
    for (name, value) in [
        ("host", "metadata.internal"),
        ("content-length", "3"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("expect", "100-continue"),
        ("upgrade", "h2c"),
        ("referer", "https://inner.example/"),
    ] {
        request
            .headers
            .insert(name, HeaderValue::from_static(value));
    }
    send(&local(), request).await.unwrap();
    let sent = &server.requests()[0];
    assert!(sent.contains("\r\nhost: 127.0.0.1:"), "{sent}");
    assert!(sent.contains("\r\ncontent-length: 41\r\n"), "{sent}");
    for absent in [
        "metadata",
        "chunked",
        "close",
        "100-continue",
        "h2c",
        "inner",
    ] {
        assert!(!sent.contains(absent), "{absent} in {sent}");
    }
}

#[tokio::test]
async fn a_request_without_a_body_says_so_where_it_could_have_one() {
    let server = Server::start([Reply::Keep(ok(b"")), Reply::Keep(ok(b""))]).await;
    let egress = local();
    send(&egress, get(&server.http())).await.unwrap();
    let empty_post = WireRequest {
        method: Method::POST,
        body: Secret::new(Vec::new()),
        ..get(&server.http())
    };
    send(&egress, empty_post).await.unwrap();
    let requests = server.requests();
    assert!(!requests[0].contains("content-length"), "{}", requests[0]);
    assert!(
        requests[1].contains("\r\ncontent-length: 0\r\n"),
        "{}",
        requests[1]
    );
}
