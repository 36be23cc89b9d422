//! Answers that are lost, and requests that must not be sent again for it.

use latchkey_core::port::{InDoubt, SendError};

use super::{
    failure, get, local, post, send,
    server::{CHUNKED, Reply, Server, chunk, ok},
};

const LOST: SendError = SendError::InDoubt(InDoubt::Lost);

#[tokio::test]
async fn a_connection_closed_instead_of_an_answer_is_a_doubt_and_no_second_request() {
    for request in [post, get] {
        let server = Server::start([Reply::Close(Vec::new())]).await;
        assert_eq!(failure(&local(), request(&server.http())).await, LOST);
        assert_eq!(server.requests().len(), 1);
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_kept_connection_closed_instead_of_an_answer_is_no_different() {
    for request in [post, get] {
        let script = [Reply::Keep(ok(b"")), Reply::Close(Vec::new())];
        let server = Server::start(script).await;
        let egress = local();
        send(&egress, request(&server.http())).await.unwrap();
        assert_eq!(failure(&egress, request(&server.http())).await, LOST);
        assert_eq!(server.requests().len(), 2);
        assert_eq!(server.connections(), 1, "the second went over the kept one");
    }
}

#[tokio::test]
async fn a_connection_closed_while_nobody_used_it_costs_nothing() {
    let script = [Reply::Close(ok(b"one")), Reply::Keep(ok(b"two"))];
    let mut server = Server::start(script).await;
    let egress = local();
    send(&egress, post(&server.http())).await.unwrap();
    server.closed(1).await;
    let answer = send(&egress, post(&server.http())).await.unwrap();
    assert_eq!(answer.body.expose(), b"two");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_truncated_answer_is_lost() {
    let heads_and_half_bodies: &[&[u8]] = &[
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        &[CHUNKED, &chunk(4)].concat(),
        b"HTTP/1.1 200 OK\r\ncontent-le",
    ];
    for bytes in heads_and_half_bodies {
        let server = Server::start([Reply::Close(bytes.to_vec())]).await;
        assert_eq!(failure(&local(), post(&server.http())).await, LOST);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_lost() {
    let server = Server::start([Reply::Keep(b"220 mail.example ESMTP\r\n".to_vec())]).await;
    assert_eq!(failure(&local(), post(&server.http())).await, LOST);
    assert_eq!(server.requests().len(), 1);
}
