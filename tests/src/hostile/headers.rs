//! Headers × statuses.

use super::{
    Row,
    answers::with_headers,
    statuses::{Reading, expected, good},
};

/// Where a redirect leads: to a port of this machine that answers nobody.
const ELSEWHERE: &str = "http://127.0.0.1:9/elsewhere";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    // What may be waited for, and what says nothing.
    for (value, is_understood) in [
        ("0", true),
        ("30", true),
        ("4000000000", true),
        ("99999999999999999999999999", true),
        ("Fri, 01 Jan 9999 00:00:00 GMT", true),
        ("Thu, 01 Jan 1970 00:00:00 GMT", true),
        ("-1", false),
        ("1.5", false),
        ("1e400", false),
        ("soon", false),
        ("", false),
        // Beyond our calendar.
        ("Fri, 31 Dec 9999 23:59:59 GMT", false),
        ("Fri, 99 Foo 99999 99:99:99 GMT", false),
    ] {
        let header = format!("Retry-After: {value}");
        for status in [429, 503, 200, 400] {
            rows.push(Row::new(
                format!("{status} with {header}"),
                with_headers(status, &[&header], &good()),
                expected(status, Reading::Token, is_understood),
            ));
        }
    }
    let long = format!("Retry-After: {}", "9".repeat(8_000));
    let location = format!("Location: {ELSEWHERE}");
    let others: [(&str, &[&str]); 14] = [
        ("a wait of 8,000 digits", &[&long]),
        ("two waits", &["Retry-After: 5", "Retry-After: 10"]),
        ("another place", &[&location]),
        ("a place that is none", &["Location: ::::\u{fffd}"]),
        (
            "a refresh elsewhere",
            &["Refresh: 0; url=http://127.0.0.1:9/", &location],
        ),
        ("cookies", &["Set-Cookie: a=b; Domain=example.com"; 40]),
        ("a date long ago", &["Date: Thu, 01 Jan 1970 00:00:00 GMT"]),
        ("a date far ahead", &["Date: Fri, 31 Dec 9999 23:59:59 GMT"]),
        ("a date that is none", &["Date: yesterday", "Age: -5"]),
        (
            "an encoding that is not so",
            &["Content-Encoding: br, gzip, zstd, zip"],
        ),
        (
            "an upgrade",
            &["Connection: upgrade, keep-alive, close", "Upgrade: h2c"],
        ),
        ("bytes beyond ASCII", &["X-Name: \u{e9}\u{fffd}\u{1f600}"]),
        (
            "a challenge",
            &[
                "WWW-Authenticate: Basic realm=\"\\\"",
                "Proxy-Authenticate: NTLM",
            ],
        ),
        ("ninety headers", &["X-More: yes"; 90]),
    ];
    for status in [200, 307, 401, 429, 503] {
        for (name, headers) in others {
            let is_understood = headers
                .iter()
                .any(|header| header.starts_with("Retry-After: "));
            rows.push(Row::new(
                format!("{status} with {name}"),
                with_headers(status, headers, &good()),
                expected(status, Reading::Token, is_understood),
            ));
        }
    }
    rows
}
