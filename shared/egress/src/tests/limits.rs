//! Bounds in size and time.

use std::time::Duration;

use latchkey_core::port::{InDoubt, SendError, WireRequest};

use super::{
    failure, get, local, post, send,
    server::{CHUNKED, Reply, Server, chunk, ok},
};
use crate::answer::MOST_BYTES;

const TOO_LARGE: SendError = SendError::InDoubt(InDoubt::TooLarge);
const TIMED_OUT: SendError = SendError::InDoubt(InDoubt::TimedOut);
const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_body_of_exactly_the_most_bytes_passes() {
    let body = vec![b'x'; MOST_BYTES];
    let chunked = [CHUNKED, &chunk(MOST_BYTES), b"0\r\n\r\n"].concat();
    let server = Server::start([Reply::Keep(ok(&body)), Reply::Keep(chunked)]).await;
    let egress = local();
    for _ in 0..2 {
        let answer = send(&egress, post(&server.http())).await.unwrap();
        assert_eq!(answer.body.expose().len(), MOST_BYTES);
    }
}

#[tokio::test]
async fn one_byte_more_is_too_large() {
    let chunked = [CHUNKED, &chunk(MOST_BYTES + 1), b"0\r\n\r\n"].concat();
    let server = Server::start([Reply::Keep(chunked)]).await;
    assert_eq!(failure(&local(), post(&server.http())).await, TOO_LARGE);
}

#[tokio::test]
async fn a_body_of_two_mebibytes_is_too_large() {
    let server = Server::start([Reply::Keep(ok(&vec![b'x'; 2 << 20]))]).await;
    assert_eq!(failure(&local(), post(&server.http())).await, TOO_LARGE);
}

#[tokio::test]
async fn an_announced_body_that_is_too_large_is_not_waited_for() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 262145\r\n\r\n";
    let server = Server::start([Reply::Stall(head.to_vec())]).await;
    assert_eq!(failure(&local(), post(&server.http())).await, TOO_LARGE);
}

#[tokio::test]
async fn a_body_without_end_is_cut_and_its_connection_closed() {
    let endless = Reply::Repeat(CHUNKED.to_vec(), chunk(64 << 10), Duration::ZERO);
    let mut server = Server::start([endless]).await;
    assert_eq!(failure(&local(), post(&server.http())).await, TOO_LARGE);
    server.closed(1).await;
}

#[tokio::test]
async fn a_body_that_drips_is_cut_at_the_limit() {
    let drip = Reply::Repeat(CHUNKED.to_vec(), chunk(1), Duration::from_millis(10));
    let mut server = Server::start([drip]).await;
    let request = WireRequest {
        limit: SHORT,
        ..post(&server.http())
    };
    assert_eq!(failure(&local(), request).await, TIMED_OUT);
    server.closed(1).await;
}

#[tokio::test]
async fn a_head_that_drips_is_cut_at_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\n".to_vec();
    let drip = Reply::Repeat(head, b"x-more: yes\r\n".to_vec(), Duration::from_millis(10));
    let server = Server::start([drip]).await;
    let request = WireRequest {
        limit: SHORT,
        ..post(&server.http())
    };
    assert_eq!(failure(&local(), request).await, TIMED_OUT);
}

#[tokio::test]
async fn a_server_that_never_answers_leaves_a_doubt() {
    for request in [post, get] {
        let server = Server::start([Reply::Stall(Vec::new())]).await;
        let request = WireRequest {
            limit: SHORT,
            ..request(&server.http())
        };
        assert_eq!(failure(&local(), request).await, TIMED_OUT);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn too_many_headers_lose_the_answer() {
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-more: yes\r\n".repeat(101));
    let server = Server::start([Reply::Keep(head.into_bytes())]).await;
    let lost = SendError::InDoubt(InDoubt::Lost);
    assert_eq!(failure(&local(), post(&server.http())).await, lost);
}
