//! The query of a list: a page's size and its cursor.

use axum::extract::FromRequestParts as _;
use futures_util::FutureExt as _;
use latchkey_web::paging::Paging;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(query) = std::str::from_utf8(bytes) else {
        return;
    };
    let Ok(request) = http::Request::get(format!("/v1/instances?{query}")).body(()) else {
        return;
    };
    let (mut parts, ()) = request.into_parts();
    let read = Paging::from_request_parts(&mut parts, &()).now_or_never();
    let Ok(Paging(ask)) = read.expect("nothing in it waits") else {
        return;
    };
    assert!((1..=100).contains(&ask.limit));
    if let Some(cursor) = ask.after {
        let is_id = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!((1..=100).contains(&cursor.len()) && cursor.bytes().all(is_id));
    }
}
