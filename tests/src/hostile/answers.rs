//! Answers in bytes.

use super::{Deed, Script};

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length.
    Length,
    /// In chunks.
    Chunks,
    /// By the end of the connection.
    Close,
}

/// All framings.
pub(super) const FRAMINGS: [Framing; 3] = [Framing::Length, Framing::Chunks, Framing::Close];

/// The content type that a token answer should have.
pub(super) const JSON: &str = "application/json";

/// A head: a status line and headers, both as they are on the wire.
pub(super) fn head(status_line: &str, headers: &[&str]) -> Vec<u8> {
    let mut head = format!("{status_line}\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A whole answer with a body of JSON by its length, and further headers.
pub(super) fn with_headers(status: u16, headers: &[&str], body: &[u8]) -> Script {
    let (content_type, length) = (
        format!("Content-Type: {JSON}"),
        format!("Content-Length: {}", body.len()),
    );
    let headers = [&[content_type.as_str(), &length], headers].concat();
    vec![Deed::Write(
        [head(&status_line(status), &headers), body.to_vec()].concat(),
    )]
}

/// A whole answer.
pub(super) fn answer(
    status: u16,
    content_type: Option<&str>,
    framing: Framing,
    body: &[u8],
) -> Script {
    let content_type = content_type.map(|name| format!("Content-Type: {name}"));
    let delimiter = match framing {
        Framing::Length => Some(format!("Content-Length: {}", body.len())),
        Framing::Chunks => Some("Transfer-Encoding: chunked".to_owned()),
        Framing::Close => None,
    };
    let headers: Vec<&str> = content_type
        .iter()
        .chain(&delimiter)
        .map(String::as_str)
        .collect();
    let body = match framing {
        Framing::Chunks => chunks(body),
        Framing::Length | Framing::Close => body.to_vec(),
    };
    vec![Deed::Write(
        [head(&status_line(status), &headers), body].concat(),
    )]
}

/// A body in chunks that are far from even, with the last one.
pub(super) fn chunks(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut rest, mut size) = (body, 1);
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(size.min(rest.len()));
        out.extend(format!("{:x};note=\"x\"\r\n", piece.len()).into_bytes());
        out.extend(piece);
        out.extend(b"\r\n");
        (rest, size) = (left, size * 3);
    }
    out.extend(b"0\r\n\r\n");
    out
}

/// A status line of HTTP/1.1.
pub(super) fn status_line(status: u16) -> String {
    format!("HTTP/1.1 {status} Whatever")
}
