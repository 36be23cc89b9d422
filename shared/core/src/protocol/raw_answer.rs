//! Successful answers that could not be read, kept as they were received (`refresh.md`, rule 5).

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{asked::Asked, token_answer, wire::WireAnswer};
use crate::model::{Secret, definition::AnswerFormat};

const SHORTEST_TOKEN: usize = 16;
/// What is longer finds no place beside the tokens and two other spares (`Grant::is_too_long`).
const LONGEST: usize = 60 << 10;

/// A successful answer as it was received. Sealed and stored, so its fields may only be added to.
#[derive(Clone, Serialize, Deserialize)]
pub struct RawAnswer {
    /// The status.
    pub status: u16,
    /// The content type, if the provider named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The body, in Base64 as it need not be text.
    #[serde(serialize_with = "exposed")]
    pub body: Secret,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// By how many milliseconds the provider's clock is ahead of ours.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ahead_ms: i64,
}

impl RawAnswer {
    /// Takes down an answer; `None` unless it is a success that may hold tokens, and is no longer than
    /// what can be kept. A web page or half an answer holds none: no definition could ever read it.
    #[must_use]
    pub fn of(answer: &WireAnswer, asked: Asked) -> Option<Self> {
        let body = answer.body.expose();
        let content_type = answer.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let read = token_answer::parse(answer, AnswerFormat::Auto)?;
        if !answer.status.is_success() || body.len() > LONGEST || !may_hold_tokens(&read) {
            return None;
        }
        Some(Self {
            status: answer.status.as_u16(),
            content_type: content_type.map(ToOwned::to_owned),
            body: Secret::new(STANDARD.encode(body)),
            asked_at: asked.at,
            ahead_ms: i64::try_from(asked.ahead.as_millis()).unwrap_or_default(),
        })
    }

    /// The answer again, as it came `now`; `None` if it is no such thing.
    #[must_use]
    pub fn answer(&self, now: Timestamp) -> Option<WireAnswer> {
        let body = STANDARD.decode(self.body.expose().as_bytes()).ok()?;
        let content_type = self.content_type.as_deref().map(HeaderValue::from_str);
        let headers = content_type
            .and_then(Result::ok)
            .map(|value| (header::CONTENT_TYPE, value));
        Some(WireAnswer {
            status: StatusCode::from_u16(self.status).ok()?,
            headers: headers.into_iter().collect(),
            body: Secret::new(body),
            round_trip: Duration::try_from(now.duration_since(self.asked_at)).unwrap_or_default(),
        })
    }

    /// When it was asked for, by our clock and by the provider's.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked {
            at: self.asked_at,
            ahead: SignedDuration::from_millis(self.ahead_ms),
        }
    }

    /// As it is sealed; `None` if it can't be written, which a text always can.
    #[must_use]
    pub fn to_plaintext(&self) -> Option<Secret<Vec<u8>>> {
        serde_json::to_vec(self).ok().map(Secret::new)
    }

    /// Reads what [`RawAnswer::to_plaintext`] wrote; `None` if it is something else.
    #[must_use]
    pub fn from_plaintext(plaintext: &Secret<Vec<u8>>) -> Option<Self> {
        serde_json::from_slice(plaintext.expose()).ok()
    }
}

/// Whether there is a text in it that could be a token: long, and without spaces.
fn may_hold_tokens(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.len() >= SHORTEST_TOKEN && !text.contains(char::is_whitespace),
        Value::Array(items) => items.iter().any(may_hold_tokens),
        Value::Object(members) => members.values().any(may_hold_tokens),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Sealing is the one reason to write a secret out.
fn exposed<S: serde::Serializer>(body: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(body.expose())
}

impl std::fmt::Debug for RawAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawAnswer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &[u8]) -> WireAnswer {
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("text/odd"));
        WireAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: std::iter::once(content_type).collect(),
            body: Secret::new(body.to_vec()),
            round_trip: Duration::ZERO,
        }
    }

    #[test]
    fn an_answer_comes_back_byte_for_byte() {
        let asked_at = Timestamp::from_second(1_700_000_000).unwrap();
        let asked = Asked {
            at: asked_at,
            ahead: SignedDuration::from_secs(-600),
        };
        let body = br#"{ "odd": ["sixteen-letters-or-more", 1e0] }"#;
        let kept = RawAnswer::of(&answer(201, body), asked).unwrap();
        let kept = RawAnswer::from_plaintext(&kept.to_plaintext().unwrap()).unwrap();
        let again = kept.answer(asked_at + Duration::from_secs(60)).unwrap();
        assert_eq!(kept.asked(), asked);
        assert_eq!(again.status, StatusCode::CREATED);
        assert_eq!(again.headers[header::CONTENT_TYPE], "text/odd");
        assert_eq!(again.body.expose(), body);
        assert_eq!(again.round_trip, Duration::from_secs(60));
    }

    #[test]
    fn only_a_success_that_some_definition_could_read_may_hold_tokens() {
        let now = Asked::at(Timestamp::UNIX_EPOCH);
        for (status, body, kept) in [
            (200, r#"{"token": "abcdefghijklmnop"}"#, true),
            (201, "token=abcdefghijklmnop", true),
            (200, r#"[{"token": "abcdefghijklmnop"}]"#, true),
            (400, r#"{"token": "abcdefghijklmnop"}"#, false),
            (200, r#"{"token": "abcdefghijklmnop"#, false),
            (200, r#"{"message": "please come back later"}"#, false),
            (200, "<!doctype html><p>abcdefghijklmnop", false),
            (200, "{}", false),
            (200, "", false),
            (200, &format!("token={}", "a".repeat(LONGEST)), false),
        ] {
            let raw = RawAnswer::of(&answer(status, body.as_bytes()), now);
            assert_eq!(raw.is_some(), kept, "{status} {body}");
        }
    }
}
