//! Headers that belong to the connection and not to the request.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

/// Takes out of `headers` what only the client may say, and adds what it would forget.
///
/// # Security
/// A definition that could set these could end the request early and begin another on the same
/// connection (request smuggling, RFC 9112 §11.2), or reach a host other than the one that was checked.
/// `Accept-Encoding` goes too: nothing here decompresses.
pub(crate) fn settle(headers: &mut HeaderMap, method: &Method, body_is_empty: bool) {
    for name in &CONNECTION_HEADERS {
        headers.remove(name);
    }
    // RFC 9110 §8.6: a method that may carry a body says so when it has none; hyper doesn't.
    let may_carry_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    if body_is_empty && may_carry_body {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

const CONNECTION_HEADERS: [HeaderName; 13] = [
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::REFERER,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
