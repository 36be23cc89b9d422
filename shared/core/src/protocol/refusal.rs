//! What a provider's refusal means (RFC 6749 §5.2), and its words without secrets.

use std::{num::IntErrorKind, time::Duration};

use http::{HeaderMap, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;

use super::{path, raw_answer::RawAnswer, wire::WireAnswer};
use crate::model::{
    Secret,
    failure::{Failure, FailureCode},
    method::Response,
    template::{Template, Values},
};

/// How a token request failed.
#[derive(Debug, Clone)]
pub struct TokenFailure {
    /// What went wrong.
    pub code: FailureCode,
    /// Whether the provider may have acted on the request all the same.
    pub in_doubt: bool,
    /// The provider's own words, secrets removed; or ours, where nothing was asked.
    pub words: Option<String>,
    /// How long the provider asks us to wait.
    pub retry_after: Option<Duration>,
    /// The answer as received, where it is a success that could not be read.
    pub raw: Option<Box<RawAnswer>>,
}

impl TokenFailure {
    /// A failure without words of the provider.
    #[must_use]
    pub fn new(code: FailureCode, in_doubt: bool) -> Self {
        Self {
            code,
            in_doubt,
            words: None,
            retry_after: None,
            raw: None,
        }
    }

    /// The failure, as remembered.
    #[must_use]
    pub fn at(&self, at: Timestamp) -> Failure {
        Failure {
            at,
            code: self.code,
            words: self.words.clone(),
        }
    }

    /// Takes secrets out of the provider's words, in case it repeats what it was sent.
    #[must_use]
    pub fn without(mut self, secrets: &[&Secret]) -> Self {
        if let Some(words) = &mut self.words {
            let cut = words.chars().count() >= LONGEST_WORDS;
            let secrets = secrets.iter().map(|secret| secret.expose().as_str());
            for secret in secrets.filter(|secret| secret.len() >= SHORTEST_SECRET) {
                *words = words.replace(secret, HIDDEN);
                // The words may have been cut within it.
                if let Some(start) = beginning_at_end(words, secret).filter(|_| cut) {
                    words.truncate(start);
                    words.push_str(HIDDEN);
                }
            }
        }
        self
    }
}

/// Where the beginning of a secret begins, if the words end with one that is long enough to be told.
fn beginning_at_end(words: &str, secret: &str) -> Option<usize> {
    let ends = secret.char_indices().map(|(end, _)| end).rev();
    ends.filter(|end| *end >= SHORTEST_SECRET)
        .find_map(|end| words.strip_suffix(secret.get(..end)?))
        .map(str::len)
}

/// A secret that is shorter can't be told from other text.
const SHORTEST_SECRET: usize = 4;
/// What stands in the place of a secret.
const HIDDEN: &str = "[secret]";

/// Longer waits than this are not obeyed (`refresh.md`: cap 1 h).
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
const LONGEST_WORDS: usize = 300;

/// Whether an answer is an error whatever its status.
#[must_use]
pub fn is_error(body: &Value, response: &Response) -> bool {
    response.error_when.iter().any(|condition| {
        let Some(text) = path::find(body, &condition.path).and_then(scalar) else {
            return false;
        };
        let among = |list: &[crate::model::definition::Scalar]| list.iter().any(|s| s.0 == text);
        match (condition.is.is_empty(), condition.is_not.is_empty()) {
            (true, true) => true,
            (_, is_not) => {
                (!condition.is.is_empty() && among(&condition.is))
                    || (!is_not && !among(&condition.is_not))
            }
        }
    })
}

/// A value as text; `null` is none, a list or an object is there without being one.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => Some(String::new()),
    }
}

/// What an answer without tokens means.
#[must_use]
pub fn failure(
    answer: &WireAnswer,
    response: &Response,
    body: Option<&Value>,
    values: &dyn Values,
    now: Timestamp,
) -> TokenFailure {
    let (status, headers) = (answer.status, &answer.headers);
    let word = |name: &str| body.and_then(|body| path::text(body, name));
    let own = |paths: &[Template]| paths.iter().find_map(|path| word(&path.fill(values).ok()?));
    let error = own(&response.error_code)
        .or_else(|| word("error"))
        .or_else(|| word("error.code"));
    let description = own(&response.error_description)
        .or_else(|| word("error_description"))
        .or_else(|| word("error.message"));
    let retry_after = retry_after(headers, now);
    let (code, in_doubt) = class(status, error.as_deref(), response, retry_after.is_some());
    let words = match (error, description) {
        (Some(error), Some(description)) => Some(format!("{error}: {description}")),
        (Some(words), None) | (None, Some(words)) => Some(words),
        (None, None) => Some(format!("HTTP {}", status.as_u16())),
    };
    TokenFailure {
        code,
        in_doubt,
        words: words.map(|words| printable(&words)),
        retry_after,
        raw: None,
    }
}

/// What went wrong, and whether the provider may have acted on the request all the same.
fn class(
    status: StatusCode,
    error: Option<&str>,
    response: &Response,
    asks_for_patience: bool,
) -> (FailureCode, bool) {
    let among = |codes: &[crate::model::definition::Scalar]| {
        error.is_some_and(|error| codes.iter().any(|code| code.0 == error))
    };
    if among(&response.errors.user) {
        return (FailureCode::GrantRefused, false);
    }
    if among(&response.errors.builder) {
        return (FailureCode::ClientRefused, false);
    }
    let is_throttled = match status.as_u16() {
        429 => true,
        // A 503 with Retry-After comes from a gate before the endpoint: nothing was consumed.
        503 => asks_for_patience,
        _ => false,
    };
    if is_throttled {
        return (FailureCode::Throttled, false);
    }
    if among(&response.errors.provider) {
        return (FailureCode::ProviderError, true);
    }
    let by_status = || match status.as_u16() {
        408 | 500..=599 => (FailureCode::ProviderError, true),
        200..=299 => (FailureCode::AnswerUnreadable, true),
        _ => (FailureCode::ClientRefused, false),
    };
    match error {
        Some("invalid_grant") if status.is_client_error() || status.is_success() => {
            (FailureCode::GrantRefused, false)
        }
        // The server wants another request first, and has not looked at this one (RFC 9449 §8).
        Some("use_dpop_nonce") => (FailureCode::ProviderError, false),
        Some("temporarily_unavailable" | "server_error") => (FailureCode::ProviderError, true),
        Some("slow_down") => (FailureCode::Throttled, false),
        Some(_) if status.is_success() => (FailureCode::ClientRefused, false),
        Some(_) | None => by_status(),
    }
}

/// `Retry-After` in both forms (RFC 9110 §10.2.3), an hour at most.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => LONGEST_WAIT,
        Err(_) => {
            let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// A provider's words, short and on one line.
fn printable(words: &str) -> String {
    words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_WORDS)
        .collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;
    use crate::model::{
        definition::{ErrorCodes, Scalar},
        template::Reference,
    };

    struct Nothing;

    impl Values for Nothing {
        fn value(&self, _: &Reference) -> Option<std::borrow::Cow<'_, str>> {
            None
        }
    }

    fn told(status: u16, body: &Value) -> TokenFailure {
        told_by(&Response::default(), status, HeaderMap::new(), body)
    }

    fn told_by(response: &Response, status: u16, headers: HeaderMap, body: &Value) -> TokenFailure {
        let answer = WireAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Secret::new(Vec::new()),
            round_trip: Duration::ZERO,
        };
        failure(
            &answer,
            response,
            Some(body),
            &Nothing,
            Timestamp::UNIX_EPOCH,
        )
    }

    fn asks_for_patience() -> HeaderMap {
        HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("30"))])
    }

    #[test]
    fn refusals_are_told_apart() {
        use FailureCode as F;
        for (status, answer, code, in_doubt) in [
            (
                400,
                json!({"error": "invalid_grant"}),
                F::GrantRefused,
                false,
            ),
            (
                200,
                json!({"error": "invalid_grant"}),
                F::GrantRefused,
                false,
            ),
            (
                500,
                json!({"error": "invalid_grant"}),
                F::ProviderError,
                true,
            ),
            (
                401,
                json!({"error": "invalid_client"}),
                F::ClientRefused,
                false,
            ),
            (
                403,
                json!({"error": "unauthorized_client"}),
                F::ClientRefused,
                false,
            ),
            (
                400,
                json!({"error": "temporarily_unavailable"}),
                F::ProviderError,
                true,
            ),
            (404, json!(null), F::ClientRefused, false),
            (307, json!(null), F::ClientRefused, false),
            (400, json!(null), F::ClientRefused, false),
            (408, json!(null), F::ProviderError, true),
            (502, json!(null), F::ProviderError, true),
            (503, json!(null), F::ProviderError, true),
            (429, json!({"error": "rate_limited"}), F::Throttled, false),
            (200, json!({}), F::AnswerUnreadable, true),
            (
                400,
                json!({"error": "invalid_scope"}),
                F::ClientRefused,
                false,
            ),
            (
                400,
                json!({"error": "unsupported_grant_type"}),
                F::ClientRefused,
                false,
            ),
            (
                400,
                json!({"error": "use_dpop_nonce"}),
                F::ProviderError,
                false,
            ),
            (
                400,
                json!({"error": "server_error"}),
                F::ProviderError,
                true,
            ),
            (
                429,
                json!({"error": "temporarily_unavailable"}),
                F::Throttled,
                false,
            ),
            (504, json!(null), F::ProviderError, true),
        ] {
            let failure = told(status, &answer);
            assert_eq!(
                (failure.code, failure.in_doubt),
                (code, in_doubt),
                "{status} {answer}"
            );
        }
    }

    #[test]
    fn a_503_that_asks_for_patience_has_consumed_nothing() {
        let response = Response::default();
        for body in [json!(null), json!({"error": "temporarily_unavailable"})] {
            let failure = told_by(&response, 503, asks_for_patience(), &body);
            assert_eq!(
                (failure.code, failure.in_doubt, failure.retry_after),
                (FailureCode::Throttled, false, Some(Duration::from_secs(30))),
                "{body}"
            );
            assert!(told(503, &body).in_doubt, "{body}");
        }
    }

    #[test]
    fn a_definitions_own_words_come_before_the_rfcs() {
        use FailureCode as F;
        let scalar = |text: &str| Scalar(text.to_owned());
        let response = Response {
            errors: ErrorCodes {
                user: vec![scalar("token_revoked")],
                builder: vec![scalar("invalid_grant")],
                provider: vec![scalar("busy")],
            },
            ..Response::default()
        };
        for (status, error, code, in_doubt) in [
            (200, "token_revoked", F::GrantRefused, false),
            (400, "invalid_grant", F::ClientRefused, false),
            (200, "busy", F::ProviderError, true),
            (429, "busy", F::Throttled, false),
        ] {
            let body = json!({ "error": error });
            let failure = told_by(&response, status, HeaderMap::new(), &body);
            assert_eq!(
                (failure.code, failure.in_doubt),
                (code, in_doubt),
                "{status} {error}"
            );
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("7", Some(7)),
            ("86400", Some(3600)),
            ("99999999999999999999", Some(3600)),
            ("Thu, 01 Jan 2026 00:01:00 GMT", Some(60)),
            ("Wed, 31 Dec 2025 00:01:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let headers =
                HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(
                retry_after(&headers, now),
                seconds.map(Duration::from_secs),
                "{text}"
            );
        }
    }

    #[test]
    fn words_lose_their_secrets() {
        let answer = json!({"error": "invalid_client", "error_description": "bad s3cr3t\nhere"});
        let failure = told(401, &answer);
        let words = failure.without(&[&"s3cr3t".into()]).words.unwrap();
        assert_eq!(words, "invalid_client: bad [secret] here");
        for length in 250..310 {
            let answer =
                json!({"error_description": format!("{} s3cr3t-and-l0ng", "x".repeat(length))});
            let failure = told(401, &answer).without(&[&"s3cr3t-and-l0ng".into()]);
            assert!(!failure.words.unwrap().contains("s3cr"), "{length}");
        }
    }
}
