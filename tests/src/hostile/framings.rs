//! Broken framings × statuses, and answers without end.

use std::time::Duration;

use super::{
    Deed, Row, Script,
    answers::{JSON, chunks, head, status_line},
    bodies::MOST,
    statuses::{Reading, expected, good},
    table::Expected,
};

/// How gzip begins what it makes of zeros; it goes on with zeros, each of which stands for about a
/// thousand.
const GZIP_OF_ZEROS: &[u8] =
    b"\x1f\x8b\x08\0\0\0\0\0\x02\xff\xec\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a";
const LOST: Expected = Expected::Failed("answer_lost");
const GIGABYTE: u64 = 1_000_000_000;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for status in [200, 400, 503] {
        rows.extend(misframed(status));
        rows.extend(endless(status));
    }
    rows
}

fn row(name: &str, status: u16, script: Script, expected: Expected) -> Row {
    Row::new(format!("{status}: {name}"), script, expected)
}

/// A head of this status with these headers, and what comes after it.
fn raw(status: u16, headers: &[&str], rest: &[u8]) -> Script {
    let headers = [&["Content-Type: application/json"], headers].concat();
    vec![Deed::Write(
        [head(&status_line(status), &headers), rest.to_vec()].concat(),
    )]
}

fn misframed(status: u16) -> Vec<Row> {
    let good = good();
    let whole = expected(status, Reading::Token, false);
    let chunked = "Transfer-Encoding: chunked";
    let chunks = chunks(&good);
    let cut = |at: usize| chunks.split_at(at).0.to_vec();
    let lost =
        |name, headers: &[&str], rest: &[u8]| row(name, status, raw(status, headers, rest), LOST);
    let kept =
        |name, headers: &[&str], rest: &[u8]| row(name, status, raw(status, headers, rest), whole);
    vec![
        lost("longer than it is", &["Content-Length: 999"], &good),
        row(
            "shorter than it is",
            status,
            raw(status, &["Content-Length: 40"], &good),
            expected(status, Reading::Nothing, false),
        ),
        lost(
            "two lengths",
            &["Content-Length: 5", "Content-Length: 6"],
            &good,
        ),
        lost("two lengths in one", &["Content-Length: 5, 6"], &good),
        lost("a negative length", &["Content-Length: -1"], &good),
        lost("a length that is none", &["Content-Length: many"], &good),
        lost(
            "a length beyond 64 bits",
            &["Content-Length: 99999999999999999999"],
            &good,
        ),
        lost(
            "a length of 10 GB, and the end",
            &["Content-Length: 10000000000"],
            &good,
        ),
        kept(
            "a length beside chunks",
            &["Content-Length: 3", chunked],
            &chunks,
        ),
        kept(
            "another transfer coding",
            &["Transfer-Encoding: gzip"],
            &good,
        ),
        lost(
            "a chunk size that is none",
            &[chunked],
            b"zz\r\nhello\r\n0\r\n\r\n",
        ),
        lost(
            "a chunk size that is negative",
            &[chunked],
            b"-1\r\nhello\r\n0\r\n\r\n",
        ),
        lost(
            "a chunk size beyond 64 bits",
            &[chunked],
            b"fffffffffffffffff\r\nhello",
        ),
        lost("a chunk size without end", &[chunked], &[b'0'; 70_000]),
        lost(
            "a chunk extension without end",
            &[chunked],
            &[b"1;".to_vec(), vec![b'x'; 70_000]].concat(),
        ),
        lost(
            "a chunk that is longer than it says",
            &[chunked],
            b"1\r\nhello\r\n0\r\n\r\n",
        ),
        lost(
            "chunks without the last",
            &[chunked],
            &cut(chunks.len() - 5),
        ),
        lost("half a chunk", &[chunked], &cut(chunks.len() / 2)),
        lost(
            "trailers without end",
            &[chunked],
            &[b"0\r\n".to_vec(), b"x-more: yes\r\n".repeat(9_000)].concat(),
        ),
        lost("a body in clear where chunks were said", &[chunked], &good),
    ]
}

fn endless(status: u16) -> Vec<Row> {
    let type_ = format!("Content-Type: {JSON}");
    let begin = |headers: &[&str]| {
        Deed::Write(head(
            &status_line(status),
            &[&[type_.as_str()], headers].concat(),
        ))
    };
    let letters = vec![b'x'; 100_000];
    let chunk = [b"186a0\r\n", letters.as_slice(), b"\r\n"].concat();
    let ten_gigabytes = |piece: &[u8]| Deed::Repeat {
        piece: piece.to_vec(),
        times: 10 * GIGABYTE / 100_000,
        pause: Duration::ZERO,
    };
    let drip = |piece: &[u8]| Deed::Repeat {
        piece: piece.to_vec(),
        times: u64::MAX,
        pause: Duration::from_millis(20),
    };
    let length = "Content-Length: 10000000000";
    let chunked = "Transfer-Encoding: chunked";
    // 200 KB that become 206 MB.
    let bomb = [GZIP_OF_ZEROS, &[0; 200_000]].concat();
    let nearly = vec![b'x'; MOST - 64];
    let more = vec![b'x'; MOST + 1];
    vec![
        row(
            "10 GB by length",
            status,
            vec![begin(&[length]), ten_gigabytes(&letters)],
            LOST,
        ),
        row(
            "10 GB in chunks",
            status,
            vec![begin(&[chunked]), ten_gigabytes(&chunk)],
            LOST,
        ),
        row(
            "10 GB to the end",
            status,
            vec![begin(&[]), ten_gigabytes(&letters)],
            LOST,
        ),
        row(
            "a gzip bomb",
            status,
            raw(
                status,
                &[
                    "Content-Encoding: gzip",
                    &format!("Content-Length: {}", bomb.len()),
                ],
                &bomb,
            ),
            expected(status, Reading::Nothing, false),
        ),
        row(
            "a body in drops",
            status,
            vec![begin(&[]), drip(b" ")],
            LOST,
        ),
        row(
            "chunks in drops",
            status,
            vec![begin(&[chunked]), drip(b"1\r\n \r\n")],
            LOST,
        ),
        row(
            "headers in drops",
            status,
            vec![
                Deed::Write(format!("{}\r\n", status_line(status)).into_bytes()),
                drip(b"x-more: yes\r\n"),
            ],
            LOST,
        ),
        row(
            "almost all that a body may have, and silence",
            status,
            vec![begin(&[]), Deed::Write(nearly), Deed::Hang],
            LOST,
        ),
        row(
            "one byte too many by length",
            status,
            raw(status, &[&format!("Content-Length: {}", more.len())], &more),
            LOST,
        ),
        row(
            "one byte too many in chunks",
            status,
            raw(status, &[chunked], &chunks(&more)),
            LOST,
        ),
        row(
            "one byte too many to the end",
            status,
            raw(status, &[], &more),
            LOST,
        ),
        row(
            "a head, and silence",
            status,
            vec![begin(&["Content-Length: 100"]), Deed::Hang],
            LOST,
        ),
        row(
            "half a head, and the end",
            status,
            vec![Deed::Write(status_line(status).into_bytes())],
            LOST,
        ),
        row(
            "half a body, and a reset",
            status,
            vec![
                begin(&["Content-Length: 100"]),
                Deed::Write(b"{".to_vec()),
                Deed::Reset,
            ],
            LOST,
        ),
        row(
            "101 headers",
            status,
            raw(status, &["x-more: yes"; 101], b""),
            LOST,
        ),
        row(
            "a header of 1 MB",
            status,
            raw(
                status,
                &[&format!("x-more: {}", "y".repeat(1_000_000))],
                b"",
            ),
            LOST,
        ),
        row(
            "headers without end",
            status,
            vec![
                Deed::Write(format!("{}\r\n", status_line(status)).into_bytes()),
                Deed::Repeat {
                    piece: b"x-more: yes\r\n".repeat(1_000),
                    times: u64::MAX,
                    pause: Duration::ZERO,
                },
            ],
            LOST,
        ),
        row(
            "a NUL in a header",
            status,
            raw(status, &["x-more: a\0b"], b""),
            LOST,
        ),
        row(
            "a header without a name",
            status,
            raw(status, &[": value"], b""),
            LOST,
        ),
        row(
            "a header without a colon",
            status,
            raw(status, &["nonsense"], b""),
            LOST,
        ),
        row(
            "a folded header",
            status,
            raw(status, &["x-more: a\r\n b"], b""),
            LOST,
        ),
    ]
}

/// What is held as long as it is not whole, as much of it as there can be, and then silence.
#[must_use]
pub fn bulky() -> Vec<(&'static str, Script)> {
    let head = |headers: &[&str]| head(&status_line(200), headers);
    let body = vec![b'x'; MOST - 1];
    let length = format!("Content-Length: {MOST}");
    let many = format!(
        "{}\r\n{}",
        status_line(200),
        "x-more: yes\r\n".repeat(25_000)
    );
    let one = format!("{}\r\nx-more: {}", status_line(200), "y".repeat(380_000));
    let then_silence = |bytes: Vec<u8>| vec![Deed::Write(bytes), Deed::Hang];
    vec![
        (
            "a body by its length",
            then_silence([head(&[&length]), body.clone()].concat()),
        ),
        (
            "a body to the end",
            then_silence([head(&[]), body.clone()].concat()),
        ),
        (
            "a body in chunks",
            then_silence(
                [
                    head(&["Transfer-Encoding: chunked"]),
                    format!("{MOST:x}\r\n").into_bytes(),
                    body,
                ]
                .concat(),
            ),
        ),
        ("headers", then_silence(many.into_bytes())),
        ("a header", then_silence(one.into_bytes())),
    ]
}
