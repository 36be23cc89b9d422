//! Statuses × bodies × framings.

use super::{
    MARK, Row,
    answers::{FRAMINGS, Framing, JSON, answer},
    table::Expected,
};

/// What a body says, if the status lets it say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// There is a token in it.
    Token,
    /// There is nothing in it that could be read.
    Nothing,
    /// It refuses the grant.
    GrantRefused,
    /// It refuses the client.
    ClientRefused,
}

const STATUSES: [u16; 40] = [
    200, 201, 202, 203, 204, 205, 206, 207, 226, 299, 300, 301, 302, 303, 304, 307, 308, 400, 401,
    402, 403, 404, 405, 406, 408, 409, 410, 413, 418, 425, 429, 451, 499, 500, 501, 502, 503, 504,
    599, 999,
];

/// What must become of a refresh that is answered so.
pub(super) fn expected(status: u16, reading: Reading, asks_for_patience: bool) -> Expected {
    let reading = match status {
        // They have no body, whatever is sent (RFC 9110 §15.3.5, §15.4.5).
        204 | 304 => Reading::Nothing,
        _ => reading,
    };
    Expected::Failed(match (status, reading) {
        (429, _) => "throttled",
        (503, _) if asks_for_patience => "throttled",
        (200..=299 | 400..=499, Reading::GrantRefused) => "grant_refused",
        (408 | 500..=599, _) => "provider_error",
        (200..=299, Reading::Token) => return Expected::Refreshed,
        (200..=299, Reading::Nothing) => "answer_unreadable",
        _ => "client_refused",
    })
}

/// A token answer as it should be.
pub(super) fn good() -> Vec<u8> {
    format!(
        r#"{{"access_token":"{MARK}-access","token_type":"Bearer","expires_in":3600,"refresh_token":"{MARK}-refresh"}}"#
    )
    .into_bytes()
}

pub(super) fn rows() -> Vec<Row> {
    let html = b"<!doctype html><html><title>Sign in</title><p>Welcome</html>";
    let refusal = br#"{"error":"invalid_grant","error_description":"no such token"}"#;
    let bodies: [(&str, &str, &[u8], Reading); 4] = [
        ("a good answer", JSON, &good(), Reading::Token),
        ("a web page", "text/html", html, Reading::Nothing),
        ("nothing", JSON, b"", Reading::Nothing),
        ("a refusal", JSON, refusal, Reading::GrantRefused),
    ];
    let mut rows = Vec::new();
    for status in STATUSES {
        for (number, (what, content_type, body, reading)) in bodies.iter().enumerate() {
            // Every framing comes with every status and every body, though not with every pair.
            let turn = usize::from(status) + number;
            let framing = FRAMINGS[turn % FRAMINGS.len()];
            let is_bare = matches!(status, 204 | 304) && framing != Framing::Length;
            let framing = if is_bare { Framing::Length } else { framing };
            rows.push(Row::new(
                format!("{status} with {what}, by {framing:?}"),
                answer(status, Some(content_type), framing, body),
                expected(status, *reading, false),
            ));
        }
    }
    rows
}
