//! No answers at all, answers before the answer, and answers that are slow.

use std::time::Duration;

use super::{
    Deed, Row, Script,
    answers::{head, status_line},
    statuses::good,
    table::Expected,
};

const LOST: Expected = Expected::Failed("answer_lost");
/// Longer than a lease.
const BEYOND_THE_LEASE: Duration = Duration::from_secs(31);

pub(super) fn rows() -> Vec<Row> {
    let mut rows = no_answers();
    rows.extend(interim());
    rows.extend(slow());
    rows
}

/// What is no answer of HTTP/1.1.
fn no_answers() -> Vec<Row> {
    let good = good();
    let line = |line: &str| {
        let head = head(line, &["Content-Type: application/json"]);
        vec![Deed::Write([head, good.clone()].concat())]
    };
    let lines = [
        "HTTP/1.1 99 Too few",
        "HTTP/1.1 1000 Too many",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 abc OK",
        "HTTP/1.1 -200 OK",
        "HTTP/1.1",
        "HTTP/9.9 200 OK",
        "HTTP/2 200 OK",
        "HTTP/0.9 200 OK",
        "http/1.1 200 OK",
        "ICY 200 OK",
        "200 OK",
        "SSH-2.0-OpenSSH_9.9",
        "220 mail.example ESMTP",
        "",
        "POST /token HTTP/1.1",
    ];
    let mut rows: Vec<_> = lines
        .into_iter()
        .map(|text| Row::new(format!("the status line {text:?}"), line(text), LOST))
        .collect();
    let lost = |name: &str, script| Row::new(name, script, LOST);
    rows.extend([
        lost("the end of the connection", Vec::new()),
        lost("a reset", vec![Deed::Reset]),
        lost("one byte, and the end", vec![Deed::Write(b"H".to_vec())]),
        lost(
            "one byte, and a reset",
            vec![Deed::Write(b"H".to_vec()), Deed::Reset],
        ),
        lost(
            "line ends without end",
            vec![Deed::Repeat {
                piece: b"\r\n".repeat(1_000),
                times: u64::MAX,
                pause: Duration::ZERO,
            }],
        ),
        lost(
            "letters without end",
            vec![Deed::Repeat {
                piece: vec![b'A'; 4_096],
                times: u64::MAX,
                pause: Duration::ZERO,
            }],
        ),
        lost(
            "an alert of TLS",
            vec![Deed::Write(b"\x15\x03\x01\0\x02\x02\x50".to_vec())],
        ),
        lost(
            "a preface of HTTP/2",
            vec![Deed::Write(
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec(),
            )],
        ),
        lost("bare JSON", vec![Deed::Write(good.clone())]),
    ]);
    rows
}

/// Answers before the answer (RFC 9110 §15.2).
fn interim() -> Vec<Row> {
    let (line, good) = (head(&status_line(200), &["Connection: close"]), good());
    let before = |interim: &str, times| {
        let interim = head(interim, &["Link: </a>; rel=preload"]).repeat(times);
        vec![Deed::Write([interim, line.clone(), good.clone()].concat())]
    };
    let fine = Expected::Refreshed;
    vec![
        Row::new("100 before it", before("HTTP/1.1 100 Continue", 1), fine),
        Row::new(
            "100 fifty times before it",
            before("HTTP/1.1 100 Continue", 50),
            fine,
        ),
        Row::new("103 before it", before("HTTP/1.1 103 Early Hints", 3), fine),
        Row::new("199 before it", before("HTTP/1.1 199 Odd", 1), fine),
        Row::new(
            "100 without end",
            vec![Deed::Repeat {
                piece: head("HTTP/1.1 100 Continue", &[]),
                times: u64::MAX,
                pause: Duration::from_millis(5),
            }],
            LOST,
        ),
        Row::new(
            "another protocol",
            vec![
                Deed::Write(head(
                    "HTTP/1.1 101 Switching Protocols",
                    &["Connection: upgrade", "Upgrade: websocket"],
                )),
                Deed::Hang,
            ],
            Expected::Failed("client_refused"),
        ),
    ]
}

fn slow() -> Vec<Row> {
    let good = good();
    let whole = [
        head(
            &status_line(200),
            &[&format!("Content-Length: {}", good.len())],
        ),
        good.clone(),
    ]
    .concat();
    let pieces = |pause| -> Script {
        let pieces = whole.chunks(16).map(|piece| Deed::Repeat {
            piece: piece.to_vec(),
            times: 1,
            pause,
        });
        pieces.collect()
    };
    let late = vec![Deed::Wait(BEYOND_THE_LEASE), Deed::Write(whole.clone())];
    let late_body = vec![
        Deed::Write(head(
            &status_line(200),
            &[&format!("Content-Length: {}", good.len())],
        )),
        Deed::Wait(BEYOND_THE_LEASE),
        Deed::Write(good),
    ];
    let mut rows = vec![
        Row::new("silence", vec![Deed::Hang], LOST),
        Row::new(
            "a good answer bit by bit, in time",
            pieces(Duration::from_millis(1)),
            Expected::Refreshed,
        ),
        Row::new(
            "a good answer bit by bit, too slowly",
            pieces(Duration::from_secs(1)),
            LOST,
        ),
        Row::new(
            "a good answer after a second",
            vec![
                Deed::Wait(Duration::from_secs(1)),
                Deed::Write(whole.clone()),
            ],
            Expected::Refreshed,
        ),
        Row::new(
            "a good answer beyond the limit",
            vec![
                Deed::Wait(Duration::from_secs(12)),
                Deed::Write(whole.clone()),
            ],
            LOST,
        ),
    ];
    // These are waited for as long as the product waits.
    for (name, script) in [
        ("a good answer beyond the lease", late),
        ("a good body beyond the lease", late_body),
        ("silence beyond the lease", vec![Deed::Hang]),
    ] {
        rows.push(Row {
            patient: true,
            ..Row::new(name, script, LOST)
        });
    }
    rows
}
